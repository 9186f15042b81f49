use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

use super::*;
use crate::introspection::IntrospectionFuture;

/// Starts it, and leaves it where it waits.
fn start(future: &mut IntrospectionFuture) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(future).poll(&mut context).is_pending()
}

fn full() -> Option<Rejection> {
    Some(Rejection::IntrospectionUnavailable { retry_after: Some(SECOND) })
}

#[tokio::test]
async fn requests_with_one_token_make_one_call() {
    let server = Server::of([Reply::Held(active())]);
    let verifier = verifier(&server);
    let mut waiting: Vec<_> = (0..100).map(|_| verifier.verify(token(TOKEN))).collect();
    assert!(waiting.iter_mut().all(start));
    assert_eq!(server.calls(), 1);
    server.open_gate_for(1);
    for future in waiting {
        assert_eq!(future.await.unwrap().subject(), "alice");
    }
    assert_eq!(server.calls(), 1);
    assert_eq!(verifier.0.flights.len(), 0);
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_waited_and_by_nobody_else() {
    let server = Server::of([Reply::Held(json!([])), Reply::json(active())]);
    let verifier = verifier(&server);
    let mut waiting: Vec<_> = (0..10).map(|_| verifier.verify(token(TOKEN))).collect();
    assert!(waiting.iter_mut().all(start));
    server.open_gate_for(1);
    for future in waiting {
        assert!(is_outage(&future.await));
    }
    assert_eq!(server.calls(), 1);
    verdict_on(&verifier, TOKEN).await.unwrap();
}

#[tokio::test]
async fn if_the_one_that_asks_hangs_up_the_next_one_asks() {
    let server = Server::of([Reply::Hang, Reply::json(active())]);
    let verifier = verifier(&server);
    let mut first = verifier.verify(token(TOKEN));
    let mut second = verifier.verify(token(TOKEN));
    assert!(start(&mut first) && start(&mut second));
    assert_eq!(server.calls(), 1);
    drop(first);
    second.await.unwrap();
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn those_who_hang_up_leave_nothing_behind() {
    let server = Server::of([Reply::Hang]);
    let verifier = verifier(&server);
    for number in 0..5000 {
        let mut future = verifier.verify(token(&format!("t{number}")));
        assert!(start(&mut future), "{number}");
    }
    assert_eq!(verifier.0.flights.len(), 0);
    server.now_says(Reply::json(active()));
    verdict_on(&verifier, TOKEN).await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_calls_at_a_time_than_allowed() {
    let server = Server::of([Reply::Held(active())]);
    let verifier = builder(&server).max_calls(4).unwrap().with_clock(clock()).build();
    let mut waiting: Vec<_> =
        (0..4).map(|number| verifier.verify(token(&format!("t{number}")))).collect();
    assert!(waiting.iter_mut().all(start));
    assert_eq!(rejection(&verifier, "one-more").await, full());
    assert_eq!(server.calls(), 4);
    server.open_gate_for(5);
    for future in waiting {
        future.await.unwrap();
    }
    verdict_on(&verifier, "one-more").await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_requests_waiting_than_allowed() {
    let server = Server::of([Reply::Held(active())]);
    let verifier = builder(&server).max_waiting(8).unwrap().with_clock(clock()).build();
    let mut waiting: Vec<_> = (0..8).map(|_| verifier.verify(token(TOKEN))).collect();
    assert!(waiting.iter_mut().all(start));
    assert_eq!(rejection(&verifier, TOKEN).await, full());
    drop(waiting.pop());
    assert!(start(&mut verifier.verify(token(TOKEN))));
    assert_eq!(server.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_an_outage_after_the_timeout() {
    let server = Server::of([Reply::Hang]);
    let verifier = verifier(&server);
    let mut waiting = verifier.verify(token(TOKEN));
    tokio::time::timeout(SECOND * 4, &mut waiting).await.unwrap_err();
    let verdict = tokio::time::timeout(SECOND * 2, waiting).await.unwrap();
    assert_eq!(verdict.err(), full());
}

#[tokio::test]
async fn after_three_failures_nobody_asks_for_a_while() {
    let server = Server::of([Reply::NoConnection]);
    let clock = clock();
    let verifier = builder(&server).with_clock(clock.clone()).build();
    for number in 0..100 {
        assert!(is_outage(&verdict_on(&verifier, &format!("t{number}")).await));
    }
    assert_eq!(server.calls(), 3);

    clock.advance(SECOND * 2);
    for number in 0..100 {
        assert!(is_outage(&verdict_on(&verifier, &format!("t{number}")).await));
    }
    assert_eq!(server.calls(), 4, "one finds out");

    clock.advance(SECOND * 2);
    server.now_says(Reply::json(active()));
    for number in 0..3 {
        verdict_on(&verifier, &format!("t{number}")).await.unwrap();
    }
}

#[tokio::test]
async fn during_an_outage_remembered_tokens_are_good_until_their_time() {
    let server = Server::that_says(active());
    let clock = clock();
    let verifier = builder(&server).with_clock(clock.clone()).build();
    verdict_on(&verifier, TOKEN).await.unwrap();
    server.now_says(Reply::NoConnection);
    for _ in 0..5 {
        assert!(is_outage(&verdict_on(&verifier, "another").await));
    }
    clock.advance(SECOND * 29);
    verdict_on(&verifier, TOKEN).await.unwrap();
    clock.advance(SECOND);
    assert!(is_outage(&verdict_on(&verifier, TOKEN).await));
}

/// A server may answer 400 or 500 to the token of an attacker. Nobody else must notice.
#[tokio::test]
async fn failures_that_a_token_can_cause_stop_nobody_else() {
    for reply in [
        Reply::status(400),
        Reply::status(404),
        Reply::status(500),
        Reply::Answer { status: 200, content_type: Some("text/html"), body: b"blocked".to_vec() },
        Reply::json(json!({ "active": 1 })),
    ] {
        let server = Server::of([reply]);
        let verifier = verifier(&server);
        for number in 0..10 {
            verdict_on(&verifier, &format!("bad{number}")).await.unwrap_err();
        }
        assert_eq!(server.calls(), 10);
        server.now_says(Reply::json(active()));
        verdict_on(&verifier, TOKEN).await.unwrap();
    }
    for reply in [Reply::status(401), Reply::status(403), Reply::status(429), Reply::status(503)] {
        let server = Server::of([reply]);
        let verifier = verifier(&server);
        for number in 0..10 {
            assert!(is_outage(&verdict_on(&verifier, &format!("bad{number}")).await));
        }
        assert_eq!(server.calls(), 3);
    }
}

/// After an outage somebody sends one bad token after the other. The server answers, so it is back.
#[tokio::test]
async fn bad_tokens_after_an_outage_keep_nobody_waiting() {
    let server = Server::of([Reply::NoConnection]);
    let clock = clock();
    let verifier = builder(&server).with_clock(clock.clone()).build();
    for number in 0..3 {
        assert!(is_outage(&verdict_on(&verifier, &format!("t{number}")).await));
    }
    clock.advance(SECOND * 2);
    server.now_says(Reply::status(400));
    assert!(is_outage(&verdict_on(&verifier, "bad").await));

    server.now_says(Reply::Hang);
    let mut bad = verifier.verify(token("worse"));
    assert!(start(&mut bad));
    server.now_says(Reply::json(active()));
    verdict_on(&verifier, TOKEN).await.unwrap();
}

/// 64 clients on threads of their own, a hundred tokens, one call for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_clients_at_once_make_one_call_per_token() {
    let server = Server::that_says(active());
    let verifier = builder(&server).max_calls(1000).unwrap().with_clock(clock()).build();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let verifier = verifier.clone();
        clients.spawn(async move {
            for number in 0..100 {
                let verdict = verdict_on(&verifier, &format!("t{number}")).await;
                assert!(verdict.is_ok(), "{verdict:?}");
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(server.calls(), 100);
    assert_eq!(verifier.0.flights.len(), 0);
}
