//! Starting, stopping, giving up, and what can be set.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_waiter_that_goes_away_does_not_stop_the_fetch() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(10), ask(&keys, KID)).await;
    gone.unwrap_err();
    assert_eq!(ask(&keys, KID).await, Told::Found);
    assert_eq!(script.fetches(), 1);
    assert_eq!(keys.0.waiters.available_permits(), MAX_WAITERS);
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_handle() {
    let script = Script::new(Mood::Serves);
    let counter = Arc::clone(&script.fetches);
    let keys = RemoteKeys::spawn(script).unwrap();
    let other = keys.clone();
    ask(&keys, KID).await;
    drop(keys);
    sleep(6 * MINUTE).await;
    assert_eq!(counter.load(Ordering::Relaxed), 2, "one handle is left");
    drop(other);
    sleep(HOUR).await;
    assert_eq!(counter.load(Ordering::Relaxed), 2);
    assert_eq!(Arc::strong_count(&counter), 1, "the source is dropped");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_outlives_all_handles_is_told() {
    let keys = RemoteKeys::spawn(Script::new(Mood::Serves)).unwrap();
    let KeyLookup::Wait(wait) = keys.find(&hint(KID)) else { panic!("it waits") };
    drop(keys);
    assert_eq!(told(&wait.await), Told::Unavailable(None));
}

#[test]
fn outside_a_runtime_there_is_an_error_and_no_panic() {
    let error = RemoteKeys::spawn(Script::new(Mood::Serves)).err();
    assert_eq!(error, Some(RemoteKeysError::NoRuntime));
}

#[test]
fn settings_have_bounds() {
    let builder = || RemoteKeys::builder(Script::new(Mood::Serves));
    let year = Duration::from_secs(366 * 24 * 60 * 60);
    for bad in [Duration::ZERO, year + SECOND, Duration::MAX] {
        builder().refresh_interval(bad).unwrap_err();
        builder().cooldown(bad).unwrap_err();
        builder().fetch_timeout(bad).unwrap_err();
        builder().max_stale(bad).unwrap_err();
    }
    drop(builder().max_stale(year).unwrap());
    let error = builder().unlabelled_rsa(SignatureAlgorithm::ES256).err();
    assert_eq!(error, Some(RemoteKeysError::NotAnRsaAlgorithm(SignatureAlgorithm::ES256)));
    drop(builder().unlabelled_rsa(SignatureAlgorithm::PS256).unwrap());
}

#[tokio::test(start_paused = true)]
async fn debug_shows_numbers_and_no_material() {
    let script = Script::new(Mood::Serves);
    let keys = RemoteKeys::spawn(script.clone()).unwrap();
    ask(&keys, KID).await;
    let shown = format!("{keys:?}");
    assert!(shown.contains("keys: Some(1)"), "{shown}");
    assert!(!shown.contains(script.issuer.jwks()["keys"][0]["x"].as_str().unwrap()));
}
