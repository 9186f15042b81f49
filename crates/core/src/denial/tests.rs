use std::time::Duration;

use http::{Request, Response, StatusCode, request::Parts};

use super::*;
use crate::{AuthScheme, OfferedSchemes, PlainRenderer, ProtectedResource, RefusedInBody, Trail};

const KINDS: [DenialKind; 12] = [
    DenialKind::BadRequest,
    DenialKind::Forbidden,
    DenialKind::HeadersTooLarge,
    DenialKind::InsufficientScope,
    DenialKind::InvalidCredentials,
    DenialKind::InvalidToken,
    DenialKind::Misconfigured,
    DenialKind::PayloadTooLarge,
    DenialKind::RateLimited,
    DenialKind::Unauthenticated,
    DenialKind::Unavailable,
    DenialKind::UnsupportedMediaType,
];
const REASON: Reason = Reason::new("some_reason", "some reason");
const METADATA: &str = "https://rs.example/.well-known/oauth-protected-resource";

fn request(content_type: &str) -> Parts {
    let (mut parts, ()) =
        Request::post("/").header("content-type", content_type).body(()).unwrap().into_parts();
    parts.extensions.insert(Trail::new());
    ProtectedResource::new(METADATA)
        .and_then(|resource| resource.challenge_scope(ScopeSet::parse("first").unwrap()))
        .unwrap()
        .leave_in(&mut parts);
    parts
}

fn respond(denial: Denial, request: &Parts) -> Response<String> {
    denial.into_response(&PlainRenderer::new(), request)
}

/// The whole head, as it would be written.
fn head(response: &Response<String>) -> String {
    let mut lines: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    format!("{}\n{}", response.status().as_u16(), lines.join("\n"))
}

#[test]
fn every_kind_has_its_http_head() {
    let bearer = |params: &str| {
        format!("\nwww-authenticate: Bearer {params}resource_metadata=\"{METADATA}\"")
    };
    let expected = |kind| match kind {
        DenialKind::BadRequest => (400, String::new()),
        DenialKind::Forbidden => (403, String::new()),
        DenialKind::HeadersTooLarge => (431, String::new()),
        DenialKind::InsufficientScope => (
            403,
            bearer(
                "error=\"insufficient_scope\", error_description=\"some reason\", scope=\"first\", ",
            ),
        ),
        DenialKind::InvalidCredentials => (
            400,
            bearer(
                "error=\"invalid_request\", error_description=\"some reason\", scope=\"first\", ",
            ),
        ),
        DenialKind::InvalidToken => (
            401,
            bearer("error=\"invalid_token\", error_description=\"some reason\", scope=\"first\", "),
        ),
        DenialKind::Misconfigured => (500, String::new()),
        DenialKind::PayloadTooLarge => (413, String::new()),
        DenialKind::RateLimited => (429, String::new()),
        DenialKind::Unauthenticated => (401, bearer("scope=\"first\", ")),
        DenialKind::Unavailable => (503, String::new()),
        DenialKind::UnsupportedMediaType => (415, String::new()),
    };
    for kind in KINDS {
        let (status, challenge) = expected(kind);
        let response = respond(Denial::new("test", kind, REASON), &request("application/json"));
        assert_eq!(
            head(&response),
            format!("{status}\ncache-control: no-store{challenge}"),
            "{kind:?}"
        );
        assert!(response.body().is_empty());
    }
}

#[test]
fn every_kind_has_its_grpc_status() {
    let expected = |kind| match kind {
        DenialKind::BadRequest
        | DenialKind::InvalidCredentials
        | DenialKind::UnsupportedMediaType => 3,
        DenialKind::Forbidden | DenialKind::InsufficientScope => 7,
        DenialKind::HeadersTooLarge | DenialKind::PayloadTooLarge | DenialKind::RateLimited => 8,
        DenialKind::Misconfigured => 13,
        DenialKind::Unavailable => 14,
        DenialKind::InvalidToken | DenialKind::Unauthenticated => 16,
    };
    for kind in KINDS {
        let response = respond(Denial::new("test", kind, REASON), &request("application/grpc"));
        assert_eq!(response.status(), StatusCode::OK, "{kind:?}: the status is in the trailers");
        assert_eq!(response.headers()["grpc-status"], expected(kind).to_string(), "{kind:?}");
        assert_eq!(response.headers()["grpc-message"], "some reason");
        assert_eq!(response.headers()["content-type"], "application/grpc");
    }
}

#[test]
fn names_of_kinds_are_distinct() {
    let mut names: Vec<_> = KINDS.iter().map(|kind| kind.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KINDS.len());
}

#[test]
fn a_renderer_can_neither_lose_the_challenge_nor_say_yes() {
    let request = request("application/json");
    let careless = |_: &Denial, _: &Parts| {
        Response::builder()
            .status(200)
            .header("www-authenticate", "Basic")
            .header("cache-control", "public")
            .body(String::from("body"))
            .unwrap()
    };
    let denial = Denial::new("test", DenialKind::InvalidToken, REASON)
        .with_retry_after(Duration::from_millis(1_001))
        .add_challenge(Challenge::new(AuthScheme::DPoP).param("algs", "ES256"));
    let response = denial.into_response(&careless, &request);
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let challenges: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges.len(), 2, "{challenges:?}");
    assert!(challenges[0].to_str().unwrap().starts_with("Bearer error=\"invalid_token\""));
    assert_eq!(challenges[1], "DPoP algs=\"ES256\"");
    assert_eq!(response.body(), "body", "the look is the renderer's");
}

#[test]
fn every_offered_scheme_has_a_complete_challenge_in_its_place() {
    let algs = Challenge::new(AuthScheme::DPoP).param("algs", "ES256");
    let rest = format!("scope=\"first\", resource_metadata=\"{METADATA}\"");
    let challenges = |schemes: OfferedSchemes, denial: Denial| {
        let mut request = request("application/json");
        schemes.leave_in(&mut request);
        let response = respond(denial, &request);
        let lines = response.headers().get_all("www-authenticate").iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let both = OfferedSchemes::new(Challenge::new(AuthScheme::Bearer)).or(algs.clone());
    let nobody = Denial::new("test", DenialKind::Unauthenticated, REASON);
    assert_eq!(
        challenges(both.clone(), nobody),
        [format!("Bearer {rest}"), format!("DPoP {rest}, algs=\"ES256\"")]
    );
    let bad = || Denial::new("test", DenialKind::InvalidToken, REASON).with_error_code("bad_proof");
    assert_eq!(
        challenges(OfferedSchemes::new(algs), bad()),
        [format!(
            "DPoP error=\"bad_proof\", error_description=\"some reason\", {rest}, algs=\"ES256\""
        )]
    );
    let forbidden = Denial::new("test", DenialKind::Forbidden, REASON).with_error_code("bad_proof");
    assert!(challenges(both, forbidden).is_empty(), "a kind without challenge stays without");
}

#[test]
fn each_scheme_has_one_challenge_and_bearer_comes_first() {
    let dpop = |algs: &'static str| Challenge::new(AuthScheme::DPoP).param("algs", algs);
    let mut request = request("application/json");
    OfferedSchemes::new(dpop("ES256"))
        .or(Challenge::new(AuthScheme::Bearer))
        .or(dpop("none"))
        .leave_in(&mut request);
    let denial = Denial::new("test", DenialKind::Unauthenticated, REASON)
        .add_challenge(Challenge::new(AuthScheme::Bearer).param("other", "x"));
    let known: Vec<_> = denial.challenges(&request).collect();
    let rest = format!("scope=\"first\", resource_metadata=\"{METADATA}\"");
    assert_eq!(known, [format!("Bearer {rest}"), format!("DPoP {rest}, algs=\"ES256\"")]);
    let response = respond(denial, &request);
    let sent: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(sent, known.iter().collect::<Vec<_>>());
}

#[test]
fn only_a_marked_200_of_a_kind_with_challenge_stays_one() {
    let request = request("application/json");
    for kind in KINDS {
        let has_challenge = matches!(
            kind,
            DenialKind::InsufficientScope
                | DenialKind::InvalidCredentials
                | DenialKind::InvalidToken
                | DenialKind::Unauthenticated
        );
        assert_eq!(kind.has_challenge(), has_challenge);
        for (status, is_marked, stays) in [
            (200, true, has_challenge),
            (200, false, false),
            (204, true, false),
            (302, true, false),
        ] {
            let renderer = |_: &Denial, _: &Parts| {
                let mut response = Response::builder().status(status).body(String::new()).unwrap();
                if is_marked {
                    response.extensions_mut().insert(RefusedInBody::new());
                }
                response
            };
            let denial = Denial::new("test", kind, REASON);
            let response = denial.into_response(&renderer, &request);
            let expected = if stays { status } else { kind.status().as_u16() };
            assert_eq!(response.status(), expected, "{kind:?}, {status}, {is_marked}");
            assert_eq!(response.headers().contains_key("www-authenticate"), has_challenge);
            assert!(response.extensions().get::<Denial>().is_some());
            assert!(response.extensions().get::<RefusedInBody>().is_none());
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
    }
    assert!(request.extensions.get::<Trail>().unwrap().notes().denial.is_some());
}

#[test]
fn required_scopes_win_over_the_hint_and_are_named_together() {
    let denial = Denial::new("test", DenialKind::InsufficientScope, REASON)
        .with_required_scopes(ScopeSet::parse("files:write admin").unwrap());
    let response = respond(denial, &request("application/json"));
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"admin files:write\""), "{challenge}");
}

#[test]
fn a_repeated_refusal_has_an_identical_challenge() {
    let request = request("application/json");
    let once = || head(&respond(Denial::new("test", DenialKind::InvalidToken, REASON), &request));
    assert_eq!(once(), once());
}

#[test]
fn a_refusal_is_in_the_response_and_in_the_trail_and_its_details_are_not_on_the_wire() {
    #[derive(Debug)]
    struct Detail;
    impl fmt::Display for Detail {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("inner detail")
        }
    }
    impl Error for Detail {}

    let request = request("application/json");
    let response =
        respond(Denial::new("test", DenialKind::BadRequest, REASON).with_source(Detail), &request);
    let found = response.extensions().get::<Denial>().unwrap();
    assert!(found.source().unwrap().is::<Detail>());
    assert!(!head(&response).contains("detail"));
    let noted = request.extensions.get::<Trail>().unwrap().notes().denial.unwrap();
    assert_eq!((noted.stage(), noted.reason().code()), ("test", "some_reason"));
    assert_eq!(noted.to_string(), "test refused the request: some reason");
}

#[test]
fn only_the_first_refusal_of_a_request_is_noted() {
    let request = request("application/json");
    let _ = respond(Denial::new("inner", DenialKind::Forbidden, REASON), &request);
    let _ = respond(Denial::new("outer", DenialKind::BadRequest, REASON), &request);
    let noted = request.extensions.get::<Trail>().unwrap().notes().denial.unwrap();
    assert_eq!(noted.stage(), "inner");
}

#[test]
fn waiting_times_are_rounded_up_and_never_zero() {
    for (wait, expected) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_999, "60")] {
        let denial = Denial::new("test", DenialKind::RateLimited, REASON)
            .with_retry_after(Duration::from_millis(wait));
        let response = respond(denial, &request("application/json"));
        assert_eq!(response.headers()["retry-after"], expected, "{wait} ms");
    }
}
