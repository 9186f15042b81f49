use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use palisade_core::{Clock, Principal, SystemClock};
use pin_project_lite::pin_project;
use subtle::Choice;

use super::{
    ApiKeyPrefix, ApiKeyRecord, ApiKeyStore, ApiKeyStoreError, MemoryApiKeys,
    key::{KeyDigest, Presented},
};
use crate::{BearerToken, Rejection, VerifyToken, record_file::is_text};

/// Verifies API keys. See the [module documentation](super).
#[derive(Clone)]
pub struct ApiKeys<S = MemoryApiKeys, C = SystemClock> {
    ring: Arc<Ring>,
    store: S,
    clock: C,
}

struct Ring {
    issuer: Arc<str>,
    prefix: ApiKeyPrefix,
}

impl<S: ApiKeyStore> ApiKeys<S> {
    /// Keys that begin with `prefix`, whose records are in `store`.
    ///
    /// `issuer` is what principals have for an issuer, such as `https://api.example/keys`: a name of this ring
    /// of keys alone. Not the name of an authorization server: its subjects are others, even where they are
    /// called the same.
    ///
    /// # Errors
    ///
    /// [`InvalidApiKeyIssuerError`] if the name is not a URI.
    pub fn new(
        issuer: &str,
        prefix: ApiKeyPrefix,
        store: S,
    ) -> Result<Self, InvalidApiKeyIssuerError> {
        let has_scheme = issuer.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
                && !rest.is_empty()
        });
        if !has_scheme || !is_text(issuer) || !issuer.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidApiKeyIssuerError);
        }
        let ring = Arc::new(Ring { issuer: issuer.into(), prefix });
        Ok(Self { ring, store, clock: SystemClock::new() })
    }
}

impl<S, C> ApiKeys<S, C> {
    /// Reads the time from `clock`.
    #[must_use]
    pub fn with_clock<C2: Clock>(self, clock: C2) -> ApiKeys<S, C2> {
        ApiKeys { ring: self.ring, store: self.store, clock }
    }

    #[cfg(test)]
    pub(super) fn judge(
        &self,
        presented: &Presented,
        found: Result<Option<ApiKeyRecord>, ApiKeyStoreError>,
    ) -> Result<Principal, Rejection>
    where
        C: Clock,
    {
        judge(presented, found, &self.ring, &self.clock)
    }

    /// Whether a token claims to be a key of this ring: it begins with the prefix. For verifiers of several
    /// kinds of tokens, which ask this one about no others.
    #[must_use]
    pub fn recognizes(&self, token: &BearerToken) -> bool {
        self.ring.prefix.is_of(token.expose())
    }
}

impl<S: ApiKeyStore, C: Clock + Clone> VerifyToken for ApiKeys<S, C> {
    type Future = ApiKeysFuture<S::Find, C>;

    fn verify(&self, token: BearerToken) -> Self::Future {
        let state = match Presented::read(&self.ring.prefix, token.expose()) {
            Err(what) => State::Rejected { rejection: Some(Rejection::Malformed { what }) },
            Ok(presented) => State::Finding {
                find: self.store.find(presented.id),
                presented,
                ring: Arc::clone(&self.ring),
                clock: self.clock.clone(),
            },
        };
        ApiKeysFuture { state }
    }
}

/// The one place where a key is let in.
fn judge(
    presented: &Presented,
    found: Result<Option<ApiKeyRecord>, ApiKeyStoreError>,
    ring: &Ring,
    clock: &impl Clock,
) -> Result<Principal, Rejection> {
    let record = found
        .map_err(|ApiKeyStoreError { retry_after }| Rejection::KeysUnavailable { retry_after })?;
    // An unknown id is compared as well, with nothing: whether a key exists takes as long to find out as
    // whether its secret is right, and has the same answer.
    let is_right = match &record {
        Some(record) => record.is_for(presented),
        None => KeyDigest::DUMMY.is(&presented.digest) & Choice::from(0),
    };
    match record {
        Some(record) if bool::from(is_right) => record.principal_at(&ring.issuer, clock.now()),
        Some(_) | None => Err(Rejection::Inactive),
    }
}

pin_project! {
    /// The verdict of [`ApiKeys`]: there at once, unless the store has to be waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future of the store. Nothing else is held.
    #[must_use = "futures do nothing unless polled"]
    pub struct ApiKeysFuture<F, C> {
        #[pin]
        state: State<F, C>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, C> {
        Finding { #[pin] find: F, presented: Presented, ring: Arc<Ring>, clock: C },
        Rejected { rejection: Option<Rejection> },
    }
}

impl<F, C> Future for ApiKeysFuture<F, C>
where
    F: Future<Output = Result<Option<ApiKeyRecord>, ApiKeyStoreError>>,
    C: Clock,
{
    type Output = Result<Principal, Rejection>;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Finding { find, presented, ring, clock } => {
                Poll::Ready(judge(presented, ready!(find.poll(cx)), ring, clock))
            }
            StateProj::Rejected { rejection } => {
                Poll::Ready(Err(rejection.take().expect("`ApiKeysFuture` polled after completion")))
            }
        }
    }
}

impl<F, C> fmt::Debug for ApiKeysFuture<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeysFuture").finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, C> fmt::Debug for ApiKeys<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("issuer", &self.ring.issuer)
            .field("prefix", &self.ring.prefix)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// A text cannot be the name of a ring of API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the issuer of API keys must be a URI, such as `https://api.example/keys` or `urn:example:keys`"
)]
#[non_exhaustive]
pub struct InvalidApiKeyIssuerError;
