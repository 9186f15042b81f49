//! `cnf`: which keys a token is bound to (RFC 7800 §3.1).

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::Confirmation;
use serde_json::Value;

use crate::Rejection;

const INVALID: Rejection = Rejection::InvalidClaim { claim: Cow::Borrowed("cnf") };

/// Reads the value of a `cnf` claim, of a JWT or of an introspection answer.
///
/// All of it must be understood. A token with a member that we do not know is bound to something that nobody
/// here checks, and to accept it would undo that binding.
pub(crate) fn read_confirmation(cnf: &Value) -> Result<Confirmation, Rejection> {
    let members = cnf.as_object().filter(|members| !members.is_empty()).ok_or(INVALID)?;
    members.iter().try_fold(Confirmation::new(), |confirmation, (name, value)| {
        match name.as_str() {
            // RFC 9449 §6.1.
            "jkt" => Ok(confirmation.with_jwk_thumbprint(thumbprint(value)?)),
            // RFC 8705 §3.1.
            "x5t#S256" => Ok(confirmation.with_certificate_thumbprint(thumbprint(value)?)),
            _ => Err(Rejection::BoundToKey),
        }
    })
}

/// A SHA-256 digest in strict base64url: one digest has one spelling.
fn thumbprint(value: &Value) -> Result<[u8; 32], Rejection> {
    let text = value.as_str().filter(|text| text.len() == 43).ok_or(INVALID)?;
    let digest = URL_SAFE_NO_PAD.decode(text).map_err(|_| INVALID)?;
    digest.try_into().map_err(|_| INVALID)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    #[test]
    fn reads_both_kinds_of_keys() {
        let both = read_confirmation(&json!({ "jkt": DIGEST, "x5t#S256": DIGEST })).unwrap();
        assert_eq!(both.jwk_thumbprint().unwrap()[..3], [0xD1, 0x97, 0x0E]);
        assert_eq!(both.jwk_thumbprint(), both.certificate_thumbprint());
        let jkt = read_confirmation(&json!({ "jkt": DIGEST })).unwrap();
        assert_eq!(jkt.certificate_thumbprint(), None);
        let x5t = read_confirmation(&json!({ "x5t#S256": DIGEST })).unwrap();
        assert_eq!(x5t.jwk_thumbprint(), None);
    }

    #[test]
    fn pop_09_what_is_not_understood_is_refused() {
        let bits_left_over = DIGEST.replace("A4I", "A4J");
        let rows = [
            ("empty", json!({}), INVALID),
            ("null", json!(null), INVALID),
            ("a string", json!(DIGEST), INVALID),
            ("an array", json!([{ "jkt": DIGEST }]), INVALID),
            ("null inside", json!({ "jkt": null }), INVALID),
            ("a number", json!({ "jkt": 1 }), INVALID),
            ("empty digest", json!({ "jkt": "" }), INVALID),
            ("padded", json!({ "jkt": format!("{DIGEST}=") }), INVALID),
            ("the other alphabet", json!({ "jkt": DIGEST.replace('-', "+") }), INVALID),
            ("bits left over", json!({ "jkt": bits_left_over }), INVALID),
            ("hex", json!({ "jkt": "d1".repeat(32) }), INVALID),
            ("SHA-1", json!({ "x5t#S256": "A".repeat(27) }), INVALID),
            ("SHA-512", json!({ "x5t#S256": "A".repeat(86) }), INVALID),
            ("one good and one bad", json!({ "jkt": DIGEST, "x5t#S256": 1 }), INVALID),
            ("unknown only", json!({ "x5t": DIGEST }), Rejection::BoundToKey),
            ("other case", json!({ "JKT": DIGEST }), Rejection::BoundToKey),
            ("a JWK", json!({ "jwk": { "kty": "EC" } }), Rejection::BoundToKey),
            ("known and unknown", json!({ "jkt": DIGEST, "kid": "1" }), Rejection::BoundToKey),
        ];
        for (name, cnf, expected) in rows {
            assert_eq!(read_confirmation(&cnf), Err(expected), "{name}");
        }
    }
}
