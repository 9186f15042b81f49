use http::Request;
use palisade_core::AccessStack;
use proptest::prelude::*;

use super::*;
use crate::AudienceGuardLayer;

const A: &str = "https://h/a";
const B: &str = "https://h/b";
const ISSUER: &str = "https://as.example";

fn guard(uri: &str) -> AudienceGuardLayer {
    AudienceGuardLayer::new(Resource::parse(uri).unwrap())
}

fn guards(uris: &[&str]) -> EndpointGuardsLayer {
    AudienceGuardLayer::per_endpoint(uris.iter().map(|uri| guard(uri))).unwrap()
}

/// The resource that was left as checked, or kind and code of the refusal.
fn judge(
    layer: &EndpointGuardsLayer,
    path: &str,
    audience: &str,
) -> Result<String, (DenialKind, &'static str)> {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.uri = http::Uri::builder().path_and_query(path).build().unwrap();
    let principal = Principal::assert_verified(ISSUER, "alice").add_audience(audience).build();
    parts.extensions.insert(principal);
    match layer.clone().into_check().check(&mut parts) {
        Ok(()) => {
            let principal = Principal::require(&parts, "test").unwrap();
            Ok(principal.checked_audience().unwrap().as_str().to_owned())
        }
        Err(denial) => {
            assert_eq!(denial.stage(), STAGE);
            let principal = Principal::require(&parts, "test").unwrap();
            assert!(principal.checked_audience().is_none(), "refused, and marked as checked");
            Err((denial.kind(), denial.reason().code()))
        }
    }
}

#[test]
fn aud_11_a_token_for_one_endpoint_is_refused_at_the_others() {
    const MISMATCH: Result<&str, (DenialKind, &str)> =
        Err((DenialKind::InvalidToken, "audience_mismatch"));
    const UNKNOWN: Result<&str, (DenialKind, &str)> =
        Err((DenialKind::InvalidToken, "resource_unknown"));
    const AMBIGUOUS: Result<&str, (DenialKind, &str)> =
        Err((DenialKind::BadRequest, "path_ambiguous"));
    let apart = guards(&[A, B]);
    let above = guards(&["https://h/", A, "https://h/a/"]);
    let moved = AudienceGuardLayer::per_endpoint([
        AudienceGuardLayer::new(Resource::parse("https://h/t/a").unwrap().served_at("/a").unwrap()),
        guard(B),
    ])
    .unwrap();
    for (name, layer, path, audience, expected) in [
        ("its own", &apart, "/a", A, Ok(A)),
        ("its own, below", &apart, "/a/x", A, Ok(A)),
        ("its own, with a query", &apart, "/a?x=/b", A, Ok(A)),
        ("the other's", &apart, "/a", B, MISMATCH),
        ("the other's, other way round", &apart, "/b", A, MISMATCH),
        ("another name that begins like it", &apart, "/ab", A, UNKNOWN),
        ("a path of neither", &apart, "/", A, UNKNOWN),
        ("a path of neither, and an audience of neither", &apart, "/c", "x", UNKNOWN),
        ("dots to the other", &apart, "/a/../b", A, AMBIGUOUS),
        ("dots to its own", &apart, "/b/../a", A, AMBIGUOUS),
        ("encoded dots", &apart, "/a/%2e%2e/b", A, AMBIGUOUS),
        ("encoded slash", &apart, "/a%2f..%2fb", A, AMBIGUOUS),
        ("two slashes", &apart, "//a", A, AMBIGUOUS),
        ("two slashes behind", &apart, "/a//", A, AMBIGUOUS),
        ("encoded letter", &apart, "/%61", A, AMBIGUOUS),
        ("parameter", &apart, "/a;/../b", A, AMBIGUOUS),
        ("asterisk", &apart, "*", A, AMBIGUOUS),
        ("the origin's at the origin", &above, "/", "https://h", Ok("https://h/")),
        ("the origin's where nobody else is", &above, "/x", "https://h/", Ok("https://h/")),
        ("the origin's at another", &above, "/a", "https://h/", MISMATCH),
        ("the other slash form", &above, "/a/", A, MISMATCH),
        ("the other slash form, other way round", &above, "/a", "https://h/a/", MISMATCH),
        ("below the other slash form", &above, "/a/x", A, MISMATCH),
        ("served elsewhere", &moved, "/a", "https://h/t/a", Ok("https://h/t/a")),
        ("served elsewhere, by where it is served", &moved, "/a", A, MISMATCH),
        ("served elsewhere, at its public path", &moved, "/t/a", "https://h/t/a", UNKNOWN),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(judge(layer, path, audience), expected, "{name}");
    }
}

#[test]
fn each_endpoint_has_rules_of_its_own() {
    let layer = AudienceGuardLayer::per_endpoint([
        guard(A).add_audience("api://a").unwrap(),
        guard(B).add_audience_of_issuer(ISSUER, "5f0c9f1e").unwrap(),
    ])
    .unwrap();
    assert_eq!(judge(&layer, "/a", "api://a").unwrap(), A);
    assert_eq!(judge(&layer, "/b", "5f0c9f1e").unwrap(), B);
    let mismatch = (DenialKind::InvalidToken, "audience_mismatch");
    assert_eq!(judge(&layer, "/b", "api://a"), Err(mismatch));
    assert_eq!(judge(&layer, "/a", "5f0c9f1e"), Err(mismatch));
}

#[test]
fn aud_11_two_endpoints_cannot_share_an_audience() {
    let other = "https://other.example";
    let with = |uri, audience| guard(uri).add_audience(audience).unwrap();
    let of = |uri, issuer, audience| guard(uri).add_audience_of_issuer(issuer, audience).unwrap();
    let twin = |uri, resource| guard(uri).add_resource(Resource::parse(resource).unwrap());
    let ignoring =
        |uri| AudienceGuardLayer::new(Resource::parse(uri).unwrap().ignore_final_slash());
    for (name, guards, audience) in [
        ("an alias", [with(A, "x1"), with(B, "x1")], Some("x1")),
        ("the other's identifier", [with(A, B), guard(B)], Some(B)),
        ("the other's in capitals", [with(A, "HTTPS://H/b"), guard(B)], Some("HTTPS://H/b")),
        ("a second name", [twin(A, "https://n/"), twin(B, "https://n")], Some("https://n")),
        (
            "a second name, as alias",
            [twin(A, "https://n/"), with(B, "https://n")],
            Some("https://n"),
        ),
        ("an alias for all and for one issuer", [with(A, "x1"), of(B, ISSUER, "x1")], Some("x1")),
        ("an alias of one issuer", [of(A, ISSUER, "x1"), of(B, ISSUER, "x1")], Some("x1")),
        ("of two issuers", [of(A, ISSUER, "x1"), of(B, other, "x1")], None),
        ("its identifier, of one issuer", [of(A, ISSUER, B), guard(B)], Some(B)),
        ("both slash forms", [ignoring(A), with(B, "https://h/a/")], Some("https://h/a/")),
        (
            "generic",
            [
                guard(A).insecure_add_generic_audience("account").unwrap(),
                guard(B).insecure_add_generic_audience("account").unwrap(),
            ],
            Some("account"),
        ),
        ("nothing", [with(A, "x1"), with(B, "x2")], None),
    ] {
        for turned in [false, true] {
            let mut guards = guards.clone();
            if turned {
                guards.reverse();
            }
            let error = AudienceGuardLayer::per_endpoint(guards).err();
            let shared = error.map(|error| {
                let text = error.to_string();
                let EndpointGuardsError::SharedAudience { audience, .. } = error else {
                    panic!("{name}: {text}")
                };
                audience
            });
            // Which of two spellings is named depends on who is asked first.
            let same = |shared: Box<str>| shared.trim_end_matches('/').to_ascii_lowercase();
            assert_eq!(shared.map(same), audience.map(|text| same(text.into())), "{name}");
        }
    }
}

#[test]
fn endpoints_that_no_path_tells_apart_are_refused_with_the_reason() {
    for (uris, text) in [
        (vec![], "there is no resource: give at least one"),
        (vec![A, "https://h/a?x=1"], "`https://h/a` and `https://h/a?x=1` share a path"),
        (vec![A, "https://other/b"], "`https://h/a` and `https://other/b` are not on one origin"),
    ] {
        let error =
            AudienceGuardLayer::per_endpoint(uris.iter().map(|uri| guard(uri))).unwrap_err();
        let source = error.source().unwrap().to_string();
        assert!(source.starts_with(text), "{source}");
    }
}

#[test]
fn a_missing_principal_is_misconfigured_whatever_the_path() {
    for path in ["/a", "/c", "//"] {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.uri = http::Uri::builder().path_and_query(path).build().unwrap();
        let denial = guards(&[A, B]).into_check().check(&mut parts).unwrap_err();
        assert_eq!((denial.kind(), denial.stage()), (DenialKind::Misconfigured, STAGE), "{path}");
    }
}

#[test]
fn it_has_its_place_in_the_stack() {
    let _ = AccessStack::new().audience(guards(&[A, B]));
    let _ = AccessStack::new().audience(GuardLayer::new(guards(&[A, B]).into_check()));
    let _ = guards(&[A]).with_renderer(|_: &Denial, _: &Parts| http::Response::new(()));
}

proptest! {
    /// Whatever the path, a token opens nothing but its own endpoint.
    #[test]
    fn aud_11_whatever_the_path_a_token_opens_its_own_endpoint_only(
        path in "/([ab./;%2ef]){0,8}",
        audience in prop::sample::select(vec![A, B, "https://h/b/a"]),
    ) {
        let layer = guards(&[A, B, "https://h/b/a"]);
        if let Ok(checked) = judge(&layer, &path, audience) {
            prop_assert_eq!(&checked, audience);
            let own = audience.trim_start_matches("https://h");
            prop_assert!(path == own || path.starts_with(&format!("{own}/")), "{}", path);
            prop_assert!(own != "/b" || path != "/b/a" && !path.starts_with("/b/a/"), "{}", path);
        }
    }
}
