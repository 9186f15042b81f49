use std::{sync::Arc, time::SystemTime};

use super::Network;
use crate::record_file::{Fields, RecordProblem, invalid, is_text, missing};

/// One line of a [`DenyList`](super::DenyList): who or what is not let in, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an entry denies nothing until a list has it"]
pub struct DenyEntry {
    pub(super) target: Target,
    pub(super) rule: Rule,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Address(Network),
    Client { issuer: Option<Arc<str>>, id: Arc<str> },
    Issuer(Arc<str>),
    Subject { issuer: Option<Arc<str>>, subject: Arc<str> },
    Token { issuer: Arc<str>, id: Arc<str> },
}

/// When it denies. `None` in a time is without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// Only what was issued before.
    pub(super) issued_before: Option<SystemTime>,
    pub(super) until: Option<SystemTime>,
    pub(super) label: Option<Arc<str>>,
}

impl Rule {
    pub(super) fn is_over(&self, now: SystemTime) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    pub(super) fn denies(&self, issued_at: Option<SystemTime>, now: SystemTime) -> bool {
        // Who does not say when it was issued may have been issued before.
        let is_older = match (self.issued_before, issued_at) {
            (Some(limit), Some(issued_at)) => issued_at < limit,
            (Some(_), None) | (None, _) => true,
        };
        is_older && !self.is_over(now)
    }

    /// Whether whatever `other` denies, now and later, this denies as well.
    pub(super) fn includes(&self, other: &Self) -> bool {
        let reaches = |mine: Option<SystemTime>, theirs: Option<SystemTime>| match (mine, theirs) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => mine >= theirs,
        };
        reaches(self.issued_before, other.issued_before) && reaches(self.until, other.until)
    }
}

/// An entry cannot be put on a deny list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDenyEntryError {
    /// An address or a single token has no tokens of earlier and later.
    #[error("`issued_before` says nothing about an address or a single token; leave it out")]
    IssuedBefore,
    /// A text is empty, longer than 2048 bytes, or has control characters. No token has such a name, so the
    /// entry would deny nobody.
    #[error("`{key}` must be 1 to 2048 bytes without control characters")]
    Text {
        /// Which.
        key: &'static str,
    },
}

impl DenyEntry {
    /// A subject of one issuer. Also as the current actor on behalf of somebody else.
    ///
    /// # Errors
    ///
    /// [`InvalidDenyEntryError::Text`], here and in the others.
    pub fn subject(issuer: &str, subject: &str) -> Result<Self, InvalidDenyEntryError> {
        let issuer = Some(text("issuer", issuer)?);
        Ok(Self::new(Target::Subject { issuer, subject: text("subject", subject)? }))
    }

    /// A subject, whoever vouches for it. Two issuers may call different people the same.
    ///
    /// # Errors
    ///
    /// As [`subject`](Self::subject).
    pub fn subject_of_any_issuer(subject: &str) -> Result<Self, InvalidDenyEntryError> {
        Ok(Self::new(Target::Subject { issuer: None, subject: text("subject", subject)? }))
    }

    /// A client of one issuer.
    ///
    /// # Errors
    ///
    /// As [`subject`](Self::subject).
    pub fn client(issuer: &str, client_id: &str) -> Result<Self, InvalidDenyEntryError> {
        let issuer = Some(text("issuer", issuer)?);
        Ok(Self::new(Target::Client { issuer, id: text("client_id", client_id)? }))
    }

    /// A client, whoever vouches for it.
    ///
    /// # Errors
    ///
    /// As [`subject`](Self::subject).
    pub fn client_of_any_issuer(client_id: &str) -> Result<Self, InvalidDenyEntryError> {
        Ok(Self::new(Target::Client { issuer: None, id: text("client_id", client_id)? }))
    }

    /// One token, by its `jti`; one API key, by its id. Tokens without `jti` cannot be denied like this.
    ///
    /// # Errors
    ///
    /// As [`subject`](Self::subject).
    pub fn token(issuer: &str, token_id: &str) -> Result<Self, InvalidDenyEntryError> {
        let issuer = text("issuer", issuer)?;
        Ok(Self::new(Target::Token { issuer, id: text("token_id", token_id)? }))
    }

    /// Everything that one issuer vouches for.
    ///
    /// # Errors
    ///
    /// As [`subject`](Self::subject).
    pub fn issuer(issuer: &str) -> Result<Self, InvalidDenyEntryError> {
        Ok(Self::new(Target::Issuer(text("issuer", issuer)?)))
    }

    /// All requests from an address or a network.
    pub fn address(network: Network) -> Self {
        Self::new(Target::Address(network))
    }

    fn new(target: Target) -> Self {
        Self { target, rule: Rule::default() }
    }

    /// Only what was issued before that moment, as after "log out everywhere": who logs in again is let in.
    /// A token that does not say when it was issued counts as issued before.
    ///
    /// Issuers round to seconds, and their clocks may be ahead of yours: name a moment as much later.
    ///
    /// # Errors
    ///
    /// [`InvalidDenyEntryError::IssuedBefore`] for an address or a single token.
    pub fn issued_before(mut self, at: SystemTime) -> Result<Self, InvalidDenyEntryError> {
        match self.target {
            Target::Address(_) | Target::Token { .. } => {
                return Err(InvalidDenyEntryError::IssuedBefore);
            }
            Target::Client { .. } | Target::Issuer(_) | Target::Subject { .. } => {}
        }
        self.rule.issued_before = Some(at);
        Ok(self)
    }

    /// Denies until that moment, and not from then on; for ever if not set. An entry for a token need not
    /// outlive the token.
    pub const fn until(mut self, at: SystemTime) -> Self {
        self.rule.until = Some(at);
        self
    }

    /// Why, for the record. Clients never see it.
    ///
    /// # Errors
    ///
    /// As [`subject`](Self::subject).
    pub fn label(mut self, label: &str) -> Result<Self, InvalidDenyEntryError> {
        self.rule.label = Some(text("label", label)?);
        Ok(self)
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, RecordProblem> {
        let issuer = fields.text("issuer")?;
        let named = [
            ("subject", fields.text("subject")?),
            ("client_id", fields.text("client_id")?),
            ("token_id", fields.text("token_id")?),
            ("address", fields.text("address")?),
        ];
        let mut named = named.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let target = match (named.next(), issuer) {
            (None, None) => return Err(RecordProblem::Unclear { what: NOTHING }),
            (None, Some(issuer)) => Self::issuer(&issuer),
            (Some(("subject", name)), Some(issuer)) => Self::subject(&issuer, &name),
            (Some(("subject", name)), None) => Self::subject_of_any_issuer(&name),
            (Some(("client_id", name)), Some(issuer)) => Self::client(&issuer, &name),
            (Some(("client_id", name)), None) => Self::client_of_any_issuer(&name),
            (Some(("token_id", name)), Some(issuer)) => Self::token(&issuer, &name),
            (Some(("token_id", _)), None) => return Err(missing("issuer")),
            (Some((_, network)), None) => Ok(Self::address(
                Network::parse(&network).map_err(|_| invalid("address", ADDRESS))?,
            )),
            (Some(_), Some(_)) => return Err(RecordProblem::Unclear { what: TWO }),
        };
        if named.next().is_some() {
            return Err(RecordProblem::Unclear { what: TWO });
        }
        let mut entry = target.map_err(into_problem)?;
        if let Some(at) = fields.date("issued_before")? {
            entry = entry.issued_before(at).map_err(into_problem)?;
        }
        if let Some(at) = fields.date("until")? {
            entry = entry.until(at);
        }
        if let Some(label) = fields.text("label")? {
            entry = entry.label(&label).map_err(into_problem)?;
        }
        Ok(entry)
    }
}

const NOTHING: &str =
    "the line denies nothing; name a `subject`, `client_id`, `token_id`, `address` or `issuer`";
const TWO: &str = "the line names two things to deny; write a line for each";
const ADDRESS: &str =
    "an IP address, or the first of a network and its prefix length, such as `192.0.2.0/24`";

fn text(key: &'static str, value: &str) -> Result<Arc<str>, InvalidDenyEntryError> {
    if is_text(value) { Ok(value.into()) } else { Err(InvalidDenyEntryError::Text { key }) }
}

const fn into_problem(error: InvalidDenyEntryError) -> RecordProblem {
    match error {
        InvalidDenyEntryError::IssuedBefore => RecordProblem::Unclear {
            what: "`issued_before` says nothing about an address or a single token; leave it out",
        },
        InvalidDenyEntryError::Text { key } => {
            invalid(key, "1 to 2048 bytes without control characters")
        }
    }
}
