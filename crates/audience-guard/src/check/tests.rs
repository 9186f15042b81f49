use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use palisade_core::{AccessStack, GuardLayer};
use proptest::prelude::*;
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::{AudienceGuardLayer, InvalidAudienceError};

const OURS: &str = "https://mcp.example.com/mcp";

fn resource(uri: &str) -> Resource {
    Resource::parse(uri).unwrap()
}

fn guard() -> AudienceGuardLayer {
    AudienceGuardLayer::new(resource(OURS))
}

fn principal(audiences: &[&str]) -> Principal {
    let builder = Principal::assert_verified("https://as.example", "alice");
    audiences.iter().fold(builder, |builder, audience| builder.add_audience(*audience)).build()
}

/// The resource that was left as checked, or the code of the refusal.
fn judge(layer: AudienceGuardLayer, audiences: &[&str]) -> Result<String, &'static str> {
    judge_principal(layer, principal(audiences))
}

fn judge_principal(
    layer: AudienceGuardLayer,
    principal: Principal,
) -> Result<String, &'static str> {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.extensions.insert(principal);
    match layer.into_check().check(&mut parts) {
        Ok(()) => {
            let principal = Principal::require(&parts, "test").unwrap();
            Ok(principal.checked_audience().unwrap().as_str().to_owned())
        }
        Err(denial) => {
            assert_eq!((denial.kind(), denial.stage()), (DenialKind::InvalidToken, STAGE));
            assert_eq!(denial.reason().text(), TEXT);
            let principal = Principal::require(&parts, "test").unwrap();
            assert!(principal.checked_audience().is_none(), "refused, and marked as checked");
            Err(denial.reason().code())
        }
    }
}

#[test]
fn aud_01_to_03_nothing_but_ours_names_us() {
    for (name, audience) in [
        ("host as a prefix", "https://mcp.example.com.evil.com/mcp"),
        ("host as user information", "https://mcp.example.com@evil.com/mcp"),
        ("ours in a fragment", "https://evil.com/#https://mcp.example.com/mcp"),
        ("encoded NUL", "https://mcp.example.com/mcp%00.evil"),
        ("parent", "https://mcp.example.com/"),
        ("origin", "https://mcp.example.com"),
        ("ours as a prefix", "https://mcp.example.com/mcp2"),
        ("dot segments", "https://mcp.example.com/mcp/../mcp"),
        ("trailing slash", "https://mcp.example.com/mcp/"),
        ("default port", "https://mcp.example.com:443/mcp"),
        ("case of the path", "https://mcp.example.com/MCP"),
        ("percent encoding", "https://mcp.example.com/%6dcp"),
        ("full-width dot", "https://mcp。example.com/mcp"),
        ("trailing dot of the host", "https://mcp.example.com./mcp"),
        ("plain http", "http://mcp.example.com/mcp"),
        ("white space", " https://mcp.example.com/mcp"),
        ("list in a string", "https://mcp.example.com/mcp https://evil.com"),
        ("nothing", ""),
        ("wildcard", "*"),
    ] {
        assert_eq!(judge(guard(), &[audience]), Err("audience_mismatch"), "{name}");
        // An alias is one more exact name and softens nothing.
        let with_alias = guard().add_audience("api://files.example").unwrap();
        assert_eq!(judge(with_alias, &[audience]), Err("audience_mismatch"), "{name}");
    }
}

#[test]
fn scheme_and_host_ignore_case_and_the_mark_is_our_own_spelling() {
    assert_eq!(judge(guard(), &[OURS]).unwrap(), OURS);
    assert_eq!(judge(guard(), &["HTTPS://MCP.Example.COM/mcp"]).unwrap(), OURS);
}

#[test]
fn aud_03_another_spelling_passes_if_it_is_listed() {
    let layer = || guard().add_audience("https://mcp.example.com/mcp/").unwrap();
    assert_eq!(judge(layer(), &["https://mcp.example.com/mcp/"]).unwrap(), OURS);
    assert!(judge(layer(), &["https://MCP.example.com/mcp/"]).is_err(), "aliases have case");
}

#[test]
fn aud_04_a_token_without_audience_is_refused() {
    assert_eq!(judge(guard(), &[]), Err("audience_missing"));
    assert_eq!(judge(guard().require_sole_audience(), &[]), Err("audience_missing"));
    let tolerant = guard().tolerate_audience("account").unwrap();
    assert_eq!(judge(tolerant, &[]), Err("audience_missing"));
}

#[test]
fn ours_may_be_one_of_many_unless_it_must_be_alone() {
    const USERINFO: &str = "https://tenant.example/userinfo";
    let open = guard;
    let sole = || guard().require_sole_audience();
    let tolerant = || guard().tolerate_audience(USERINFO).unwrap();
    for (name, layer, audiences, expected) in [
        ("open, ours first", open(), vec![OURS, "x"], Ok(OURS.to_owned())),
        ("open, ours last", open(), vec!["x", USERINFO, OURS], Ok(OURS.to_owned())),
        ("open, none is ours", open(), vec!["x", USERINFO], Err("audience_mismatch")),
        ("sole, alone", sole(), vec![OURS], Ok(OURS.to_owned())),
        ("sole, ours twice", sole(), vec![OURS, OURS], Ok(OURS.to_owned())),
        ("sole, another", sole(), vec![OURS, "x"], Err("audience_foreign")),
        ("sole, an empty one", sole(), vec!["", OURS], Err("audience_foreign")),
        ("sole, none is ours", sole(), vec!["x"], Err("audience_mismatch")),
        ("tolerant, the tolerated", tolerant(), vec![USERINFO, OURS], Ok(OURS.to_owned())),
        ("tolerant, another", tolerant(), vec![OURS, USERINFO, "x"], Err("audience_foreign")),
        ("tolerant, only the tolerated", tolerant(), vec![USERINFO], Err("audience_mismatch")),
        (
            "tolerant, first said to be sole",
            sole().tolerate_audience(USERINFO).unwrap().require_sole_audience(),
            vec![OURS, USERINFO],
            Ok(OURS.to_owned()),
        ),
        (
            "tolerant, another case",
            tolerant(),
            vec![OURS, "https://TENANT.example/userinfo"],
            Err("audience_foreign"),
        ),
    ] {
        assert_eq!(judge(layer, &audiences), expected, "{name}");
    }
}

#[test]
fn the_mark_is_the_resource_that_the_token_names() {
    let layer = || {
        guard()
            .add_resource(resource("https://new.example.com/mcp"))
            .add_audience("api://files.example")
            .unwrap()
    };
    assert_eq!(judge(layer(), &["api://files.example"]).unwrap(), OURS);
    assert_eq!(
        judge(layer(), &["https://NEW.example.com/mcp"]).unwrap(),
        "https://new.example.com/mcp"
    );
    let sole = layer().require_sole_audience();
    assert!(judge(sole, &["https://new.example.com/mcp", OURS]).is_ok(), "both are ours");
}

#[test]
fn aud_05_a_generic_audience_needs_a_loud_word() {
    assert_eq!(guard().add_audience("account").unwrap_err(), InvalidAudienceError::Generic);
    let layer = guard().insecure_add_generic_audience("account").unwrap();
    assert_eq!(judge(layer, &["account"]).unwrap(), OURS);
    let empty = guard().insecure_add_generic_audience("");
    assert_eq!(empty.unwrap_err(), InvalidAudienceError::Empty);
}

#[test]
fn aud_12_what_names_us_at_one_issuer_does_not_at_another() {
    const GUID: &str = "5f0c9f1e-3b0e-4a52-9d2b-6c1f0a7d9e11";
    const ENTRA: &str = "https://login.microsoftonline.com/t/v2.0";
    let layer = || {
        guard()
            .add_audience_of_issuer(ENTRA, GUID)
            .and_then(|guard| guard.add_audience("api://files.example"))
            .and_then(|guard| guard.tolerate_audience_of_issuer(ENTRA, "account"))
            .unwrap()
    };
    for (name, issuer, audiences, expected) in [
        ("its own", ENTRA, &[GUID][..], Ok(OURS)),
        ("its own, with what it adds", ENTRA, &[GUID, "account"], Ok(OURS)),
        ("the resource", ENTRA, &[OURS], Ok(OURS)),
        ("an alias for all", ENTRA, &["api://files.example"], Ok(OURS)),
        ("another issuer", "https://as.example", &[GUID], Err("audience_mismatch")),
        (
            "another issuer, an alias for all",
            "https://as.example",
            &["api://files.example"],
            Ok(OURS),
        ),
        (
            "another issuer, what the first adds",
            "https://as.example",
            &[OURS, "account"],
            Err("audience_foreign"),
        ),
        (
            "another issuer, beside ours",
            "https://as.example",
            &[OURS, GUID],
            Err("audience_foreign"),
        ),
        (
            "a slash more",
            "https://login.microsoftonline.com/t/v2.0/",
            &[GUID],
            Err("audience_mismatch"),
        ),
        (
            "other case",
            "https://LOGIN.microsoftonline.com/t/v2.0",
            &[GUID],
            Err("audience_mismatch"),
        ),
        (
            "other case of the audience",
            ENTRA,
            &["5F0C9F1E-3b0e-4a52-9d2b-6c1f0a7d9e11"],
            Err("audience_mismatch"),
        ),
    ] {
        let builder = Principal::assert_verified(issuer, "alice");
        let principal =
            audiences.iter().fold(builder, |builder, audience| builder.add_audience(*audience));
        let expected = expected.map(str::to_owned);
        assert_eq!(judge_principal(layer(), principal.build()), expected, "{name}");
    }
}

#[test]
fn an_audience_of_an_issuer_needs_both() {
    use InvalidAudienceError as Invalid;
    for (issuer, audience, expected) in [
        ("", "a1", Invalid::Issuer),
        ("https://as.example\n", "a1", Invalid::Issuer),
        (" https://as.example", "a1", Invalid::Issuer),
        ("https://as.example", "", Invalid::Empty),
        ("https://as.example", "account", Invalid::Generic),
    ] {
        let error = guard().add_audience_of_issuer(issuer, audience).unwrap_err();
        assert_eq!(error, expected, "{issuer:?} {audience:?}");
    }
    let error = guard().tolerate_audience_of_issuer("", "account").unwrap_err();
    assert_eq!(error, Invalid::Issuer);
}

#[test]
fn aud_03_the_slash_of_a_bare_origin_is_forgiven_and_that_of_a_path_if_it_was_said() {
    let at = |uri| AudienceGuardLayer::new(resource(uri));
    let ignoring = |uri| AudienceGuardLayer::new(resource(uri).ignore_final_slash());
    for (name, layer, audience, expected) in [
        ("origin, added", at("https://h"), "https://h/", Ok("https://h")),
        ("origin, left out", at("https://h/"), "https://h", Ok("https://h/")),
        ("path, added", at("https://h/a"), "https://h/a/", Err("audience_mismatch")),
        ("path, left out", at("https://h/a/"), "https://h/a", Err("audience_mismatch")),
        ("path, added, said", ignoring("https://h/a"), "https://h/a/", Ok("https://h/a")),
        ("path, left out, said", ignoring("https://h/a/"), "https://h/a", Ok("https://h/a/")),
        ("parent, said", ignoring("https://h/a"), "https://h/", Err("audience_mismatch")),
    ] {
        assert_eq!(judge(layer, &[audience]), expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn a_missing_principal_is_misconfigured() {
    let (mut parts, ()) = Request::new(()).into_parts();
    let denial = guard().into_check().check(&mut parts).unwrap_err();
    assert_eq!((denial.kind(), denial.stage()), (DenialKind::Misconfigured, STAGE));
}

/// Through the layer, alone.
async fn answer<L>(layer: L, request: Request<String>) -> Response<String>
where
    L: Layer<Inner>,
    L::Service: tower::Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    let inner: Inner =
        service_fn(|_| std::future::ready(Ok(Response::new(String::from("reached")))));
    layer.layer(inner).oneshot(request).await.unwrap()
}

type Inner = tower::util::ServiceFn<fn(Request<String>) -> Answer>;
type Answer = std::future::Ready<Result<Response<String>, Infallible>>;

#[tokio::test]
async fn aud_09_host_and_uri_of_the_request_are_not_read() {
    let mut request = Request::get("https://mcp.example.com/mcp")
        .header("host", "evil.com")
        .header("x-forwarded-host", "evil.com")
        .body(String::new())
        .unwrap();
    request.extensions_mut().insert(principal(&["https://evil.com/mcp", "https://evil.com"]));
    assert_eq!(answer(guard(), request).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn all_refusals_look_alike_and_reach_nothing() {
    let mut heads = Vec::new();
    for audiences in [&[][..], &["x"], &[OURS, "x"]] {
        for grpc in [false, true] {
            let mut request = Request::new(String::new());
            if grpc {
                let content_type = http::HeaderValue::from_static("application/grpc");
                request.headers_mut().insert("content-type", content_type);
                *request.method_mut() = http::Method::POST;
            }
            request.extensions_mut().insert(principal(audiences));
            let response = answer(guard().require_sole_audience(), request).await;
            assert!(response.body().is_empty());
            heads.push((grpc, response.status(), response.headers().clone()));
        }
    }
    let (http, grpc): (Vec<_>, Vec<_>) = heads.into_iter().partition(|(grpc, ..)| !grpc);
    assert!(http.windows(2).all(|pair| pair[0] == pair[1]), "{http:?}");
    assert!(grpc.windows(2).all(|pair| pair[0] == pair[1]), "{grpc:?}");
    assert_eq!(http[0].1, StatusCode::UNAUTHORIZED);
    assert_eq!(
        http[0].2["www-authenticate"],
        "Bearer error=\"invalid_token\", error_description=\"the token is not meant for this resource\""
    );
    assert_eq!(grpc[0].1, StatusCode::OK);
    assert_eq!(grpc[0].2["grpc-status"], "16");
}

#[tokio::test]
async fn a_refusal_can_look_otherwise() {
    let mut request = Request::new(String::new());
    request.extensions_mut().insert(principal(&["x"]));
    let layer = guard().with_renderer(|denial: &Denial, _: &Parts| {
        Response::new(String::from(denial.reason().code()))
    });
    let response = answer(layer, request).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (401, "audience_mismatch"));
}

#[test]
fn it_has_its_place_in_the_stack_as_a_layer_and_as_a_check() {
    let _ = AccessStack::new().audience(guard());
    let _ = AccessStack::new().audience(GuardLayer::new(guard().into_check()));
}

#[test]
fn a_changed_copy_leaves_the_original_as_it_was() {
    let strict = guard().require_sole_audience();
    let open = strict.clone().add_audience("api://files.example").unwrap();
    assert_eq!(judge(strict, &["api://files.example"]), Err("audience_mismatch"));
    assert_eq!(judge(open, &["api://files.example"]).unwrap(), OURS);
}

fn assert_is_a_good_neighbour<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}

#[test]
fn it_goes_anywhere() {
    assert_is_a_good_neighbour(&guard());
    assert_is_a_good_neighbour(&guard().into_check());
    assert_is_a_good_neighbour(&guard().layer(()));
}

proptest! {
    /// Whatever byte of ours is changed, only the case of scheme and host is forgiven.
    #[test]
    fn a_changed_byte_is_refused(position in 0..OURS.len(), byte in 0_u8..0x80) {
        let mut bytes = OURS.as_bytes().to_vec();
        let origin_end = resource(OURS).origin().len();
        let forgiven = bytes[position] == byte
            || position < origin_end && bytes[position].eq_ignore_ascii_case(&byte);
        bytes[position] = byte;
        let audience = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(judge(guard(), &[&audience]).is_ok(), forgiven, "{}", audience);
    }

    /// Nothing may be added anywhere, and nothing left out.
    #[test]
    fn an_added_or_dropped_character_is_refused(position in 0..=OURS.len(), added in any::<char>()) {
        let mut longer = OURS.to_owned();
        longer.insert(position, added);
        prop_assert!(judge(guard(), &[&longer]).is_err(), "{}", longer);
        let mut shorter = OURS.to_owned();
        if position < OURS.len() {
            shorter.remove(position);
            prop_assert!(judge(guard(), &[&shorter]).is_err(), "{}", shorter);
        }
    }

    /// The decision equals one that somebody else would write down.
    #[test]
    fn the_decision_equals_its_naive_twin(
        audiences in prop::collection::vec(prop::sample::select(vec![OURS, "alias", "fine", "x", ""]), 0..5),
        sole in any::<bool>(),
    ) {
        let layer = guard().add_audience("alias").unwrap();
        let layer = if sole { layer.tolerate_audience("fine").unwrap() } else { layer };
        let ours = audiences.iter().any(|audience| [OURS, "alias"].contains(audience));
        let foreign = audiences.iter().any(|audience| ![OURS, "alias", "fine"].contains(audience));
        prop_assert_eq!(judge(layer, &audiences).is_ok(), ours && !(sole && foreign));
    }
}
