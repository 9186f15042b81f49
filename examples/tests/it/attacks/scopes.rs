//! Scopes, and what else in a token might grant something.

use serde_json::{Value, json};

use super::{
    MARKER, Row, Target,
    raw::{Answer, Raw},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "SCP-01",
        attack: "scopes that begin like the needed one, that it begins with, that hold it",
        answers: &["403 scope_missing"],
        test: "scp_01_parts_of_scopes",
    },
    Row {
        id: "SCP-02",
        attack: "scopes separated by tab, line break, comma, two spaces, NBSP; spaces around; quotes",
        answers: &["401 claim_invalid", "403 scope_missing"],
        test: "scp_02_separators",
    },
    Row {
        id: "SCP-03",
        attack: "scopes in other case",
        answers: &["403 scope_missing"],
        test: "scp_03_case",
    },
    Row {
        id: "SCP-04",
        attack: "`scope` of other types; `scp`, `scopes`, `permissions`, `roles` beside it and instead of it; names in other case",
        answers: &["401 claim_invalid", "403 scope_missing"],
        test: "scp_04_other_claims",
    },
    Row {
        id: "SCP-05",
        attack: "wildcards, patterns, negations",
        answers: &["403 scope_missing"],
        test: "scp_05_wildcards",
    },
    Row {
        id: "SCP-06",
        attack: "tools, methods and paths that no rule lists, with all scopes there are",
        answers: &["400 message_invalid", "403 operation_not_allowed"],
        test: "scp_06_unlisted_operations",
    },
    Row {
        id: "SCP-07",
        attack: "a missing scope together with no token, a bad one, an expired one, one for others; and alone",
        answers: &[
            "401 audience_mismatch",
            "401 signature_bad",
            "401 token_expired",
            "401 token_malformed",
            "401 token_missing",
            "403 scope_missing",
        ],
        test: "scp_07_order_of_refusals",
    },
    Row {
        id: "SCP-08",
        attack: "`authorization_details` that name the operation: array, string, unknown type, huge",
        answers: &["403 scope_missing", "431 token_too_large"],
        test: "scp_08_authorization_details",
    },
    Row {
        id: "SCP-10",
        attack: "`acr`, `amr` and `auth_time` of all types, missing, and in the future, in place of scopes",
        answers: &["403 scope_missing"],
        test: "scp_10_authentication_claims",
    },
];

/// The call that needs most: `notes:write` and `notes:admin`.
fn delete(target: &Target) -> Raw {
    target
        .call("tools/call", json!({ "name": "delete_all_notes" }))
        .header("mcp-name", "delete_all_notes")
}

/// A call that needs `notes:write`.
fn add(target: &Target) -> Raw {
    target
        .call("tools/call", json!({ "name": "add_note", "arguments": { "text": "x" } }))
        .header("mcp-name", "add_note")
}

impl Target {
    /// A token with this scope claim asks for an operation that needs less, some and all.
    async fn attack_with_scope(&mut self, scope: impl Into<Value>) {
        let scope = scope.into();
        let variant = scope.to_string();
        let token = self.good().subject(&variant).claim("scope", scope).sign();
        self.attack(&variant, self.whoami().token(&token)).await;
        self.attack(&variant, add(self).token(&token)).await;
        let answer = self.attack(&variant, delete(self).token(&token)).await;
        names_what_the_policy_needs(&answer);
    }
}

/// A challenge names the scopes of the policy and no other.
fn names_what_the_policy_needs(answer: &Answer) {
    if answer.status == 403 {
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("scope=\"notes:admin notes:write\""), "{answer:?}");
    }
}

#[tokio::test]
async fn scp_01_parts_of_scopes() {
    let mut target = Target::start("SCP-01").await;
    for scope in [
        "",
        "notes",
        "notes:",
        "notes:rea",
        "notes:readonly",
        "notes:read:all",
        "notes:read/..",
        "xnotes:read",
        "read",
        ":read",
        "notes read",
        "notes:write:own notes:admins",
        "notes:writer notes:adminx",
        "https://as.example/notes:read",
        "notes:read,notes:write",
        "notes:read;notes:admin",
    ] {
        target.attack_with_scope(scope).await;
    }
    // What a scope implies is written down, and goes one way.
    let readers = target.good().subject("reader").sign();
    target.attack("read is not write", add(&target).token(&readers)).await;
    let writers = target.good().subject("writer").scope("notes:write").sign();
    target.lets_pass("write is read", target.whoami().token(&writers)).await;
    target.attack("write is not admin", delete(&target).token(&writers)).await;
    target.finish().await;
}

#[tokio::test]
async fn scp_02_separators() {
    let mut target = Target::start("SCP-02").await;
    for separator in
        ["\t", "\n", "\r\n", "  ", ",\t", "\u{A0}", "\u{2003}", "\u{200B}", "\0", "\"", "\\", "é"]
    {
        target.attack_with_scope(format!("notes:read{separator}notes:admin")).await;
    }
    for around in
        [" notes:read", "notes:read ", " ", "\tnotes:read", "notes:read\n", "\"notes:read\""]
    {
        target.attack_with_scope(around).await;
    }
    // A comma is a character like any other (RFC 6749 §3.3).
    for separator in [",", ";", "+", "%20", "|"] {
        target.attack_with_scope(format!("notes:read{separator}notes:admin")).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_03_case() {
    let mut target = Target::start("SCP-03").await;
    for scope in ["NOTES:READ", "Notes:Read", "notes:Read", "NOTES:ADMIN notes:WRITE"] {
        target.attack_with_scope(scope).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_04_other_claims() {
    let mut target = Target::start("SCP-04").await;
    let all = "notes:read notes:write notes:admin";
    let list = json!(["notes:read", "notes:write", "notes:admin"]);
    for scope in [
        list.clone(),
        json!([all]),
        json!({ "notes:read": true, "notes:admin": true }),
        json!(null),
        json!(true),
        json!(1),
        json!([]),
        json!({}),
    ] {
        target.attack_with_scope(scope).await;
    }
    for name in ["scp", "scopes", "permissions", "roles", "groups", "Scope", "SCOPE", "ｓcope"] {
        for value in [json!(all), list.clone()] {
            let token = target.good().subject(name).claim(name, value);
            target.attack(name, delete(&target).token(token.sign())).await;
            let token = token.without_claim("scope").sign();
            target.attack(name, target.whoami().token(&token)).await;
        }
    }
    for claim in ["act", "may_act", "realm_access", "resource_access", "client_metadata"] {
        let inner = json!({ "sub": "admin", "scope": all, "roles": ["notes:admin"] });
        let token = target.good().subject(claim).claim(claim, inner).sign();
        target.attack(claim, delete(&target).token(token)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_05_wildcards() {
    let mut target = Target::start("SCP-05").await;
    for scope in [
        "*",
        "**",
        "*:*",
        "notes:*",
        "notes.*",
        "notes/*",
        "notes:.*",
        "notes:?ead",
        "notes:[a-z]+",
        "notes:{read,write,admin}",
        "all",
        "admin",
        "root",
        "!notes:none",
        "-notes:read",
        "offline_access openid profile",
    ] {
        target.attack_with_scope(scope).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_06_unlisted_operations() {
    let mut target = Target::start("SCP-06").await;
    let all = "notes:read notes:write notes:admin * tools:* mcp";
    let token = target.good().subject("tools").scope(all).sign();
    for tool in [
        "unlisted",
        "*",
        "delete_all",
        "delete_all_notes2",
        "admin",
        "__proto__",
        "constructor",
        "../delete_all_notes",
        "notes.delete_all_notes",
        "tools/call",
        "$response",
    ] {
        let request = target.call("tools/call", json!({ "name": tool })).header("mcp-name", tool);
        target.attack(tool, request.token(&token)).await;
    }
    let token = target.good().subject("methods").scope(all).sign();
    for method in [
        "resources/list",
        "prompts/list",
        "logging/setLevel",
        "subscriptions/listen",
        "rpc.discover",
        "Tools/List",
        "tools/List",
        "tools/list/",
        "tools//list",
        "tools",
        "*",
        "GET",
        "POST",
        "initialize2",
        "x-internal/shutdown",
    ] {
        target.attack(method, target.call(method, json!({})).token(&token)).await;
    }
    for (method, name, value) in [
        ("prompts/get", "name", "whoami"),
        ("resources/read", "uri", "file:///etc/passwd"),
        ("tasks/cancel", "taskId", "1"),
    ] {
        let request = target.call(method, json!({ name: value })).header("mcp-name", value);
        target.attack(method, request.token(&token)).await;
    }
    // A method that is ours, for what the server itself asks.
    target.attack("$response", target.call("$response", json!({})).token(&token)).await;
    let token = target.good().subject("paths").scope(all).sign();
    for path in ["/", "/admin", "/mcp/", "/mcp2", "/notes", "/metrics", "/mcp/tools/call"] {
        let line = format!("GET {path} HTTP/1.1");
        target.attack(path, target.whoami().line(line).token(&token)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_07_order_of_refusals() {
    let mut target = Target::start("SCP-07").await;
    let poor = target.good().scope("other");
    target.attack("no token", delete(&target)).await;
    for (variant, token) in [
        ("not a token", MARKER.to_owned()),
        ("bad signature", poor.clone().signed_with_foreign_key().sign()),
        ("expired", poor.clone().expires_at(target.issuer.now() - 3600).sign()),
        ("for others", poor.clone().audience("https://other.example").sign()),
        ("nothing but the scope", poor.sign()),
        ("no scope at all", poor.without_claim("scope").sign()),
    ] {
        let answer = target.attack(variant, delete(&target).token(token)).await;
        let may_ask_for_scopes = answer.status == 403;
        assert_eq!(answer.text.contains("insufficient_scope"), may_ask_for_scopes, "{answer:?}");
        names_what_the_policy_needs(&answer);
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_08_authorization_details() {
    let mut target = Target::start("SCP-08").await;
    let details = json!({
        "type": "mcp",
        "actions": ["tools/call", "delete_all_notes"],
        "locations": [target.url],
        "scope": "notes:read notes:write notes:admin",
    });
    for details in [
        json!([details]),
        details.clone(),
        json!(details.to_string()),
        json!([{ "type": "unheard_of" }]),
        json!([]),
        json!(null),
        json!([["delete_all_notes"], 1, "x"]),
        json!(vec![details.clone(); 20]),
        json!(vec![details.clone(); 2000]),
    ] {
        let token = target.good().claim("authorization_details", details);
        target.attack("beside a scope", delete(&target).token(token.sign())).await;
        let token = token.without_claim("scope").sign();
        target.attack("instead of a scope", target.whoami().token(token)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn scp_10_authentication_claims() {
    let mut target = Target::start("SCP-10").await;
    let now = target.issuer.now();
    for (claim, value) in [
        ("auth_time", json!(now)),
        ("auth_time", json!(now + 1_000_000)),
        ("auth_time", json!("yesterday")),
        ("auth_time", json!(-1)),
        ("acr", json!("urn:mace:incommon:iap:silver")),
        ("acr", json!(["0", "phr"])),
        ("amr", json!(["mfa", "hwk"])),
        ("amr", json!("pwd")),
        ("elevated", json!(true)),
    ] {
        let token = target.good().claim(claim, value).sign();
        target.attack(claim, delete(&target).token(token)).await;
    }
    target.finish().await;
}
