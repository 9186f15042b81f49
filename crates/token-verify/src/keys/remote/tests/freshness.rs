//! How long a set is good: what the issuer says, and how far that is followed.

use super::*;
use crate::keys::KeyValidator;

/// A source that says what it is told to say, and writes down how it was asked.
#[derive(Clone)]
struct Talking {
    issuer: TestIssuer,
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

#[derive(Clone, Default)]
struct Says {
    max_age: Option<Duration>,
    age: Duration,
    tag: Option<&'static str>,
    /// Answers "not modified" whenever it is asked for that.
    unmodified: bool,
    /// Instead of the issuer's.
    set: Option<serde_json::Value>,
}

impl Talking {
    fn new(says: Says) -> Self {
        Self { issuer: issuer(), says: Arc::new(Mutex::new(says)), asked: Arc::default() }
    }

    fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, held: Option<&KeyValidator>) -> KeyDocument {
        self.asked.lock().unwrap().push(held.map(|held| held.as_str().to_owned()));
        let says = self.says.lock().unwrap().clone();
        let set = says.set.unwrap_or_else(|| self.issuer.jwks());
        let document = if says.unmodified && held.is_some() {
            KeyDocument::not_modified()
        } else {
            KeyDocument::from_value(set).with_age(says.age)
        };
        let document = says.max_age.into_iter().fold(document, KeyDocument::with_max_age);
        says.tag.map(KeyValidator::new).into_iter().fold(document, KeyDocument::with_validator)
    }
}

impl FetchKeys for Talking {
    type Error = io::Error;

    async fn fetch(&self) -> io::Result<KeyDocument> {
        Ok(self.answer(None))
    }

    async fn fetch_unless(&self, held: &KeyValidator) -> io::Result<KeyDocument> {
        Ok(self.answer(Some(held)))
    }
}

/// How often it was asked after that time, and that time.
async fn fetches_after(says: Says, wait: Duration) -> usize {
    let source = Talking::new(says);
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    sleep(wait).await;
    source.asked().len()
}

#[tokio::test(start_paused = true)]
async fn jwk_13_what_the_issuer_says_is_followed_within_bounds() {
    let wanting = |seconds| Says { max_age: Some(seconds), ..Says::default() };
    let year = 365 * 24 * HOUR;
    for (says, minutes) in [
        (Says::default(), 5),
        (wanting(year), 5),
        (wanting(Duration::MAX), 5),
        (wanting(4 * MINUTE), 4),
        (wanting(MINUTE), 1),
        (wanting(SECOND), 1),
        (wanting(Duration::ZERO), 1),
    ] {
        let wait = minutes * MINUTE;
        assert_eq!(fetches_after(says.clone(), wait - SECOND).await, 1, "{:?}", says.max_age);
        assert_eq!(fetches_after(says.clone(), wait + SECOND).await, 2, "{:?}", says.max_age);
    }
}

#[tokio::test(start_paused = true)]
async fn jwk_13_the_operators_bounds_count_and_the_upper_one_more() {
    let source = Talking::new(Says { max_age: Some(Duration::ZERO), ..Says::default() });
    let keys = RemoteKeys::builder(source.clone())
        .refresh_interval(10 * SECOND)
        .unwrap()
        .jitter(Jitter::Fixed(0))
        .spawn()
        .unwrap();
    ask(&keys, KID).await;
    sleep(10 * SECOND + SECOND).await;
    assert_eq!(source.asked().len(), 2, "the lower bound does not keep a withdrawn key alive");
}

#[tokio::test(start_paused = true)]
async fn a_set_is_fetched_again_before_its_time_is_over_and_no_key_is_missing_meanwhile() {
    let script = Script::new(Mood::Serves);
    let builder = RemoteKeys::builder(script.clone());
    let keys = builder.jitter(Jitter::Fixed(u16::MAX)).spawn().unwrap();
    ask(&keys, KID).await;
    sleep(4 * MINUTE + 29 * SECOND).await;
    assert_eq!(script.fetches(), 1);
    sleep(2 * SECOND).await;
    assert_eq!(script.fetches(), 2, "half a minute ahead");
    assert_eq!(at_once(&keys, KID), Some(Told::Found));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_set_is_kept_and_counts_as_fresh() {
    let source = Talking::new(Says { tag: Some("v1"), unmodified: true, ..Says::default() });
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    sleep(11 * MINUTE).await;
    assert_eq!(source.asked(), [None, Some("v1".to_owned()), Some("v1".to_owned())]);
    let KeyHealth::Ready { keys: 1, age } = keys.health() else { panic!("{:?}", keys.health()) };
    assert!(age < 2 * MINUTE, "{age:?}");
    // Once an hour it is read all the same.
    sleep(50 * MINUTE).await;
    assert_eq!(source.asked().iter().filter(|asked| asked.is_none()).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn not_modified_does_not_say_that_another_key_does_not_exist() {
    let source = Talking::new(Says { tag: Some("v1"), unmodified: true, ..Says::default() });
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    // A server that says so of everything.
    let new = source.issuer.rotate(Retire::KeepPrevious).unwrap();
    sleep(6 * MINUTE).await;
    assert_eq!(source.asked().len(), 2);
    assert_eq!(ask(&keys, &new).await, Told::Found);
    assert_eq!(source.asked().last().unwrap(), &None, "asked for in full");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_unknown_key_is_not_settled_by_not_modified() {
    let source = Talking::new(Says { tag: Some("v1"), unmodified: true, ..Says::default() });
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    let new = source.issuer.rotate(Retire::KeepPrevious).unwrap();
    // Asked a moment before a scheduled fetch, and too late for that fetch to know.
    let seen = keys.0.snapshot.borrow().attempts();
    let KeyLookup::Wait(wait) = keys.wait_for(Awaited::Next, &hint(&new), seen) else {
        panic!("it waits");
    };
    assert_eq!(told(&wait.await), Told::Found);
    assert_eq!(source.asked(), [None, Some("v1".to_owned()), None]);
}

#[tokio::test(start_paused = true)]
async fn the_tag_of_a_set_that_could_not_be_used_is_not_remembered() {
    let source = Talking::new(Says { tag: Some("v1"), ..Says::default() });
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    source
        .say(|says| (says.tag, says.set) = (Some("bad"), Some(serde_json::json!({ "keys": [] }))));
    sleep(5 * MINUTE + 2 * SECOND).await;
    let asked = source.asked();
    assert!(asked.len() > 2, "{asked:?}");
    assert!(asked.iter().all(|held| held.as_deref() != Some("bad")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn not_modified_without_being_asked_is_no_answer() {
    let keys = RemoteKeys::spawn(|| async { Ok::<_, io::Error>(KeyDocument::not_modified()) });
    assert!(matches!(ask(&keys.unwrap(), KID).await, Told::Unavailable(Some(_))));
}

#[tokio::test(start_paused = true)]
async fn jwk_09_an_older_answer_of_a_cache_does_not_bring_a_withdrawn_key_back() {
    let source = Talking::new(Says::default());
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    let older = source.issuer.jwks();
    let new = source.issuer.rotate(Retire::DropPrevious).unwrap();
    sleep(5 * MINUTE + SECOND).await;
    assert_eq!(at_once(&keys, &new), Some(Told::Found));
    source.say(|says| (says.set, says.age) = (Some(older.clone()), 20 * MINUTE));
    sleep(5 * MINUTE).await;
    assert_eq!(at_once(&keys, &new), Some(Told::Found), "the newer set stays");
    assert!(matches!(ask(&keys, KID).await, Told::Unavailable(_) | Told::Unknown));
    assert!(matches!(keys.health(), KeyHealth::Stale { .. }), "{:?}", keys.health());
    // And not for ever: what is all that can be had is used when nothing else is left, as after a restart.
    sleep(25 * HOUR).await;
    assert_eq!(at_once(&keys, KID), Some(Told::Found));
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_of_the_same_set_is_an_answer() {
    let source = Talking::new(Says::default());
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    for age in [HOUR, 2 * HOUR, Duration::from_secs(1 << 31), Duration::MAX] {
        source.say(|says| says.age = age);
        sleep(5 * MINUTE + SECOND).await;
        assert!(matches!(keys.health(), KeyHealth::Ready { .. }), "{age:?}: {:?}", keys.health());
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_ages_in_step_with_us_is_followed() {
    let source = Talking::new(Says { age: HOUR, ..Says::default() });
    let keys = spawn_exact(source.clone());
    ask(&keys, KID).await;
    let new = source.issuer.rotate(Retire::KeepPrevious).unwrap();
    // Written two seconds before the first, as far as whole seconds tell.
    source.say(|says| says.age = HOUR + 5 * MINUTE + 2 * SECOND);
    sleep(5 * MINUTE + SECOND).await;
    assert_eq!(at_once(&keys, &new), Some(Told::Found));
}

#[tokio::test(start_paused = true)]
async fn jwk_09_an_answer_that_comes_too_late_does_not_come_at_all() {
    let script = Script::new(Mood::Serves);
    let (issuer, calls) = (script.issuer.clone(), Arc::new(AtomicUsize::new(0)));
    let keys = spawn_exact(move || {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        let set = issuer.jwks();
        async move {
            // The second answer is on its way for longer than anybody waits for it.
            let delay = if call == 1 { 10 * SECOND } else { Duration::ZERO };
            sleep(delay).await;
            Ok::<_, io::Error>(KeyDocument::from_value(set))
        }
    });
    assert_eq!(ask(&keys, KID).await, Told::Found);
    sleep(5 * MINUTE + SECOND).await;
    let new = script.issuer.rotate(Retire::DropPrevious).unwrap();
    sleep(20 * SECOND).await;
    assert_eq!(at_once(&keys, &new), Some(Told::Found));
    assert_ne!(at_once(&keys, KID), Some(Told::Found));
}
