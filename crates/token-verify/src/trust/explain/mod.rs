//! Why a token is accepted or not, for the person who has to make it work.

mod advice;
mod form;
mod near;
mod said;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::{fmt, time::SystemTime};

use super::Trust;
use crate::{Rejection, keys::StaticKeys};

impl Trust {
    /// Says, rule by rule, why a token is accepted at a time or not, and the one thing to change.
    ///
    /// Nobody is asked for anything: no clock, no network. Keys are used if the trust holds them
    /// ([`KeyLocation::Inline`](super::KeyLocation::Inline)); otherwise the signature is left open. See
    /// [`explain_with_keys`](Self::explain_with_keys).
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use palisade_token_verify::{Issuer, trust::{Trust, TrustedIssuer, Verdict}};
    ///
    /// let trust = Trust::of([TrustedIssuer::new(Issuer::parse("https://as.example")?)])?;
    /// let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    /// let explanation = trust.explain("Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA", at);
    /// assert!(matches!(explanation.verdict(), Verdict::Refused(_)));
    /// assert!(explanation.advice().contains("without the word `Bearer`"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # What it shows
    ///
    /// Of the token: `typ`, `alg`, `kid`, `iss`, `aud`, the dates, the client, the scopes, and the names of
    /// claims. Never any other value, never the signature, never a part of the token as it was given. What
    /// is shown is cut off after 80 characters and holds nothing but printable ASCII.
    ///
    /// # What it does not tell
    ///
    /// Which audience is the right one, whether the scopes suffice, and whether the token was revoked: that
    /// is decided by others. An explanation is no verification: never grant anything by it.
    #[must_use]
    pub fn explain(&self, token: &str, at: SystemTime) -> Explanation {
        walk::explain(self, token, at, None)
    }

    /// As [`explain`](Self::explain), with the keys of the issuer that the token names: a copy of its JWK
    /// Set, say.
    #[must_use]
    pub fn explain_with_keys(&self, token: &str, at: SystemTime, keys: &StaticKeys) -> Explanation {
        walk::explain(self, token, at, Some(keys))
    }
}

/// Why a token is accepted or not. `Display` is the whole text, for a terminal or a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    verdict: Verdict,
    advice: String,
    findings: Vec<Finding>,
}

/// What becomes of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "yes, no, or not to be told: there is no fourth")]
pub enum Verdict {
    /// A verifier with these rules and keys accepts it.
    Accepted,
    /// It refuses it, with this. If the signature was not checked, this is what the rest comes to: with a
    /// wrong signature, the token is refused for that.
    Refused(Rejection),
    /// It accepts it if the signature is right. There were no keys to see.
    Undecided,
}

/// What one rule comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    rule: Rule,
    outcome: Outcome,
    text: String,
}

/// Whether a rule is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is not. By itself, this would refuse the token.
    Failed(Rejection),
    /// It cannot be told, or does not apply.
    NotChecked,
    /// It is.
    Passed,
}

/// One of the rules that a token is held to, in the order in which they are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The compact serialization: length, characters, three parts.
    Form,
    /// A JSON object with an algorithm that we know, and nothing that changes what a signature means.
    Header,
    /// A JSON object.
    Payload,
    /// The issuer is trusted.
    Issuer,
    /// The algorithm is accepted from this issuer.
    Algorithm,
    /// `typ` is accepted from this issuer.
    Type,
    /// The signature is as long as one with this algorithm.
    SignatureForm,
    /// The issuer has the key.
    Key,
    /// The signature is right.
    Signature,
    /// Bound to a key or not, as the issuer's rules want it.
    Binding,
    /// `exp`, `nbf` and `iat` are dates.
    Dates,
    /// It has not expired.
    Expiry,
    /// It is valid already.
    Start,
    /// It was not issued after it expires.
    OrderOfDates,
    /// It does not live too long.
    Lifetime,
    /// It is not too old.
    Age,
    /// There is a subject.
    Subject,
    /// The scopes are scopes.
    Scopes,
    /// There is an audience.
    Audience,
    /// There is a client, if there must be.
    Client,
    /// `jti` is a name.
    TokenId,
    /// The roles are names.
    Roles,
    /// The actor may act.
    Actors,
    /// A claim that the issuer's rules require. It is in this place.
    Requirement(Box<str>),
    /// What none of the others covers.
    Other,
}

impl Explanation {
    /// What becomes of the token.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The one thing to do first.
    #[must_use]
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// All rules, in the order in which a verifier checks them. It stops at the first that fails; the
    /// others say what would be next.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Accepted => writeln!(f, "ACCEPTED")?,
            Verdict::Refused(rejection) => {
                writeln!(f, "REFUSED: {rejection} ({})", rejection.code())?
            }
            Verdict::Undecided => writeln!(f, "UNDECIDED: the signature was not checked")?,
        }
        writeln!(f, "{}\n", self.advice)?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

impl Finding {
    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether it is kept.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What was found, in words.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Failed(_) => "FAIL",
            Outcome::NotChecked => "?",
            Outcome::Passed => "ok",
        };
        write!(f, "{mark:<4}  {:<13}  {}", self.rule.to_string(), self.text)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "form",
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Issuer => "issuer",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::SignatureForm => "length",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Binding => "binding",
            Self::Dates => "dates",
            Self::Expiry => "expiry",
            Self::Start => "start",
            Self::OrderOfDates => "order",
            Self::Lifetime => "lifetime",
            Self::Age => "age",
            Self::Subject => "subject",
            Self::Scopes => "scopes",
            Self::Audience => "audience",
            Self::Client => "client",
            Self::TokenId => "token id",
            Self::Roles => "roles",
            Self::Actors => "actors",
            Self::Requirement(_) => "required",
            Self::Other => "other",
        })
    }
}
