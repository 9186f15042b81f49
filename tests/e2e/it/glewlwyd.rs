//! A second authorization server, glewlwyd: what is unlike the first.

use std::{convert::Infallible, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, Response};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{Denial, Principal, Resource};
use palisade_e2e::{Builder, Client, Flow, Glewlwyd, Kind, READ, Row, Server, Story, WRITE, Wire};
use palisade_integration::ProofKey;
use palisade_token_verify::{
    BearerToken, Issuer, TokenVerifyLayer, TransportSecurity,
    introspection::{ClientAuthentication, IntrospectionEndpoint, IntrospectionVerifier},
    trust::{ClaimSource, TrustedIssuer},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use crate::{
    play::{Start, finish},
    rows::{python, rmcp, ts_v1, ts_v2},
};

const APP: (&str, &str) = ("app", "app-secret");

struct Parties {
    wire: Wire,
    issuer: Glewlwyd,
    server: Server,
}

impl Parties {
    async fn meet(test: &str) -> Self {
        Self::meet_with(test, |server| server).await
    }

    async fn meet_with(test: &str, set_up: impl FnOnce(Builder) -> Builder) -> Self {
        let wire = Wire::new();
        let mut issuer = Glewlwyd::start(&wire, test).await.unwrap();
        let server = set_up(Server::builder(&wire, issuer.url())).start().await.unwrap();
        issuer.serve(&[server.url()]).await.unwrap();
        Self { wire, issuer, server }
    }

    /// What the token endpoint answers.
    async fn ask_for_token(
        &self,
        (id, secret): (&str, &str),
        form: &Form<'_>,
        key: Option<&ProofKey>,
    ) -> (u16, Value) {
        let endpoint = format!("{}/token", self.issuer.url());
        let mut request = vec![("authorization", basic(id, secret))];
        if let Some(key) = key {
            request.push(("dpop", key.proof("POST", &endpoint).sign().unwrap()));
        }
        let form = [&[("grant_type", "client_credentials")], form].concat();
        post(&endpoint, &request, FORM, encoded(&form)).await
    }

    async fn token(&self, form: &Form<'_>) -> String {
        let (status, answer) = self.ask_for_token(APP, form, None).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// What the server answers to a call with these headers: the status, and why.
    async fn call(&self, headers: &[(&str, String)]) -> (u16, Value) {
        call(&self.server, headers).await
    }
}

async fn call(server: &Server, headers: &[(&str, String)]) -> (u16, Value) {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "e2e", "version": "0" } },
    });
    let body = body.to_string();
    let headers = [headers, &[("accept", "application/json, text/event-stream".to_owned())]];
    let (status, answer) = post(server.url(), &headers.concat(), "application/json", body).await;
    (status, answer.pointer("/error/data/reason").cloned().unwrap_or_default())
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

type Form<'a> = [(&'a str, &'a str)];

const FORM: &str = "application/x-www-form-urlencoded";

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn encoded(form: &Form<'_>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

async fn post(
    url: &str,
    headers: &[(&str, String)],
    content_type: &str,
    body: String,
) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(url).header("content-type", content_type);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

/// A client that comes for itself, with the start of one that meets the first server.
async fn row(client: &'static str, protocol: &'static str, start: Start) -> Row {
    let name = client.split(' ').next().unwrap_or_default().to_lowercase();
    let Parties { wire, server, issuer } =
        Parties::meet(&format!("glewlwyd-{name}-{protocol}")).await;
    let ready = start(server.url(), protocol, FLOW, "whoami,delete_everything");
    let steps = finish(ready.start().unwrap(), FLOW, &wire).await;
    let called = steps.iter().find(|step| step["step"] == "called").unwrap();
    assert!(called["text"].as_str().unwrap().ends_with(", with tools:read"), "{client}: {steps:?}");

    let origin = issuer.url().strip_suffix("/api/oidc").unwrap();
    let story = Story::new(wire.take(), server.origin(), origin);
    let found = story.of(Kind::IssuerMetadata).find(|exchange| exchange.is_success()).unwrap();
    assert_eq!(found.path(), "/api/oidc/.well-known/openid-configuration", "{client}");
    let asked = story.grants().next().unwrap();
    assert_eq!(asked.parameter("resource").as_deref(), Some(server.url()), "{client}");
    let grant = asked.grant.as_ref().unwrap();
    assert_eq!(grant.token_type, "bearer", "{client}: in lower case");
    assert_eq!(grant.claims["iss"], issuer.url(), "{client}: with a path");
    assert_eq!(grant.claims["nbf"], grant.claims["iat"], "{client}: unlike the first server's");
    let note = if client.starts_with("TypeScript SDK 1") { NOTE_TOLD } else { NOTE };
    Row { client, protocol, flow: FLOW, note, story }
}

const FLOW: Flow = Flow::ClientCredentials;
pub(crate) const NOTE: &str = "The authorization server is Debian's `glewlwyd` 2.7.5.";
const NOTE_TOLD: &str = "The authorization server is Debian's `glewlwyd` 2.7.5. The client was also told the scope `tools:read`.";

/// For the matrix.
pub(crate) async fn rows() -> Vec<&'static Row> {
    static ROWS: OnceCell<Vec<Row>> = OnceCell::const_new();
    let run = async || {
        vec![
            row("TypeScript SDK 1.32.2, glewlwyd", "2025-11-25", ts_v1).await,
            row("TypeScript SDK 2.4.0, glewlwyd", "2026-07-28", ts_v2).await,
            row("Python SDK 2.3.0, glewlwyd", "2026-07-28", python).await,
            row("rmcp 3.9.0, glewlwyd", "2026-07-28", rmcp).await,
        ]
    };
    ROWS.get_or_init(run).await.iter().collect()
}

#[tokio::test]
async fn clients_find_it_through_our_metadata_and_call_a_tool() {
    for row in rows().await {
        let called = row.story.calls("whoami").last().unwrap();
        assert!(called.is_success(), "{}", row.story.transcript());
    }
}

#[tokio::test]
async fn its_tokens_are_good_for_the_resource_that_was_asked_for_and_for_no_other() {
    let mut parties = Parties::meet("glewlwyd-tokens").await;
    let ours = parties.server.url().to_owned();
    let theirs = "http://127.0.0.1:1/mcp";
    let unknown = [("scope", READ), ("resource", theirs)];
    let (status, answer) = parties.ask_for_token(APP, &unknown, None).await;
    assert_eq!((status, answer), (400, json!({ "error": "invalid_target" })));

    parties.issuer.serve(&[&ours, theirs]).await.unwrap();
    let rows: [(&str, &Form<'_>, (u16, Value)); 4] = [
        ("ours", &[("scope", READ), ("resource", &ours)], (200, Value::Null)),
        ("theirs", &[("scope", READ), ("resource", theirs)], (401, "audience_mismatch".into())),
        (
            "no resource: its audience is its scope",
            &[("scope", READ)],
            (401, "audience_mismatch".into()),
        ),
        (
            "ours, without the scope for it",
            &[("scope", WRITE), ("resource", &ours)],
            (403, "scope_missing".into()),
        ),
    ];
    for (name, form, expected) in rows {
        let token = parties.token(form).await;
        assert_eq!(parties.call(&[bearer(&token)]).await, expected, "{name}");
    }
}

#[tokio::test]
async fn pop_01_its_bound_tokens_need_a_proof_of_their_key() {
    let test = "glewlwyd-proofs";
    let parties = Parties::meet_with(test, Builder::require_dpop).await;
    let url = parties.server.url();
    let client = Client::node("ts_v2.mjs").unwrap().arg(url);
    let client = client.args(&[
        "--client-id",
        APP.0,
        "--client-secret",
        APP.1,
        "--dpop",
        "--calls",
        "whoami",
    ]);
    let steps = client.start().unwrap().end().await.unwrap();
    assert!(steps.iter().any(|step| step["text"] == "app, with tools:read"), "{steps:?}");

    let (key, stranger) = (ProofKey::generate().unwrap(), ProofKey::generate().unwrap());
    let form = [("scope", READ), ("resource", url)];
    let (_, answer) = parties.ask_for_token(APP, &form, Some(&key)).await;
    assert_eq!(answer["token_type"], "DPoP");
    let bound = answer["access_token"].as_str().unwrap();
    let proof = |key: &ProofKey| key.proof("POST", url).for_token(bound).sign().unwrap();
    let dpop = || ("authorization", format!("DPoP {bound}"));
    let unbound = parties.token(&form).await;
    let rows = [
        ("with a proof", vec![dpop(), ("dpop", proof(&key))], (200, Value::Null)),
        ("without", vec![dpop()], (401, "proof_missing".into())),
        (
            "of another key",
            vec![dpop(), ("dpop", proof(&stranger))],
            (401, "proof_key_wrong".into()),
        ),
        ("as a bearer token", vec![bearer(bound)], (401, "bearer_not_taken".into())),
        ("not bound at all", vec![bearer(&unbound)], (401, "bearer_not_taken".into())),
    ];
    for (name, headers, expected) in rows {
        assert_eq!(parties.call(&headers).await, expected, "{name}");
    }
}

#[tokio::test]
async fn pop_01_its_bound_tokens_are_no_bearer_tokens_where_nobody_asks_for_proofs() {
    let parties = Parties::meet("glewlwyd-no-proofs").await;
    let form = [("scope", READ), ("resource", parties.server.url())];
    let key = ProofKey::generate().unwrap();
    let (_, answer) = parties.ask_for_token(APP, &form, Some(&key)).await;
    let bound = answer["access_token"].as_str().unwrap();
    assert_eq!(parties.call(&[bearer(bound)]).await, (401, "token_bound".into()));
}

#[tokio::test]
async fn rev_01_it_introspects_its_jwts_and_says_when_one_was_revoked() {
    let parties = Parties::meet("glewlwyd-introspection").await;
    let url = parties.server.url();
    let introspect = [("scope", "introspect")];
    let resource_server = ("resource-server", "resource-server-secret");
    let (_, answer) = parties.ask_for_token(resource_server, &introspect, None).await;
    let token = BearerToken::parse(answer["access_token"].as_str().unwrap()).unwrap();
    let ways = [
        (
            "the token's own client, by secret",
            ClientAuthentication::secret_basic(APP.0, APP.1).unwrap(),
        ),
        ("who may ask about all, by token", ClientAuthentication::bearer(token)),
    ];
    for (name, authentication) in ways {
        let service = parties.introspecting(authentication);
        let token = parties.token(&[("scope", READ), ("resource", url)]).await;
        assert_eq!(ask(&service, url, &token).await, Ok("app".to_owned()), "{name}");
        let astray = parties.token(&[("scope", READ)]).await;
        assert_eq!(ask(&service, url, &astray).await, Err((401, "audience_mismatch")), "{name}");
        let forged = format!("{token}A");
        assert_eq!(ask(&service, url, &forged).await, Err((401, "token_inactive")), "{name}");

        let revocation = format!("{}/revoke", parties.issuer.url());
        let credentials = [("authorization", basic(APP.0, APP.1))];
        let (status, _) =
            post(&revocation, &credentials, FORM, encoded(&[("token", &token)])).await;
        assert_eq!(status, 200, "{name}");
        assert_eq!(ask(&service, url, &token).await, Err((401, "token_inactive")), "{name}");
    }
}

type Service = BoxCloneSyncService<Request<String>, Response<String>, Infallible>;

impl Parties {
    /// A service that asks about each token, and answers with who came.
    fn introspecting(&self, authentication: ClientAuthentication) -> Service {
        // A client that acts for itself has no `sub` there, unlike in its token.
        let subjects = ["sub", "client_id"].map(|name| ClaimSource::parse(name).unwrap());
        let rules = TrustedIssuer::new(Issuer::parse(self.issuer.url()).unwrap());
        let rules = rules.subjects_from(subjects).unwrap();
        let endpoint =
            IntrospectionEndpoint::new(&format!("{}/introspect", self.issuer.url())).unwrap();
        let verifier = IntrospectionVerifier::builder(rules, endpoint, authentication).unwrap();
        let verifier = verifier.remember_active_for(Duration::ZERO).unwrap().build();
        let resource = Resource::parse(self.server.url()).unwrap();
        let service = ServiceBuilder::new()
            .layer(TokenVerifyLayer::new(verifier))
            .layer(AudienceGuardLayer::new(resource))
            .service_fn(async |request: Request<String>| {
                let principal: &Principal = request.extensions().get().unwrap();
                Ok(Response::new(principal.subject().to_owned()))
            });
        BoxCloneSyncService::new(service)
    }
}

/// Who came; or the status of the refusal, and why.
async fn ask(service: &Service, url: &str, token: &str) -> Result<String, (u16, &'static str)> {
    let (name, value) = bearer(token);
    let request = Request::post(url).header(name, value).extension(TransportSecurity::local());
    let request = request.body(String::new()).unwrap();
    let (head, body) = service.clone().oneshot(request).await.unwrap().into_parts();
    let denial: Option<&Denial> = head.extensions.get();
    denial.map_or(Ok(body), |denial| Err((head.status.as_u16(), denial.reason().code())))
}
