//! Ed25519 keys that are none (RFC 8032 §5.1.7, RFC 8725bis §3.4).
//!
//! A point of small order has at most eight multiples, so a signature for it can be made without any secret,
//! and neither backend looks. An issuer that publishes a key of zeros, because a field was never filled, would
//! let everybody in.

/// The `y` of the points whose order divides eight, without sign bit, in the form that is below the prime.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    one(),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    below_prime(1),
];

const fn one() -> [u8; 32] {
    let mut y = [0; 32];
    y[0] = 1;
    y
}

/// `p - n`, where `p` is 2^255 - 19 and `n` at most its last byte.
const fn below_prime(n: u8) -> [u8; 32] {
    let mut y = [0xff; 32];
    y[0] = 0xed_u8.saturating_sub(n);
    y[31] = 0x7f;
    y
}

/// Whether anybody can forge for the key, or its `y` is not below the prime: one key, two spellings.
pub(super) fn is_weak(encoded: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(encoded) else {
        return true;
    };
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let prime = below_prime(0);
    let is_reduced = y.iter().rev().lt(prime.iter().rev());
    !is_reduced || SMALL_ORDER.contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alg_08_points_of_small_order_are_weak_with_either_sign() {
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut encoded = y;
                encoded[31] |= sign;
                assert!(is_weak(&encoded), "{encoded:02x?}");
            }
        }
    }

    #[test]
    fn a_point_has_one_spelling() {
        for above in 0..=18_u8 {
            let mut encoded = below_prime(0);
            encoded[0] += above;
            assert!(is_weak(&encoded), "p + {above}");
        }
        assert!(!is_weak(&below_prime(2)));
        assert!(is_weak(&[7; 31]) && is_weak(&[7; 33]));
    }

    /// RFC 8037 §A.2.
    #[test]
    fn an_ordinary_key_is_not_weak() {
        let key = b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
        assert!(!is_weak(key));
    }
}
