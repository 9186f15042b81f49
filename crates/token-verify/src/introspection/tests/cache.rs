use super::*;
use crate::introspection::cache::TokenDigest;

fn remembering(server: &Server) -> (Verifier, ManualClock) {
    let clock = clock();
    (builder(server).with_clock(clock.clone()).build(), clock)
}

#[tokio::test]
async fn an_active_token_is_asked_about_once_in_thirty_seconds() {
    let server = Server::that_says(active());
    let (verifier, clock) = remembering(&server);
    for _ in 0..3 {
        assert_eq!(verdict_on(&verifier, TOKEN).await.unwrap().subject(), "alice");
    }
    assert_eq!(server.calls(), 1);
    clock.advance(SECOND * 29);
    verdict_on(&verifier.clone(), TOKEN).await.unwrap();
    assert_eq!(server.calls(), 1, "clones share what they remember");
    clock.advance(SECOND);
    verdict_on(&verifier, TOKEN).await.unwrap();
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_remembered_token_is_answered_without_waiting() {
    let verifier = verifier(&Server::of([Reply::json(active()), Reply::Hang]));
    verdict_on(&verifier, TOKEN).await.unwrap();
    let answer = std::pin::pin!(verifier.verify(token(TOKEN)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(answer.poll(&mut context).is_ready());
}

#[tokio::test]
async fn an_inactive_token_is_asked_about_once_in_five_seconds() {
    let server = Server::that_says(json!({ "active": false }));
    let (verifier, clock) = remembering(&server);
    for _ in 0..3 {
        assert_eq!(rejection(&verifier, TOKEN).await, Some(Rejection::Inactive));
    }
    assert_eq!(server.calls(), 1);
    clock.advance(SECOND * 5);
    server.now_says(Reply::json(active()));
    verdict_on(&verifier, TOKEN).await.unwrap();
}

#[tokio::test]
async fn zero_remembers_nothing() {
    for answer in [active(), json!({ "active": false })] {
        let server = Server::that_says(answer);
        let verifier = builder(&server)
            .remember_active_for(Duration::ZERO)
            .unwrap()
            .remember_refused_for(Duration::ZERO)
            .unwrap()
            .with_clock(clock())
            .build();
        for calls in 1..=3 {
            let _ = verdict_on(&verifier, TOKEN).await;
            assert_eq!(server.calls(), calls);
        }
        assert_eq!(verifier.remembered(), (0, 0));
    }
}

#[tokio::test]
async fn cch_01_tokens_that_differ_in_any_byte_share_no_verdict() {
    let server = Server::of([Reply::json(active()), Reply::json(json!({ "active": false }))]);
    let verifier = verifier(&server);
    let long = "a".repeat(10_000);
    verdict_on(&verifier, &long).await.unwrap();
    // Shorter, longer, and another byte at the end, in the middle, at the start.
    let with = |place: usize| {
        let mut bytes = long.clone().into_bytes();
        bytes[place] = b'b';
        String::from_utf8(bytes).unwrap()
    };
    for other in [
        "a".repeat(9_999),
        format!("{long}a"),
        format!("{long}="),
        with(9_999),
        with(5_000),
        with(0),
    ] {
        assert_eq!(rejection(&verifier, &other).await, Some(Rejection::Inactive));
    }
    assert_eq!(server.calls(), 7);
}

#[test]
fn cch_01_the_key_is_the_sha_256_of_the_token_and_never_shows() {
    let digest = TokenDigest::of(&token("abc"));
    let bytes = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22,
        0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
        0x15, 0xad,
    ];
    assert_eq!(digest, TokenDigest::from(bytes));
    assert_eq!(format!("{digest:?}"), "TokenDigest");
}

#[tokio::test]
async fn cch_02_two_verifiers_share_nothing() {
    let (ours, theirs) =
        (Server::that_says(active()), Server::that_says(json!({ "active": false })));
    let (first, second) = (verifier(&ours), verifier(&theirs));
    verdict_on(&first, TOKEN).await.unwrap();
    assert_eq!(rejection(&second, TOKEN).await, Some(Rejection::Inactive));
    assert_eq!((ours.calls(), theirs.calls()), (1, 1));
}

#[tokio::test]
async fn cch_03_nothing_is_remembered_beyond_its_expiry() {
    let server = Server::that_says(active_with("exp", NOW + 10));
    let (verifier, clock) = remembering(&server);
    verdict_on(&verifier, TOKEN).await.unwrap();
    clock.advance(SECOND * 9);
    verdict_on(&verifier, TOKEN).await.unwrap();
    assert_eq!(server.calls(), 1);
    server.now_says(Reply::json(json!({ "active": false })));
    clock.advance(SECOND);
    assert_eq!(rejection(&verifier, TOKEN).await, Some(Rejection::Inactive));
}

#[tokio::test]
async fn cch_03_a_corrected_clock_ends_what_is_remembered() {
    let server = Server::that_says(active_with("exp", NOW + 300));
    let (verifier, clock) = remembering(&server);
    verdict_on(&verifier, TOKEN).await.unwrap();
    server.now_says(Reply::json(json!({ "active": false })));
    clock.set_wall(crate::testing::instant(NOW + 300));
    assert_eq!(rejection(&verifier, TOKEN).await, Some(Rejection::Inactive));
}

/// Somebody sets the clock back: the token is not older on the wall, and its time is over all the same.
#[tokio::test]
async fn cch_03_a_clock_that_is_set_back_lengthens_no_memory() {
    let server = Server::that_says(active_with("exp", NOW + 10));
    let (verifier, clock) = remembering(&server);
    verdict_on(&verifier, TOKEN).await.unwrap();
    server.now_says(Reply::json(json!({ "active": false })));
    clock.advance(SECOND * 10);
    clock.set_wall(crate::testing::instant(NOW));
    assert_eq!(rejection(&verifier, TOKEN).await, Some(Rejection::Inactive));
}

#[tokio::test]
async fn cch_03_a_token_within_the_leeway_is_accepted_and_not_remembered() {
    let server = Server::that_says(active_with("exp", NOW - 5));
    let (verifier, _) = remembering(&server);
    for calls in 1..=2 {
        verdict_on(&verifier, TOKEN).await.unwrap();
        assert_eq!(server.calls(), calls);
    }
}

#[tokio::test]
async fn cch_03_an_outage_is_never_remembered() {
    for reply in [
        Reply::NoConnection,
        Reply::status(500),
        Reply::status(401),
        Reply::json(json!({ "active": "true" })),
        Reply::json(active_with("nbf", NOW + 100)),
    ] {
        let server = Server::of([reply, Reply::json(active())]);
        let (verifier, _) = remembering(&server);
        verdict_on(&verifier, TOKEN).await.unwrap_err();
        verdict_on(&verifier, TOKEN).await.unwrap();
    }
}

#[tokio::test]
async fn cch_04_bad_tokens_do_not_push_good_ones_out() {
    let server = Server::that_says(active());
    let clock = clock();
    let verifier = builder(&server).max_remembered(100).unwrap().with_clock(clock.clone()).build();
    verdict_on(&verifier, TOKEN).await.unwrap();
    server.now_says(Reply::json(json!({ "active": false })));
    for number in 0..1000 {
        assert_eq!(rejection(&verifier, &format!("bad-{number}")).await, Some(Rejection::Inactive));
    }
    let (active, refused) = verifier.remembered();
    assert_eq!(active, 1);
    assert!(refused <= 100, "{refused}");
    assert!(verdict_on(&verifier, TOKEN).await.is_ok(), "remembered all the same");
}

#[tokio::test]
async fn cch_04_good_tokens_are_bounded_too() {
    let verifier = builder(&Server::that_says(active()))
        .max_remembered(100)
        .unwrap()
        .with_clock(clock())
        .build();
    for number in 0..1000 {
        verdict_on(&verifier, &format!("good-{number}")).await.unwrap();
    }
    assert!(verifier.remembered().0 <= 100);
}

#[tokio::test]
async fn cch_06_what_is_remembered_and_what_is_not_look_the_same() {
    let server = Server::that_says(json!({ "active": false }));
    let verifier = verifier(&server);
    let denial = |rejection: Option<Rejection>| {
        let denial = rejection.unwrap().into_denial();
        (denial.kind(), denial.reason().text())
    };
    let asked = denial(rejection(&verifier, TOKEN).await);
    let remembered = denial(rejection(&verifier, TOKEN).await);
    server.now_says(Reply::json(active_with("iss", "https://other.example")));
    let foreign = denial(rejection(&verifier, "another").await);
    assert_eq!(asked, remembered);
    assert_eq!(asked, foreign);
}

#[tokio::test]
async fn what_is_forgotten_is_asked_about_again() {
    let server = Server::that_says(active());
    let (verifier, _) = remembering(&server);
    let forget: [&dyn Fn(&Verifier); 5] = [
        &|verifier| verifier.forget_token(&token(TOKEN)),
        &|verifier| verifier.clear(),
        &|verifier| verifier.forget(|principal| principal.subject() == "alice"),
        &|verifier| verifier.forget(|principal| principal.client_id() == Some("app")),
        &|verifier| verifier.forget(|principal| principal.token_id() == Some("id-1")),
    ];
    for (calls, forget) in (1..).zip(forget) {
        verdict_on(&verifier, TOKEN).await.unwrap();
        assert_eq!(server.calls(), calls);
        forget(&verifier);
    }
    verdict_on(&verifier, TOKEN).await.unwrap();
    let calls = server.calls();
    verifier.forget(|principal| principal.subject() == "bob");
    verifier.forget_token(&token("another"));
    verdict_on(&verifier, TOKEN).await.unwrap();
    assert_eq!(server.calls(), calls);
}

#[tokio::test]
async fn an_answer_from_before_it_was_forgotten_is_not_remembered_after() {
    let server = Server::of([Reply::Held(active()), Reply::json(json!({ "active": false }))]);
    let (verifier, _) = remembering(&server);
    let mut first = std::pin::pin!(verdict_on(&verifier, TOKEN));
    assert!(futures_poll_once(first.as_mut()).is_none());
    verifier.forget_token(&token(TOKEN));
    // Whoever comes now does not sit down with those who asked before.
    assert_eq!(rejection(&verifier, TOKEN).await, Some(Rejection::Inactive));
    server.open_gate_for(1);
    assert!(first.await.is_ok(), "it came in before");
    assert_eq!(verifier.remembered().0, 0);
}

fn futures_poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn bounds_are_checked_when_they_are_set() {
    let build = || builder(&Server::of([]));
    let day = Duration::from_secs(86_400);
    let _longest = build().remember_active_for(SECOND * 600).unwrap();
    for error in [
        build().remember_active_for(day).err(),
        build().remember_refused_for(day).err(),
        build().max_remembered(0).err(),
        build().max_remembered(1_000_001).err(),
        build().max_calls(0).err(),
        build().max_calls(100_001).err(),
        build().max_waiting(0).err(),
        build().timeout(Duration::ZERO).err(),
        build().timeout(day).err(),
        build().pause_after_failures(Duration::ZERO).err(),
    ] {
        assert!(matches!(error, Some(IntrospectionError::OutOfBounds { .. })), "{error:?}");
    }
}
