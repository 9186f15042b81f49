use std::{sync::Arc, time::SystemTime};

use palisade_core::ScopeSet;

use crate::record_file::{is_text, whole_seconds};

/// In one key. A key is in memory whole.
const MAX_NAMES: usize = 64;

/// Whom a key speaks for, where, and how long. What [`ApiKey::generate`](super::ApiKey::generate) makes a key of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a grant is nothing until a key is generated for it"]
pub struct ApiKeyGrant {
    pub(super) subject: Arc<str>,
    pub(super) client_id: Option<Arc<str>>,
    pub(super) audiences: Vec<Arc<str>>,
    pub(super) scopes: ScopeSet,
    pub(super) roles: Vec<Arc<str>>,
    pub(super) label: Option<Arc<str>>,
    pub(super) not_before: Option<SystemTime>,
    pub(super) end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    At(SystemTime),
    Never,
}

impl ApiKeyGrant {
    /// A key of this owner. It needs an audience and an end at least.
    pub fn new(subject: impl Into<Arc<str>>) -> Self {
        Self {
            subject: subject.into(),
            client_id: None,
            audiences: Vec::new(),
            scopes: ScopeSet::empty(),
            roles: Vec::new(),
            label: None,
            not_before: None,
            end: None,
        }
    }

    /// The program that the key is for, where owners have several.
    pub fn client_id(mut self, client: impl Into<Arc<str>>) -> Self {
        self.client_id = Some(client.into());
        self
    }

    /// One more resource that the key is good for, as the audience guard of that resource knows it.
    pub fn add_audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// What the key grants; nothing if not set.
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// One more role of the owner.
    pub fn add_role(mut self, role: impl Into<Arc<str>>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// What its owner calls it.
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// From when on the key is good; at once if not set.
    pub const fn not_before(mut self, at: SystemTime) -> Self {
        self.not_before = Some(at);
        self
    }

    /// From when on the key is no good any more.
    pub const fn expires_at(mut self, at: SystemTime) -> Self {
        self.end = Some(End::At(at));
        self
    }

    /// The key does not expire.
    ///
    /// # What you give up
    ///
    /// A leaked key works until somebody notices.
    pub const fn never_expires(mut self) -> Self {
        self.end = Some(End::Never);
        self
    }

    /// The same, checked, with times as a file can hold them.
    pub(super) fn check(mut self) -> Result<Self, InvalidApiKeyGrantError> {
        use InvalidApiKeyGrantError as E;

        let date = |at| whole_seconds(at).ok_or(E::Date);
        self.not_before = self.not_before.map(date).transpose()?;
        let end = match self.end.ok_or(E::NoEnd)? {
            End::At(at) => End::At(date(at)?),
            End::Never => End::Never,
        };
        self.end = Some(end);
        if matches!((self.not_before, end), (Some(from), End::At(to)) if from >= to) {
            return Err(E::EndsBeforeItBegins);
        }
        if self.audiences.is_empty() {
            return Err(E::NoAudience);
        }
        let lists = [
            ("audiences", self.audiences.len()),
            ("roles", self.roles.len()),
            ("scope", self.scopes.len()),
        ];
        if let Some((key, _)) = lists.into_iter().find(|(_, len)| *len > MAX_NAMES) {
            return Err(E::TooMany { key });
        }
        let texts = [("subject", Some(&self.subject))]
            .into_iter()
            .chain([("client_id", self.client_id.as_ref()), ("label", self.label.as_ref())])
            .chain(self.audiences.iter().map(|text| ("audiences", Some(text))))
            .chain(self.roles.iter().map(|text| ("roles", Some(text))));
        for (key, text) in texts {
            if text.is_some_and(|text| !is_text(text)) {
                return Err(E::Text { key });
            }
        }
        Ok(self)
    }
}

/// No key can be made for a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApiKeyGrantError {
    /// A date before 1970 or after 9999.
    #[error("a date is outside the years 1970 to 9999")]
    Date,
    /// The key would never be good.
    #[error("the key ends before it begins; set `expires_at` after `not_before`")]
    EndsBeforeItBegins,
    /// The key would be good nowhere, or everywhere.
    #[error("the key is for no resource; name one with `add_audience`")]
    NoAudience,
    /// Nothing says when the key ends.
    #[error(
        "nothing says when the key ends; set `expires_at`, or `never_expires` if that is meant"
    )]
    NoEnd,
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
    /// A text is empty, longer than 2048 bytes, or has control characters.
    #[error("`{key}` must be 1 to 2048 bytes without control characters")]
    Text {
        /// Which.
        key: &'static str,
    },
    /// A list is too long.
    #[error("`{key}` has more than 64 entries")]
    TooMany {
        /// Which.
        key: &'static str,
    },
}
