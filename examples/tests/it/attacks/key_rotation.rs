//! Keys that come and go.

use std::time::Duration;

use palisade_test_issuer::{Retire, TestIssuer};
use tokio::time::sleep;

use super::{
    Row, Target,
    canned::{Canned, Script},
    key_fetching::issuer_at,
};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "JWK-08",
        attack: "150 tokens with invented `kid`s, and a rotation meanwhile",
        answers: &["401 key_unknown", "503 key_not_yet_known"],
        test: "jwk_08_flood_of_unknown_names",
    },
    Row {
        id: "JWK-09",
        attack: "a token of a key that the set no longer holds, after the next fetch",
        answers: &["401 key_unknown"],
        test: "jwk_09_withdrawn_keys",
    },
    Row {
        id: "JWK-13",
        attack: "a key set that asks to be kept for a year or not at all, and a token of a key that left it",
        answers: &["401 key_unknown"],
        test: "jwk_13_cache_headers",
    },
];

#[tokio::test]
async fn jwk_08_flood_of_unknown_names() {
    let mut target = Target::start("JWK-08").await;
    let fetches = target.issuer.jwks_fetches();
    let forged = target.good().signed_with_foreign_key();
    for number in 0..150 {
        let token = forged.clone().header("kid", format!("invented-{number}")).sign();
        target.attack_with("invented", token).await;
    }
    assert_eq!(target.issuer.jwks_fetches(), fetches + 1, "one fetch for all of them");
    let token = target.good().sign();
    target.lets_pass("a known key", target.whoami().token(token)).await;

    // The flood has used up the fetch that a new key would cause. So a good token of that key is not let through for up
    // to 30 seconds, and it is told when to come back: it was not judged, and must not be thrown away.
    target.issuer.rotate(Retire::KeepPrevious).unwrap();
    let answer = target.attack_with("good, by the new key", target.good().sign()).await;
    assert_eq!(answer.summary(), "503 key_not_yet_known");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{answer:?}");

    // Nor does the fetch help that the flood caused, if it was under way when the token came.
    let canned = Canned::start().await;
    let issuer = issuer_at(&canned);
    canned
        .answer("/jwks", Script::body("content-type: application/json", issuer.jwks().to_string()));
    let mut target = target.next(issuer).await;
    let token = target.good().sign();
    target.lets_pass("the old key", target.whoami().token(token)).await;
    let keys = target.issuer.jwks().to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", keys.len());
    canned.answer("/jwks", Script::raw(head).then_again(keys, Duration::from_millis(600)));
    let forged = target.good().header("kid", "invented").sign();
    target.issuer.rotate(Retire::KeepPrevious).unwrap();
    let new = target.whoami().token(target.good().sign());
    let invented = target.whoami().token(forged);
    let later = async {
        sleep(Duration::from_millis(200)).await;
        target.send(&new).await
    };
    let (first, second) = tokio::join!(target.send(&invented), later);
    target.on_record += 2;
    assert_eq!(first.summary(), "401 key_unknown");
    assert_eq!(second.summary(), "503 key_not_yet_known", "good, by the new key");

    // Without the flood, all tokens of a new key wait for the same fetch, and pass.
    let mut target = target.next(TestIssuer::builder().start().await.unwrap()).await;
    let token = target.good().sign();
    target.lets_pass("the old key", target.whoami().token(&token)).await;
    target.issuer.rotate(Retire::KeepPrevious).unwrap();
    let fetches = target.issuer.jwks_fetches();
    let (old, new) = (target.whoami().token(token), target.whoami().token(target.good().sign()));
    let answers = tokio::join!(
        target.send(&new),
        target.send(&old),
        target.send(&new),
        target.send(&new),
        target.send(&old),
        target.send(&new),
    );
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    target.on_record += answers.len();
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(target.issuer.jwks_fetches(), fetches + 1);
    target.finish().await;
}

#[tokio::test]
async fn jwk_09_withdrawn_keys() {
    let mut target = Target::start("JWK-09").await;
    let (old, first) = (target.good().sign(), target.issuer.current_kid());
    target.issuer.rotate(Retire::KeepPrevious).unwrap();
    target.issuer.withdraw(&first).unwrap();
    // Until somebody fetches, which takes five minutes at most, nobody here knows.
    target.lets_pass("not known yet", target.whoami().token(&old)).await;
    let after = target.good().sign();
    target.lets_pass("makes it fetch", target.whoami().token(&after)).await;
    target
        .attack_with("in the name of the new key", target.good().header("kid", first).sign())
        .await;
    for _ in 0..5 {
        target.attack_with("still withdrawn", &old).await;
    }
    target.lets_pass("the new key", target.whoami().token(after)).await;
    target.finish().await;
}

#[tokio::test]
async fn jwk_13_cache_headers() {
    let mut target: Option<Target> = None;
    let mut running = Vec::new();
    for headers in [
        "cache-control: public, max-age=31536000, immutable",
        "cache-control: max-age=0, no-store, must-revalidate",
        "expires: Thu, 01 Jan 1970 00:00:00 GMT\r\nage: 99999999",
        "expires: Thu, 01 Jan 2099 00:00:00 GMT\r\netag: \"x\"\r\nlast-modified: Thu, 01 Jan 2099 00:00:00 GMT",
        "cache-control: max-age=99999999999999999999, max-age=-1",
        "retry-after: 99999999",
    ] {
        let canned = Canned::start().await;
        let issuer = issuer_at(&canned);
        canned.answer("/jwks", Script::body(headers, issuer.jwks().to_string()));
        let mut at = match target {
            None => Target::start_cold("JWK-13", issuer).await,
            Some(before) => before.next(issuer).await,
        };
        let old = at.good().sign();
        for _ in 0..10 {
            at.lets_pass(headers, at.whoami().token(&old)).await;
        }
        let asked = || canned.asked().iter().filter(|path| *path == "/jwks").count();
        assert_eq!(asked(), 1, "{headers}: not once per request");
        at.issuer.rotate(Retire::DropPrevious).unwrap();
        canned.answer("/jwks", Script::body(headers, at.issuer.jwks().to_string()));
        let new = at.good().sign();
        at.lets_pass(headers, at.whoami().token(new)).await;
        assert_eq!(asked(), 2, "{headers}: no set is kept against a token of a new key");
        at.attack_with(headers, old).await;
        running.push(canned);
        target = Some(at);
    }
    target.unwrap().finish().await;
}
