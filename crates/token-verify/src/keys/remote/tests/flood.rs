//! Names that nobody knows: invented ones, dead ones, and new ones among them.

use std::{
    pin::pin,
    task::{Context, Wake, Waker},
};

use super::*;

#[tokio::test(start_paused = true)]
async fn jwk_08_a_flood_of_unknown_names_is_one_fetch_per_cooldown() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    assert_eq!(ask(&keys, "x").await, Told::Unknown);
    for n in 0..1000 {
        let told = at_once(&keys, &format!("x{n}"));
        assert!(matches!(told, Some(Told::NotYetKnown(_))), "within the cooldown: {told:?}");
    }
    assert_eq!(script.fetches(), 2);

    advance(31 * SECOND).await;
    let flood: Vec<_> = (0..10_000).map(|n| keys.find(&hint(&format!("x{n}")))).collect();
    assert_eq!(at_once(&keys, KID), Some(Told::Found), "nobody else waits");
    let (mut waited, mut sent_away) = (0, 0);
    for lookup in flood {
        match lookup {
            KeyLookup::Wait(wait) => {
                assert_eq!(told(&wait.await), Told::Unknown);
                waited += 1;
            }
            KeyLookup::Ready(answer) => {
                assert_eq!(told(&answer), Told::NotYetKnown(SECOND));
                sent_away += 1;
            }
        }
    }
    assert_eq!((waited, sent_away), (MAX_WAITERS, 10_000 - MAX_WAITERS), "waiters are bounded");
    assert_eq!(script.fetches(), 3);
    // Requests that were made while the fetch was under way do not cause another after it.
    sleep(29 * SECOND).await;
    assert_eq!(script.fetches(), 3);
    assert!(matches!(at_once(&keys, "y"), Some(Told::NotYetKnown(_))));
}

#[tokio::test(start_paused = true)]
async fn jwk_08_strangers_add_no_more_than_one_failed_fetch_per_cooldown() {
    let strangers = |keys: &RemoteKeys| {
        for n in 0..10 {
            let _ = keys.find(&hint(&n.to_string()));
        }
    };
    let fetches = seconds_with_fetches(strangers).await.len();
    assert!(fetches <= 8 + 100_usize.div_ceil(30), "{fetches}");
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_rotation_during_a_flood_is_told_to_come_back_and_never_refused() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    assert_eq!(ask(&keys, "invented").await, Told::Unknown, "uses up the fetch");
    let new = script.issuer.rotate(Retire::KeepPrevious).unwrap();
    let mut waits = Vec::new();
    for second in 0..30 {
        for n in 0..400 {
            let _ = at_once(&keys, &format!("{second}-{n}"));
        }
        match at_once(&keys, &new) {
            Some(Told::NotYetKnown(wait)) => waits.push(wait),
            other => panic!("in second {second}: {other:?}"),
        }
        sleep(SECOND).await;
    }
    // What it was told is when it works, and its first try is the one that asks.
    assert!(waits[0] <= 30 * SECOND && waits[0] > 28 * SECOND, "{waits:?}");
    assert!(waits.is_sorted_by(|earlier, later| later <= earlier), "{waits:?}");
    assert_eq!(ask(&keys, &new).await, Told::Found);
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_dead_name_is_refused_in_the_middle_of_a_flood() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    ask(&keys, "invented").await;
    assert!(matches!(at_once(&keys, "dead"), Some(Told::NotYetKnown(_))), "nobody asked yet");
    sleep(30 * SECOND).await;
    // The next fetch is the flood's, and answers for all that were asked for before it.
    assert_eq!(ask(&keys, "also invented").await, Told::Unknown);
    assert_eq!(at_once(&keys, "dead"), Some(Told::Unknown));
    assert_eq!(at_once(&keys, "dead"), Some(Told::Unknown), "and again");
    assert!(matches!(at_once(&keys, "new"), Some(Told::NotYetKnown(_))));
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_withdrawn_name_is_refused_in_the_middle_of_a_flood() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    script.issuer.rotate(Retire::DropPrevious).unwrap();
    assert_eq!(ask(&keys, "invented").await, Told::Unknown, "the fetch that brings the rotation");
    assert_eq!(at_once(&keys, KID), Some(Told::Unknown), "though nobody asked for it in vain");
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_published_key_that_cannot_be_used_is_refused_in_the_middle_of_a_flood() {
    let script = Script::new(Mood::Serves);
    script.issuer.publish_raw_key(serde_json::json!({ "kty": "oct", "k": "AA", "kid": "weak" }));
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    ask(&keys, "invented").await;
    assert_eq!(at_once(&keys, "weak"), Some(Told::Unknown));
    assert_eq!(script.fetches(), 2);
}

/// Asks at the very moment at which a set is there to be seen, and not when the next task runs.
struct AskWhenWoken {
    keys: RemoteKeys,
    told: Mutex<Vec<Told>>,
}

impl Wake for AskWhenWoken {
    fn wake(self: Arc<Self>) {
        self.told.lock().unwrap().extend(at_once(&self.keys, "weak"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_is_never_seen_before_the_names_of_its_weak_keys() {
    let script = Script::new(Mood::Serves);
    script.issuer.publish_raw_key(serde_json::json!({ "kty": "oct", "k": "AA", "kid": "weak" }));
    let refresh = 10 * SECOND;
    let keys = RemoteKeys::builder(script.clone()).jitter(Jitter::Fixed(0));
    let keys = keys.refresh_interval(refresh).unwrap().spawn().unwrap();
    ask(&keys, KID).await;
    assert_eq!(ask(&keys, "invented").await, Told::Unknown, "the cooldown begins");
    // In the middle of the next fetch, which nobody asked for.
    sleep(refresh + script.delay / 2).await;
    assert_eq!(script.fetches(), 3);
    let asking = Arc::new(AskWhenWoken { keys: keys.clone(), told: Mutex::default() });
    let mut snapshot = keys.0.snapshot.clone();
    snapshot.mark_unchanged();
    let mut change = pin!(snapshot.changed());
    let waker = Waker::from(Arc::clone(&asking));
    assert!(change.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    sleep(script.delay).await;
    assert_eq!(*asking.told.lock().unwrap(), [Told::Unknown]);
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_name_that_was_asked_for_too_early_is_found_when_it_is_there() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    // Names of keys can be guessed, and asked for before the issuer has them.
    assert_eq!(ask(&keys, "ES256-2").await, Told::Unknown);
    assert_eq!(at_once(&keys, "ES256-2"), Some(Told::Unknown), "confirmed");
    assert_eq!(script.issuer.rotate(Retire::KeepPrevious).unwrap(), "ES256-2");
    sleep(30 * SECOND).await;
    assert_eq!(ask(&keys, "ES256-2").await, Told::Found, "the memory is as short as the cooldown");
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_token_that_came_during_the_floods_fetch_is_told_to_come_back() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    let invented = ask(&keys, "invented");
    let new = async {
        sleep(Duration::from_millis(50)).await;
        ask(&keys, "new").await
    };
    let (invented, new) = tokio::join!(invented, new);
    assert_eq!(invented, Told::Unknown);
    assert!(matches!(new, Told::NotYetKnown(_)), "the set may be older than the key: {new:?}");
}

#[tokio::test(start_paused = true)]
async fn a_verifier_answers_503_for_what_it_did_not_judge() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    ask(&keys, "invented").await;
    let verifier =
        JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), keys).unwrap().with_clock(clock());
    let new = script.issuer.mint().header("kid", "new").sign();
    let rejection = verifier.verify(BearerToken::parse(&new).unwrap()).await.unwrap_err();
    assert!(matches!(rejection, Rejection::KeyNotYetKnown { .. }), "{rejection:?}");
}
