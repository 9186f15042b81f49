//! The one thing to do.

use std::time::Duration;

use serde_json::Value;

use super::{
    Rule, Verdict, form,
    near::nearest,
    said::{key_named, names_of, types},
    text::{self, kind, list, shown, span, string_or_kind},
    walk::Seen,
};
use crate::{
    Rejection, SignatureAlgorithm,
    trust::{
        ActorRule, ClaimRule, Origin,
        lifetime::{Lifetime, since_1970},
    },
};

/// Dates above are milliseconds, or the year 5138.
const MILLISECONDS: u64 = 100_000_000_000;

/// Less is a matter of clocks.
const CLOCKS: Duration = Duration::from_secs(300);

const PROOF: &str = "The token is good, and bound to a key (`cnf`): the request must prove that its sender has the key. Have \
     the client send it as `Authorization: DPoP` with a fresh proof in `DPoP`, or over the connection with its \
     certificate. A proof is of one request, and cannot be told from the token.";

pub(super) fn of(verdict: &Verdict, seen: &Seen<'_>) -> String {
    match verdict {
        Verdict::Accepted if seen.claims.contains_key("cnf") => PROOF.to_owned(),
        Verdict::Accepted => "The verifier accepts the token. If the request is refused all the same, another \
             layer does it: compare `aud` with the name of the service, and the scopes with the policy."
            .to_owned(),
        Verdict::Undecided => "Give the keys of the issuer (its JWK Set) to have the signature checked. \
             Everything else is in order."
            .to_owned(),
        Verdict::Refused(rejection) => seen.fix(rejection),
    }
}

impl Seen<'_> {
    fn fix(&self, rejection: &Rejection) -> String {
        match rejection {
            Rejection::AddressDenied { .. }
            | Rejection::AddressMissing
            | Rejection::DenyListStale { .. }
            | Rejection::Revoked { .. } => {
                "The layer refuses the request, whatever the token says: look at the deny list."
                    .to_owned()
            }
            Rejection::ForwardedSchemeInvalid
            | Rejection::ForwardedSchemeMissing
            | Rejection::PlainHttp
            | Rejection::TransportUnknown
            | Rejection::UnnamedProxy => {
                "The layer refuses the request, whatever the token says: look at how it knows of https.".to_owned()
            }
            Rejection::IntrospectionUnavailable { .. }
            | Rejection::KeyNotYetKnown { .. }
            | Rejection::KeysUnavailable { .. } => {
                "The issuer could not be asked: look at its metadata, its JWK Set and its introspection endpoint."
                    .to_owned()
            }
            Rejection::BadSignature => self.fix_signature(),
            Rejection::BoundToKey => "The token is bound to something in `cnf` that is not known here, so nobody \
                 could check it. Have the issuer bind it by DPoP (`jkt`) or to a certificate (`x5t#S256`), or not \
                 at all."
                .to_owned(),
            Rejection::CertificateMissing
            | Rejection::InvalidProof { .. }
            | Rejection::NonceRequired
            | Rejection::ReplayStoreUnavailable { .. }
            | Rejection::WrongCertificate
            | Rejection::WrongProofKey => PROOF.to_owned(),
            Rejection::DisallowedActor => self.fix_actor(),
            Rejection::DisallowedAlgorithm => self.fix_algorithm(),
            Rejection::DisallowedType => self.fix_type(),
            Rejection::Expired => self.fix_expired(),
            Rejection::Inactive => "The issuer says that the token is not (any more) good: get a new one.".to_owned(),
            Rejection::InvalidClaim { claim } => self.fix_invalid(claim),
            Rejection::LivesTooLong => format!(
                "The token lives {}, and at most {} is accepted: have the issuer make its access tokens \
                 shorter, or allow more with `max_lifetime`.",
                self.dates().and_then(|[exp, _, iat]| exp?.checked_sub(iat?)).map_or_else(String::new, span),
                self.limit(|rules| rules.max_lifetime),
            ),
            Rejection::Malformed { what } => self.fix_form(what),
            Rejection::MissingClaim { claim } => self.fix_missing(claim),
            Rejection::NotBound => "The issuer's tokens must be bound to a key, and this one has no `cnf`: \
                 have the client ask for a DPoP or certificate-bound token."
                .to_owned(),
            Rejection::NotYetValid => self.fix_start(),
            Rejection::TooOld => format!(
                "The token was issued {} before, and at most {} is accepted: have the client get a new one, or \
                 allow more with `max_age`.",
                self.dates().and_then(|[_, _, iat]| since_1970(self.at).checked_sub(iat?)).map_or_else(String::new, span),
                self.limit(|rules| rules.max_age),
            ),
            Rejection::UnknownKey => self.fix_key(),
            Rejection::UnsupportedHeader { parameter } => format!(
                "The header has `{parameter}`, which changes what the signature or the payload means, and \
                 which no access token needs: have the issuer leave it out."
            ),
            Rejection::WrongClaim { claim } => self.fix_wrong(claim),
            Rejection::WrongIssuer => self.fix_issuer(),
        }
    }

    fn fix_signature(&self) -> String {
        let name = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let signature = self.token.rsplit_once('.').map_or("", |(_, signature)| signature);
        let Some(algorithm) = SignatureAlgorithm::from_name(name) else { return String::new() };
        // Of base64, three of four characters are bytes.
        let bytes = signature.len().saturating_mul(3) / 4;
        if bytes == 0 {
            "The token has no signature: it was cut off, or somebody took it away. Copy all of it."
                .to_owned()
        } else if algorithm.may_have_signature_len(bytes) {
            "The signature does not fit the key: the token was changed on its way, or signed with another key \
             of the same name. Compare the JWK Set with the one that the issuer publishes now, and make sure \
             that token and keys are from the same environment."
                .to_owned()
        } else {
            format!(
                "The signature has {bytes} bytes, which none with `{algorithm}` has: the token was cut off, or \
                 something was added. Copy all of it."
            )
        }
    }

    fn fix_actor(&self) -> String {
        let actors = match self.rules.map(|rules| &rules.actors) {
            Some(ActorRule::OneOf { actors, max_depth }) => format!(
                "these may, in chains of up to {max_depth}: {}",
                list(actors.iter().map(palisade_core::Actor::subject))
            ),
            Some(ActorRule::Any { max_depth }) => {
                format!("any may, in chains of up to {max_depth}")
            }
            Some(ActorRule::None) | None => "nobody may".to_owned(),
        };
        format!(
            "Somebody acts on behalf of the subject (`act`) who may not: {actors}. Have the client use a token \
             of its own, or allow the actor with `actors`."
        )
    }

    fn fix_algorithm(&self) -> String {
        let accepted = self.rules.map_or(SignatureAlgorithm::ALL, |rules| &rules.algorithms);
        let alg = self.header.get("alg");
        let why = match alg.and_then(Value::as_str) {
            Some("none") => " Anybody can make a token without a signature.",
            Some("HS256" | "HS384" | "HS512") => {
                " Whoever can check such a token can make one: it is no token for a resource server."
            }
            _ => "",
        };
        format!(
            "`alg` is {}; accepted is {}.{why} Set the algorithm at the issuer.",
            string_or_kind(alg),
            list(accepted.iter().map(|algorithm| algorithm.as_str())),
        )
    }

    fn fix_type(&self) -> String {
        let typ = self.header.get("typ");
        let told = string_or_kind(typ);
        let accepted = self.rules.map_or_else(String::new, types);
        let name = typ.and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let is_id_token =
            ["nonce", "at_hash", "c_hash"].iter().any(|claim| self.claims.contains_key(*claim));
        let what = match name.strip_prefix("application/").unwrap_or(&name) {
            _ if is_id_token => {
                "It has claims of an ID token: have the client send the access token instead."
            }
            "dpop+jwt" => {
                "It is a DPoP proof: it belongs into the header `DPoP`, and the access token here."
            }
            "logout+jwt" | "secevent+jwt" => {
                "It is an event, and no access token: send the access token."
            }
            "at+jwt" => "Allow it with `accept_type` if the issuer's access tokens are like that.",
            "jwt" | "" => {
                "An ID token? If so, have the client send the access token. If the issuer's access tokens are \
                 like that, allow it with `accept_type` or `accept_missing_type`, and read there what that costs."
            }
            _ => "Have the client send an access token of this issuer.",
        };
        format!("`typ` is {told}; accepted is {accepted}. {what}")
    }

    fn fix_expired(&self) -> String {
        let Some(expires) = self.dates().and_then(|[expires, ..]| expires) else {
            return String::new();
        };
        let since = since_1970(self.at).saturating_sub(expires);
        let what = if since < CLOCKS {
            "Have the client renew its token in time, and compare the clocks of issuer and service."
        } else {
            "Have the client get a new token: it holds on to an old one."
        };
        format!("The token expired {} before. {what}", span(since))
    }

    fn fix_start(&self) -> String {
        let now = since_1970(self.at);
        let Some([_, not_before, issued]) = self.dates() else { return String::new() };
        let (name, start) = if not_before > issued { ("nbf", not_before) } else { ("iat", issued) };
        let start = start.unwrap_or_default();
        if start.as_secs() > MILLISECONDS {
            return format!("`{name}` is in milliseconds: have the issuer write seconds.");
        }
        let ahead = start.saturating_sub(now);
        let what = if ahead < CLOCKS {
            "The clocks differ: set those of issuer and service, or allow a longer `leeway`."
        } else {
            "Compare the clocks of issuer and service, time zones included."
        };
        format!("The token is valid only in {} (`{name}`). {what}", span(ahead))
    }

    fn fix_invalid(&self, claim: &str) -> String {
        if claim == "iat" && self.claims.get("iat").is_some_and(Value::is_u64) {
            return "`iat` is after `exp`: have the issuer set its dates right.".to_owned();
        }
        let found = self.claims.get(claim).map_or("not usable", kind);
        let wanted = match claim {
            "exp" | "nbf" | "iat" => "a number of seconds since 1970, not text and not negative",
            "iss" => "one string",
            "aud" => "a string, or an array of up to 64 strings, none of them empty",
            "cnf" => "an object with `jkt` or `x5t#S256`, each a SHA-256 digest in base64url",
            "act" => "an object with `sub`, and `act` of up to 8 levels",
            "scope" => "a string of scopes with single spaces between them",
            "scp" => "a string or an array of scopes, the same as in `scope` if both are there",
            _ => "what the rules say is there: text, or a list of names",
        };
        format!("{} is {found}, and must be {wanted}. Have the issuer set it right.", shown(claim))
    }

    fn fix_form(&self, what: &str) -> String {
        let is_form = self.findings().first().is_some_and(|finding| {
            *finding.rule() == Rule::Form && matches!(finding.outcome(), super::Outcome::Failed(_))
        });
        if is_form {
            return form::advice(self.token);
        }
        format!(
            "This is no token as the issuer made it: {what}. Copy all of it once more, from where the issuer gave it."
        )
    }

    fn fix_missing(&self, claim: &str) -> String {
        let shown = shown(claim);
        if self.withheld.iter().any(|name| name == claim) {
            return format!(
                "{shown} is there, but this issuer may not say it or not with this value: see `limit_claim`."
            );
        }
        match claim {
            "aud" => "`aud` is missing: the token is for nobody in particular. Have the client ask for this \
                 service, with `resource` (RFC 8707) or with what the issuer has in its place."
                .to_owned(),
            "exp" => "`exp` is missing: have the issuer make tokens that expire.".to_owned(),
            "iss" => "`iss` is missing: nobody says whose token it is. Have the issuer put it in.".to_owned(),
            _ => {
                let alternatives = self.rules.into_iter().flat_map(|rules| &rules.alternatives);
                let others = alternatives
                    .filter(|places| places.first().is_some_and(|place| place.as_str() == claim))
                    .flat_map(|places| places.iter().skip(1))
                    .map(|place| format!(" or {}", text::shown(place.as_str())));
                format!(
                    "{shown}{} is missing: have the issuer put it in, or ask whether this is another kind of \
                     token. The token has {}.",
                    others.collect::<String>(),
                    list(self.claims.keys())
                )
            }
        }
    }

    fn fix_key(&self) -> String {
        let Some(keys) = &self.keys else { return String::new() };
        let name = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let Some(algorithm) = SignatureAlgorithm::from_name(name) else { return String::new() };
        let known = names_of(keys, algorithm);
        match self.header.get("kid").and_then(Value::as_str) {
            None => format!(
                "The token names no key (`kid`), and not exactly one fits `{algorithm}`; known: {known}. Have the \
                 issuer write `kid`."
            ),
            Some(kid) => match key_named(keys, kid) {
                Some(key) => format!(
                    "The key {} is for `{}`, and the token says `{algorithm}`. Set `alg` of the key in the \
                     issuer's JWK Set.",
                    shown(kid),
                    key.algorithm()
                ),
                None => format!(
                    "The issuer has no usable key {}; known for `{algorithm}`: {known}. The key was withdrawn, or the \
                     keys are old, or of another environment: compare with the JWK Set that the issuer publishes \
                     now.",
                    shown(kid)
                ),
            },
        }
    }

    fn fix_wrong(&self, claim: &str) -> String {
        let shown = shown(claim);
        let rule = self.rules.and_then(|rules| {
            rules.requirements.iter().find(|(source, rule)| {
                source.as_str() == claim && rule.check(source, &self.claims).is_err()
            })
        });
        match rule {
            Some((source, ClaimRule::OneOf(values))) => {
                let values = values.iter().map(ToString::to_string);
                let found = source.find(&self.claims).map_or("missing", kind);
                format!(
                    "{shown} does not have a value that is accepted ({found}): {} is. Have the client get its token \
                     for this service and tenant, or change the rule.",
                    list(values)
                )
            }
            Some((_, ClaimRule::Absent)) => format!(
                "{shown} is there and must not be: this is another kind of token, such as an ID token. Have the \
                 client send the access token."
            ),
            Some((_, ClaimRule::Present)) | None => {
                format!("{shown} does not have a value that is accepted.")
            }
        }
    }

    fn fix_issuer(&self) -> String {
        let issuer = self.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let token = shown(issuer);
        match nearest(self.trust, issuer) {
            Some((known, difference)) => {
                let trusted = shown(known.issuer().as_str());
                let what = if difference.is_spelling() {
                    "Issuers are compared byte for byte. Copy `issuer` from the server's metadata into the \
                     rules; if it is there as trusted, have the server write the same into its tokens."
                } else {
                    "Send the client there for its token, or trust the other one as well."
                };
                format!(
                    "The token's `iss` is {token}; trusted is {trusted}, {}. {what}",
                    difference.text()
                )
            }
            None => format!(
                "The token's `iss` is {token}; trusted is {}. Have the client get its token there, or trust this \
                 issuer as well.",
                list(self.trust.issuers().map(|known| known.issuer().as_str()))
            ),
        }
    }

    /// `exp`, `nbf`, `iat`.
    fn dates(&self) -> Option<[Option<Duration>; 3]> {
        Some(Lifetime::read(&self.claims, Origin::Jwt).ok()?.dates())
    }

    fn limit(&self, of: impl Fn(&crate::trust::TrustedIssuer) -> Option<Duration>) -> String {
        self.rules.and_then(of).map_or_else(String::new, span)
    }
}
