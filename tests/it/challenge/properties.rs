//! The same for text that nobody expected: quotes, commas, control characters, other parameters.

use http::{Request, request::Parts};
use palisade_core::{
    AuthScheme, Challenge, Denial, DenialKind, OfferedSchemes, ProtectedResource, Reason, ScopeSet,
    ScopeToken,
};
use proptest::prelude::*;

use super::{answered, assert_read_alike, clients::Found};

/// Text, with pieces in it that some client looks for.
fn hostile() -> impl Strategy<Value = String> {
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
fn scopes() -> impl Strategy<Value = ScopeSet> {
    let token = hostile().prop_filter_map("no scope", |text| {
        let legal: String =
            text.chars().filter(|c| ScopeToken::parse(&c.to_string()).is_ok()).collect();
        ScopeToken::parse(&legal).ok()
    });
    prop::collection::vec(token, 0..4).prop_map(|tokens| tokens.into_iter().collect())
}

fn offered(realm: Option<Challenge>, with_dpop: bool) -> OfferedSchemes {
    let bearer = realm.unwrap_or_else(|| Challenge::new(AuthScheme::Bearer));
    let offered = OfferedSchemes::new(bearer);
    if with_dpop {
        return offered.or(Challenge::new(AuthScheme::DPoP).param("algs", "ES256"));
    }
    offered
}

proptest! {
    /// HTTP-08. What passes where it is configured is read by all as it was written; what does not is read by
    /// none, and changes nothing else.
    #[test]
    fn http_08_hostile_text_is_read_alike_or_not_sent(
        realm in hostile(),
        url in hostile(),
        hint in scopes(),
        needed in scopes(),
        description in hostile(),
        with_error: bool,
        with_dpop: bool,
    ) {
        let (mut request, ()): (Parts, ()) = Request::new(()).into_parts();
        let published = ProtectedResource::new(url.clone())
            .and_then(|resource| resource.challenge_scope(hint.clone()));
        let is_published = published.is_ok();
        if let Ok(published) = published {
            published.leave_in(&mut request);
        }
        let accepted = Challenge::new(AuthScheme::Bearer).realm(realm.clone()).ok();
        let has_realm = accepted.is_some();
        offered(accepted, with_dpop).leave_in(&mut request);

        let kind = if with_error { DenialKind::InvalidToken } else { DenialKind::Unauthenticated };
        let reason = Reason::new("some_reason", description.clone().leak());
        let denial = Denial::new("test", kind, reason).with_required_scopes(needed.clone());
        let lines = answered(denial.clone(), &request);
        prop_assert_eq!(&lines, &answered(denial, &request));

        let hint = Some(hint).filter(|_| is_published);
        let named = if needed.is_empty() { hint } else { Some(needed) };
        let scope = named.filter(|scopes| !scopes.is_empty());
        let scope = scope.filter(|scopes| Challenge::check_scope(scopes).is_ok());
        let cleaned: String = description
            .chars()
            .filter(|c| matches!(c, ' '..='~') && !"\"\\,=".contains(*c))
            .take(256)
            .collect();
        let expected = Found {
            scheme: "Bearer".to_owned(),
            error: with_error.then(|| "invalid_token".to_owned()),
            error_description: Some(cleaned).filter(|text| with_error && !text.is_empty()),
            scope: scope.map(|scopes| scopes.to_string()),
            resource_metadata: is_published.then_some(url),
            realm: None,
        };
        let is_empty = expected == Found { scheme: "Bearer".to_owned(), ..Found::default() };
        prop_assert_eq!(lines.len(), if with_dpop { 2 } else { 1 });
        // The realm is Bearer's own; the rest is in both.
        if has_realm || is_empty {
            let realm = if has_realm { realm } else { "protected".to_owned() };
            let expected = Found { realm: Some(realm), ..expected };
            assert_read_alike(&lines[..1], &expected, "Bearer");
        } else {
            assert_read_alike(&lines, &expected, "all");
        }
    }
}
