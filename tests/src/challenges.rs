//! Refusals as they are sent, what they mean, and how clients in use read them.

pub mod clients;

use http::{
    HeaderMap, Request, Response,
    header::{HeaderValue, WWW_AUTHENTICATE},
    request::Parts,
};
use palisade_core::{
    AuthScheme, Challenge, Denial, DenialKind, OfferedSchemes, PlainRenderer, ProtectedResource,
    Reason, ScopeSet, ScopeToken,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};

use self::clients::Found;

/// Where the metadata is, of those that have any.
pub const METADATA: &str = "https://rs.example/.well-known/oauth-protected-resource/mcp";

/// All kinds of refusals.
pub const KINDS: [DenialKind; 12] = [
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

/// A refusal as it is sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refused {
    /// What is refused.
    pub name: String,
    /// Its `WWW-Authenticate` lines.
    pub lines: Vec<String>,
    /// How many schemes are offered.
    pub offered: usize,
    /// What every client finds in them; nothing if the kind has no challenge.
    pub meant: Option<Found>,
}

impl Refused {
    fn new(name: String, denial: Denial, request: &Parts, meant: Option<Found>) -> Self {
        let offered = OfferedSchemes::of(request).challenges().len();
        Self { name, lines: answered(denial, request), offered, meant }
    }
}

/// The `WWW-Authenticate` lines with which a refusal answers.
#[must_use]
pub fn answered(denial: Denial, request: &Parts) -> Vec<String> {
    let response: Response<String> = denial.into_response(&PlainRenderer::new(), request);
    lines(response.headers())
}

/// The `WWW-Authenticate` lines of a response.
#[must_use]
pub fn lines(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes);
    lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// The error code in challenges. RFC 6750 §3.1 wants none if nothing was sent.
#[must_use]
pub fn error_of(kind: DenialKind) -> Option<&'static str> {
    let errors = [
        (DenialKind::InsufficientScope, "insufficient_scope"),
        (DenialKind::InvalidCredentials, "invalid_request"),
        (DenialKind::InvalidToken, "invalid_token"),
    ];
    errors.into_iter().find(|(known, _)| *known == kind).map(|(_, error)| error)
}

/// Refusals of every kind, for all that may be offered, published and needed.
#[must_use]
pub fn of_every_kind() -> Vec<Refused> {
    const REASON: Reason = Reason::new("some_reason", "some reason (that may be long)");
    let scopes = |text| ScopeSet::parse(text).unwrap_or_default();
    let dpop = || Challenge::new(AuthScheme::DPoP).param("algs", "ES256 EdDSA");
    let bearer = || Challenge::new(AuthScheme::Bearer);
    let offers: [(&str, Option<OfferedSchemes>, &str); 5] = [
        ("nothing said", None, "Bearer"),
        ("Bearer", Some(OfferedSchemes::new(bearer())), "Bearer"),
        ("Bearer or DPoP", Some(OfferedSchemes::new(bearer()).or(dpop())), "Bearer"),
        ("DPoP or Bearer", Some(OfferedSchemes::new(dpop()).or(bearer())), "Bearer"),
        ("DPoP", Some(OfferedSchemes::new(dpop())), "DPoP"),
    ];
    let resources: [(&str, Option<&str>); 3] =
        [("no metadata", None), ("metadata", Some("")), ("metadata and scopes", Some("a b"))];
    let mut refused = Vec::new();
    for kind in KINDS {
        for (offer, offered, scheme) in &offers {
            for (published, hint) in resources {
                for needed in ["", "files:write files:read"] {
                    let (mut request, ()) = Request::new(()).into_parts();
                    if let Some(offered) = offered.clone() {
                        offered.leave_in(&mut request);
                    }
                    let resource = hint.and_then(|hint| {
                        let resource = ProtectedResource::new(METADATA).ok()?;
                        resource.challenge_scope(scopes(hint)).ok()
                    });
                    if let Some(resource) = resource {
                        resource.leave_in(&mut request);
                    }
                    let denial =
                        Denial::new("test", kind, REASON).with_required_scopes(scopes(needed));
                    let error = error_of(kind);
                    let scope = Some(needed).filter(|needed| !needed.is_empty()).or(hint);
                    let scope = scope.filter(|scope| !scope.is_empty());
                    let is_empty = error.is_none() && scope.is_none() && hint.is_none();
                    let meant = Found {
                        scheme: (*scheme).to_owned(),
                        error: error.map(str::to_owned),
                        error_description: error.map(|_| REASON.text().to_owned()),
                        scope: scope.map(|scope| scopes(scope).to_string()),
                        resource_metadata: hint.map(|_| METADATA.to_owned()),
                        // Never a bare scheme: `algs` is enough, if there is any.
                        realm: (is_empty && *scheme == "Bearer").then(|| "protected".to_owned()),
                    };
                    let meant = kind.has_challenge().then_some(meant);
                    let name = format!("{kind:?}, {offer}, {published}, {needed:?}");
                    refused.push(Refused::new(name, denial, &request, meant));
                }
            }
        }
    }
    refused
}

/// Text, with pieces in it that some client looks for.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-z:/.]{1,12}",
        1 => any::<String>(),
        1 => prop::sample::select(vec![
            "\"", "\\", "\\\"", ",", ", ", "=", " ", ";", "'", "\r\n", "\0", "\t", "é", "\u{202E}",
            "Bearer", "Bearer ", "DPoP algs=", ", Bearer realm=\"x\"", "realm", "Basic",
            "error=", "error = ", "ERROR=", "error_description=", "error_uri=", "scope=",
            "scope=\"admin\"", "xscope=", "resource_metadata=", "algs=none", "insufficient_scope",
            "resource_metadata=\"https://evil.example\"", "https://evil.example/?scope=x",
        ]).prop_map(str::to_owned),
        1 => (0_usize..3000).prop_map(|length| "x".repeat(length)),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// Scopes by the grammar, which allows much that clients misread.
fn hostile_scopes() -> impl Strategy<Value = ScopeSet> {
    let token = hostile_text().prop_filter_map("no scope", |text| {
        let legal: String =
            text.chars().filter(|c| ScopeToken::parse(&c.to_string()).is_ok()).collect();
        ScopeToken::parse(&legal).ok()
    });
    prop::collection::vec(token, 0..4).prop_map(|tokens| tokens.into_iter().collect())
}

/// Refusals with text that nobody expected wherever there is text: quotes, commas, control characters, other
/// parameters. What passes where it is configured is meant as it was written; what does not is not meant at all,
/// and changes nothing else.
pub fn hostile() -> impl Strategy<Value = Refused> {
    let texts = (hostile_text(), hostile_text(), hostile_text());
    (texts, hostile_scopes(), hostile_scopes(), any::<bool>(), any::<bool>()).prop_map(
        |((realm, url, description), hint, needed, with_error, with_dpop)| {
            let (mut request, ()) = Request::new(()).into_parts();
            let published = ProtectedResource::new(url.clone()).ok();
            let hinted = published
                .clone()
                .and_then(|published| published.challenge_scope(hint.clone()).ok());
            let hint = if hinted.is_some() { hint } else { ScopeSet::empty() };
            let url = published.is_some().then_some(url);
            if let Some(published) = hinted.or(published) {
                published.leave_in(&mut request);
            }
            let accepted = Challenge::new(AuthScheme::Bearer).realm(realm.clone()).ok();
            let realm = accepted.is_some().then_some(realm);
            let bearer = accepted.unwrap_or_else(|| Challenge::new(AuthScheme::Bearer));
            let dpop = Challenge::new(AuthScheme::DPoP).param("algs", "ES256");
            let offered = OfferedSchemes::new(bearer);
            let offered = if with_dpop { offered.or(dpop) } else { offered };
            offered.leave_in(&mut request);

            let kind =
                if with_error { DenialKind::InvalidToken } else { DenialKind::Unauthenticated };
            let reason = Reason::new("some_reason", description.clone().leak());
            let denial = Denial::new("test", kind, reason).with_required_scopes(needed.clone());

            let named = if needed.is_empty() { hint } else { needed };
            let scope = Some(named).filter(|scopes| !scopes.is_empty());
            let scope = scope.filter(|scopes| Challenge::check_scope(scopes).is_ok());
            let cleaned: String = description
                .chars()
                .filter(|c| matches!(c, ' '..='~') && !"\"\\,=".contains(*c))
                .take(256)
                .collect();
            let mut meant = Found {
                scheme: "Bearer".to_owned(),
                error: with_error.then(|| "invalid_token".to_owned()),
                error_description: Some(cleaned).filter(|text| with_error && !text.is_empty()),
                scope: scope.map(|scopes| scopes.to_string()),
                resource_metadata: url,
                realm,
            };
            if meant == (Found { scheme: "Bearer".to_owned(), ..Found::default() }) {
                meant.realm = Some("protected".to_owned());
            }
            Refused::new(format!("{denial:?}"), denial, &request, Some(meant))
        },
    )
}

/// Field lines that we never send, as they come off the wire: to tell whether two clients read alike.
fn garbage() -> impl Strategy<Value = Vec<String>> {
    let piece = prop::sample::select(vec![
        "Bearer",
        "bearer",
        "DPoP",
        "Basic",
        " ",
        " ",
        " ",
        ",",
        ", ",
        "\t",
        "=",
        "\"",
        "\"",
        "\\",
        "",
        "a",
        "b c",
        "error",
        "error=",
        "error=\"invalid_token\"",
        "error_description=",
        "error_description=\"\"",
        "error_description=\"a b\"",
        "realm=",
        "realm=\"a\\\"b\"",
        "scope=",
        "scope=\"",
        "scope=\"\"",
        "scope=\"a b\"",
        "scope=a",
        "xscope=c",
        "SCOPE=d",
        "algs=\"ES256\"",
        "resource_metadata=",
        "resource_metadata=\"https://rs.example/x\"",
        "resource_metadata=\"\"",
        "resource_metadata=https://rs.example/y,",
        "resource_metadata = \"https://rs.example/z\"",
    ]);
    let beginning =
        prop_oneof![4 => Just("Bearer "), 1 => Just("bearer "), 1 => Just("DPoP "), 2 => Just("")];
    let line = (beginning, prop::collection::vec(piece, 0..9)).prop_map(|(beginning, pieces)| {
        let line = format!("{beginning}{}", pieces.concat());
        line.trim_matches([' ', '\t']).to_owned()
    });
    prop::collection::vec(line, 1..4)
}

/// The same `count` hostile refusals each time.
#[must_use]
pub fn some_hostile(count: usize) -> Vec<Refused> {
    some(hostile(), count)
}

/// The same `count` fields that we never send, each time.
#[must_use]
pub fn some_garbage(count: usize) -> Vec<Vec<String>> {
    some(garbage(), count)
}

fn some<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let config =
        Config { rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let values = std::iter::repeat_with(|| strategy.new_tree(&mut runner));
    values.flatten().map(|tree| tree.current()).take(count).collect()
}
