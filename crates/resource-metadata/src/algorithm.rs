//! Names of signature algorithms (RFC 7518 §3.1).

/// No name that is registered is longer.
const MAX_BYTES: usize = 32;

/// Whether it may be the name of an algorithm that signs. RFC 9728 §2 of `none`: "MUST NOT be used".
pub(crate) fn signs(name: &str) -> bool {
    let is_name = (1..=MAX_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'_' | b'.'));
    is_name && !name.eq_ignore_ascii_case("none")
}

/// Whether it may be the name of an algorithm with a public key. RFC 9449 §5.1 names only such.
pub(crate) fn is_asymmetric(name: &str) -> bool {
    let is_mac = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("HS"));
    signs(name) && !is_mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_no_algorithm_and_a_mac_no_signature() {
        for (name, expected) in [
            ("ES256", (true, true)),
            ("EdDSA", (true, true)),
            ("ML-DSA-65", (true, true)),
            ("HS256", (true, false)),
            ("hs512", (true, false)),
            ("none", (false, false)),
            ("None", (false, false)),
            ("NONE", (false, false)),
            ("", (false, false)),
            ("ES256 ", (false, false)),
            ("ES256,RS256", (false, false)),
            ("ES256\"", (false, false)),
            ("abcdefghijklmnopqrstuvwxyz1234567", (false, false)),
        ] {
            assert_eq!((signs(name), is_asymmetric(name)), expected, "{name}");
        }
    }
}
