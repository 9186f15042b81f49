mod flood;
mod freshness;
mod health;
mod lifecycle;

use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use palisade_test_issuer::{Retire, TestIssuer};
use tokio::time::{advance, sleep};

use super::{jitter::Jitter, *};
use crate::{
    BearerToken, Issuer, JwtVerifier, Rejection, VerifyToken,
    keys::KeyDocument,
    testing::{ISSUER, clock, issuer},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Copy, Debug)]
enum Mood {
    Fails,
    Hangs,
    Panics,
    Serves,
    ServesEmptySet,
    ServesHtml,
}

/// A source that does as it is told and counts.
#[derive(Clone)]
struct Script {
    issuer: TestIssuer,
    mood: Arc<Mutex<Mood>>,
    fetches: Arc<AtomicUsize>,
    delay: Duration,
}

impl Script {
    fn new(mood: Mood) -> Self {
        Self {
            issuer: issuer(),
            mood: Arc::new(Mutex::new(mood)),
            fetches: Arc::default(),
            delay: Duration::from_millis(100),
        }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl FetchKeys for Script {
    type Error = io::Error;

    async fn fetch(&self) -> io::Result<KeyDocument> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let mood = *self.mood.lock().unwrap();
        sleep(self.delay).await;
        match mood {
            Mood::Fails => Err(io::Error::other("scripted")),
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("scripted"),
            Mood::Serves => Ok(KeyDocument::from_json(self.issuer.jwks().to_string())),
            Mood::ServesEmptySet => Ok(KeyDocument::from_json(r#"{"keys":[]}"#)),
            Mood::ServesHtml => Ok(KeyDocument::from_json("<html></html>")),
        }
    }
}

fn hint(kid: &str) -> KeyHint<'_> {
    KeyHint { kid: Some(kid), algorithm: SignatureAlgorithm::ES256 }
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Found,
    NotYetKnown(Duration),
    Unavailable(Option<Duration>),
    Unknown,
}

fn told(answer: &KeyAnswer) -> Told {
    match *answer {
        KeyAnswer::Found(_) => Told::Found,
        KeyAnswer::NotYetKnown { retry_after } => Told::NotYetKnown(retry_after),
        KeyAnswer::Unavailable { retry_after } => Told::Unavailable(retry_after),
        KeyAnswer::Unknown => Told::Unknown,
    }
}

async fn ask(keys: &RemoteKeys, kid: &str) -> Told {
    told(&match keys.find(&hint(kid)) {
        KeyLookup::Ready(answer) => answer,
        KeyLookup::Wait(wait) => wait.await,
    })
}

/// The answer, if there is one at once.
fn at_once(keys: &RemoteKeys, kid: &str) -> Option<Told> {
    match keys.find(&hint(kid)) {
        KeyLookup::Ready(answer) => Some(told(&answer)),
        KeyLookup::Wait(_) => None,
    }
}

const KID: &str = "ES256-1";

/// Without jitter, where seconds are counted.
fn spawn_exact(source: impl FetchKeys) -> RemoteKeys {
    RemoteKeys::builder(source).jitter(Jitter::Fixed(0)).spawn().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_requests_wait_for_the_first_fetch_and_the_others_for_nothing() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    assert_eq!(at_once(&keys, KID), None);
    let (first, second, unknown) =
        tokio::join!(ask(&keys, KID), ask(&keys, KID), ask(&keys, "other"));
    assert_eq!((first, second, unknown), (Told::Found, Told::Found, Told::Unknown));
    assert_eq!(at_once(&keys, KID), Some(Told::Found));
    assert_eq!(script.fetches(), 2, "the first set may have been older than the unknown name");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_rotated_in_is_found_by_its_first_token() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    let new = script.issuer.rotate(Retire::KeepPrevious).unwrap();
    assert_eq!(ask(&keys, &new).await, Told::Found, "right after a scheduled fetch");
    assert_eq!(at_once(&keys, KID), Some(Told::Found));
    assert_eq!(script.fetches(), 2);

    let newer = script.issuer.rotate(Retire::KeepPrevious).unwrap();
    let told = at_once(&keys, &newer);
    assert!(matches!(told, Some(Told::NotYetKnown(_))), "within the cooldown: {told:?}");
    sleep(31 * SECOND).await;
    assert_eq!(ask(&keys, &newer).await, Told::Found);
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_during_a_fetch_of_an_older_set_is_not_refused_for_it() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    // The issuer answers with what it had when it was asked, and takes its time.
    let older = script.issuer.jwks();
    let rotating = {
        let issuer = script.issuer.clone();
        let answered = Arc::new(AtomicUsize::new(0));
        RemoteKeys::spawn(move || {
            let first = answered.fetch_add(1, Ordering::Relaxed) == 0;
            let set = if first { older.clone() } else { issuer.jwks() };
            async move {
                sleep(SECOND).await;
                Ok::<_, io::Error>(KeyDocument::from_value(set))
            }
        })
        .unwrap()
    };
    let new = script.issuer.rotate(Retire::KeepPrevious).unwrap();
    assert_eq!(ask(&rotating, &new).await, Told::Found);
}

#[tokio::test(start_paused = true)]
async fn jwk_02_an_issuer_that_publishes_its_secrets_withdraws_its_keys() {
    let good = issuer().jwks();
    let mut leaked = good.clone();
    leaked["keys"][0]["d"] = "AAAA".into();
    let served = Arc::new(Mutex::new(good));
    let source = {
        let served = Arc::clone(&served);
        move || {
            let set = served.lock().unwrap().clone();
            async { Ok::<_, io::Error>(KeyDocument::from_value(set)) }
        }
    };
    let keys = RemoteKeys::spawn(source).unwrap();
    assert_eq!(ask(&keys, KID).await, Told::Found);
    *served.lock().unwrap() = leaked;
    sleep(6 * MINUTE).await;
    assert_eq!(ask(&keys, KID).await, Told::Unknown, "and the set before is not used any more");
}

#[tokio::test(start_paused = true)]
async fn jwk_09_a_key_that_was_withdrawn_is_gone_after_the_refresh() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    let new = script.issuer.rotate(Retire::DropPrevious).unwrap();
    sleep(4 * MINUTE).await;
    assert_eq!(at_once(&keys, KID), Some(Told::Found));
    sleep(MINUTE + SECOND).await;
    assert_eq!(ask(&keys, KID).await, Told::Unknown);
    assert_eq!(at_once(&keys, &new), Some(Told::Found));
}

#[tokio::test(start_paused = true)]
async fn jwk_10_the_last_keys_are_used_while_fetches_fail_and_not_for_ever() {
    for mood in [Mood::Fails, Mood::Hangs, Mood::Panics, Mood::ServesEmptySet, Mood::ServesHtml] {
        let script = Script::new(Mood::Serves);
        let keys = RemoteKeys::spawn(script.clone()).unwrap();
        ask(&keys, KID).await;
        script.set(mood);
        sleep(23 * HOUR).await;
        assert_eq!(at_once(&keys, KID), Some(Told::Found), "{mood:?}");
        let unknown = ask(&keys, "other").await;
        assert!(matches!(unknown, Told::Unavailable(Some(_))), "{mood:?}: not judged: {unknown:?}");
        sleep(HOUR + MINUTE).await;
        let stale = ask(&keys, KID).await;
        assert!(matches!(stale, Told::Unavailable(Some(_))), "{mood:?}: {stale:?}");
        script.set(Mood::Serves);
        sleep(MINUTE).await;
        assert_eq!(at_once(&keys, KID), Some(Told::Found), "{mood:?}: recovers");
    }
}

#[tokio::test(start_paused = true)]
async fn jwk_10_without_any_keys_the_answer_is_come_back() {
    let script = Script::new(Mood::Fails);
    let keys = spawn_exact(script.clone());
    assert_eq!(ask(&keys, KID).await, Told::Unavailable(Some(SECOND)));
    assert!(matches!(ask(&keys, KID).await, Told::Unavailable(Some(_))), "asked for, and failed");
    sleep(20 * SECOND).await;
    let Some(Told::Unavailable(Some(wait))) = at_once(&keys, KID) else {
        panic!("not at once, or not unavailable");
    };
    assert!(wait > SECOND && wait <= 30 * SECOND, "{wait:?}");
}

/// In which of the first hundred seconds there was a fetch, if every fetch fails at once.
async fn seconds_with_fetches(in_each: impl Fn(&RemoteKeys)) -> Vec<usize> {
    let script = Script { delay: Duration::ZERO, ..Script::new(Mood::Fails) };
    let keys = spawn_exact(script.clone());
    let mut seconds = Vec::new();
    for second in 0..100 {
        sleep(Duration::from_millis(100)).await;
        in_each(&keys);
        sleep(Duration::from_millis(800)).await;
        seconds.resize(script.fetches(), second);
        sleep(Duration::from_millis(100)).await;
    }
    seconds
}

#[tokio::test(start_paused = true)]
async fn failed_fetches_are_retried_less_and_less_often() {
    assert_eq!(seconds_with_fetches(|_| {}).await, [0, 1, 3, 7, 15, 31, 61, 91]);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_takes_no_longer_than_allowed() {
    let script = Script::new(Mood::Hangs);
    let keys = RemoteKeys::spawn(script).unwrap();
    let start = Instant::now();
    assert!(matches!(ask(&keys, KID).await, Told::Unavailable(Some(_))));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_by_another_algorithm_causes_no_fetch() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    sleep(MINUTE).await;
    let hint = KeyHint { kid: Some(KID), algorithm: SignatureAlgorithm::RS256 };
    assert!(matches!(keys.find(&hint), KeyLookup::Ready(KeyAnswer::Unknown)));
    sleep(SECOND).await;
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_verifier_waits_for_the_key_and_says_503_when_there_is_none() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    let verifier =
        JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), keys).unwrap().with_clock(clock());
    let verify = |token: &str| verifier.verify(BearerToken::parse(token).unwrap());
    let token = script.issuer.mint().subject("alice").sign();
    assert_eq!(verify(&token).await.unwrap().subject(), "alice");
    let forged = script.issuer.mint().header("kid", "other").sign();
    assert_eq!(verify(&forged).await.err(), Some(Rejection::UnknownKey));
    let expired = script.issuer.mint().expires_at(1).issued_at(0).sign();
    assert_eq!(verify(&expired).await.err(), Some(Rejection::Expired));

    let down = RemoteKeys::spawn(Script::new(Mood::Fails)).unwrap();
    let verifier = JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), down).unwrap();
    let rejection = verifier.verify(BearerToken::parse(&token).unwrap()).await.err();
    let Some(Rejection::KeysUnavailable { retry_after: Some(wait) }) = rejection else {
        panic!("not judged: {rejection:?}");
    };
    assert!((SECOND..=SECOND + SECOND / 4).contains(&wait), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_verdict_is_after_the_wait() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    let clock = clock();
    let verifier =
        JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), keys).unwrap().with_clock(clock.clone());
    let token = script.issuer.mint().sign();
    let verdict = verifier.verify(BearerToken::parse(&token).unwrap());
    clock.advance(HOUR);
    assert_eq!(verdict.await.err(), Some(Rejection::Expired));
}
