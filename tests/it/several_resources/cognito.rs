//! A provider whose tokens have no audience.

use http::{Method, StatusCode};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::Resource;
use palisade_integration::SCOPE;
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_test_issuer::{SigningAlgorithm, TestIssuer};
use palisade_token_verify::{
    JwtVerifier,
    keys::StaticKeys,
    trust::{ClaimSource, Profile, TrustedIssuer},
};

use super::{ask, behind};

const POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI";
const OTHER_POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_JkLmNoPqR";

fn strict(issuer: &str) -> TrustedIssuer {
    Profile::Cognito.trust(issuer).unwrap()
}

fn with_clients(issuer: &str) -> TrustedIssuer {
    let place = |name| ClaimSource::parse(name).unwrap();
    strict(issuer).audiences_from([place("aud"), place("client_id")]).unwrap()
}

/// Amazon Cognito writes no audience. What a service can hold its tokens to is the client, if it says so: to the rules
/// of the issuer, that the client may stand in, and to the guard, which clients of which issuer.
#[tokio::test]
async fn aud_12_clients_stand_in_for_a_missing_audience_by_two_explicit_choices_per_issuer() {
    let rs256 = |issuer| {
        TestIssuer::builder().algorithm(SigningAlgorithm::RS256).in_process(issuer).unwrap()
    };
    let (pool, other) = (rs256(POOL), rs256(OTHER_POOL));
    let keys =
        |issuer: &TestIssuer| StaticKeys::from_jwks_json(&issuer.jwks().to_string()).unwrap();
    let verifier = |ours: TrustedIssuer| {
        JwtVerifier::new(ours, keys(&pool))
            .and_then(|verifier| verifier.add_issuer(with_clients(OTHER_POOL), keys(&other)))
            .unwrap()
    };
    let resource = || Resource::parse("https://orders.example/").unwrap();
    let guard = || AudienceGuardLayer::new(resource());
    let listing = || guard().add_audience_of_issuer(POOL, "2hd5client").unwrap();
    let metadata = || {
        let metadata = Metadata::new(resource()).add_authorization_server(POOL).unwrap();
        ResourceMetadataLayer::new(metadata).unwrap()
    };
    let token = |issuer: &TestIssuer, client: &str| {
        let mint = issuer.mint().subject("alice").client_id(client).scope(SCOPE);
        mint.claim("token_use", "access").without_claim("aud").without_header("typ")
    };
    let service =
        |rules, guard: AudienceGuardLayer| behind(metadata(), verifier(rules), guard.into_check());
    let neither = service(strict(POOL), guard());
    let rules_only = service(with_clients(POOL), guard());
    let guard_only = service(strict(POOL), listing());
    let both = service(with_clients(POOL), listing());
    for (name, service, token, expected) in [
        ("neither choice", &neither, token(&pool, "2hd5client"), "claim_missing"),
        ("no client is listed", &rules_only, token(&pool, "2hd5client"), "audience_mismatch"),
        ("no client may stand in", &guard_only, token(&pool, "2hd5client"), "claim_missing"),
        ("both choices", &both, token(&pool, "2hd5client"), "https://orders.example/"),
        ("another client", &both, token(&pool, "3xyclient"), "audience_mismatch"),
        ("its name at another issuer", &both, token(&other, "2hd5client"), "audience_mismatch"),
        (
            "for another resource, by our client",
            &both,
            token(&pool, "2hd5client").audience("https://mail.example/"),
            "audience_mismatch",
        ),
        (
            "bound to this resource, by another client",
            &both,
            token(&pool, "3xyclient").audience("https://orders.example/"),
            "https://orders.example/",
        ),
        (
            "an ID token of our client",
            &both,
            token(&pool, "2hd5client").claim("token_use", "id").audience("2hd5client"),
            "claim_wrong",
        ),
    ] {
        let answer = ask(service, Method::POST, "/", Some(&token.sign())).await;
        let text = match answer.reason {
            Some(reason) => {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
                reason.to_owned()
            }
            None => String::from_utf8(answer.body.to_vec()).unwrap(),
        };
        assert_eq!(text, expected, "{name}");
    }
}
