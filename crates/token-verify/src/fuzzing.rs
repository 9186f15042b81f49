//! What fuzz targets reach into. Exists only in their builds (`--cfg fuzzing`).

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::{Actor, Principal};

pub use crate::{
    dpop::fuzzing::{ProofFacts, proof},
    https::fuzzing::forwarded,
};
use crate::{
    jwt::{Compact, DEFAULT_MAX_TOKEN_BYTES, Header, UnverifiedClaims, decode},
    keys::StaticKeys,
    trust::{Origin, TrustedIssuer},
};

/// The three parts of a token, decoded.
#[must_use]
pub fn compact(token: &str) -> Option<[Vec<u8>; 3]> {
    let parts = Compact::split(token, DEFAULT_MAX_TOKEN_BYTES).ok()?;
    let decode = |part| decode(part, "").ok();
    Some([decode(parts.header)?, decode(parts.payload)?, decode(parts.signature)?])
}

/// `alg` by its unambiguous name, and `kid`, if the header is one that `rules` accept.
#[must_use]
pub fn header(json: &[u8], rules: &TrustedIssuer) -> Option<(&'static str, Option<String>)> {
    let header = Header::read(&URL_SAFE_NO_PAD.encode(json)).ok()?;
    header.check_algorithm(rules).ok()?;
    header.check_type(rules).ok()?;
    Some((header.algorithm.as_str(), header.kid))
}

/// Who is named by claims with a right signature.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "compared with what a twin finds")]
pub struct Facts {
    /// `act`, the current one first, with its issuer.
    pub actors: Vec<(String, Option<String>)>,
    /// In the order of the token.
    pub audiences: Vec<String>,
    /// What the token is bound to: thumbprints of a key and of a certificate.
    pub confirmation: Option<[Option<[u8; 32]>; 2]>,
    /// The client.
    pub client: Option<String>,
    /// Whole seconds.
    pub expires: Option<u64>,
    /// Whole seconds.
    pub issued: Option<u64>,
    /// In the order of the token.
    pub roles: Vec<String>,
    /// Without order.
    pub scopes: BTreeSet<String>,
    /// The subject.
    pub subject: String,
    /// `jti`.
    pub token_id: Option<String>,
}

/// The principal that a payload comes to.
#[must_use]
pub fn claims(json: &[u8], rules: &TrustedIssuer, now: u64) -> Option<Facts> {
    let claims = UnverifiedClaims::read(&URL_SAFE_NO_PAD.encode(json)).ok()?;
    if claims.issuer().ok()? != rules.issuer().as_str() {
        return None;
    }
    let now = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(now))?;
    let claimed = rules.judge(claims.unproven().clone(), Origin::Jwt, &Arc::from(""), now).ok()?;
    Some(facts(&claimed.principal))
}

fn facts(principal: &Principal) -> Facts {
    let seconds =
        |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok().map(|at| at.as_secs());
    let actor = |actor: &Actor| (actor.subject().to_owned(), actor.issuer().map(str::to_owned));
    Facts {
        actors: principal.actors().iter().map(actor).collect(),
        audiences: principal.audiences().map(str::to_owned).collect(),
        confirmation: principal.confirmation().map(|confirmation| {
            [confirmation.jwk_thumbprint().copied(), confirmation.certificate_thumbprint().copied()]
        }),
        client: principal.client_id().map(str::to_owned),
        expires: principal.expires_at().and_then(seconds),
        issued: principal.issued_at().and_then(seconds),
        roles: principal.roles().map(str::to_owned).collect(),
        scopes: principal.scopes().iter().map(|scope| scope.as_str().to_owned()).collect(),
        subject: principal.subject().to_owned(),
        token_id: principal.token_id().map(str::to_owned),
    }
}

/// The usable keys of a JWK Set: names and algorithms, in order. `None` if the set is not usable at all.
#[must_use]
pub fn jwk_set(json: &str) -> Option<Vec<(Option<String>, &'static str)>> {
    let keys = StaticKeys::from_jwks_json(json).ok()?;
    let mut found: Vec<_> =
        keys.iter().map(|key| (key.kid().map(str::to_owned), key.algorithm().as_str())).collect();
    found.sort();
    Some(found)
}
