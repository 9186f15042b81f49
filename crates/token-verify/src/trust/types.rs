//! `typ`: what kind of JWT it is (RFC 9068 §4, RFC 8725bis §3.11, §3.12).

use serde_json::Value;

use super::{TrustError, TrustedIssuer};

const MAX_TYPE_BYTES: usize = 64;

/// Types of JWTs that are proofs, events or answers, and never access (RFC 8725bis §3.12).
const NEVER_ACCESS: [&str; 6] = [
    "dpop+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "token-introspection+jwt",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TypeRules {
    pub(super) names: Vec<Box<str>>,
    pub(super) missing: bool,
}

impl TypeRules {
    pub(super) fn rfc9068() -> Self {
        Self { names: vec!["at+jwt".into()], missing: false }
    }

    pub(super) fn accept(&mut self, typ: &str) -> Result<(), TrustError> {
        let name = typ.strip_prefix("application/").unwrap_or(typ);
        let is_name = !name.is_empty()
            && name.len() <= MAX_TYPE_BYTES
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
        if !is_name || NEVER_ACCESS.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(TrustError::NotAnAccessTokenType);
        }
        if !self.names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            self.names.push(name.into());
        }
        Ok(())
    }
}

pub(crate) fn is_accepted_type(typ: Option<&Value>, issuer: &TrustedIssuer) -> bool {
    match typ {
        None => issuer.types.missing,
        Some(Value::String(typ)) => {
            issuer.types.names.iter().any(|name| same_media_type(typ, name))
        }
        Some(_) => false,
    }
}

/// RFC 7515 §4.1.9: a name without `/` means the same with `application/` before it. Media types have no
/// case; parameters (`at+jwt;v=1`) are not forgiven.
pub(crate) fn same_media_type(left: &str, right: &str) -> bool {
    subtype(left).eq_ignore_ascii_case(subtype(right))
}

fn subtype(media_type: &str) -> &str {
    match media_type.split_once('/') {
        Some((tree, subtype)) if tree.eq_ignore_ascii_case("application") => subtype,
        _ => media_type,
    }
}
