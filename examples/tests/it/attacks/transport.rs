//! Where the credential is, and who it says is asking.

use serde_json::json;

use super::{Row, Target, raw::Raw};
use crate::support::{Server, TempFile};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "HTTP-01",
        attack: "two `Authorization` lines: good and bad, bad and good, twice the same, an empty one, another scheme",
        answers: &["400 authorization_repeated"],
        test: "http_01_two_lines",
    },
    Row {
        id: "HTTP-02",
        attack: "two credentials on one line, with and without spaces, of one scheme and of two",
        answers: &["400 authorization_malformed"],
        test: "http_02_joined_lines",
    },
    Row {
        id: "HTTP-03",
        attack: "a tab, a colon, quotes or nothing after the scheme; no token; something after the token; other schemes",
        answers: &["400 authorization_malformed", "401 token_missing"],
        test: "http_03_grammar",
    },
    Row {
        id: "HTTP-04",
        attack: "bytes above ASCII, control characters, folded lines, white space before the colon",
        answers: &["400", "400 authorization_malformed"],
        test: "http_04_odd_bytes",
    },
    Row {
        id: "HTTP-05",
        attack: "the token in the query, a form, a cookie, a WebSocket protocol, other headers, the path, the message",
        answers: &["401 token_missing"],
        test: "http_05_token_elsewhere",
    },
    Row {
        id: "HTTP-06",
        attack: "a bad token in the header and a good one in the query; two good ones of different people",
        answers: &["401 token_malformed"],
        test: "http_06_header_and_query",
    },
    Row {
        id: "HTTP-07",
        attack: "headers that claim an identity, scopes or an address, in several spellings, with and without a token",
        answers: &["401 token_missing", "403 scope_missing", "500 proxy_unnamed"],
        test: "http_07_claimed_identity",
    },
];

#[tokio::test]
async fn http_01_two_lines() {
    let mut target = Target::start("HTTP-01").await;
    let good = format!("Bearer {}", target.good().sign());
    let bad = "Bearer bad".to_owned();
    for (variant, lines) in [
        ("good and bad", [&good, &bad]),
        ("bad and good", [&bad, &good]),
        ("twice the same", [&good, &good]),
        ("an empty one first", [&String::new(), &good]),
        ("an empty one last", [&good, &String::new()]),
        ("Basic first", [&"Basic YTpi".to_owned(), &good]),
        ("Basic last", [&good, &"Basic YTpi".to_owned()]),
        ("DPoP first", [&good.replace("Bearer", "DPoP"), &good]),
    ] {
        let [first, last] = lines;
        let request = target.whoami().header("authorization", first);
        target.attack(variant, request.clone().header("authorization", last)).await;
        target.attack(variant, request.header("AUTHORIZATION", last)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn http_02_joined_lines() {
    let mut target = Target::start("HTTP-02").await;
    let token = target.good().sign();
    for line in [
        "Bearer T, Bearer bad",
        "Bearer bad, Bearer T",
        "Bearer T, Bearer T",
        "Bearer T,Bearer T",
        "Bearer T,bearer T",
        "Bearer T, Basic YTpi",
        "Basic YTpi, Bearer T",
        "Basic YTpi,Bearer T",
        "Basic YTpi ,\tBEARER T",
        "Digest a=\"b\", Bearer T",
        "Bearer T,",
        "Bearer ,T",
        "Bearer T T",
        "Bearer T;Bearer T",
    ] {
        let value = line.replace('T', &token).replacen(&format!("BEARER {token}"), "BEARER x", 1);
        target.attack(line, target.whoami().header("authorization", value)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn http_03_grammar() {
    let mut target = Target::start("HTTP-03").await;
    let token = target.good().sign();
    let with = |target: &Target, start: &str, end: &str| {
        target.whoami().header("authorization", format!("{start}{token}{end}"))
    };
    for (start, end) in [
        ("Bearer\t", ""),
        ("Bearer \t", ""),
        ("Bearer: ", ""),
        ("Bearer:", ""),
        ("Bearer=", ""),
        ("Bearer,", ""),
        ("Bearer", ""),
        ("\"Bearer\" ", ""),
        ("Bearer \"", "\""),
        ("Bearer token=", ""),
        ("Bearer ", " x"),
        ("Bearer ", ";x"),
        ("Bearer ", "?"),
        ("Bearer ", "=x"),
        ("Bearer-", ""),
        ("Bearers ", ""),
        (", Bearer ", ""),
        ("=", ""),
    ] {
        target.attack(&format!("{start}…{end}"), with(&target, start, end)).await;
    }
    for nothing in ["Bearer", "Bearer ", "Bearer =", "bearer", "", ","] {
        let request = target.whoami().header("authorization", nothing);
        target.attack(nothing, request).await;
    }
    for scheme in ["Basic ", "DPoP ", "Token ", "JWT ", "X-Bearer ", "OAuth ", "Negotiate ", ""] {
        target.attack(scheme, with(&target, scheme, "")).await;
    }
    for (start, end) in [
        ("bearer ", ""),
        ("BEARER ", ""),
        ("bEaReR ", ""),
        ("Bearer  ", ""),
        ("Bearer     ", ""),
        // White space around a value is not part of it (RFC 9110 §5.5).
        (" \tBearer ", "\t "),
    ] {
        target.lets_pass(&format!("{start}…{end}"), with(&target, start, end)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn http_04_odd_bytes() {
    let mut target = Target::start("HTTP-04").await;
    let good = format!("Bearer {}", target.good().sign()).into_bytes();
    for byte in [0x80, 0x85, 0xA0, 0xC2, 0xFF] {
        for value in [
            [&good[..], &[byte]].concat(),
            [&[byte], &good[..]].concat(),
            [b"Bearer", &[byte][..], &good[7..]].concat(),
            [b"Basic ", &[byte][..]].concat(),
        ] {
            let request = target.whoami().header("authorization", value);
            target.attack(&format!("byte {byte:#x}"), request).await;
        }
    }
    for byte in [0x00, 0x01, 0x0B, 0x0C, 0x0D, 0x1B, 0x7F] {
        let value = [&good[..], &[byte], b"x"].concat();
        let request = target.whoami().header("authorization", value);
        target.attack_below(&format!("byte {byte:#x}"), request).await;
    }
    let folded = [b"Bearer\r\n ", &good[7..]].concat();
    let request = target.whoami().header("authorization", folded);
    target.attack_below("folded", request).await;
    for name in ["authorization ", "authorization\t", " authorization", "author\u{130}zation"] {
        target.attack_below(name, target.whoami().header(name, &good)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn http_05_token_elsewhere() {
    let mut target = Target::start("HTTP-05").await;
    let token = target.good().sign();
    for query in ["access_token=T", "token=T", "Authorization=Bearer%20T", "bearer_token=T&x"] {
        let query = query.replace('T', &token);
        let request = target.whoami().line(format!("POST /mcp?{query} HTTP/1.1"));
        target.attack(&query, request).await;
        let line = format!("GET /mcp?{query} HTTP/1.1");
        target.attack("GET", Raw::new(line).header("host", target.addr.to_string())).await;
    }
    let form = target.whoami().replace("content-type", "application/x-www-form-urlencoded");
    target.attack("form", form.body(format!("access_token={token}"))).await;
    for name in [
        "cookie",
        "x-forwarded-access-token",
        "sec-websocket-protocol",
        "proxy-authorization",
        "x-authorization",
        "x-access-token",
        "x-auth-token",
        "x-api-key",
        "x-original-authorization",
        "authorization_",
        "authorisation",
        "authentication",
        "dpop",
        "mcp-session-id",
    ] {
        for value in [token.clone(), format!("Bearer {token}"), format!("access_token={token}")] {
            target.attack(name, target.whoami().header(name, value)).await;
        }
    }
    let message = json!({ "name": "whoami", "access_token": token, "authorization": token });
    target.attack("message", target.call("tools/call", message)).await;
    let upgrade = Raw::new("GET /mcp HTTP/1.1")
        .header("host", target.addr.to_string())
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", format!("mcp, bearer, {token}"));
    target.attack("WebSocket", upgrade).await;
    target.finish().await;
    // Open: a path is on record as it is, and some clients put the token there.
    let audit = TempFile::new("token-in-path");
    let args = ["--audit", audit.0.to_str().unwrap()];
    let server = Server::start(env!("CARGO_BIN_EXE_mcp_server"), &args).await;
    assert_eq!(server.get(&format!("/mcp/{token}"), None).await.status(), 401);
    let text = audit.lines(1).await;
    assert!(text.contains("\"path\":\"/mcp/eyJ"), "mended: say so in the document\n{text}");
}

#[tokio::test]
async fn http_06_header_and_query() {
    let mut target = Target::start("HTTP-06").await;
    let [mallory, alice] = ["mallory", "alice"].map(|who| target.good().subject(who).sign());
    let line = format!("POST /mcp?access_token={alice} HTTP/1.1");
    let both = target.whoami().line(line).token(&mallory);
    let answer = target.lets_pass("the header counts", both.clone()).await;
    assert!(answer.body.contains("mallory of") && !answer.body.contains("alice"), "{answer:?}");
    target.attack("a bad header", both.replace("authorization", "Bearer bad")).await;
    target.finish().await;
}

#[tokio::test]
async fn http_07_claimed_identity() {
    let mut target = Target::start("HTTP-07").await;
    let delete = target
        .call("tools/call", json!({ "name": "delete_all_notes" }))
        .header("mcp-name", "delete_all_notes");
    for (number, name) in [
        "X-User",
        "X_User",
        "x-auth-subject",
        "X-AUTH-SUBJECT",
        "x_auth_subject",
        "Remote-User",
        "X-Remote-User",
        "X-Forwarded-User",
        "X-Forwarded-Email",
        "X-Auth-Request-User",
        "X-Authenticated-Userid",
        "X-Authenticated-Scope",
        "X-Scope",
        "X-Principal",
        "X-Jwt-Claims",
        "X-Client-Cert",
        "X-Amzn-Oidc-Identity",
        "X-Palisade-Principal",
        "Mcp-Principal",
    ]
    .into_iter()
    .enumerate()
    {
        let value = "alice notes:read notes:write notes:admin";
        let token = target.good().subject(format!("mallory-{}", number / 8)).sign();
        let request = target.whoami().header(name, value);
        target.attack(name, request.clone()).await;
        target.attack(name, delete.clone().header(name, value).token(&token)).await;
        let answer = target.lets_pass(name, request.token(&token)).await;
        assert!(answer.body.contains("mallory-") && !answer.body.contains("alice"), "{answer:?}");
    }
    let token = target.good().sign();
    let mut elsewhere = target.whoami().token(token);
    for name in ["true-client-ip", "client-ip", "x-client-ip", "x-cluster-client-ip"] {
        elsewhere = elsewhere.header(name, "for=192.0.2.66, 192.0.2.66");
    }
    target.lets_pass("another address", elsewhere.clone()).await;
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        target.attack(name, elsewhere.clone().header(name, "192.0.2.66")).await;
    }
    let audit = target.audit.lines(target.on_record).await;
    assert!(!audit.contains("192.0.2.66") && !audit.contains("alice"), "{audit}");
    target.finish().await;
}
