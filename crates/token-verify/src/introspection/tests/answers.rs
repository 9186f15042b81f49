use super::*;

/// Whoever says this said no yes.
#[tokio::test]
async fn rev_04_only_the_json_boolean_true_is_active() {
    for active in [
        json!("true"),
        json!(1),
        json!(1.0),
        json!([true]),
        json!({ "active": true }),
        json!("yes"),
        Value::Null,
        json!(false),
    ] {
        let answer = active_with("active", active.clone());
        assert_eq!(verdict(answer).await.err(), Some(Rejection::Inactive), "{active}");
    }
    assert_eq!(verdict(active_without("active")).await.err(), Some(Rejection::Inactive));
    verdict(active()).await.unwrap();
}

#[tokio::test]
async fn rev_04_an_answer_that_cannot_be_read_is_an_outage() {
    let good = active().to_string();
    let huge = format!("{}{good}", " ".repeat(70_000));
    let twice = good.replacen('{', "{\"active\":false,", 1);
    let nested_twice = good.replacen('{', "{\"x\":{\"a\":1,\"a\":2},", 1);
    let json = Some("application/json");
    for (name, status, content_type, body) in [
        ("a page", 200, Some("text/html"), "<html><body>Log in</body></html>"),
        ("a page that calls itself JSON", 200, json, "<html></html>"),
        ("JSON that calls itself a page", 200, Some("text/html"), good.as_str()),
        ("no content type", 200, None, good.as_str()),
        ("nothing", 200, json, ""),
        ("an array", 200, json, "[true]"),
        ("a bare true", 200, json, "true"),
        ("two verdicts", 200, json, twice.as_str()),
        ("a name twice, deep inside", 200, json, nested_twice.as_str()),
        ("more than one object", 200, json, "{\"active\":true}{\"active\":true}"),
        ("too large", 200, json, huge.as_str()),
        (
            "a signature that nobody asked for",
            200,
            Some("application/token-introspection+jwt"),
            "a.b.c",
        ),
        ("no content, and it was no mistake", 204, json, good.as_str()),
        ("created", 201, json, good.as_str()),
        ("a redirect", 302, json, good.as_str()),
        ("a permanent redirect", 308, json, good.as_str()),
        ("a bad request", 400, json, good.as_str()),
        ("our credentials are wrong", 401, json, good.as_str()),
        ("we may not ask", 403, json, good.as_str()),
        ("not there", 404, json, good.as_str()),
        ("too often", 429, json, good.as_str()),
        ("broken", 500, json, good.as_str()),
        ("down", 503, json, good.as_str()),
    ] {
        let reply = Reply::Answer { status, content_type, body: body.as_bytes().to_vec() };
        let server = Server::of([reply]);
        let verifier = verifier(&server);
        assert!(is_outage(&verdict_on(&verifier, TOKEN).await), "{name}");
        // And is never remembered: the next answer counts.
        server.now_says(Reply::json(active()));
        assert!(verdict_on(&verifier, TOKEN).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_content_type_may_have_parameters_and_any_case() {
    for content_type in
        ["application/json", "Application/JSON; charset=utf-8", "application/json ;x=y"]
    {
        let body = active().to_string().into_bytes();
        let reply = Reply::Answer { status: 200, content_type: Some(content_type), body };
        assert!(verdict_on(&verifier(&Server::of([reply])), TOKEN).await.is_ok(), "{content_type}");
    }
}

#[tokio::test]
async fn rev_04_what_is_active_and_expired_is_expired() {
    let verdict_at = |exp: i64| {
        let mut answer = active_with("exp", exp);
        answer["iat"] = json!(0);
        verdict(answer)
    };
    assert_eq!(verdict_at(NOW - 31).await.err(), Some(Rejection::Expired));
    assert_eq!(verdict_at(NOW - 30).await.err(), Some(Rejection::Expired));
    assert!(verdict_at(NOW - 29).await.is_ok(), "clocks differ");
    assert_eq!(verdict_at(0).await.err(), Some(Rejection::Expired));
    let later = active_with("nbf", NOW + 31);
    assert_eq!(verdict(later).await.err(), Some(Rejection::NotYetValid));
    let later = active_with("iat", NOW + 31);
    assert_eq!(verdict(later).await.err(), Some(Rejection::NotYetValid));
    for date in [json!("1800000300"), json!(-1), json!([]), json!(true), Value::Null] {
        let verdict = verdict(active_with("exp", date.clone())).await;
        assert_eq!(verdict.err(), Some(Rejection::invalid("exp")), "{date}");
    }
}

#[tokio::test]
async fn an_outage_says_when_to_come_back() {
    for (said, told) in [(None, 1), (Some(0), 1), (Some(7), 7), (Some(100_000), 60)] {
        let transport = move |_: IntrospectionRequest| async move {
            let response = IntrospectionResponse::new(503, "");
            Ok::<_, io::Error>(match said {
                Some(seconds) => response.with_retry_after(Duration::from_secs(seconds)),
                None => response,
            })
        };
        let issuer = Issuer::parse(ISSUER).unwrap();
        let verifier = IntrospectionVerifier::builder(issuer, transport, credential())
            .unwrap()
            .with_clock(clock())
            .build();
        let retry_after = Some(Duration::from_secs(told));
        let expected = Some(Rejection::IntrospectionUnavailable { retry_after });
        assert_eq!(rejection(&verifier, TOKEN).await, expected);
    }
}

#[tokio::test]
async fn a_token_that_is_too_long_is_not_asked_about() {
    let server = Server::that_says(active());
    let verifier = builder(&server).max_token_bytes(4).with_clock(clock()).build();
    verdict_on(&verifier, "abcd").await.unwrap();
    assert!(matches!(rejection(&verifier, "abcde").await, Some(Rejection::Malformed { .. })));
    assert_eq!(server.calls(), 1);
}
