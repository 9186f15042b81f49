use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use palisade_core::{Clock, Principal, SystemClock};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{
    ClientAuthentication, IntrospectToken, IntrospectionRequest, IntrospectionResponse,
    answer::{self, Answer, Body, unreadable},
    breaker::Breaker,
    cache::{Generation, TokenDigest, Verdicts},
    claims::Rules,
    failure::Failure,
    flights::Flights,
    google::Google,
    signed::{Expected, SignedAnswers},
};
use crate::{
    BearerToken, Rejection, VerifyToken,
    http_client::form,
    keys::{KeySource, StaticKeys},
};

/// What those are told who come when too many wait already.
const WHEN_FULL: Duration = Duration::from_secs(1);

type Verdict = Result<Principal, Rejection>;

/// Verifies access tokens by asking the authorization server (RFC 7662).
///
/// See the [module docs](super). Cheap to clone; clones share what they remember.
#[must_use = "a verifier does nothing until a layer asks it"]
pub struct IntrospectionVerifier<T, K = StaticKeys, C = SystemClock>(
    pub(super) Arc<Inner<T, K, C>>,
);

/// How to ask, and how to read the answer.
#[derive(Clone, Debug)]
pub(super) enum Protocol {
    Google(Google),
    Rfc7662(ClientAuthentication),
}

pub(super) struct Inner<T, K, C> {
    pub(super) transport: T,
    pub(super) protocol: Protocol,
    pub(super) signed: Option<Expected<K>>,
    pub(super) rules: Rules,
    pub(super) clock: C,
    pub(super) max_token_bytes: usize,
    pub(super) timeout: Duration,
    pub(super) verdicts: Verdicts,
    pub(super) flights: Arc<Flights>,
    pub(super) breaker: Breaker,
    /// One permit for each call under way.
    pub(super) calls: Semaphore,
    /// One permit for each request that waits for a call.
    pub(super) waiting: Arc<Semaphore>,
}

impl<T, K, C> IntrospectionVerifier<T, K, C> {
    /// Forgets what is known about one token: the next request with it asks the server.
    pub fn forget_token(&self, token: &BearerToken) {
        let token = TokenDigest::of(token);
        self.0.flights.forget(&token);
        self.0.verdicts.forget(&token);
    }

    /// Forgets the tokens of principals that `is_meant` says yes to: of a subject that was disabled, of a client that
    /// was removed, of a token id that was revoked.
    ///
    /// Calls that are under way are not waited for and not remembered.
    pub fn forget(&self, is_meant: impl Fn(&Principal) -> bool) {
        self.0.flights.forget_all();
        self.0.verdicts.forget_if(is_meant);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.flights.forget_all();
        self.0.verdicts.clear();
    }

    /// How many active and how many refused tokens are remembered.
    #[must_use]
    pub fn remembered(&self) -> (usize, usize) {
        self.0.verdicts.len()
    }
}

impl<T, K, C> VerifyToken for IntrospectionVerifier<T, K, C>
where
    T: IntrospectToken,
    K: KeySource<Wait: Send> + Send + Sync + 'static,
    C: Clock + Send + Sync + 'static,
{
    type Future = IntrospectionFuture;

    fn verify(&self, token: BearerToken) -> IntrospectionFuture {
        let inner = &self.0;
        if token.expose().len() > inner.max_token_bytes {
            let what = "it is too long";
            return IntrospectionFuture::ready(Err(Rejection::Malformed { what }));
        }
        let digest = TokenDigest::of(&token);
        if let Some(verdict) = inner.verdicts.get(&digest, &inner.rules, &inner.clock) {
            return IntrospectionFuture::ready(verdict);
        }
        match Arc::clone(&inner.waiting).try_acquire_owned() {
            Ok(place) => {
                let asking = ask(Arc::clone(inner), digest, token, place);
                IntrospectionFuture(State::Asking(Box::pin(asking)))
            }
            Err(_) => IntrospectionFuture::ready(Err(unavailable(WHEN_FULL))),
        }
    }
}

async fn ask<T, K, C>(
    inner: Arc<Inner<T, K, C>>,
    digest: TokenDigest,
    token: BearerToken,
    _place: OwnedSemaphorePermit,
) -> Verdict
where
    T: IntrospectToken,
    K: KeySource<Wait: Send> + Send + Sync + 'static,
    C: Clock + Send + Sync + 'static,
{
    let seat = inner.flights.join(digest);
    seat.verdict(|| inner.call(digest, &token)).await
}

impl<T: IntrospectToken, K: KeySource, C: Clock> Inner<T, K, C> {
    /// One call, for all that wait for it.
    async fn call(&self, digest: TokenDigest, token: &BearerToken) -> Verdict {
        // Another call may have ended between our look and our seat.
        if let Some(verdict) = self.verdicts.get(&digest, &self.rules, &self.clock) {
            return verdict;
        }
        let admission = self.breaker.admit(self.clock.monotonic()).map_err(unavailable)?;
        let Ok(_permit) = self.calls.try_acquire() else {
            return Err(unavailable(WHEN_FULL));
        };
        let asked = self.verdicts.generation();
        match self.exchange(token).await {
            Ok(answer) => {
                admission.succeed();
                self.judge(answer, digest, asked)
            }
            Err(failure) => {
                failure.log();
                if failure.is_about_the_server() {
                    admission.fail(self.clock.monotonic());
                } else {
                    admission.answered();
                }
                Err(unavailable(failure.retry_after()))
            }
        }
    }

    async fn exchange(&self, token: &BearerToken) -> Result<Answer, Failure> {
        let request = self.request(token)?;
        let exchange = async {
            let response = self.transport.introspect(request).await;
            self.read(response.map_err(|error| Failure::Exchange(error.into()))?).await
        };
        timeout(self.timeout, exchange).await.map_err(|_| Failure::Timeout)?
    }

    fn request(&self, token: &BearerToken) -> Result<IntrospectionRequest, Failure> {
        let auth = match &self.protocol {
            Protocol::Google(_) => return Ok(Google::request(token)),
            Protocol::Rfc7662(auth) => auth,
        };
        let credential = auth.credential(self.rules.issuer(), self.clock.now())?;
        let mut fields = vec![("token", token.expose()), ("token_type_hint", "access_token")];
        fields.extend(
            credential
                .fields
                .iter()
                .map(|(name, value): &(_, Zeroizing<String>)| (*name, value.as_str())),
        );
        let accept = match &self.signed {
            None => answer::JSON,
            Some(expected) => match expected.how {
                SignedAnswers::Accepted => {
                    "application/token-introspection+jwt, application/json;q=0.5"
                }
                SignedAnswers::Required => answer::SIGNED,
            },
        };
        let body = form::encode(&fields);
        Ok(IntrospectionRequest { accept, authorization: credential.authorization, body })
    }

    async fn read(&self, response: IntrospectionResponse) -> Result<Answer, Failure> {
        if let Protocol::Google(google) = &self.protocol {
            return google.read(response);
        }
        let members = match (answer::body(response)?, &self.signed) {
            (Body::Json(json), None) => answer::object(&json)?,
            (Body::Json(json), Some(expected)) => match expected.how {
                SignedAnswers::Accepted => answer::object(&json)?,
                SignedAnswers::Required => return Err(unreadable("it is not signed")),
            },
            (Body::Signed(jwt), Some(expected)) => {
                let (issuer, leeway) = (self.rules.issuer(), self.rules.leeway());
                expected.read(&jwt, issuer, leeway, self.clock.now()).await?
            }
            (Body::Signed(_), None) => {
                return Err(unreadable("it is signed, and no keys are configured"));
            }
        };
        Ok(answer::verdict(members))
    }

    /// The server's word, and then our own rules: an answer that is active and expired is no answer to act on.
    fn judge(&self, answer: Answer, digest: TokenDigest, asked: Generation) -> Verdict {
        let verdict = match answer {
            Answer::Active(claims) => self.rules.judge(claims, self.clock.now()),
            Answer::Inactive => Err(Rejection::Inactive),
            Answer::NotActive => return Err(Rejection::Inactive),
        };
        match verdict {
            Ok(claimed) => {
                let principal = claimed.principal.clone();
                self.verdicts.accept(digest, claimed, asked, &self.clock);
                Ok(principal)
            }
            // It will be good in a moment.
            Err(Rejection::NotYetValid) => Err(Rejection::NotYetValid),
            Err(rejection) => {
                self.verdicts.refuse(digest, rejection.clone(), &self.clock);
                Err(rejection)
            }
        }
    }
}

const fn unavailable(wait: Duration) -> Rejection {
    Rejection::IntrospectionUnavailable { retry_after: Some(wait) }
}

/// The verdict of an [`IntrospectionVerifier`]: there at once if it is remembered.
///
/// # Cancel safety
///
/// Dropping it forgets the token. If others wait for the same call, one of them makes it again; if not, the call is
/// given up.
#[must_use = "futures do nothing unless polled"]
pub struct IntrospectionFuture(State);

enum State {
    /// A call over the network: the box is the smallest part of it.
    Asking(Pin<Box<dyn Future<Output = Verdict> + Send>>),
    Ready(Option<Verdict>),
}

impl IntrospectionFuture {
    const fn ready(verdict: Verdict) -> Self {
        Self(State::Ready(Some(verdict)))
    }
}

impl Future for IntrospectionFuture {
    type Output = Verdict;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        match &mut self.0 {
            State::Asking(asking) => asking.as_mut().poll(cx),
            State::Ready(verdict) => {
                Poll::Ready(verdict.take().expect("`IntrospectionFuture` polled after completion"))
            }
        }
    }
}

impl fmt::Debug for IntrospectionFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionFuture").finish_non_exhaustive()
    }
}

impl<T, K, C> Clone for IntrospectionVerifier<T, K, C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, K, C> fmt::Debug for IntrospectionVerifier<T, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionVerifier")
            .field("protocol", &self.0.protocol)
            .field("rules", &self.0.rules)
            .field("verdicts", &self.0.verdicts)
            .finish_non_exhaustive()
    }
}
