//! Which challenge a client gets (RFC 9449 §7.1, §7.2).

use std::{convert::Infallible, time::Duration};

use http::{Request, Response, request::Parts};
use palisade_core::{Denial, DenialKind, GuardLayer, ProtectedResource, Reason, Resource};
use tower::{ServiceBuilder, ServiceExt};

use super::support::{BOUND, Client, RESOURCE, UNBOUND, ask, nonces, proofs, request};
use crate::{
    SignatureAlgorithm, TokenVerifyLayer, TransportSecurity,
    dpop::{DpopProofs, DpopProofsError},
};

const METADATA: &str = "https://mcp.example/.well-known/oauth-protected-resource/mcp";

fn dpop() -> DpopProofs {
    proofs().algorithms([SignatureAlgorithm::ES256, SignatureAlgorithm::Ed25519]).unwrap()
}

async fn challenges(dpop: DpopProofs, mut request: Request<()>) -> (u16, Vec<String>) {
    let metadata = ProtectedResource::new(METADATA).unwrap();
    request.extensions_mut().insert(metadata);
    let layer = TokenVerifyLayer::new(Client::new().verifier()).with_dpop(dpop);
    let answer = ask(layer, request).await;
    (answer.status, answer.challenges)
}

fn authorized(lines: &[&str]) -> Request<()> {
    let get = Request::get("/mcp").extension(TransportSecurity::tls());
    let head = lines.iter().fold(get, |head, line| head.header("authorization", *line));
    head.body(()).unwrap()
}

#[tokio::test]
async fn both_schemes_are_offered_until_one_is_used() {
    let rest = format!("resource_metadata=\"{METADATA}\"");
    let algs = "algs=\"ES256 EdDSA Ed25519\"";
    assert_eq!(dpop().algorithm_names().collect::<Vec<_>>(), ["ES256", "EdDSA", "Ed25519"]);
    let both = vec![format!("Bearer {rest}"), format!("DPoP {rest}, {algs}")];
    let none: &[&str] = &[];
    for lines in [none, &["Basic YTpi"]] {
        assert_eq!(challenges(dpop(), authorized(lines)).await, (401, both.clone()), "{lines:?}");
    }
    let repeated = "error=\"invalid_request\", error_description=\"there is more than one Authorization header\"";
    assert_eq!(
        challenges(dpop(), authorized(&["Bearer a", "DPoP a"])).await,
        (
            400,
            vec![format!("Bearer {repeated}, {rest}"), format!("DPoP {repeated}, {rest}, {algs}")]
        )
    );
    let missing = "error=\"invalid_dpop_proof\", error_description=\"the DPoP proof is missing\"";
    assert_eq!(
        challenges(dpop(), authorized(&["DPoP a"])).await,
        (401, vec![format!("DPoP {missing}, {rest}, {algs}")])
    );
    let invalid = "error=\"invalid_token\", error_description=\"the access token is invalid\"";
    assert_eq!(
        challenges(dpop(), authorized(&["Bearer a"])).await,
        (401, vec![format!("Bearer {invalid}, {rest}")])
    );
}

#[tokio::test]
async fn where_bearer_tokens_are_refused_only_dpop_is_offered() {
    let offered =
        vec![format!("DPoP resource_metadata=\"{METADATA}\", algs=\"ES256 EdDSA Ed25519\"")];
    let bearer = format!("Bearer {UNBOUND}");
    let none: &[&str] = &[];
    for lines in [none, &["Basic YTpi"], &[&bearer]] {
        let answer = challenges(dpop().refuse_bearer_tokens(), authorized(lines)).await;
        assert_eq!(answer, (401, offered.clone()), "{lines:?}");
    }
    let client = Client::new();
    let layer = TokenVerifyLayer::new(client.verifier()).with_dpop(dpop().refuse_bearer_tokens());
    assert_eq!(ask(layer, request("DPoP", BOUND, &client.proof().sign())).await.status, 200);
}

#[tokio::test]
async fn layers_inside_answer_in_the_scheme_that_was_used() {
    const NO: Reason = Reason::new("no", "no");
    let client = Client::new();
    let guard = GuardLayer::new(|_: &mut Parts| {
        Err::<(), _>(Denial::new("inside", DenialKind::InsufficientScope, NO))
    });
    let service = ServiceBuilder::new()
        .layer(TokenVerifyLayer::new(client.verifier()).with_dpop(dpop()))
        .layer(guard)
        .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    for (scheme, token, expected) in [
        ("DPoP", BOUND, "DPoP error=\"insufficient_scope\""),
        ("Bearer", UNBOUND, "Bearer error=\"insufficient_scope\""),
    ] {
        let request = request(scheme, token, &client.proof().sign());
        let response = service.clone().oneshot(request).await.unwrap();
        let lines: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].to_str().unwrap().starts_with(expected), "{lines:?}");
    }
}

#[tokio::test]
async fn grpc_has_its_challenge_and_its_nonce_in_the_headers() {
    let mut request = authorized(&["DPoP a"]);
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    *request.method_mut() = http::Method::POST;
    let client = Client::new();
    let proof = client.proof().claim("ath", super::support::hash("a")).claim("htm", "POST").sign();
    request.headers_mut().insert("dpop", proof.parse().unwrap());
    let layer = TokenVerifyLayer::new(client.verifier()).with_dpop(dpop().require_nonces(nonces()));
    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["grpc-status"]),
        (200, &"16".parse().unwrap())
    );
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("DPoP error=\"use_dpop_nonce\""), "{challenge}");
    assert_eq!(response.headers().get_all("dpop-nonce").iter().count(), 1);
}

#[test]
fn settings_out_of_range_are_errors() {
    let long = Duration::from_secs(301);
    assert_eq!(dpop().max_age(long).unwrap_err(), DpopProofsError::WindowTooLong);
    assert_eq!(dpop().max_lead(long).unwrap_err(), DpopProofsError::WindowTooLong);
    assert_eq!(dpop().algorithms([]).unwrap_err(), DpopProofsError::NoAlgorithm);
    let symmetric = [SignatureAlgorithm::ES256, SignatureAlgorithm::HS256];
    assert_eq!(dpop().algorithms(symmetric).unwrap_err(), DpopProofsError::SymmetricAlgorithm);
    let _ = DpopProofs::new(&Resource::parse(RESOURCE).unwrap()).unwrap();
}

#[test]
fn debug_shows_settings_and_no_secret() {
    let shown = format!("{:?}", dpop().require_nonces(nonces()));
    assert!(shown.starts_with("DpopProofs { origin: \"https://mcp.example\""), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
