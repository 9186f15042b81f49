//! The name of a key that is made of the key (RFC 7638).

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The SHA-256 thumbprint of a JWK, from the required members of its type and nothing else: other members,
/// and the order of all, are the sender's choice and must not change which key it is.
///
/// `None` if a required member is missing, or is text that no public key is made of. Says nothing about
/// whether the key can be used.
pub(super) fn thumbprint(jwk: &Map<String, Value>) -> Option<[u8; 32]> {
    // Nothing that JSON would have to escape, so that the text is the canonical one.
    let member = |name: &str| {
        let text = jwk.get(name)?.as_str()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (!text.is_empty() && text.bytes().all(is_plain)).then_some(text)
    };
    // RFC 7638 §3.2, RFC 8037 §2: in lexicographic order, without white space.
    let canonical = match member("kty")? {
        "EC" => format!(
            r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
            member("crv")?,
            member("x")?,
            member("y")?
        ),
        "OKP" => format!(r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#, member("crv")?, member("x")?),
        "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member("e")?, member("n")?),
        _ => return None,
    };
    Some(Sha256::digest(canonical).into())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn of(jwk: &str) -> Option<String> {
        let jwk: Map<String, Value> = serde_json::from_str(jwk).unwrap();
        thumbprint(&jwk).map(|digest| URL_SAFE_NO_PAD.encode(digest))
    }

    #[test]
    fn gives_the_known_answers() {
        // RFC 7638 §3.1.
        let rsa = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        assert_eq!(of(rsa).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        // RFC 8037 §A.3.
        let okp =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(of(okp).unwrap(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // RFC 9449 §4.1 and §6.1.
        let ec = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        assert_eq!(of(ec).unwrap(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn pop_08_other_members_and_their_order_do_not_matter() {
        let plain = of(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"BB"}"#);
        assert!(plain.is_some());
        for same in [
            r#"{"y":"BB","x":"AA","crv":"P-256","kty":"EC"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":"BB","kid":"1","use":"sig","alg":"ES256"}"#,
            r#"{ "kty" : "EC", "crv":"P-256", "\u0078":"\u0041A", "y":"BB", "n":"CC", "e":"AQAB" }"#,
        ] {
            assert_eq!(of(same), plain, "{same}");
        }
        for other in [
            r#"{"kty":"EC","crv":"P-256","x":"BB","y":"AA"}"#,
            r#"{"kty":"EC","crv":"P-384","x":"AA","y":"BB"}"#,
            r#"{"kty":"OKP","crv":"P-256","x":"AA","y":"BB"}"#,
        ] {
            assert!(of(other).is_some() && of(other) != plain, "{other}");
        }
    }

    #[test]
    fn what_is_no_public_key_has_no_thumbprint() {
        for jwk in [
            "{}",
            r#"{"kty":"oct","k":"AA"}"#,
            r#"{"kty":"ec","crv":"P-256","x":"AA","y":"BB"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":""}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":1}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":"B\",\"z\":\""}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA=","y":"BB"}"#,
        ] {
            assert_eq!(of(jwk), None, "{jwk}");
        }
    }
}
