//! What a probe and an observer see.

use super::*;

type Events = Arc<Mutex<Vec<KeyEvent>>>;

fn watched(script: &Script) -> (RemoteKeys, Events) {
    let events = Events::default();
    let observer = {
        let events = Arc::clone(&events);
        move |event: &KeyEvent| events.lock().unwrap().push(event.clone())
    };
    let builder = RemoteKeys::builder(script.clone()).jitter(Jitter::Fixed(0));
    (builder.observer(observer).spawn().unwrap(), events)
}

fn taken(events: &Events) -> Vec<KeyEvent> {
    std::mem::take(&mut *events.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn jwk_10_an_outage_from_the_start_is_seen_and_ends_without_a_restart() {
    let script = Script::new(Mood::Fails);
    let (keys, events) = watched(&script);
    assert_eq!(keys.health(), KeyHealth::Unavailable { failures: 0 });
    assert!(!keys.health().is_ready());
    assert!(matches!(ask(&keys, KID).await, Told::Unavailable(Some(_))));
    sleep(10 * SECOND).await;
    assert!(matches!(keys.health(), KeyHealth::Unavailable { failures: 4 }), "{:?}", keys.health());
    script.set(Mood::Serves);
    assert!(keys.ready().await.is_ready());
    assert_eq!(at_once(&keys, KID), Some(Told::Found));
    let seen = taken(&events);
    let exhausted = |event: &&KeyEvent| matches!(event, KeyEvent::Exhausted { age: None });
    assert_eq!(seen.iter().filter(exhausted).count(), 1, "once: {seen:?}");
    assert_eq!(seen.last(), Some(&KeyEvent::Fetched { keys: 1, next: 5 * MINUTE }));
}

#[tokio::test(start_paused = true)]
async fn jwk_10_an_outage_after_the_start_fails_no_request_until_the_declared_bound() {
    let script = Script::new(Mood::Serves);
    let (keys, events) = watched(&script);
    assert_eq!(ask(&keys, KID).await, Told::Found);
    script.set(Mood::Fails);
    let mut minutes = 0;
    while minutes < 48 * 60 && at_once(&keys, KID) == Some(Told::Found) {
        minutes += 1;
        sleep(MINUTE).await;
        // A probe must not turn the issuer's outage into ours.
        let health = keys.health();
        assert!(health.is_ready() || minutes >= 24 * 60, "{health:?}");
    }
    assert_eq!(minutes, 24 * 60, "a day, as declared");
    assert!(matches!(keys.health(), KeyHealth::Unavailable { failures: 1000.. }));
    assert!(matches!(ask(&keys, KID).await, Told::Unavailable(Some(_))), "503, and not 401");
    sleep(MINUTE).await;
    let seen = taken(&events);
    let failure = seen.iter().find(|event| matches!(event, KeyEvent::FetchFailed { .. }));
    let expected = KeyEvent::FetchFailed { failures: 1, cause: FetchFailure::Source, next: SECOND };
    assert_eq!(failure, Some(&expected));
    let Some(KeyEvent::StaleServed { age, remaining }) =
        seen.iter().find(|event| matches!(event, KeyEvent::StaleServed { .. }))
    else {
        panic!("{seen:?}");
    };
    assert_eq!(*age + *remaining, 24 * HOUR);
    let exhausted = |event: &&KeyEvent| matches!(event, KeyEvent::Exhausted { age: Some(_) });
    assert_eq!(seen.iter().filter(exhausted).count(), 1);
    script.set(Mood::Serves);
    assert!(keys.ready().await.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_rotation_and_a_flood_are_events() {
    let script = Script::new(Mood::Serves);
    let (keys, events) = watched(&script);
    ask(&keys, KID).await;
    taken(&events);
    script.issuer.rotate(Retire::DropPrevious).unwrap();
    for n in 0..500 {
        let _ = keys.find(&hint(&n.to_string()));
    }
    sleep(SECOND).await;
    assert_eq!(
        taken(&events),
        [
            KeyEvent::UnknownKeys { lookups: 500 },
            KeyEvent::Fetched { keys: 1, next: 5 * MINUTE },
            KeyEvent::Rotated { added: 1, withdrawn: 1 },
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn jwk_05_keys_that_are_not_used_are_events() {
    let script = Script::new(Mood::Serves);
    let twin = script.issuer.jwks()["keys"][0].clone();
    script.issuer.rotate(Retire::KeepPrevious).unwrap();
    script.issuer.publish_raw_key(twin);
    script.issuer.publish_raw_key(serde_json::json!({ "kty": "oct", "k": "AA", "kid": "s" }));
    let (keys, events) = watched(&script);
    assert!(keys.ready().await.is_ready());
    let mut reasons: Vec<_> =
        taken(&events)
            .into_iter()
            .filter_map(|event| {
                if let KeyEvent::KeyDropped { reason } = event { Some(reason) } else { None }
            })
            .collect();
    reasons.sort_unstable();
    let twice = "another key has the same `kid`";
    assert_eq!(reasons, [twice, twice, "it is symmetric"]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_apart() {
    for (mood, expected) in [
        (Mood::Fails, FetchFailure::Source),
        (Mood::Hangs, FetchFailure::TimedOut),
        (Mood::Panics, FetchFailure::Panicked),
        (Mood::ServesEmptySet, FetchFailure::Document),
        (Mood::ServesHtml, FetchFailure::Document),
    ] {
        let (keys, events) = watched(&Script::new(mood));
        ask(&keys, KID).await;
        let seen = taken(&events);
        let causes: Vec<_> = seen
            .iter()
            .filter_map(|event| {
                if let KeyEvent::FetchFailed { cause, .. } = event { Some(*cause) } else { None }
            })
            .collect();
        assert_eq!(causes, [expected], "{mood:?}: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_stops_nothing() {
    let script = Script::new(Mood::Serves);
    let builder = RemoteKeys::builder(script.clone());
    let keys = builder.observer(|_: &KeyEvent| panic!("scripted")).spawn().unwrap();
    assert_eq!(ask(&keys, KID).await, Told::Found);
    sleep(11 * MINUTE).await;
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_first_keys_waits_for_no_more() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    let begin = Instant::now();
    assert!(matches!(keys.ready().await, KeyHealth::Ready { keys: 1, .. }));
    assert_eq!(begin.elapsed().as_millis(), 100);
    assert!(keys.ready().await.is_ready());
    assert_eq!(script.fetches(), 1);
}
