//! What a token says, and when.

use palisade_test_issuer::TestIssuer;
use serde_json::{Value, json};

use super::{MARKER, Row, Target};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "CLM-01",
        attack: "`exp` missing, or a string, boolean, null, array, object",
        answers: &["401 claim_invalid", "401 claim_missing"],
        test: "clm_01_expiry_of_another_type",
    },
    Row {
        id: "CLM-02",
        attack: "`exp` negative, huge, tiny, beyond 2^53, with fractions",
        answers: &["401 claim_invalid", "401 token_expired"],
        test: "clm_02_expiry_out_of_range",
    },
    Row {
        id: "CLM-03",
        attack: "`exp`, `nbf` and `iat` at the edge of the leeway, with fractions",
        answers: &["401 token_expired", "401 token_not_yet_valid"],
        test: "clm_03_fractions_of_seconds",
    },
    Row {
        id: "CLM-04",
        attack: "`nbf` or `iat` in the future or of another type, `iat` after `exp`",
        answers: &["401 claim_invalid", "401 token_expired", "401 token_not_yet_valid"],
        test: "clm_04_tokens_from_the_future",
    },
    Row {
        id: "CLM-06",
        attack: "`iss` as an array that holds the right one, as object, null, missing",
        answers: &["401 claim_invalid", "401 claim_missing"],
        test: "clm_06_several_issuers",
    },
    Row {
        id: "CLM-07",
        attack: "`sub` missing, empty, a number, an array, with control characters",
        answers: &["401 claim_invalid", "401 claim_missing"],
        test: "clm_07_nobody",
    },
    Row {
        id: "CLM-08",
        attack: "ID token, logout token, DPoP proof, SET, introspection answer, refresh token, bound token",
        answers: &[
            "401 audience_mismatch",
            "401 claim_invalid",
            "401 claim_missing",
            "401 token_bound",
            "401 type_disallowed",
        ],
        test: "clm_08_other_tokens_of_the_issuer",
    },
    Row {
        id: "CLM-09",
        attack: "`jti` or `client_id` of another type or with control characters",
        answers: &["401 claim_invalid"],
        test: "clm_09_identifiers",
    },
    Row {
        id: "CLM-10",
        attack: "`act` nested 9 to 1000 deep, without `sub`, of another type; a privileged inner actor",
        answers: &["401 claim_invalid", "401 token_malformed", "403 scope_missing"],
        test: "clm_10_chains_of_actors",
    },
];

#[tokio::test]
async fn clm_01_expiry_of_another_type() {
    let mut target = Target::start("CLM-01").await;
    let soon = target.issuer.now() + 300;
    let values = [
        json!(soon.to_string()),
        json!(format!("{soon}.0")),
        json!("never"),
        json!(MARKER),
        json!(""),
        json!(true),
        json!(false),
        json!(null),
        json!([]),
        json!([soon]),
        json!({}),
        json!({ "$serde_json::private::Number": soon.to_string() }),
        json!({ "$numberLong": soon.to_string() }),
    ];
    for value in values {
        let token = target.good().claim("exp", value.clone());
        target.attack_with(&value.to_string(), token.sign()).await;
        let elsewhere = token.header("exp", soon).claim("expires_in", 300).claim("Exp", soon);
        target.attack_with(&format!("{value}, misplaced"), elsewhere.sign()).await;
    }
    let missing = target.good().without_claim("exp");
    target.attack_with("missing", missing.sign()).await;
    target.attack_with("in the header", missing.header("exp", soon).sign()).await;
    target.finish().await;
}

/// `value` as JSON text in place of `exp`, which `serde_json` would write otherwise.
fn with_expiry(target: &Target, value: &str) -> String {
    let claims = json!({ "iss": target.issuer.issuer(), "aud": target.url, "sub": "mallory",
        "scope": "notes:read", "exp": 0 });
    let payload = claims.to_string().replace("\"exp\":0", &format!("\"exp\":{value}"));
    target.good().raw_payload(payload).sign()
}

#[tokio::test]
async fn clm_02_expiry_out_of_range() {
    let mut target = Target::start("CLM-02").await;
    for value in [
        "-1",
        "-0.5",
        "-1e308",
        "-0",
        "-0.0",
        "0",
        "0.0",
        "1e-400",
        "-1e-400",
        "1",
        "1.5",
        "1e308",
        "1.7976931348623157e308",
        "1e18",
        "9007199254740993",
        "9007199254740994.0",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "99999999999999999999999999",
        "1e20",
    ] {
        let token = with_expiry(&target, value);
        target.attack_with(value, token).await;
    }
    // Far away is not out of range: how long a token may live is a setting.
    for value in
        ["9007199254740992", "9007199254740992.0", "4102444800", "4102444800.9", "4.1024448e9"]
    {
        let token = with_expiry(&target, value);
        target.lets_pass(value, target.whoami().token(token)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn clm_03_fractions_of_seconds() {
    let mut target = Target::start("CLM-03").await;
    let now = target.issuer.now();
    for late in [30, 31, 60, 300] {
        let token = with_expiry(&target, &(now - late).to_string());
        target.attack_with("late", token).await;
        let token = with_expiry(&target, &format!("{}.999999", now - late));
        target.attack_with("late, rounded down", token).await;
    }
    // Some seconds more than the leeway, so that the clock cannot get there while we look.
    for early in ["45", "45.000001", "44.9", "300", "1e9"] {
        let start = early.parse::<f64>().unwrap() + f64::from(u32::try_from(now).unwrap());
        for claim in ["nbf", "iat"] {
            let token = target.good().claim(claim, start);
            target.attack_with(early, token.expires_at(now + 4_000_000_000).sign()).await;
        }
    }
    let token = with_expiry(&target, &format!("{}", now - 20));
    target.lets_pass("within the leeway", target.whoami().token(token)).await;
    let token = target.good().valid_from(now + 25).issued_at(now + 25).sign();
    target.lets_pass("within the leeway", target.whoami().token(token)).await;
    target.finish().await;
}

#[tokio::test]
async fn clm_04_tokens_from_the_future() {
    let mut target = Target::start("CLM-04").await;
    let now = target.issuer.now();
    for claim in ["nbf", "iat"] {
        for value in [json!(now + 60), json!(now + 3_600), json!(9_007_199_254_740_992_i64)] {
            let token = target.good().claim(claim, value);
            target.attack_with(claim, token.sign()).await;
        }
        for value in [
            json!("0"),
            json!(now.to_string()),
            json!(null),
            json!(false),
            json!([0]),
            json!({}),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(u64::MAX),
        ] {
            let token = target.good().claim(claim, value.clone());
            target.attack_with(&format!("{claim} {value}"), token.sign()).await;
        }
    }
    let token = target.good().expires_at(now + 10).issued_at(now + 20);
    target.attack_with("iat after exp", token.sign()).await;
    let token = target.good().expires_at(now - 100).issued_at(now - 50);
    target.attack_with("expired, iat after exp", token.sign()).await;
    let token = target.good().valid_from(now + 500).expires_at(now + 400);
    target.attack_with("nbf after exp", token.sign()).await;
    let token = target.good().valid_from(now + 60).audience("https://evil.example");
    target.attack_with("and for somebody else", token.sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn clm_06_several_issuers() {
    let mut target = Target::start("CLM-06").await;
    let issuer = target.issuer.issuer().to_owned();
    for value in [
        json!([issuer]),
        json!(["https://evil.example", issuer]),
        json!([issuer, "https://evil.example"]),
        json!({ issuer.as_str(): true }),
        json!({ "iss": issuer }),
        json!([[issuer]]),
        json!(null),
        json!(0),
        json!(true),
    ] {
        let token = target.good().claim("iss", value.clone());
        target.attack_with(&value.to_string(), token.sign()).await;
        target.attack_with("in the header too", token.header("iss", issuer.as_str()).sign()).await;
    }
    let missing = target.good().without_claim("iss").header("iss", issuer);
    target.attack_with("in the header only", missing.sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn clm_07_nobody() {
    let mut target = Target::start("CLM-07").await;
    for value in [
        json!(""),
        json!(0),
        json!(1000),
        json!(null),
        json!(true),
        json!(["admin"]),
        json!({ "sub": "admin" }),
        json!("admin\0"),
        json!("admin\r\nX-Admin: 1"),
        json!(format!("{MARKER}\u{1b}[2J")),
        json!("\u{7f}"),
        json!("\u{85}"),
    ] {
        let token = target.good().claim("sub", value.clone());
        target.attack_with(&value.to_string(), token.sign()).await;
    }
    target.attack_with("missing", target.good().without_claim("sub").sign()).await;
    let elsewhere = target.good().without_claim("sub").header("sub", "admin").claim("Sub", "admin");
    target.attack_with("elsewhere", elsewhere.claim("user", "admin").sign()).await;

    // A client may have the name of a user. Who is who is the issuer's word: notes are kept by (iss, sub).
    let client = target.good().subject("test-client").client_id("test-client");
    target.lets_pass("a client", target.whoami().token(client.sign())).await;
    // Characters that deceive the eye are no reason to refuse, and escaped wherever they are written.
    for subject in ["\u{202e}nimda", "admin\u{200b}", " ", "\u{feff}admin", "\u{2028}"] {
        let token = target.good().subject(subject).sign();
        target.lets_pass("deceiving", target.whoami().token(token)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn clm_08_other_tokens_of_the_issuer() {
    let mut target = Target::start("CLM-08").await;
    let id_token = target.good().audience("app").claim("nonce", "n").claim("at_hash", "h");
    target.attack_with("ID token", id_token.clone().header("typ", "JWT").sign()).await;
    target.attack_with("ID token, typ forged", id_token.sign()).await;
    target.attack_with("ID token for us", target.good().header("typ", "JWT").sign()).await;
    target.attack_with("ID token, no typ", target.good().without_header("typ").sign()).await;
    let logout = target
        .good()
        .claim("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    target.attack_with("logout", logout.clone().header("typ", "logout+jwt").sign()).await;
    let set = target.good().without_claim("sub").without_claim("exp").claim("events", json!({}));
    target.attack_with("SET", set.clone().header("typ", "secevent+jwt").sign()).await;
    target.attack_with("SET, typ forged", set.sign()).await;
    let proof = target.good().claim("htm", "POST").claim("htu", target.url.as_str());
    target.attack_with("DPoP proof", proof.header("typ", "dpop+jwt").sign()).await;
    let inner = json!({ "active": true, "sub": "admin", "scope": "notes:admin" });
    let answer = target.good().claim("token_introspection", inner);
    target
        .attack_with("introspection", answer.header("typ", "token-introspection+jwt").sign())
        .await;
    let refresh = target.good().header("typ", "rt+jwt").claim("typ", "Refresh");
    target.attack_with("refresh token", refresh.sign()).await;
    let refresh = target.good().claim("typ", "Refresh").audience(target.issuer.issuer());
    target.attack_with("refresh token, typ forged", refresh.sign()).await;
    let status = target.good().claim("status_list", json!({ "bits": 1, "lst": "eNrbuRgAAhcBXQ" }));
    target.attack_with("status list", status.header("typ", "statuslist+jwt").sign()).await;
    for cnf in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "jwk": target.issuer.jwks()["keys"][0] }),
        json!({}),
        json!(null),
        json!("jkt"),
        json!([]),
        json!(0),
    ] {
        let token = target.good().claim("cnf", cnf);
        target.attack_with("bound", token.sign()).await;
        let request = target.whoami().token(token.sign()).header("dpop", token.sign());
        target.attack("bound, with some proof", request).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn clm_09_identifiers() {
    let mut target = Target::start("CLM-09").await;
    for claim in ["jti", "client_id"] {
        for value in [
            json!(""),
            json!(0),
            json!(null),
            json!(true),
            json!(["x"]),
            json!({}),
            json!("a\nb"),
            json!(format!("{MARKER}\0")),
        ] {
            let token = target.good().claim(claim, value.clone());
            target.attack_with(&format!("{claim} {value}"), token.sign()).await;
        }
        let missing = target.good().without_claim(claim).sign();
        target.lets_pass("missing", target.whoami().token(missing)).await;
    }
    // A bearer token may be used as often as its holder likes.
    let token = target.good().sign();
    for _ in 0..3 {
        target.lets_pass("again", target.whoami().token(&token)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn clm_10_chains_of_actors() {
    fn chain(depth: usize) -> Value {
        (1..depth)
            .fold(json!({ "sub": "robot" }), |inner, _| json!({ "sub": "robot", "act": inner }))
    }
    let mut target = Target::start_with("CLM-10", TestIssuer::builder()).await;
    for depth in [9, 10, 20, 31, 32, 40, 100] {
        let token = target.good().actor(chain(depth));
        target.attack_with(&depth.to_string(), token.sign()).await;
    }
    // `serde_json` would not write what it does not read.
    for depth in [200, 1000] {
        let open = json!({ "iss": target.issuer.issuer(), "aud": target.url, "sub": "mallory",
            "exp": target.issuer.now() + 300 });
        let (start, end) = (r#"{"act":"#.repeat(depth), "}".repeat(depth));
        let open = open.to_string();
        let payload = format!(r#"{},"act":{start}1{end}}}"#, open.trim_end_matches('}'));
        let token = target.good().raw_payload(payload).sign();
        target.attack_with(&depth.to_string(), token).await;
    }
    for act in [
        json!(null),
        json!("robot"),
        json!([]),
        json!([{ "sub": "robot" }]),
        json!({}),
        json!({ "sub": "" }),
        json!({ "sub": 1 }),
        json!({ "sub": null }),
        json!({ "sub": "a\n" }),
        json!({ "iss": "https://as.example" }),
        json!({ "sub": "a", "iss": 1 }),
        json!({ "sub": "a", "act": null }),
        json!({ "sub": "a", "act": "b" }),
        json!({ "sub": "a", "act": { "act": { "sub": "b" } } }),
    ] {
        let token = target.good().actor(act.clone());
        target.attack_with(&act.to_string(), token.sign()).await;
    }
    let token = target.good().actor(chain(8)).sign();
    target.lets_pass("8", target.whoami().token(token)).await;

    // Who acts, and what actors say about themselves, grants nothing.
    let admin = json!({ "sub": "admin", "scope": "notes:admin notes:write", "act": { "sub": "root",
        "scope": "notes:admin notes:write", "exp": 99_999_999_999_u64 } });
    let token = target.good().actor(admin).claim("may_act", json!({ "sub": "admin" })).sign();
    let delete = json!({ "name": "delete_all_notes", "arguments": {} });
    let request = target.call("tools/call", delete).header("mcp-name", "delete_all_notes");
    target.attack("privileged actor", request.token(token)).await;
    target.finish().await;
}
