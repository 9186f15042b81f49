//! What is stored about a key.

use std::{fmt, sync::Arc, time::SystemTime};

use palisade_core::{Clock, Principal, ScopeSet};

use super::{
    ApiKey, ApiKeyGrant, ApiKeyId, ApiKeyPrefix, InvalidApiKeyGrantError,
    grant::End,
    key::{KeyDigest, Presented},
};
use crate::{
    Rejection,
    record_file::{
        Fields, LineWriter, RecordProblem, format_date, invalid, missing, whole_seconds,
    },
};

impl ApiKey {
    /// Draws a new key: the key itself, to be shown to its owner once, and the record, to be stored.
    ///
    /// The record does not contain the key, nor anything that helps to guess it.
    ///
    /// # Errors
    ///
    /// [`InvalidApiKeyGrantError`] if the grant lacks an audience or an end, or cannot be written down.
    pub fn generate(
        prefix: &ApiKeyPrefix,
        grant: ApiKeyGrant,
        clock: &impl Clock,
    ) -> Result<(Self, ApiKeyRecord), InvalidApiKeyGrantError> {
        let grant = grant.check()?;
        let issued_at = whole_seconds(clock.now()).ok_or(InvalidApiKeyGrantError::Date)?;
        let (key, id) = Self::draw(prefix).map_err(|_| InvalidApiKeyGrantError::NoRandomness)?;
        let stored = Stored { id, digest: key.digest(), issued_at, status: Status::Enabled, grant };
        Ok((key, ApiKeyRecord(Arc::new(stored))))
    }
}

/// What is stored about a key: its hash, whom it speaks for, where, and how long. Cheap to clone.
///
/// Whoever reads a record cannot use the key. Whoever can write records can make keys: guard the place where
/// they are stored as you guard the configuration.
#[derive(Clone)]
pub struct ApiKeyRecord(Arc<Stored>);

#[derive(Clone)]
struct Stored {
    id: ApiKeyId,
    digest: KeyDigest,
    issued_at: SystemTime,
    status: Status,
    grant: ApiKeyGrant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Disabled,
    Enabled,
}

const ID: &str = "id";
const SHA256: &str = "sha256";
const SUBJECT: &str = "subject";
const CLIENT_ID: &str = "client_id";
const AUDIENCES: &str = "audiences";
const SCOPE: &str = "scope";
const ROLES: &str = "roles";
const LABEL: &str = "label";
const ISSUED: &str = "issued_at";
const NOT_BEFORE: &str = "not_before";
const EXPIRES: &str = "expires_at";
const DISABLED: &str = "disabled";
const NEVER: &str = "never";

impl ApiKeyRecord {
    /// Which key it is about.
    #[must_use]
    pub fn id(&self) -> ApiKeyId {
        self.0.id
    }

    /// The owner.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.grant.subject
    }

    /// What the owner calls the key.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.0.grant.label.as_deref()
    }

    /// When the key ends, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        match self.0.grant.end {
            Some(End::At(at)) => Some(at),
            Some(End::Never) | None => None,
        }
    }

    /// Whether the key was switched off.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.0.status == Status::Disabled
    }

    /// The same record, switched off.
    #[must_use = "the record is not changed in place"]
    pub fn disabled(&self) -> Self {
        Self(Arc::new(Stored { status: Status::Disabled, ..(*self.0).clone() }))
    }

    /// Reads one line of a file of API keys. See [`MemoryApiKeys`](super::MemoryApiKeys) for its keys.
    ///
    /// # Errors
    ///
    /// [`RecordProblem`], which names the key of the record that cannot be used.
    pub fn from_line(line: &str) -> Result<Self, RecordProblem> {
        let mut fields = Fields::read(line)?;
        let record = Self::read(&mut fields)?;
        fields.finish()?;
        Ok(record)
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, RecordProblem> {
        let id = fields.text(ID)?.ok_or_else(|| missing(ID))?;
        let id = ApiKeyId::parse(&id).ok_or_else(|| invalid(ID, "16 letters and digits"))?;
        let digest = fields.text(SHA256)?.ok_or_else(|| missing(SHA256))?;
        let digest = KeyDigest::from_hex(&digest)
            .ok_or_else(|| invalid(SHA256, "64 hexadecimal digits in lower case"))?;
        let mut grant = ApiKeyGrant::new(fields.text(SUBJECT)?.ok_or_else(|| missing(SUBJECT))?);
        grant.client_id = fields.text(CLIENT_ID)?.map(Into::into);
        grant.audiences = fields.texts(AUDIENCES)?.into_iter().map(Into::into).collect();
        if let Some(scope) = fields.text(SCOPE)? {
            grant.scopes = ScopeSet::parse(&scope)
                .map_err(|_| invalid(SCOPE, "scopes separated by one space each"))?;
        }
        grant.roles = fields.texts(ROLES)?.into_iter().map(Into::into).collect();
        grant.label = fields.text(LABEL)?.map(Into::into);
        let issued_at = fields.date(ISSUED)?.ok_or_else(|| missing(ISSUED))?;
        grant.not_before = fields.date(NOT_BEFORE)?;
        grant.end = Some(read_end(fields)?);
        let status = match fields.flag(DISABLED)? {
            Some(true) => Status::Disabled,
            Some(false) | None => Status::Enabled,
        };
        let grant = grant.check().map_err(into_problem)?;
        Ok(Self(Arc::new(Stored { id, digest, issued_at, status, grant })))
    }

    /// The record as one line of a file of API keys, without the line break.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Stored { id, digest, issued_at, status, grant } = &*self.0;
        let mut line = LineWriter::new();
        // INVARIANT: all dates were checked to be ones that can be written.
        let date = |at| format_date(at).unwrap_or_default();
        line.text(ID, id.as_str());
        line.text(SHA256, &digest.to_hex());
        line.text(SUBJECT, &grant.subject);
        if let Some(client) = &grant.client_id {
            line.text(CLIENT_ID, client);
        }
        line.texts(AUDIENCES, grant.audiences.iter().map(|text| &**text));
        if !grant.scopes.is_empty() {
            line.text(SCOPE, &grant.scopes.to_string());
        }
        line.texts(ROLES, grant.roles.iter().map(|text| &**text));
        if let Some(label) = &grant.label {
            line.text(LABEL, label);
        }
        line.text(ISSUED, &date(*issued_at));
        if let Some(at) = grant.not_before {
            line.text(NOT_BEFORE, &date(at));
        }
        match self.expires_at() {
            Some(at) => line.text(EXPIRES, &date(at)),
            None => line.text(EXPIRES, NEVER),
        }
        if *status == Status::Disabled {
            line.flag(DISABLED, true);
        }
        line.finish()
    }

    /// Whether the presented key is the one that this record is about.
    pub(super) fn is_for(&self, presented: &Presented) -> subtle::Choice {
        self.0.digest.is(&presented.digest)
    }

    /// Who presented the key, if it is good at this moment. To be asked once the secret was found right:
    /// who does not have the key learns nothing of its state.
    pub(super) fn principal_at(
        &self,
        issuer: &Arc<str>,
        now: SystemTime,
    ) -> Result<Principal, Rejection> {
        let grant = &self.0.grant;
        if self.is_disabled() {
            return Err(Rejection::Inactive);
        }
        if self.expires_at().is_some_and(|end| now >= end) {
            return Err(Rejection::Expired);
        }
        if grant.not_before.is_some_and(|start| now < start) {
            return Err(Rejection::NotYetValid);
        }
        let mut principal =
            Principal::assert_verified(Arc::clone(issuer), Arc::clone(&grant.subject))
                .token_id(self.0.id.as_str())
                .scopes(grant.scopes.clone())
                .issued_at(self.0.issued_at);
        if let Some(client) = &grant.client_id {
            principal = principal.client_id(Arc::clone(client));
        }
        if let Some(end) = self.expires_at() {
            principal = principal.expires_at(end);
        }
        for audience in &grant.audiences {
            principal = principal.add_audience(Arc::clone(audience));
        }
        for role in &grant.roles {
            principal = principal.add_role(Arc::clone(role));
        }
        Ok(principal.build())
    }
}

fn read_end(fields: &mut Fields) -> Result<End, RecordProblem> {
    // The word is no date, so it has to be looked for first.
    match fields.take_word(EXPIRES, NEVER) {
        true => Ok(End::Never),
        false => fields.date(EXPIRES)?.map(End::At).ok_or_else(|| missing(EXPIRES)),
    }
}

const fn into_problem(error: InvalidApiKeyGrantError) -> RecordProblem {
    use InvalidApiKeyGrantError as E;

    match error {
        E::Date | E::NoRandomness | E::NoEnd => missing(EXPIRES),
        E::EndsBeforeItBegins => {
            RecordProblem::Unclear { what: "`expires_at` must be after `not_before`" }
        }
        E::NoAudience => missing(AUDIENCES),
        E::Text { key } => invalid(key, "1 to 2048 bytes without control characters"),
        E::TooMany { key } => invalid(key, "a list of at most 64 entries"),
    }
}

impl fmt::Debug for ApiKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyRecord")
            .field("id", &self.0.id)
            .field("status", &self.0.status)
            .field("grant", &self.0.grant)
            .finish_non_exhaustive()
    }
}
