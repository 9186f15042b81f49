use std::{
    collections::BTreeSet,
    fmt,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use http::{Method, StatusCode, Version};
use palisade_core::{
    Actor, ClientAddr, Confirmation, DenialKind, Reason, Resource, ScopeToken, Trail,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Outcome, TraceContext};

fn after_epoch(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros)).unwrap()
}

pub(crate) fn record() -> AuditRecord {
    AuditRecord {
        at: after_epoch(1_800_000_000_000_250),
        elapsed: Duration::from_micros(1_234),
        outcome: Outcome::Answered(StatusCode::OK),
        status: Some(StatusCode::OK),
        grpc_status: None,
        principal: None,
        operation: Operation::http("GET", "/a"),
        client: None,
        method: Method::GET,
        path: "/a".to_owned(),
        version: Version::HTTP_11,
        user_agent: None,
        bytes_in: 0,
        bytes_out: 5,
        trace: None,
        withheld: Withheld::default(),
    }
}

fn withheld(origins: &[&str]) -> Withheld {
    let trail = Trail::new();
    origins.iter().for_each(|origin| trail.withhold(Some(origin)));
    trail.notes().withheld
}

#[derive(Debug)]
struct Cause(&'static str, Option<Box<Self>>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

/// A record in which nothing is missing.
fn full() -> AuditRecord {
    let principal = Principal::assert_verified("https://as.example", "alice")
        .client_id("agent")
        .token_id("id-1")
        .add_audience("https://rs.example")
        .add_audience("https://other.example")
        .scopes(ScopeSet::parse("a b").unwrap())
        .add_role("staff")
        .confirmation(
            Confirmation::new().with_jwk_thumbprint([1; 32]).with_certificate_thumbprint([2; 32]),
        )
        .trust_digest("25d8")
        .issued_at(after_epoch(1_799_999_000_000_000))
        .expires_at(after_epoch(1_800_000_600_000_000))
        .add_actor(Actor::new("helper"))
        .add_actor(Actor::new("boss").of_issuer("https://hr.example"))
        .build()
        .with_checked_audience(Resource::parse("https://rs.example").unwrap());
    let denial =
        Denial::new("scope-policy", DenialKind::InsufficientScope, Reason::new("few", "x"))
            .with_required_scopes(ScopeSet::parse("c").unwrap())
            .with_source(Cause("outer", Some(Box::new(Cause("inner", None)))));
    let mut headers = http::HeaderMap::new();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-01";
    headers.insert("traceparent", trace.parse().unwrap());
    AuditRecord {
        outcome: Outcome::Denied(denial),
        status: Some(StatusCode::FORBIDDEN),
        grpc_status: Some(7),
        principal: Some(principal),
        operation: Operation::new("rpc", "call").with_target("tool"),
        client: Some(ClientAddr::peer(SocketAddr::from(([192, 0, 2, 1], 1)))),
        user_agent: Some("test/1".to_owned()),
        trace: TraceContext::of(&headers),
        withheld: withheld(&["https://a.example", "https://a.example", "http://b.example:81"]),
        ..record()
    }
}

#[test]
fn a_full_record_is_written_in_full() {
    let line = full().to_json();
    assert!(line.starts_with(r#"{"v":1,"time":"2027-01-15T08:00:00.000250Z","duration_us":1234,"#));
    let expected = json!({
        "v": 1,
        "time": "2027-01-15T08:00:00.000250Z",
        "duration_us": 1234,
        "outcome": "denied",
        "status": 403,
        "grpc_status": 7,
        "stage": "scope-policy",
        "kind": "insufficient_scope",
        "reason": "few",
        "required_scopes": ["c"],
        "cause": "outer: inner",
        "principal": {
            "issuer": "https://as.example",
            "subject": "alice",
            "client_id": "agent",
            "token_id": "id-1",
            "scopes": ["a", "b"],
            "audiences": ["https://rs.example", "https://other.example"],
            "checked_audience": "https://rs.example",
            "roles": ["staff"],
            "bound_to": ["jkt", "x5t#S256"],
            "trust_digest": "25d8",
            "issued_at": "2027-01-15T07:43:20.000000Z",
            "expires_at": "2027-01-15T08:10:00.000000Z",
            "actors": [{"subject": "helper"}, {"issuer": "https://hr.example", "subject": "boss"}],
        },
        "operation": {"protocol": "rpc", "name": "call", "target": "tool"},
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/a",
        "http_version": "HTTP/1.1",
        "user_agent": "test/1",
        "bytes_in": 0,
        "bytes_out": 5,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "parent_id": "00ad6b7169203331",
        "withheld": {"count": 3, "destinations": ["https://a.example", "http://b.example:81"]},
    });
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
}

#[test]
fn what_is_not_known_is_absent() {
    assert_eq!(
        record().to_json(),
        r#"{"v":1,"time":"2027-01-15T08:00:00.000250Z","duration_us":1234,"outcome":"answered","#
            .to_owned()
            + r#""status":200,"operation":{"protocol":"http","name":"GET","target":"/a"},"#
            + r#""method":"GET","path":"/a","http_version":"HTTP/1.1","bytes_in":0,"bytes_out":5}"#
    );
}

/// Members of an object and of the objects below, in the notation of the README.
fn members(value: &Value, prefix: &str, into: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().unwrap() {
        if value.is_object() {
            members(value, &format!("{prefix}{name}."), into);
        } else {
            into.insert(format!("{prefix}{name}"));
        }
    }
}

#[test]
fn the_readme_documents_every_member() {
    let mut written = BTreeSet::new();
    members(&serde_json::from_str(&full().to_json()).unwrap(), "", &mut written);
    let table = include_str!("../../README.md");
    for member in written {
        let last = member.rsplit('.').next().unwrap();
        let documented = [format!("`{member}`"), format!("`{member}[]`"), format!("`.{last}`")];
        assert!(documented.iter().any(|name| table.contains(name)), "{member}");
    }
}

/// The longest record that can be: every text is endless and made of what takes the most room.
fn worst(character: &str) -> AuditRecord {
    let text = character.repeat(5_000);
    let scopes: ScopeSet = (0..40)
        .map(|index| ScopeToken::parse(&format!("{index}{}", "s".repeat(5_000))).unwrap())
        .collect();
    let mut principal = Principal::assert_verified(text.as_str(), text.as_str())
        .client_id(text.as_str())
        .token_id(text.as_str())
        .trust_digest(text.as_str())
        .scopes(scopes.clone())
        .issued_at(SystemTime::UNIX_EPOCH)
        .expires_at(SystemTime::UNIX_EPOCH);
    for _ in 0..40 {
        principal = principal
            .add_audience(text.as_str())
            .add_role(text.as_str())
            .add_actor(Actor::new(text.as_str()).of_issuer(text.as_str()));
    }
    let resource = format!("https://rs.example/{}", "a".repeat(2_000));
    let origins: Vec<String> = (0..40).map(|index| format!("https://{index}{text}")).collect();
    let origins: Vec<&str> = origins.iter().map(String::as_str).collect();
    let denial = Denial::new(
        "some-layer-with-a-long-name",
        DenialKind::HeadersTooLarge,
        Reason::new("a_long_code", ""),
    )
    .with_required_scopes(scopes)
    .with_source(std::io::Error::other(text.clone()));
    AuditRecord {
        outcome: Outcome::Denied(denial),
        principal: Some(
            principal.build().with_checked_audience(Resource::parse(&resource).unwrap()),
        ),
        operation: Operation::new("rpc", text.clone()).with_target(text.as_str()),
        method: Method::from_bytes("M".repeat(5_000).as_bytes()).unwrap(),
        path: text.clone(),
        user_agent: Some(text),
        bytes_in: u64::MAX,
        bytes_out: u64::MAX,
        elapsed: Duration::MAX,
        withheld: withheld(&origins),
        ..full()
    }
}

#[test]
fn log_06_no_record_is_longer_than_promised() {
    for character in ["a", "\n", "\u{e0041}", "\"", "\\", "é", "🦀"] {
        let line = worst(character).to_json();
        assert!(line.len() <= 16 * 1024, "{character:?}: {}", line.len());
        let value: Value = serde_json::from_str(&line).unwrap();
        for list in ["scopes", "audiences", "roles", "actors"] {
            assert_eq!(value["principal"][list].as_array().unwrap().len(), 16, "{list}");
            assert_eq!(value["principal"][format!("{list}_omitted")], 24, "{list}");
        }
        assert_eq!(value["required_scopes_omitted"], 24);
        assert!(value["path"].as_str().unwrap().contains("\\…{"), "{character:?}");
    }
}

#[test]
fn texts_are_cut_no_shorter_than_needed() {
    let mut record = record();
    record.path = "p".repeat(2_000);
    record.user_agent = Some("u".repeat(2_000));
    let value: Value = serde_json::from_str(&record.to_json()).unwrap();
    assert_eq!(value["path"], format!("{}\\…{{2000}}", "p".repeat(1024)));
    assert_eq!(value["user_agent"], format!("{}\\…{{2000}}", "u".repeat(256)));
}

proptest! {
    /// LOG-01 to LOG-03 and LOG-05, whatever is in a text.
    #[test]
    fn log_05_a_record_is_one_line_with_the_same_members(text in any::<String>()) {
        let mut hostile = record();
        hostile.path = text.clone();
        hostile.user_agent = Some(text.clone());
        hostile.operation = Operation::new("rpc", text.clone()).with_target(text.as_str());
        hostile.principal = Some(Principal::assert_verified(text.as_str(), text.as_str()).build());
        let line = hostile.to_json();
        prop_assert!(!line.chars().any(char::is_control));
        let value: Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(value.as_object().unwrap().len(), 13);
        prop_assert_eq!(&value["outcome"], "answered");
        prop_assert_eq!(&value["path"], &*escape(&text, 1024));
    }
}
