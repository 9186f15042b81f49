//! RFC 9068 §2.1 and what this crate adds.

use palisade_token_verify::{Issuer, SignatureAlgorithm, trust::TrustedIssuer};

use crate::json::{self, Bounds, Json};

/// What the twin knows by heart.
pub fn rules() -> TrustedIssuer {
    TrustedIssuer::new(Issuer::parse("https://as.example").unwrap())
        .algorithms([SignatureAlgorithm::ES256, SignatureAlgorithm::Ed25519])
        .unwrap()
        .accept_type("JWT")
        .unwrap()
}

pub fn header(bytes: &[u8]) -> Option<(&'static str, Option<String>)> {
    let header = json::object(bytes, &Bounds { depth: 32, values: 4096 })?;
    for forbidden in ["b64", "crit", "cty", "zip"] {
        if header.get(forbidden).is_some() {
            return None;
        }
    }
    let algorithm = match header.get("alg")?.text()? {
        "ES256" => "ES256",
        "EdDSA" | "Ed25519" => "Ed25519",
        _ => return None,
    };
    let kid = match header.get("kid") {
        None => None,
        Some(Json::Text(kid)) if kid.len() <= 256 => Some(kid.clone()),
        Some(_) => return None,
    };
    let typ = header.get("typ")?.text()?.to_ascii_lowercase();
    let known = ["at+jwt", "application/at+jwt", "jwt", "application/jwt"];
    known.contains(&typ.as_str()).then_some((algorithm, kid))
}
