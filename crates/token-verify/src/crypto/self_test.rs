//! Known answers: the library that was linked does say yes to a good signature and no to a bad one.

use std::sync::OnceLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{KeyMaterial, SignatureAlgorithm, backend};

struct KnownAnswer {
    algorithm: SignatureAlgorithm,
    key: [&'static str; 2],
    message: &'static str,
    signature: &'static str,
}

const KNOWN_ANSWERS: [KnownAnswer; 4] = [
    // RFC 7515 §A.2.
    KnownAnswer {
        algorithm: SignatureAlgorithm::RS256,
        key: [
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt\
             0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
             ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5\
             IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
            "AQAB",
        ],
        message: "eyJhbGciOiJSUzI1NiJ9.\
                  eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
                  Ijp0cnVlfQ",
        signature: "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5Y\
                    Kt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6\
                    xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc\
                    6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_\
                    IoypGlUPQGe77Rw",
    },
    // RFC 7515 §A.3.
    KnownAnswer {
        algorithm: SignatureAlgorithm::ES256,
        key: [
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ],
        message: "eyJhbGciOiJFUzI1NiJ9.\
                  eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
                  Ijp0cnVlfQ",
        signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6\
                    NU1Q",
    },
    // RFC 7520 §4.3.
    KnownAnswer {
        algorithm: SignatureAlgorithm::ES512,
        key: [
            "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDy\
             RXYgCF5cj0Kt",
            "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9c\
             wlGfP-HqHZR1",
        ],
        message: "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ\
                  9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZ\
                  G9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlv\
                  dXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB\
                  0IG9mZiB0by4",
        signature: "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7\
                    KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQe\
                    ns_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
    },
    // RFC 8037 §A.4.
    KnownAnswer {
        algorithm: SignatureAlgorithm::Ed25519,
        key: ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", ""],
        message: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        signature: "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM\
                    0KAg",
    },
];

/// Whether the library works. Found out once per process.
pub(crate) fn passes_self_test() -> bool {
    static PASSES: OnceLock<bool> = OnceLock::new();
    *PASSES.get_or_init(|| KNOWN_ANSWERS.iter().all(|known| answers(known, check).unwrap_or(false)))
}

/// Parses a key and checks a signature.
type Check = fn(SignatureAlgorithm, KeyMaterial<'_>, &[u8], &[u8]) -> Option<bool>;

fn check(
    algorithm: SignatureAlgorithm,
    material: KeyMaterial<'_>,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    Some(backend::Key::parse(algorithm, material)?.verify(message, signature))
}

fn answers(known: &KnownAnswer, check: Check) -> Option<bool> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let (first, second) = (decode(known.key[0])?, decode(known.key[1])?);
    let signature = decode(known.signature)?;
    let point = [&[4], first.as_slice(), second.as_slice()].concat();
    let material = match known.algorithm {
        SignatureAlgorithm::ES256 | SignatureAlgorithm::ES384 | SignatureAlgorithm::ES512 => {
            KeyMaterial::Ec { point: &point }
        }
        SignatureAlgorithm::Ed25519 => KeyMaterial::Ed25519 { x: &first },
        SignatureAlgorithm::PS256
        | SignatureAlgorithm::PS384
        | SignatureAlgorithm::PS512
        | SignatureAlgorithm::RS256
        | SignatureAlgorithm::RS384
        | SignatureAlgorithm::RS512 => KeyMaterial::Rsa { n: &first, e: &second },
        // Not a matter of the backend.
        SignatureAlgorithm::HS256 | SignatureAlgorithm::HS384 | SignatureAlgorithm::HS512 => {
            return None;
        }
    };
    let verdict = |message: &str| check(known.algorithm, material, message.as_bytes(), &signature);
    Some(verdict(known.message)? && !verdict("another message")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_backend_gives_the_known_answers() {
        assert!(passes_self_test());
        for known in &KNOWN_ANSWERS {
            assert_eq!(answers(known, check), Some(true), "{}", known.algorithm);
        }
    }

    #[test]
    #[cfg(all(feature = "aws-lc-rs", feature = "rust-crypto"))]
    fn so_does_the_backend_that_is_not_selected() {
        use crate::crypto::rust_crypto::Key;

        let check: Check = |algorithm, material, message, signature| {
            Some(Key::parse(algorithm, material)?.verify(message, signature))
        };
        for known in &KNOWN_ANSWERS {
            assert_eq!(answers(known, check), Some(true), "{}", known.algorithm);
        }
    }

    #[test]
    fn a_backend_that_says_yes_to_everything_fails_the_self_test() {
        assert_eq!(answers(&KNOWN_ANSWERS[0], |_, _, _, _| Some(true)), Some(false));
        assert_eq!(answers(&KNOWN_ANSWERS[0], |_, _, _, _| None), None);
    }
}
