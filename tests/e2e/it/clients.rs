//! Each client finds its way from the URL to a tool, and from a 403 to more scopes, if it can.

use std::collections::BTreeSet;

use palisade_e2e::{Credential, Exchange, Flow, Kind, Message, Party, READ, Story, WRITE};
use serde_json::Value;

use crate::{play::Played, rows};

/// What a client makes of the 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StepsUp {
    Yes,
    /// It asks for the scope, and the authorization server does not give it to who registered without it.
    IsRefused,
    /// It gets another token with the same scopes and calls again, once.
    DoesNotKnowHow,
}

macro_rules! clients {
    ($($row:ident: $steps_up:ident;)*) => {
        $(
            #[tokio::test]
            async fn $row() {
                check(rows::$row().await, StepsUp::$steps_up);
            }
        )*
    };
}

clients! {
    ts_v1_registers: DoesNotKnowHow;
    ts_v1_for_itself: DoesNotKnowHow;
    ts_v2_registers: IsRefused;
    ts_v2_known: Yes;
    ts_v2_known_old: Yes;
    ts_v2_for_itself: Yes;
    ts_v2_known_and_bound: Yes;
    python_registers: IsRefused;
    python_known: Yes;
    python_known_old: Yes;
    python_for_itself: Yes;
    fastmcp_registers: IsRefused;
    fastmcp_known: Yes;
    fastmcp_known_old: Yes;
    rmcp_registers: IsRefused;
    rmcp_known: Yes;
    rmcp_known_old: Yes;
    rmcp_for_itself: Yes;
}

fn check(played: &Played, steps_up: StepsUp) {
    let checked = std::panic::catch_unwind(|| {
        starts_with_nothing(played);
        discovers(played);
        gets_a_token_for_the_resource(played);
        calls_with_the_token(played);
        keeps_tokens_where_they_belong(played);
        meets_a_403(played, steps_up);
    });
    // What a reader of a failure wants to see.
    if checked.is_err() {
        let transcript = played.row.story.transcript();
        panic!("{transcript}\n{:#?}\n{:?}", played.steps, played.refusals);
    }
}

fn challenge(played: &Played, error: &str, scope: &str) -> String {
    let (scheme, algorithms) = match played.row.flow {
        Flow::KnownAndBound => (
            "DPoP",
            ", algs=\"EdDSA Ed25519 ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512\"",
        ),
        Flow::Registered | Flow::Known | Flow::ClientCredentials => ("Bearer", ""),
    };
    let url = format!("{}/.well-known/oauth-protected-resource/mcp", played.origin);
    format!("{scheme} {error}scope=\"{scope}\", resource_metadata=\"{url}\"{algorithms}")
}

fn starts_with_nothing(played: &Played) {
    let first = &played.row.story.exchanges()[0];
    assert_eq!((first.to, first.path()), (Party::Server, "/mcp"));
    assert_eq!(first.credential, Credential::None);
    assert_eq!(first.status.unwrap(), 401);
    assert_eq!(first.challenge().unwrap(), challenge(played, "", READ));
    assert_eq!(played.refusals[0], "token_missing");
    let connected = played.steps.iter().find(|step| step["step"] == "connected");
    assert_eq!(connected.unwrap()["protocol"], played.row.protocol);
}

/// The place of an exchange, which must be there.
#[track_caller]
fn place(story: &Story, what: &str, like: impl Fn(&Exchange) -> bool) -> usize {
    story.first(like).unwrap_or_else(|| panic!("{what} is missing"))
}

fn discovers(played: &Played) {
    let story = &played.row.story;
    let kinds = [Kind::ResourceMetadata, Kind::IssuerMetadata, Kind::Token];
    let places = kinds.map(|kind| {
        place(story, &format!("{kind:?}"), |exchange| {
            exchange.kind() == kind && exchange.is_success()
        })
    });
    assert!(places.is_sorted(), "{places:?}");
    for exchange in story.of(Kind::ResourceMetadata) {
        assert_eq!(exchange.path(), "/.well-known/oauth-protected-resource/mcp");
        assert_eq!(exchange.status.unwrap(), 200, "the challenge says where it is");
        assert_eq!(exchange.credential, Credential::None);
        assert_eq!(exchange.answer["resource"], *played.server);
        says_of_proofs_what_challenges_say(played, &exchange.answer);
    }
    let registrations: Vec<_> = story.of(Kind::Registration).collect();
    match (played.row.flow, &registrations[..]) {
        (Flow::Registered, [registration]) => {
            assert_eq!(registration.status.unwrap(), 201);
            let Message::Json(sent) = &registration.message else { panic!("no document") };
            let scopes: Vec<&str> = sent["scope"].as_str().unwrap().split(' ').collect();
            assert!(scopes.contains(&READ) && !scopes.contains(&WRITE), "{scopes:?}");
        }
        (Flow::Known | Flow::KnownAndBound | Flow::ClientCredentials, []) => {}
        (flow, registrations) => panic!("{flow:?}: {} registrations", registrations.len()),
    }
}

fn says_of_proofs_what_challenges_say(played: &Played, document: &Value) {
    let algorithms = challenge(played, "", READ);
    let algorithms = algorithms
        .split_once("algs=\"")
        .map(|(_, rest)| rest.trim_end_matches('"').split(' ').collect::<BTreeSet<_>>());
    let member = document["dpop_signing_alg_values_supported"]
        .as_array()
        .map(|names| names.iter().map(|name| name.as_str().unwrap()).collect::<BTreeSet<_>>());
    assert_eq!(member, algorithms);
    let required = played.row.flow == Flow::KnownAndBound;
    assert_eq!(document["dpop_bound_access_tokens_required"] == true, required);
}

fn gets_a_token_for_the_resource(played: &Played) {
    let story = &played.row.story;
    for authorization in story.of(Kind::Authorization) {
        assert_eq!(authorization.parameter("resource").as_deref(), Some(&*played.server));
        assert_eq!(authorization.parameter("code_challenge_method").as_deref(), Some("S256"));
    }
    let people_sign_in = story.of(Kind::Authorization).next().is_some();
    assert_eq!(people_sign_in, played.row.flow != Flow::ClientCredentials);
    for exchange in story.of(Kind::Token) {
        assert_eq!(exchange.status.unwrap(), 200);
        assert_eq!(exchange.parameter("resource").as_deref(), Some(&*played.server));
        let grant = exchange.grant.as_ref().unwrap();
        assert_eq!(grant.claims["aud"], *played.server);
        let is_bound = grant.claims.pointer("/cnf/jkt").is_some();
        assert_eq!(is_bound, played.row.flow == Flow::KnownAndBound);
    }
    let first = story.grants().next().unwrap().grant.as_ref().unwrap();
    assert_eq!((&*first.token, &first.claims["scope"]), ("token-1", &READ.into()));
}

/// The token of a name, by its scheme.
fn token(played: &Played, name: &str) -> Credential {
    let scheme = if played.row.flow == Flow::KnownAndBound { "DPoP" } else { "Bearer" };
    Credential::Token(scheme.to_owned(), name.to_owned())
}

fn calls_with_the_token(played: &Played) {
    let story = &played.row.story;
    let [call] = story.calls("whoami").collect::<Vec<_>>()[..] else { panic!("not one call") };
    assert_eq!((call.status.unwrap().as_u16(), &call.credential), (200, &token(played, "token-1")));
    let said = played.steps.iter().find(|step| step["tool"] == "whoami").unwrap();
    let who = match (played.row.flow, played.row.client) {
        (Flow::ClientCredentials, client) if client.starts_with("rmcp") => "app-post",
        (Flow::ClientCredentials, _) => "app",
        (Flow::Registered | Flow::Known | Flow::KnownAndBound, _) => "alice",
    };
    assert_eq!(said["text"], format!("{who}, with {READ}"));
    // From the first token on each request has one, and before that none.
    let granted = place(story, "a grant", |exchange| exchange.grant.is_some());
    for (place, exchange) in story.exchanges().iter().enumerate() {
        if exchange.kind() == Kind::Mcp {
            let has_token = matches!(exchange.credential, Credential::Token(..));
            assert_eq!(has_token, place > granted, "{}", exchange.target);
        }
        // What these headers say is what the message says, or our server would not have let it pass.
        if let Some(method) = exchange.header("mcp-method") {
            assert!(exchange.operation().unwrap().starts_with(method));
        }
    }
}

fn keeps_tokens_where_they_belong(played: &Played) {
    for exchange in played.row.story.exchanges() {
        assert!(!exchange.token_is_astray, "{} {}", exchange.method, exchange.target);
        if exchange.to == Party::Issuer {
            assert!(!matches!(exchange.credential, Credential::Token(..)), "{}", exchange.target);
        }
    }
}

fn meets_a_403(played: &Played, steps_up: StepsUp) {
    let story = &played.row.story;
    let calls: Vec<&Exchange> = story.calls("delete_everything").collect();
    let error = "error=\"insufficient_scope\", \
                 error_description=\"the token grants too little for this operation\", ";
    assert_eq!(calls[0].status.unwrap(), 403);
    assert_eq!(calls[0].credential, token(played, "token-1"));
    assert_eq!(calls[0].challenge().unwrap(), challenge(played, error, WRITE));
    let said = played.steps.iter().find(|step| step["tool"] == "delete_everything");
    let grants: Vec<&Exchange> = story.grants().collect();
    match steps_up {
        StepsUp::Yes => {
            let [_, second] = grants[..] else { panic!("{} grants", grants.len()) };
            let grant = second.grant.as_ref().unwrap();
            assert_eq!(grant.claims["scope"], format!("{READ} {WRITE}"), "no less than before");
            let [_, again] = calls[..] else { panic!("{} calls", calls.len()) };
            assert_eq!(again.status.unwrap(), 200);
            assert_eq!(again.credential, token(played, "token-2"));
            assert_eq!(said.unwrap()["text"], "deleted");
            assert_eq!(played.refusals, ["token_missing", "scope_missing"]);
        }
        StepsUp::IsRefused => {
            assert_eq!((grants.len(), calls.len()), (1, 1));
            let last = story.of(Kind::Authorization).last().unwrap();
            assert!(last.parameter("scope").unwrap().contains(WRITE));
            assert_eq!(last.refused_on_the_way_back().unwrap().0, "invalid_scope");
            assert!(said.is_none_or(|said| said["step"] == "refused"), "{said:?}");
        }
        StepsUp::DoesNotKnowHow => {
            let last = grants.last().unwrap().grant.as_ref().unwrap();
            assert_eq!((grants.len(), &last.claims["scope"]), (2, &READ.into()));
            let [_, again] = calls[..] else { panic!("{} calls", calls.len()) };
            assert_eq!(again.status.unwrap(), 403);
            assert_eq!(said.unwrap()["step"], "refused");
            assert_eq!(played.refusals, ["token_missing", "scope_missing", "scope_missing"]);
        }
    }
}
