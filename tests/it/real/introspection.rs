//! Opaque tokens: the server is asked (RFC 7662).

use std::time::Duration;

use palisade_core::{Clock, ManualClock, SystemClock};
use palisade_integration::{
    APP, AuthorizationServer, Form, OTHER_RESOURCE, ProofKey, RESOURCE, RESOURCE_SERVER, SCOPE,
    World,
};
use palisade_token_verify::{
    BearerToken, ByTokenForm, Issuer, JwtVerifier, TokenVerifyLayer, VerifyToken,
    introspection::{
        AssertionAlgorithm, AssertionKey, ClientAuthentication, IntrospectionBuilder,
        IntrospectionEndpoint, IntrospectionVerifier, SignedAnswers,
    },
    keys::{HttpSource, RemoteKeys},
    trust::{ClaimSource, TrustedIssuer},
};
use tower::Layer;

use super::{LEEWAY, LIFETIME, Outcome, ask, behind_the_verifier};

/// How long an answer is remembered, where it is.
const MEMORY: Duration = Duration::from_secs(300);

async fn start() -> AuthorizationServer {
    let mut server = AuthorizationServer::start().await.unwrap();
    server.issue(Form::Opaque, LIFETIME).await.unwrap();
    server
}

fn issuer(server: &AuthorizationServer) -> Issuer {
    Issuer::parse(server.issuer()).unwrap()
}

pub(super) fn asking_as(
    server: &AuthorizationServer,
    authentication: ClientAuthentication,
) -> IntrospectionBuilder<IntrospectionEndpoint> {
    // A client that acts for itself has no `sub`.
    let subjects = ["sub", "client_id"].map(|name| ClaimSource::parse(name).unwrap());
    let rules = TrustedIssuer::new(issuer(server)).subjects_from(subjects).unwrap();
    let endpoint = IntrospectionEndpoint::new(&server.endpoint("/token/introspection")).unwrap();
    IntrospectionVerifier::builder(rules, endpoint, authentication).unwrap()
}

pub(super) fn basic() -> ClientAuthentication {
    ClientAuthentication::secret_basic(RESOURCE_SERVER, "resource-server-secret").unwrap()
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
async fn a_real_opaque_token_is_accepted_for_us_and_refused_for_another_resource_or_for_nobody() {
    let server = start().await;
    let verifier = asking_as(&server, basic()).build();

    let ours = server.token(RESOURCE, SCOPE).await.unwrap();
    let principal = bearer(&verifier, &ours).await.principal();
    assert_eq!(principal.issuer(), server.issuer());
    assert_eq!(principal.subject(), APP);
    assert_eq!(principal.client_id(), Some(APP));
    assert_eq!(principal.scopes(), &World::scopes().unwrap());

    let alice = server.sign_in(RESOURCE, SCOPE).await.unwrap();
    assert_eq!(bearer(&verifier, &alice.access_token).await.principal().subject(), "alice");

    let other = server.token(OTHER_RESOURCE, SCOPE).await.unwrap();
    assert_eq!(bearer(&verifier, &other).await.refusal(), (401, "audience_mismatch"));
    let nobody = server.token_for_nothing().await.unwrap();
    assert_eq!(bearer(&verifier, &nobody).await.refusal(), (401, "audience_missing"));
    assert_eq!(bearer(&verifier, "unheard-of").await.refusal(), (401, "token_inactive"));
}

#[tokio::test]
async fn rev_01_a_revoked_token_is_refused_at_once_where_nothing_is_remembered() {
    let server = start().await;
    let builder = asking_as(&server, basic()).remember_active_for(Duration::ZERO).unwrap();
    let verifier = builder.build();
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &token).await.principal();

    server.revoke(&token).await.unwrap();

    assert_eq!(bearer(&verifier, &token).await.refusal(), (401, "token_inactive"));
}

#[tokio::test]
async fn rev_01_a_revoked_token_is_refused_as_soon_as_the_answer_is_forgotten() {
    let server = start().await;
    let clock = ManualClock::at(SystemClock::new().now());
    let builder = asking_as(&server, basic()).remember_active_for(MEMORY).unwrap();
    let verifier = builder.with_clock(clock.clone()).build();
    let [aged, called_back] = [
        server.token(RESOURCE, SCOPE).await.unwrap(),
        server.token(RESOURCE, SCOPE).await.unwrap(),
    ];
    for token in [&aged, &called_back] {
        bearer(&verifier, token).await.principal();
        server.revoke(token).await.unwrap();
        // The price of not asking each time.
        bearer(&verifier, token).await.principal();
    }

    verifier.forget_token(&BearerToken::parse(&called_back).unwrap());
    assert_eq!(bearer(&verifier, &called_back).await.refusal(), (401, "token_inactive"));
    bearer(&verifier, &aged).await.principal();

    clock.advance(MEMORY);
    assert_eq!(bearer(&verifier, &aged).await.refusal(), (401, "token_inactive"));
}

#[tokio::test]
async fn cch_03_a_real_opaque_token_ends_with_its_lifetime_on_either_clock() {
    let mut server = start().await;
    let clock = ManualClock::at(SystemClock::new().now());
    let lifetime = MEMORY / 5;
    server.issue(Form::Opaque, lifetime).await.unwrap();
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    let builder = asking_as(&server, basic()).remember_active_for(MEMORY).unwrap();
    let ours = builder.with_clock(clock.clone()).build();
    bearer(&ours, &token).await.principal();

    // The answer is not yet forgotten, and the server would still say yes.
    clock.advance(lifetime + LEEWAY + Duration::from_secs(1));
    assert_eq!(bearer(&ours, &token).await.refusal(), (401, "token_expired"));

    server.advance(lifetime).await.unwrap();
    let its = asking_as(&server, basic()).build();
    assert_eq!(bearer(&its, &token).await.refusal(), (401, "token_inactive"));
}

#[tokio::test]
async fn the_real_server_knows_us_by_secret_by_key_and_not_by_a_wrong_secret() {
    let mut server = start().await;
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    let key = server.client_key().await.unwrap();
    let key = AssertionKey::from_pkcs8_pem(AssertionAlgorithm::ES256, key["pem"].as_str().unwrap());
    let key = key.unwrap().with_key_id("client");
    let (post, by_key) = ("resource-server-post", "resource-server-key");
    for authentication in [
        basic(),
        ClientAuthentication::secret_post(post, "resource-server-post-secret").unwrap(),
        ClientAuthentication::private_key_jwt(by_key, key).unwrap(),
    ] {
        let shown = format!("{authentication:?}");
        let verifier = asking_as(&server, authentication).build();
        assert!(matches!(bearer(&verifier, &token).await, Outcome::Accepted(_)), "{shown}");
    }

    let wrong = ClientAuthentication::secret_basic(RESOURCE_SERVER, "wrong").unwrap();
    let verifier = asking_as(&server, wrong).build();
    assert_eq!(bearer(&verifier, &token).await.refusal(), (503, "introspection_unavailable"));
}

#[tokio::test]
async fn the_real_server_signs_its_answers_if_we_insist() {
    let server = start().await;
    let name = "resource-server-signed";
    let authentication = ClientAuthentication::secret_basic(name, "resource-server-signed-secret");
    let keys = || RemoteKeys::spawn(HttpSource::discover(&issuer(&server)).unwrap()).unwrap();
    let verifier = asking_as(&server, authentication.unwrap())
        .signed_answers(SignedAnswers::Required, keys(), name)
        .unwrap()
        .build();
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &token).await.principal();
    assert_eq!(bearer(&verifier, "unheard-of").await.refusal(), (401, "token_inactive"));
}

#[tokio::test]
async fn rev_05_a_real_opaque_token_that_is_bound_is_no_bearer_token() {
    let server = start().await;
    let key = ProofKey::generate().unwrap();
    let token = server.bound_token(RESOURCE, SCOPE, &key).await.unwrap();
    let verifier = asking_as(&server, basic()).build();
    assert_eq!(bearer(&verifier, &token).await.refusal(), (401, "token_bound"));
}

#[tokio::test]
async fn signed_and_opaque_tokens_of_one_real_server_go_through_one_layer() {
    let mut server = start().await;
    let keys = RemoteKeys::spawn(HttpSource::discover(&issuer(&server)).unwrap()).unwrap();
    let jwts = JwtVerifier::new(issuer(&server), keys).unwrap();
    let verifier = ByTokenForm::new(jwts, asking_as(&server, basic()).build());
    for form in [Form::Opaque, Form::Jwt("ES256")] {
        server.issue(form, LIFETIME).await.unwrap();
        let token = server.token(RESOURCE, SCOPE).await.unwrap();
        assert_eq!(bearer(&verifier, &token).await.principal().subject(), APP, "{form:?}");
        let other = server.token(OTHER_RESOURCE, SCOPE).await.unwrap();
        assert_eq!(
            bearer(&verifier, &other).await.refusal(),
            (401, "audience_mismatch"),
            "{form:?}"
        );
    }
}

#[tokio::test]
async fn while_the_real_server_is_away_its_opaque_tokens_are_not_judged() {
    let server = start().await;
    let verifier = asking_as(&server, basic()).build();
    let known = server.token(RESOURCE, SCOPE).await.unwrap();
    let unknown = server.token(RESOURCE, SCOPE).await.unwrap();
    bearer(&verifier, &known).await.principal();

    server.stop().await.unwrap();

    bearer(&verifier, &known).await.principal();
    assert_eq!(bearer(&verifier, &unknown).await.refusal(), (503, "introspection_unavailable"));
}
