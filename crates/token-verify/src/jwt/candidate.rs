//! A token on its way through the checks, up to and including the signature.

use std::{sync::Arc, time::SystemTime};

use serde_json::{Map, Value};

use super::{
    cache::Verified,
    claims::UnverifiedClaims,
    compact::{Compact, signed_bytes},
    header::Header,
    issuers::{Issuers, Trusted},
};
use crate::{
    BearerToken, Rejection,
    keys::{KeyAnswer, KeyHint},
    trust::Origin,
};

/// A token that lacks nothing but a key.
pub(super) struct Candidate {
    token: BearerToken,
    header: Header,
    signature: Vec<u8>,
    claims: UnverifiedClaims,
    issuer: Arc<Trusted>,
}

impl Candidate {
    /// All that can be checked without a key.
    pub(super) fn read(
        token: BearerToken,
        issuers: &Issuers,
        max_bytes: usize,
    ) -> Result<Self, Rejection> {
        let parts = Compact::split(token.expose(), max_bytes)?;
        let header = Header::read(parts.header)?;
        let claims = UnverifiedClaims::read(parts.payload)?;
        // Tokens of others end here, before a key is looked up: nobody can make us ask an issuer for keys
        // with tokens that it never made.
        let issuer = issuers.get(claims.issuer()?).ok_or(Rejection::WrongIssuer)?;
        header.check(&issuer.rules)?;
        let signature = header.read_signature(parts.signature)?;
        let issuer = Arc::clone(issuer);
        Ok(Self { token, header, signature, claims, issuer })
    }

    pub(super) const fn issuer(&self) -> &Arc<Trusted> {
        &self.issuer
    }

    /// See [`UnverifiedClaims::unproven`].
    pub(super) const fn unproven(&self) -> &Map<String, Value> {
        self.claims.unproven()
    }

    pub(super) fn key_hint(&self) -> KeyHint<'_> {
        self.header.key_hint()
    }

    /// The verdict. `now` is read here and not before the wait for a key.
    pub(super) fn finish(
        self,
        answer: KeyAnswer,
        now: impl FnOnce() -> SystemTime,
    ) -> Result<Verified, Rejection> {
        let key = match answer {
            KeyAnswer::Found(key) => key,
            KeyAnswer::NotYetKnown { retry_after } => {
                return Err(Rejection::KeyNotYetKnown { retry_after });
            }
            KeyAnswer::Unavailable { retry_after } => {
                return Err(Rejection::KeysUnavailable { retry_after });
            }
            KeyAnswer::Unknown => return Err(Rejection::UnknownKey),
        };
        let signed = signed_bytes(self.token.expose());
        let verified = key
            .verify(self.header.algorithm, signed, &self.signature)
            .ok_or(Rejection::BadSignature)?;
        let claims = self.claims.trust(verified);
        let claimed = self.issuer.rules.judge(claims, Origin::Jwt, &self.issuer.digest, now())?;
        Ok(Verified {
            claimed,
            issuer: self.issuer,
            kid: self.header.kid.map(String::into_boxed_str),
            algorithm: self.header.algorithm,
            key,
        })
    }
}
