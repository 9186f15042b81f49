use std::{fmt, sync::Arc, time::Duration};

use palisade_core::{Resource, SystemClock};
use tokio::sync::Semaphore;

use super::{
    ClientAuthentication, IntrospectToken, IntrospectionVerifier, SignedAnswers,
    breaker::Breaker,
    cache::{Limits, Verdicts},
    claims::Rules,
    flights::Flights,
    google::{self, Google},
    signed::Expected,
    verifier::{Inner, Protocol},
};
use crate::{
    InvalidIssuerError, Issuer,
    crypto::passes_self_test,
    keys::StaticKeys,
    trust::{InvalidTrustError, Trust, TrustedIssuer},
};

/// A token that was revoked is accepted for as long as it is remembered. Nobody who wants that to be longer wants
/// introspection.
const MAX_REMEMBERED: Duration = Duration::from_secs(600);
const MAX_ENTRIES: usize = 1_000_000;
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_AT_ONCE: usize = 100_000;

/// An [`IntrospectionVerifier`] that is to be.
#[must_use = "nothing is verified until `build`"]
pub struct IntrospectionBuilder<T, K = StaticKeys, C = SystemClock> {
    transport: T,
    protocol: Protocol,
    signed: Option<Expected<K>>,
    rules: Rules,
    clock: C,
    max_token_bytes: usize,
    timeout: Duration,
    pause: Duration,
    limits: Limits,
    max_calls: usize,
    max_waiting: usize,
}

/// An [`IntrospectionVerifier`] cannot be made like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// The cryptographic library that was linked gives wrong answers to known questions.
    #[error("the cryptographic library fails its self-test: do not use this build")]
    BrokenBackend,
    /// No client of ours. Google's answer is good news about anybody's token.
    #[error(
        "no client is named: name the OAuth clients whose users may come, as Google lists them"
    )]
    NoClient,
    /// Nobody to be the audience of signed answers.
    #[error("nobody is named as the recipient: use the client identifier of this service")]
    NoRecipient,
    /// Google signs no answers.
    #[error("this server does not sign answers")]
    NotSigned,
    /// A number or a time out of its bounds.
    #[error("`{name}` must be {bounds}")]
    OutOfBounds {
        /// Which.
        name: &'static str,
        /// From where to where.
        bounds: &'static str,
    },
    /// The rules of the issuer contradict each other.
    #[error("the rules of the issuer contradict each other")]
    Trust(#[source] InvalidTrustError),
}

impl<T: IntrospectToken> IntrospectionVerifier<T> {
    /// Starts with the defaults: plain answers, 30 seconds of memory for active tokens and 5 for others, 64 calls at a
    /// time.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::Trust`] if the rules of the issuer contradict each other.
    pub fn builder(
        issuer: impl Into<TrustedIssuer>,
        transport: T,
        authentication: ClientAuthentication,
    ) -> Result<IntrospectionBuilder<T>, IntrospectionError> {
        let rules = issuer.into();
        // No `Trust` is needed here, but what it refuses is no better for opaque tokens.
        drop(Trust::of([rules.clone()]).map_err(IntrospectionError::Trust)?);
        Ok(IntrospectionBuilder::new(rules, transport, Protocol::Rfc7662(authentication)))
    }

    /// For tokens of Google, which answers under a protocol of its own.
    ///
    /// Google issues tokens to clients and for nobody in particular: the tokens of each application that a user ever
    /// signed in to are good in its eyes. So only those of `client_ids` are accepted, and only if Google names the
    /// client; by naming them you state that their tokens are meant for `resource`, which becomes the audience of the
    /// principal. `sub` is in the answer only if the client asked for `openid`; without it the token is refused.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::NoClient`].
    pub fn google<'a>(
        transport: T,
        client_ids: impl IntoIterator<Item = &'a str>,
        resource: Resource,
    ) -> Result<IntrospectionBuilder<T>, IntrospectionError> {
        let client_ids: Vec<Box<str>> = client_ids.into_iter().map(Into::into).collect();
        if client_ids.is_empty() || client_ids.iter().any(|client| client.is_empty()) {
            return Err(IntrospectionError::NoClient);
        }
        let issuer = google_issuer().map_err(|_| IntrospectionError::NoClient)?;
        let protocol = Protocol::Google(Google { client_ids, resource });
        Ok(IntrospectionBuilder::new(issuer.into(), transport, protocol))
    }
}

fn google_issuer() -> Result<Issuer, InvalidIssuerError> {
    Issuer::parse(google::ISSUER)
}

impl<T> IntrospectionBuilder<T> {
    fn new(issuer: TrustedIssuer, transport: T, protocol: Protocol) -> Self {
        Self {
            transport,
            protocol,
            signed: None,
            rules: Rules::new(issuer),
            clock: SystemClock::new(),
            max_token_bytes: 16 * 1024,
            timeout: Duration::from_secs(5),
            pause: Duration::from_secs(2),
            limits: Limits {
                active_for: Duration::from_secs(30),
                active_entries: 10_000,
                refused_for: Duration::from_secs(5),
                refused_entries: 10_000,
            },
            max_calls: 64,
            max_waiting: 1024,
        }
    }
}

impl<T, K, C> IntrospectionBuilder<T, K, C> {
    /// Asks for signed answers (RFC 9701) and verifies them with `keys`, the issuer's. `recipient` is the name in
    /// their `aud`: the identifier of this service, as a client or as a resource.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::BrokenBackend`], [`IntrospectionError::NoRecipient`],
    /// [`IntrospectionError::NotSigned`].
    pub fn signed_answers<K2>(
        self,
        how: SignedAnswers,
        keys: K2,
        recipient: &str,
    ) -> Result<IntrospectionBuilder<T, K2, C>, IntrospectionError> {
        match &self.protocol {
            Protocol::Google(_) => return Err(IntrospectionError::NotSigned),
            Protocol::Rfc7662(_) => {}
        }
        if recipient.is_empty() {
            return Err(IntrospectionError::NoRecipient);
        }
        if !passes_self_test() {
            return Err(IntrospectionError::BrokenBackend);
        }
        Ok(IntrospectionBuilder {
            signed: Some(Expected { keys, how, recipient: recipient.into() }),
            transport: self.transport,
            protocol: self.protocol,
            rules: self.rules,
            clock: self.clock,
            max_token_bytes: self.max_token_bytes,
            timeout: self.timeout,
            pause: self.pause,
            limits: self.limits,
            max_calls: self.max_calls,
            max_waiting: self.max_waiting,
        })
    }

    /// States that a token without `aud` is meant for `resource`.
    ///
    /// # What you give up
    ///
    /// Without this call such a token becomes a principal without audiences, which `palisade-audience-guard` refuses.
    /// With it, every token that the server calls active passes, whatever it was issued for. That is right only if the
    /// server answers `active: false` to us about tokens that are not meant for us, as RFC 9701 §5 demands, or if it
    /// serves nobody else.
    pub fn audience_if_missing(mut self, resource: Resource) -> Self {
        self.rules.audience_if_missing = Some(resource);
        self
    }

    /// How long an active token is remembered, at most; 30 seconds if not set, zero for not at all. Never beyond its
    /// `exp` (RFC 7662 §4). A token that is revoked is accepted for up to that long.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] above ten minutes.
    pub fn remember_active_for(mut self, time: Duration) -> Result<Self, IntrospectionError> {
        self.limits.active_for = at_most("remember_active_for", time)?;
        Ok(self)
    }

    /// How long a token is remembered that the server or our rules refused; 5 seconds if not set, zero for not at all.
    /// Failures of ours are never remembered.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] above ten minutes.
    pub fn remember_refused_for(mut self, time: Duration) -> Result<Self, IntrospectionError> {
        self.limits.refused_for = at_most("remember_refused_for", time)?;
        Ok(self)
    }

    /// How many active tokens are remembered, and as many refused ones, in a place of their own; 10,000 if not set.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] unless from 1 to 1,000,000.
    pub fn max_remembered(mut self, entries: usize) -> Result<Self, IntrospectionError> {
        self.limits.active_entries =
            within("max_remembered", entries, MAX_ENTRIES, "from 1 to 1000000")?;
        self.limits.refused_entries = self.limits.active_entries;
        Ok(self)
    }

    /// How many calls may be under way at a time; 64 if not set. One more is refused with 503.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] unless from 1 to 100,000.
    pub fn max_calls(mut self, calls: usize) -> Result<Self, IntrospectionError> {
        self.max_calls = within("max_calls", calls, MAX_AT_ONCE, "from 1 to 100000")?;
        Ok(self)
    }

    /// How many requests may wait for calls at a time; 1024 if not set. One more is refused with 503. Requests with
    /// the same token wait for the same call.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] unless from 1 to 100,000.
    pub fn max_waiting(mut self, requests: usize) -> Result<Self, IntrospectionError> {
        self.max_waiting = within("max_waiting", requests, MAX_AT_ONCE, "from 1 to 100000")?;
        Ok(self)
    }

    /// How long one call may take, and requests wait for it; five seconds if not set.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] unless more than zero and at most a minute.
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, IntrospectionError> {
        self.timeout = time("timeout", timeout)?;
        Ok(self)
    }

    /// How long nobody asks after three failures in a row; two seconds if not set.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::OutOfBounds`] unless more than zero and at most a minute.
    pub fn pause_after_failures(mut self, pause: Duration) -> Result<Self, IntrospectionError> {
        self.pause = time("pause_after_failures", pause)?;
        Ok(self)
    }

    /// The largest token that is asked about; 16 KiB if not set. The layer has a limit of its own.
    pub const fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Changes where the time comes from.
    pub fn with_clock<C2>(self, clock: C2) -> IntrospectionBuilder<T, K, C2> {
        IntrospectionBuilder {
            clock,
            transport: self.transport,
            protocol: self.protocol,
            signed: self.signed,
            rules: self.rules,
            max_token_bytes: self.max_token_bytes,
            timeout: self.timeout,
            pause: self.pause,
            limits: self.limits,
            max_calls: self.max_calls,
            max_waiting: self.max_waiting,
        }
    }

    /// The verifier.
    pub fn build(self) -> IntrospectionVerifier<T, K, C> {
        IntrospectionVerifier(Arc::new(Inner {
            transport: self.transport,
            protocol: self.protocol,
            signed: self.signed,
            rules: self.rules,
            clock: self.clock,
            max_token_bytes: self.max_token_bytes,
            timeout: self.timeout,
            verdicts: Verdicts::new(self.limits),
            flights: Arc::new(Flights::default()),
            breaker: Breaker::new(self.pause),
            calls: Semaphore::new(self.max_calls),
            waiting: Arc::new(Semaphore::new(self.max_waiting)),
        }))
    }
}

fn at_most(name: &'static str, time: Duration) -> Result<Duration, IntrospectionError> {
    if time > MAX_REMEMBERED {
        return Err(IntrospectionError::OutOfBounds { name, bounds: "at most ten minutes" });
    }
    Ok(time)
}

fn time(name: &'static str, time: Duration) -> Result<Duration, IntrospectionError> {
    if time.is_zero() || time > MAX_TIMEOUT {
        let bounds = "more than zero and at most a minute";
        return Err(IntrospectionError::OutOfBounds { name, bounds });
    }
    Ok(time)
}

fn within(
    name: &'static str,
    number: usize,
    max: usize,
    bounds: &'static str,
) -> Result<usize, IntrospectionError> {
    if (1..=max).contains(&number) {
        Ok(number)
    } else {
        Err(IntrospectionError::OutOfBounds { name, bounds })
    }
}

impl<T, K, C> fmt::Debug for IntrospectionBuilder<T, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionBuilder")
            .field("protocol", &self.protocol)
            .field("rules", &self.rules)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
