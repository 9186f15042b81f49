//! 64 clients with good tokens, one attacker with 10,000 bad ones, and an issuer that misbehaves meanwhile.

use std::{error::Error, fmt, future::poll_fn, pin::pin, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::{Clock, Principal, SystemClock};
use palisade_test_issuer::{Behaviour, Retire, SigningAlgorithm, TestIssuer};
use palisade_token_verify::{
    BearerToken, Issuer, JwtVerifier, Rejection, VerifyToken,
    keys::{HttpSource, RemoteKeys, StaticKeys},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub(crate) const CLIENTS: usize = 64;
pub(crate) const ATTACK_TOKENS: usize = 10_000;
const ATTACKERS: usize = 16;
const TOKENS_PER_CLIENT: usize = 50;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What the issuer does while it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Misbehaviour {
    Behaves,
    Slow,
    Status500,
    Garbage,
    Huge,
    Endless,
    Hangs,
    Redirects,
    UnknownKeyTypes,
    WithoutAlg,
    DuplicateKid,
    Rotates,
    Withdraws,
    OlderAfterNewer,
}

impl Misbehaviour {
    pub(crate) const ALL: [Self; 14] = [
        Self::Behaves,
        Self::Slow,
        Self::Status500,
        Self::Garbage,
        Self::Huge,
        Self::Endless,
        Self::Hangs,
        Self::Redirects,
        Self::UnknownKeyTypes,
        Self::WithoutAlg,
        Self::DuplicateKid,
        Self::Rotates,
        Self::Withdraws,
        Self::OlderAfterNewer,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Behaves => "behaves",
            Self::Slow => "half a second late",
            Self::Status500 => "500",
            Self::Garbage => "HTML",
            Self::Huge => "600 KB",
            Self::Endless => "endless",
            Self::Hangs => "no answer",
            Self::Redirects => "redirect",
            Self::UnknownKeyTypes => "unknown key types",
            Self::WithoutAlg => "keys without alg",
            Self::DuplicateKid => "one kid twice",
            Self::Rotates => "rotated",
            Self::Withdraws => "another key withdrawn",
            Self::OlderAfterNewer => "older after newer",
        }
    }

    /// From now on the issuer is like that.
    fn begin(self, issuer: &TestIssuer, before: &Value) -> Result<(), Failure> {
        match self {
            Self::Behaves => {}
            Self::Slow => issuer.behave(Behaviour::Slow(Duration::from_millis(500)))?,
            Self::Status500 => issuer.behave(Behaviour::Status(500))?,
            Self::Garbage => issuer.behave(Behaviour::Body("<!doctype html>".into()))?,
            Self::Huge => {
                let blanks = " ".repeat(600 << 10);
                issuer.behave(Behaviour::Body(format!("{}{blanks}", issuer.jwks()).into()))?;
            }
            Self::Endless => issuer.behave(Behaviour::Endless)?,
            Self::Hangs => issuer.behave(Behaviour::Hang)?,
            Self::Redirects => issuer.behave(Behaviour::Redirect(issuer.jwks_uri()))?,
            Self::UnknownKeyTypes => {
                issuer.publish_raw_key(json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "new" }));
                issuer.publish_raw_key(json!({ "kty": 7 }));
                issuer.publish_raw_key(json!("no key"));
            }
            Self::WithoutAlg => {
                let mut set = issuer.jwks();
                for key in set.get_mut("keys").and_then(Value::as_array_mut).into_iter().flatten() {
                    key.as_object_mut().map(|key| key.remove("alg"));
                }
                issuer.behave(Behaviour::Body(set.to_string().into()))?;
            }
            Self::DuplicateKid => {
                let foreign = TestIssuer::builder().in_process("https://evil.example")?.jwks();
                let mut key = foreign.pointer("/keys/0").cloned().unwrap_or_default();
                if let Some(key) = key.as_object_mut() {
                    key.insert("kid".to_owned(), json!("ES384-2"));
                }
                issuer.publish_raw_key(key);
            }
            Self::Rotates => drop(issuer.rotate(Retire::KeepPrevious)?),
            Self::Withdraws => issuer.withdraw("ES384-2")?,
            // The clients have tokens of the key that this set does not know.
            Self::OlderAfterNewer => {
                let age = Duration::from_secs(3600);
                issuer.behave(Behaviour::Cached { keys: before.clone(), age })?;
            }
        }
        Ok(())
    }
}

/// What was counted.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) good: Tally,
    pub(crate) bad: Tally,
    /// While the attack went on.
    pub(crate) fetches: u64,
    /// A verification with the keys at hand, alone.
    pub(crate) alone: Times,
    /// The same, as one of 64 and under attack.
    pub(crate) attacked: Times,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) asked: usize,
    pub(crate) passed: usize,
    /// 401: the token is bad.
    pub(crate) refused: usize,
    /// 503: come back.
    pub(crate) not_judged: usize,
    /// Had to wait for the network.
    pub(crate) waited: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
}

/// One misbehaviour, from a warm start.
pub(crate) async fn run(misbehaviour: Misbehaviour) -> Result<Report, Failure> {
    let issuer = TestIssuer::builder()
        .default_audience("https://api.example")
        .add_key(SigningAlgorithm::ES384)
        .start()
        .await?;
    let before = issuer.jwks();
    if matches!(misbehaviour, Misbehaviour::OlderAfterNewer) {
        issuer.rotate(Retire::DropPrevious)?;
    }
    let source = HttpSource::discover(&Issuer::parse(issuer.issuer())?)?;
    let keys = RemoteKeys::builder(source).fetch_timeout(Duration::from_secs(1))?.spawn()?;
    keys.ready().await;
    // Without the memory of verified tokens: what is shown is what a verification costs.
    let verifier = JwtVerifier::new(Issuer::parse(issuer.issuer())?, keys)?.max_cached_tokens(0);
    let verifier = Arc::new(verifier);

    let tokens: Vec<_> = (0..CLIENTS)
        .map(|client| issuer.mint().subject(format!("client-{client}")).sign())
        .collect();
    let forged = Arc::new(Forged::from(tokens.first().map_or("", |token| token)));
    let alone = measure_alone(&issuer, &tokens).await?;

    misbehaviour.begin(&issuer, &before)?;
    let fetches_before = issuer.jwks_fetches();
    let mut clients = JoinSet::new();
    for token in tokens {
        clients.spawn(client(Arc::clone(&verifier), token));
    }
    let mut attackers = JoinSet::new();
    for attacker in 0..ATTACKERS {
        attackers.spawn(attack(Arc::clone(&verifier), Arc::clone(&forged), attacker));
    }
    let (mut good, mut times) = (Tally::default(), Vec::new());
    while let Some(done) = clients.join_next().await {
        let (tally, measured) = done??;
        good.add(&tally);
        times.extend(measured);
    }
    let mut bad = Tally::default();
    while let Some(done) = attackers.join_next().await {
        bad.add(&done??);
    }
    Ok(Report {
        name: misbehaviour.name(),
        good,
        bad,
        fetches: issuer.jwks_fetches().saturating_sub(fetches_before),
        alone,
        attacked: Times::of(times),
    })
}

async fn client(
    verifier: Arc<JwtVerifier>,
    token: String,
) -> Result<(Tally, Vec<Duration>), Failure> {
    let clock = SystemClock::new();
    let (mut tally, mut times) = (Tally::default(), Vec::new());
    for _ in 0..TOKENS_PER_CLIENT {
        let begin = clock.monotonic();
        tally.ask(&verifier, &token).await?;
        times.push(clock.monotonic().saturating_sub(begin));
        // Others want their turn, as on a server.
        tokio::task::yield_now().await;
    }
    Ok((tally, times))
}

async fn attack(
    verifier: Arc<JwtVerifier>,
    forged: Arc<Forged>,
    attacker: usize,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for number in (attacker..ATTACK_TOKENS).step_by(ATTACKERS) {
        tally.ask(&verifier, &forged.with_kid(number)?).await?;
        tokio::task::yield_now().await;
    }
    Ok(tally)
}

/// A token whose header names keys that nobody has.
struct Forged {
    payload_and_signature: String,
}

impl From<&str> for Forged {
    fn from(token: &str) -> Self {
        let rest = token.split_once('.').map_or("", |(_, rest)| rest);
        Self { payload_and_signature: rest.to_owned() }
    }
}

impl Forged {
    fn with_kid(&self, number: usize) -> Result<String, Failure> {
        let random = getrandom::u64()?;
        let header =
            json!({ "alg": "ES256", "typ": "at+jwt", "kid": format!("{random:x}-{number}") });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        Ok(format!("{header}.{}", self.payload_and_signature))
    }
}

impl Tally {
    async fn ask(&mut self, verifier: &JwtVerifier, token: &str) -> Result<(), Failure> {
        let mut verdict = pin!(verifier.verify(BearerToken::parse(token)?));
        let mut polls = 0_usize;
        let verdict: Result<Principal, Rejection> = poll_fn(|cx| {
            polls = polls.saturating_add(1);
            verdict.as_mut().poll(cx)
        })
        .await;
        add(&mut self.asked, 1);
        add(&mut self.waited, usize::from(polls > 1));
        match verdict {
            Ok(_) => add(&mut self.passed, 1),
            Err(Rejection::KeyNotYetKnown { .. } | Rejection::KeysUnavailable { .. }) => {
                add(&mut self.not_judged, 1);
            }
            Err(_) => add(&mut self.refused, 1),
        }
        Ok(())
    }

    fn add(&mut self, other: &Self) {
        add(&mut self.asked, other.asked);
        add(&mut self.passed, other.passed);
        add(&mut self.refused, other.refused);
        add(&mut self.not_judged, other.not_judged);
        add(&mut self.waited, other.waited);
    }
}

fn add(sum: &mut usize, more: usize) {
    *sum = sum.saturating_add(more);
}

async fn measure_alone(issuer: &TestIssuer, tokens: &[String]) -> Result<Times, Failure> {
    let keys = StaticKeys::from_jwks_json(&issuer.jwks().to_string())?;
    let verifier = JwtVerifier::new(Issuer::parse(issuer.issuer())?, keys)?.max_cached_tokens(0);
    let clock = SystemClock::new();
    let (mut tally, mut times) = (Tally::default(), Vec::new());
    for token in tokens.iter().cycle().take(500) {
        let begin = clock.monotonic();
        tally.ask(&verifier, token).await?;
        times.push(clock.monotonic().saturating_sub(begin));
    }
    Ok(Times::of(times))
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| {
            let index = times.len().saturating_mul(part).checked_div(100).unwrap_or_default();
            times.get(index).copied().unwrap_or_default()
        };
        Self { median: at(50), p99: at(99) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.good.asked.saturating_sub(self.good.passed);
        let ratio = |attacked: Duration, alone: Duration| {
            attacked.as_secs_f64() / alone.as_secs_f64().max(f64::EPSILON)
        };
        write!(
            f,
            "{:<22}{:>6}{:>8}{:>8} |{:>7}{:>6}{:>7} |{:>8} |{:>9.1?}{:>7.2}{:>7.2}",
            self.name,
            self.good.asked,
            failed,
            self.good.waited,
            self.bad.asked,
            self.bad.refused,
            self.bad.not_judged,
            self.fetches,
            self.alone.median,
            ratio(self.attacked.median, self.alone.median),
            ratio(self.attacked.p99, self.alone.p99),
        )
    }
}
