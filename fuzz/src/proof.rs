//! RFC 9449 §4.2 and §4.3, without signature and age.

use palisade_token_verify::fuzzing::ProofFacts;
use sha2::{Digest, Sha256};

use crate::{
    base64url,
    json::{self, Bounds, Json},
};

const BOUNDS: Bounds = Bounds { depth: 32, values: 4096 };

pub fn proof(header: &[u8], claims: &[u8], signature: &[u8]) -> Option<ProofFacts> {
    let (header, claims) = (json::object(header, &BOUNDS)?, json::object(claims, &BOUNDS)?);
    if ["b64", "crit", "cty", "zip"].iter().any(|name| header.get(name).is_some()) {
        return None;
    }
    let typ = header.get("typ")?.text()?.to_ascii_lowercase();
    if typ != "dpop+jwt" && typ != "application/dpop+jwt" {
        return None;
    }
    // Of both, a signature has 64 bytes.
    if !["ES256", "EdDSA", "Ed25519"].contains(&header.get("alg")?.text()?) || signature.len() != 64
    {
        return None;
    }
    let text = |name| claims.get(name).and_then(Json::text);
    let hash = base64url::decode(text("ath")?)?;
    if text("htm")? != "POST"
        || !is_here(text("htu")?)
        || hash != Sha256::digest("token").as_slice()
    {
        return None;
    }
    let Json::Number(issued_at) = claims.get("iat")? else { return None };
    let jti = text("jti")?;
    if jti.is_empty() || jti.len() > 256 {
        return None;
    }
    let nonce = match claims.get("nonce") {
        None => None,
        Some(nonce) => Some(nonce.text()?.to_owned()),
    };
    Some(ProofFacts {
        issued_at: issued_at.parse().ok()?,
        jti: jti.to_owned(),
        nonce,
        thumbprint: thumbprint(header.get("jwk")?)?,
    })
}

/// RFC 7638 §3.
fn thumbprint(key: &Json) -> Option<[u8; 32]> {
    let names: &[&str] = match key.get("kty")?.text()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut members = Vec::new();
    for name in names {
        let value = key.get(name)?.text()?;
        let is_plain = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
        if value.is_empty() || !value.chars().all(is_plain) {
            return None;
        }
        members.push(format!("\"{name}\":\"{value}\""));
    }
    Some(Sha256::digest(format!("{{{}}}", members.join(","))).into())
}

/// Whether it is `https://api.example/a/b~c`, by RFC 3986 §6.2.2 and §6.2.3.
fn is_here(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else { return false };
    let Some((authority, path)) = rest.split_once('/') else { return false };
    let authority = authority.to_ascii_lowercase();
    scheme.to_ascii_lowercase() == "https"
        && ["api.example", "api.example:", "api.example:443"].contains(&authority.as_str())
        && unescaped(path).is_some_and(|path| without_dots(format!("/{path}")) == "/a/b~c")
}

/// Letters and digits are not escaped, everything else that is stays so. `None` for what no path holds.
fn unescaped(path: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = path.chars();
    while let Some(char) = chars.next() {
        if char == '%' {
            let byte = chars.next()?.to_digit(16)? * 16 + chars.next()?.to_digit(16)?;
            match char::from_u32(byte)? {
                char if is_unreserved(char) => out.push(char),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        } else if is_unreserved(char) || "!$&'()*+,;=:@/".contains(char) {
            out.push(char);
        } else {
            return None;
        }
    }
    Some(out)
}

fn is_unreserved(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~".contains(char)
}

/// RFC 3986 §5.2.4, as it is written there.
fn without_dots(mut input: String) -> String {
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") {
            input = input[2..].to_owned();
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |slash| slash + 1);
            output.push_str(&input[..end]);
            input = input[end..].to_owned();
        }
    }
    output
}
