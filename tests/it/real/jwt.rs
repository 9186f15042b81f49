//! Signed tokens.

use std::time::Duration;

use palisade_core::{Clock, ManualClock, SystemClock};
use palisade_integration::{
    APP, AuthorizationServer, Form, OTHER_RESOURCE, ProofKey, RESOURCE, SCOPE, World,
};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer, VerifyToken,
    deny_list::{DenyEntry, DenyList},
    keys::{HttpSource, RemoteKeys, RemoteKeysBuilder},
    trust::TrustedIssuer,
};
use tower::Layer;

use super::{LEEWAY, LIFETIME, Outcome, ask, behind_the_verifier};

/// So short that each unknown key causes a fetch.
const NO_COOLDOWN: Duration = Duration::from_millis(1);

fn keys(server: &AuthorizationServer) -> RemoteKeysBuilder<HttpSource> {
    let issuer = Issuer::parse(server.issuer()).unwrap();
    RemoteKeys::builder(HttpSource::discover(&issuer).unwrap()).cooldown(NO_COOLDOWN).unwrap()
}

/// Nothing is relaxed for a server that keeps to the standard.
fn rules(server: &AuthorizationServer) -> TrustedIssuer {
    let issuer = Issuer::parse(server.issuer()).unwrap();
    TrustedIssuer::new(issuer).require_rfc9068().leeway(LEEWAY).unwrap()
}

fn verifier(server: &AuthorizationServer, keys: RemoteKeys) -> JwtVerifier {
    JwtVerifier::new(rules(server), keys).unwrap()
}

fn discovering(server: &AuthorizationServer) -> JwtVerifier {
    verifier(server, keys(server).spawn().unwrap())
}

async fn bearer<V>(verifier: &V, token: &str) -> Outcome
where
    V: VerifyToken + Clone + Send + 'static,
    V::Future: Send,
{
    let service = TokenVerifyLayer::new(verifier.clone()).layer(behind_the_verifier());
    ask(service, &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn jwts_are_accepted_in_every_algorithm_and_refused_for_another_resource_or_after_their_end()
{
    let mut server = AuthorizationServer::start().await.unwrap();
    for algorithm in ["ES256", "ES384", "RS256", "PS256", "EdDSA", "Ed25519"] {
        server.add_key(algorithm).await.unwrap();
        server.issue(Form::Jwt(algorithm), LIFETIME).await.unwrap();
        let ours = server.token(RESOURCE, SCOPE).await.unwrap();
        let other = server.token(OTHER_RESOURCE, SCOPE).await.unwrap();
        let clock = ManualClock::at(SystemClock::new().now());
        let verifier = discovering(&server).with_clock(clock.clone());

        let principal = bearer(&verifier, &ours).await.principal();
        assert_eq!(principal.issuer(), server.issuer(), "{algorithm}");
        assert_eq!(principal.subject(), APP, "a client that acts for itself is its own subject");
        assert_eq!(principal.client_id(), Some(APP), "{algorithm}");
        assert_eq!(principal.scopes(), &World::scopes().unwrap(), "{algorithm}");
        assert!(principal.token_id().is_some(), "{algorithm}");

        assert_eq!(
            bearer(&verifier, &other).await.refusal(),
            (401, "audience_mismatch"),
            "{algorithm}"
        );

        clock.advance(LIFETIME);
        bearer(&verifier, &ours).await.principal();
        clock.advance(LEEWAY + Duration::from_secs(1));
        assert_eq!(bearer(&verifier, &ours).await.refusal(), (401, "token_expired"), "{algorithm}");
    }
}

#[tokio::test]
async fn a_new_key_works_with_its_first_token_and_the_one_before_while_it_is_published() {
    let mut server = AuthorizationServer::start().await.unwrap();
    let verifier = discovering(&server);
    let before = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &before).await.principal();

    server.add_key("ES256").await.unwrap();
    let after = server.token(RESOURCE, SCOPE).await.unwrap();

    bearer(&verifier, &after).await.principal();
    bearer(&verifier, &before).await.principal();
}

#[tokio::test]
async fn jwk_09_a_real_token_is_refused_once_its_key_is_withdrawn_and_the_keys_were_fetched_again()
{
    let mut server = AuthorizationServer::start().await.unwrap();
    let verifier = discovering(&server);
    let stolen_key = server.add_key("ES256").await.unwrap();
    let old = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &old).await.principal();

    server.add_key("ES256").await.unwrap();
    server.withdraw_key(&stolen_key).await.unwrap();
    let new = server.token(RESOURCE, SCOPE).await.unwrap();
    // Its key is unknown, so it brings the new set along.
    bearer(&verifier, &new).await.principal();

    assert_eq!(bearer(&verifier, &old).await.refusal(), (401, "key_unknown"));
    bearer(&verifier, &new).await.principal();
}

#[tokio::test]
async fn jwk_09_a_withdrawal_is_noticed_without_any_token_that_tells() {
    let mut server = AuthorizationServer::start().await.unwrap();
    let keys = keys(&server).refresh_interval(Duration::from_millis(20)).unwrap().spawn().unwrap();
    let verifier = verifier(&server, keys);
    let withdrawn = server.add_key("ES256").await.unwrap();
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &token).await.principal();

    // Without a successor: the set gets smaller and brings nothing new.
    server.withdraw_key(&withdrawn).await.unwrap();

    let refused = async {
        loop {
            if let Outcome::Refused(status, reason) = bearer(&verifier, &token).await {
                return (status, reason);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let refusal = tokio::time::timeout(Duration::from_secs(30), refused).await.unwrap();
    assert_eq!(refusal, (401, "key_unknown"));
}

#[tokio::test]
async fn a_real_jwt_is_refused_once_its_id_or_whose_it_is_was_denied() {
    let server = AuthorizationServer::start().await.unwrap();
    let alice = server.sign_in(RESOURCE, SCOPE).await.unwrap().access_token;
    let [first, second] = [
        server.token(RESOURCE, SCOPE).await.unwrap(),
        server.token(RESOURCE, SCOPE).await.unwrap(),
    ];
    let denied = DenyList::new();
    let layer = TokenVerifyLayer::new(discovering(&server)).with_deny_list(denied.clone());
    let bearer = async |token: &str| {
        let service = layer.layer(behind_the_verifier());
        ask(service, &[("authorization", &format!("Bearer {token}"))]).await
    };
    let id = bearer(&first).await.principal().token_id().unwrap().to_owned();
    bearer(&alice).await.principal();

    denied.deny(DenyEntry::token(server.issuer(), &id).unwrap()).unwrap();
    assert_eq!(bearer(&first).await.refusal(), (401, "token_revoked"));
    bearer(&second).await.principal();

    denied.deny(DenyEntry::subject(server.issuer(), "alice").unwrap()).unwrap();
    assert_eq!(bearer(&alice).await.refusal(), (401, "token_revoked"));
    bearer(&second).await.principal();
}

#[tokio::test]
async fn hdr_08_a_real_id_token_is_no_access_token() {
    let server = AuthorizationServer::start().await.unwrap();
    let verifier = discovering(&server);
    let alice = server.sign_in(RESOURCE, SCOPE).await.unwrap();

    let principal = bearer(&verifier, &alice.access_token).await.principal();
    assert_eq!(principal.subject(), "alice");
    assert_eq!(principal.client_id(), Some("site"));

    assert_eq!(bearer(&verifier, &alice.id_token).await.refusal(), (401, "type_disallowed"));
    // Where `typ` does not tell them apart, the audience does: an ID token is for the client.
    let lax = rules(&server).accept_missing_type().accept_type("JWT").unwrap();
    let lax = JwtVerifier::new(lax, keys(&server).spawn().unwrap()).unwrap();
    assert!(matches!(bearer(&lax, &alice.id_token).await, Outcome::Refused(401, _)));
}

#[tokio::test]
async fn aud_07_a_real_token_of_another_server_is_refused_unless_that_is_trusted_too() {
    let ours = AuthorizationServer::start().await.unwrap();
    let other = AuthorizationServer::start().await.unwrap();
    let token = other.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&discovering(&other), &token).await.principal();
    assert_eq!(bearer(&discovering(&ours), &token).await.refusal(), (401, "issuer_wrong"));

    let both = discovering(&ours).add_issuer(rules(&other), keys(&other).spawn().unwrap()).unwrap();
    for server in [&ours, &other] {
        let token = server.token(RESOURCE, SCOPE).await.unwrap();
        let principal = bearer(&both, &token).await.principal();
        assert_eq!(principal.issuer(), server.issuer());
    }
}

#[tokio::test]
async fn mcp_13_a_real_opaque_token_is_no_jwt() {
    let server = AuthorizationServer::start().await.unwrap();
    let token = server.token_for_nothing().await.unwrap();
    assert_eq!(bearer(&discovering(&server), &token).await.refusal(), (401, "token_malformed"));
}

#[tokio::test]
async fn while_the_server_is_away_known_keys_count_on_and_unknown_ones_are_no_ones_fault() {
    let mut server = AuthorizationServer::start().await.unwrap();
    let verifier = discovering(&server);
    let known = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &known).await.principal();
    server.add_key("ES256").await.unwrap();
    let unknown = server.token(RESOURCE, SCOPE).await.unwrap();
    let cold = discovering(&server);

    server.stop().await.unwrap();

    bearer(&verifier, &known).await.principal();
    assert_eq!(bearer(&verifier, &unknown).await.refusal(), (503, "keys_unavailable"));
    assert_eq!(bearer(&cold, &known).await.refusal(), (503, "keys_unavailable"));
}

#[tokio::test]
async fn a_real_bound_token_is_refused_as_a_bearer_token() {
    let server = AuthorizationServer::start().await.unwrap();
    let key = ProofKey::generate().unwrap();
    let token = server.bound_token(RESOURCE, SCOPE, &key).await.unwrap();
    assert_eq!(bearer(&discovering(&server), &token).await.refusal(), (401, "token_bound"));
}
