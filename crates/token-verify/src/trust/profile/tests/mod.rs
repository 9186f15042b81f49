//! A token of each provider, and what is easily taken for one.

mod auth0;
mod cognito;
mod entra;
mod keycloak;
mod okta;
mod opaque;
mod others;
mod self_hosted;
mod tables;

use http::Request;
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{Check, ManualClock, Principal, Resource};
use palisade_test_issuer::{SigningAlgorithm, TokenBuilder};
use serde_json::{Value, json};

use super::Profile;
use crate::{
    JwtVerifier, Rejection,
    testing::{NOW, issuer_of_all_algorithms, verdict, verifier_with},
    trust::{ClaimSource, TrustedIssuer},
};

/// What becomes of a token behind a verifier and an audience check.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted(Who),
    /// Verified, and not meant for us.
    ForAnother,
    Rejected(Rejection),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Who {
    subject: &'static str,
    client: Option<&'static str>,
    scopes: &'static str,
    roles: &'static [&'static str],
}

/// A provider and the service behind it.
struct Service {
    verifier: JwtVerifier<ManualClock>,
    issuer: String,
    audience: &'static str,
}

impl Service {
    fn new(rules: TrustedIssuer, audience: &'static str) -> Self {
        let issuer = rules.issuer().as_str().to_owned();
        Self { verifier: verifier_with(rules, issuer_of_all_algorithms()), issuer, audience }
    }

    fn of(profile: &Profile, issuer: &str, audience: &'static str) -> Self {
        Self::new(profile.trust(issuer).unwrap(), audience)
    }

    /// A token by the issuer, with these claims and times.
    fn token(&self, typ: Option<&str>, claims: Value) -> TokenBuilder {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        let mint = issuer_of_all_algorithms().mint().algorithm(SigningAlgorithm::RS256);
        let bare = ["sub", "client_id", "aud", "jti", "scope"]
            .iter()
            .fold(mint, |token, claim| token.without_claim(claim))
            .claim("iss", self.issuer.as_str())
            .expires_at(NOW + 3600);
        let bare = match typ {
            Some(typ) => bare.header("typ", typ),
            None => bare.without_header("typ"),
        };
        claims.into_iter().fold(bare, |token, (name, value)| token.claim(name, value))
    }

    fn outcome(&self, token: &TokenBuilder) -> Outcome {
        match verdict(&self.verifier, &token.sign()) {
            Err(rejection) => Outcome::Rejected(rejection),
            Ok(principal) if self.is_for_us(&principal) => Outcome::Accepted(who(&principal)),
            Ok(_) => Outcome::ForAnother,
        }
    }

    fn is_for_us(&self, principal: &Principal) -> bool {
        let (mut request, ()) = Request::new(()).into_parts();
        request.extensions.insert(principal.clone());
        let guard = AudienceGuardLayer::new(Resource::parse("https://ours.example/").unwrap())
            .add_audience(self.audience)
            .unwrap();
        guard.into_check().check(&mut request).is_ok()
    }

    #[track_caller]
    fn assert(&self, rows: impl IntoIterator<Item = (&'static str, TokenBuilder, Outcome)>) {
        for (name, token, expected) in rows {
            assert_eq!(self.outcome(&token), expected, "{name}");
        }
    }
}

/// Leaked, so that it compares with what a test writes down.
fn who(principal: &Principal) -> Who {
    let leak = |text: String| -> &'static str { text.leak() };
    Who {
        subject: leak(principal.subject().to_owned()),
        client: principal.client_id().map(|id| leak(id.to_owned())),
        scopes: leak(principal.scopes().to_string()),
        roles: principal.roles().map(|role| leak(role.to_owned())).collect::<Vec<_>>().leak(),
    }
}

fn accepted(
    subject: &'static str,
    client: &'static str,
    scopes: &'static str,
    roles: &'static [&'static str],
) -> Outcome {
    Outcome::Accepted(Who { subject, client: Some(client), scopes, roles })
}

fn missing(claim: &'static str) -> Outcome {
    Outcome::Rejected(Rejection::missing(claim))
}

fn invalid(claim: &'static str) -> Outcome {
    Outcome::Rejected(Rejection::invalid(claim))
}

fn wrong(claim: &'static str) -> Outcome {
    Outcome::Rejected(Rejection::WrongClaim { claim: claim.into() })
}

const WRONG_ISSUER: Outcome = Outcome::Rejected(Rejection::WrongIssuer);
const WRONG_TYPE: Outcome = Outcome::Rejected(Rejection::DisallowedType);
const WRONG_ALGORITHM: Outcome = Outcome::Rejected(Rejection::DisallowedAlgorithm);

fn claim(place: &str) -> ClaimSource {
    ClaimSource::parse(place).unwrap()
}
