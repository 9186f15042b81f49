//! From the server's yes to a principal: what kind of token it spoke of, and the issuer's rules, as for any token.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use palisade_core::Resource;
use serde_json::{Map, Value};

use crate::{
    Issuer, Rejection,
    trust::{Claimed, Origin, TrustedIssuer, is_accepted_type},
};

#[derive(Clone, Debug)]
pub(super) struct Rules {
    issuer: TrustedIssuer,
    digest: Arc<str>,
    pub(super) audience_if_missing: Option<Resource>,
}

impl Rules {
    pub(super) fn new(issuer: TrustedIssuer) -> Self {
        let digest = issuer.digest().into();
        Self { issuer, digest, audience_if_missing: None }
    }

    pub(super) const fn issuer(&self) -> &Issuer {
        self.issuer.issuer()
    }

    pub(super) const fn leeway(&self) -> Duration {
        self.issuer.leeway
    }

    pub(super) fn judge(
        &self,
        mut claims: Map<String, Value>,
        now: SystemTime,
    ) -> Result<Claimed, Rejection> {
        self.check_kind(&claims)?;
        // Many servers do not say. One that does speaks of its own tokens.
        match claims.get("iss") {
            None => {}
            Some(Value::String(issuer)) if issuer == self.issuer().as_str() => {}
            Some(Value::String(_)) => return Err(Rejection::WrongIssuer),
            Some(_) => return Err(Rejection::invalid("iss")),
        }
        if let (Some(resource), None) = (&self.audience_if_missing, claims.get("aud")) {
            claims.insert("aud".to_owned(), resource.as_str().into());
        }
        self.issuer.judge(claims, Origin::Introspection, &self.digest, now)
    }

    /// Asked again whenever a verdict is remembered.
    pub(super) fn still_holds(&self, claimed: &Claimed, now: SystemTime) -> bool {
        // RFC 7662 §4 knows no leeway: "MUST NOT be cached beyond the time indicated therein".
        claimed.principal.expires_at().is_none_or(|end| now < end)
            && claimed.lifetime.check(&self.issuer, now).is_ok()
    }

    /// RFC 7662 serves refresh tokens as well, and servers say so in different places: `token_type` (RFC 7662 §2.2),
    /// `token_use` (Ory Hydra), `typ` (Keycloak). A refresh token is no access token, and an ID token was never meant for
    /// anybody but a client.
    fn check_kind(&self, claims: &Map<String, Value>) -> Result<(), Rejection> {
        const ACCESS: [(&str, &[&str]); 2] = [
            ("token_type", &["bearer", "dpop", "access_token"]),
            ("token_use", &["access", "access_token"]),
        ];
        let is_access = |(name, kinds): &(&str, &[&str])| match claims.get(*name) {
            None => true,
            Some(Value::String(kind)) => kinds.iter().any(|one| one.eq_ignore_ascii_case(kind)),
            Some(_) => false,
        };
        let has_type = match claims.get("typ") {
            None => true,
            Some(Value::String(typ))
                if ["bearer", "dpop"].iter().any(|one| one.eq_ignore_ascii_case(typ)) =>
            {
                true
            }
            typ => is_accepted_type(typ, &self.issuer),
        };
        if !has_type || !ACCESS.iter().all(is_access) {
            return Err(Rejection::DisallowedType);
        }
        // RFC 9449 §6.2: the server says what the token is bound to. If it forgot, the token is bound all the same.
        let says_dpop = claims
            .get("token_type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
        let names_key = claims.get("cnf").and_then(|cnf| cnf.get("jkt")).is_some();
        if says_dpop && !names_key {
            return Err(Rejection::invalid("token_type"));
        }
        Ok(())
    }
}
