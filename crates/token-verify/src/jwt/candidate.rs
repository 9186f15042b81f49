//! A token on its way through the checks, up to and including the signature.

use palisade_core::{Clock, Principal};

use super::{
    claims::UnverifiedClaims,
    compact::{Compact, decode, signed_bytes},
    header::Header,
    rules::Rules,
};
use crate::{
    BearerToken, Rejection,
    keys::{KeyAnswer, KeyHint},
};

/// A token that lacks nothing but a key.
pub(super) struct Candidate {
    token: BearerToken,
    header: Header,
    signature: Vec<u8>,
    claims: UnverifiedClaims,
}

impl Candidate {
    /// All that can be checked without a key.
    pub(super) fn read(token: BearerToken, rules: &Rules) -> Result<Self, Rejection> {
        let parts = Compact::split(token.expose(), rules.max_token_bytes)?;
        let header = Header::read(parts.header, rules)?;
        let claims = UnverifiedClaims::read(parts.payload)?;
        claims.check_issuer(&rules.issuer)?;
        let signature = decode(parts.signature, "the signature is not base64url")?;
        if !header.algorithm.may_have_signature_len(signature.len()) {
            return Err(Rejection::BadSignature);
        }
        Ok(Self { token, header, signature, claims })
    }

    pub(super) fn key_hint(&self) -> KeyHint<'_> {
        KeyHint { kid: self.header.kid.as_deref(), algorithm: self.header.algorithm }
    }

    pub(super) fn finish(
        self,
        answer: KeyAnswer,
        rules: &Rules,
        clock: &impl Clock,
    ) -> Result<Principal, Rejection> {
        let key = match answer {
            KeyAnswer::Found(key) => key,
            KeyAnswer::Unavailable { retry_after } => {
                return Err(Rejection::KeysUnavailable { retry_after });
            }
            KeyAnswer::Unknown => return Err(Rejection::UnknownKey),
        };
        let signed = signed_bytes(self.token.expose());
        let verified = key
            .verify(self.header.algorithm, signed, &self.signature)
            .ok_or(Rejection::BadSignature)?;
        // The time is read here and not before the wait for a key.
        self.claims.trust(verified).into_principal(rules, clock.now())
    }
}
