//! JSON in tokens.

use serde_json::{Value, json};

use super::{MARKER, Row, Target};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "ENC-05",
        attack: "a name twice in header or payload, also escaped and deep inside",
        answers: &["401 token_malformed"],
        test: "enc_05_names_twice",
    },
    Row {
        id: "ENC-06",
        attack: "payloads and headers that are no object, not only an object, no JSON, not UTF-8, or too deep",
        answers: &[
            "401 algorithm_disallowed",
            "401 claim_missing",
            "401 token_malformed",
            "431 token_too_large",
        ],
        test: "enc_06_no_json_object",
    },
    Row {
        id: "ENC-07",
        attack: "look-alikes, other case and other normal forms in names and values of claims",
        answers: &[
            "401 audience_mismatch",
            "401 claim_missing",
            "401 issuer_wrong",
            "403 scope_missing",
        ],
        test: "enc_07_look_alikes",
    },
    Row {
        id: "ENC-08",
        attack: "tokens up to 10 MB, 64 KB of header, thousands of claims, audiences and scopes",
        answers: &[
            "401 claim_invalid",
            "401 signature_bad",
            "401 token_malformed",
            "431",
            "431 token_too_large",
        ],
        test: "enc_08_sizes_and_counts",
    },
    Row {
        id: "ENC-09",
        attack: "numbers that JSON has not, or that no computer holds",
        answers: &["401 claim_invalid", "401 token_expired", "401 token_malformed"],
        test: "enc_09_numbers",
    },
];

/// The payload of a good token, without the brace at its end.
pub(super) fn open_payload(target: &Target) -> String {
    let claims = json!({
        "iss": target.issuer.issuer(), "aud": target.url, "sub": "mallory", "scope": "notes:read",
        "exp": target.issuer.now() + 300,
    });
    claims.to_string().trim_end_matches('}').to_owned()
}

#[tokio::test]
async fn enc_05_names_twice() {
    let mut target = Target::start("ENC-05").await;
    let kid = target.issuer.current_kid();
    let open_header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}""#);
    for again in [
        r#""alg":"none""#,
        r#""alg":"ES256""#,
        r#""\u0061lg":"none""#,
        r#""a\u006C\u0067":"none""#,
        r#""kid":"evil""#,
        r#""ki\u0064":"evil""#,
        r#""typ":"JWT""#,
        r#""x":1,"x":1"#,
        r#""jwk":{"x":1,"\u0078":2}"#,
    ] {
        let before = format!("{{{again},{}}}", open_header.trim_start_matches('{'));
        target.attack_with(again, target.good().raw_header(before).sign()).await;
        let behind = format!("{open_header},{again}}}");
        target.attack_with(again, target.good().raw_header(behind).sign()).await;
    }
    let open = open_payload(&target);
    let url = target.url.clone();
    for again in [
        r#""iss":"https://evil.example""#,
        r#""aud":"https://evil.example""#,
        r#""scope":"notes:admin""#,
        r#""sc\u006fpe":"notes:admin""#,
        r#""\u0073cope":"notes:admin""#,
        r#""exp":99999999999"#,
        r#""\u0065\u0078\u0070":99999999999"#,
        r#""sub":"admin""#,
        r#""sub":"mallory""#,
        r#""cnf":{"jkt":"a"},"cnf":null"#,
        r#""cnf":{"jkt":"a","jk\u0074":"b"}"#,
        r#""act":{"sub":"a","sub":"b"}"#,
        r#""act":{"sub":"a","act":{"sub":"b","\u0073ub":"c"}}"#,
        r#""x":[{"y":[{"z":1,"z":2}]}]"#,
        r#""":1,"":2"#,
    ] {
        let before = format!("{{{again},{}}}", open.trim_start_matches('{'));
        target.attack_with(again, target.good().raw_payload(before).sign()).await;
        let behind = format!("{open},{again}}}");
        target.attack_with(again, target.good().raw_payload(behind).sign()).await;
    }
    let around =
        format!(r#"{{"aud":"https://evil.example","aud":"{url}","aud":"https://evil.example"}}"#);
    target.attack_with("thrice", target.good().raw_payload(around).sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn enc_06_no_json_object() {
    let mut target = Target::start("ENC-06").await;
    let open = open_payload(&target);
    let good = format!("{open}}}");
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let nested = |start: &str, end: &str, depth: usize| {
        format!("{open},\"x\":{}1{}}}", start.repeat(depth), end.repeat(depth)).into_bytes()
    };
    let payloads: [(&str, Vec<u8>); 40] = [
        ("nothing", vec![]),
        ("white space", b" \n".to_vec()),
        ("array", format!("[{good}]").into_bytes()),
        ("string", Value::from(good.as_str()).to_string().into_bytes()),
        ("number", b"1".to_vec()),
        ("null", b"null".to_vec()),
        ("true", b"true".to_vec()),
        ("empty object", b"{}".to_vec()),
        ("number wrapper", br#"{"$serde_json::private::Number":"1"}"#.to_vec()),
        ("raw wrapper", json!({ "$serde_json::private::RawValue": good }).to_string().into_bytes()),
        ("two objects", format!("{good}{good}").into_bytes()),
        ("two lines", format!("{good}\n{good}").into_bytes()),
        ("garbage behind", format!("{good}x").into_bytes()),
        ("NUL behind", format!("{good}\0").into_bytes()),
        ("brace behind", format!("{good}}}").into_bytes()),
        ("comma", format!("{open},}}").into_bytes()),
        ("two commas", format!("{open},,\"x\":1}}").into_bytes()),
        ("no brace", open.clone().into_bytes()),
        ("comment", format!("{open}/* */}}").into_bytes()),
        ("line comment", format!("{open}//\n}}").into_bytes()),
        ("single quotes", good.replace('"', "'").into_bytes()),
        ("bare names", good.replace("\"sub\"", "sub").into_bytes()),
        ("byte order mark", format!("\u{feff}{good}").into_bytes()),
        ("non-breaking space", format!("\u{a0}{good}").into_bytes()),
        ("form feed", format!("\u{c}{good}").into_bytes()),
        ("UTF-16", utf_16.clone()),
        ("UTF-16 with mark", [vec![0xff, 0xfe], utf_16].concat()),
        ("Latin-1", [open.as_bytes(), b",\"x\":\"\xe9\"}"].concat()),
        ("overlong NUL", [open.as_bytes(), b",\"x\":\"\xc0\x80\"}"].concat()),
        ("encoded surrogate", [open.as_bytes(), b",\"x\":\"\xed\xa0\x80\"}"].concat()),
        ("lone surrogate", format!(r#"{open},"x":"\ud800"}}"#).into_bytes()),
        ("lone surrogate in a name", format!(r#"{open},"\udc00":1}}"#).into_bytes()),
        ("NUL in a name", format!(r#"{open},"scope\u0000":"notes:admin"}}"#).into_bytes()),
        ("line break in a string", format!("{open},\"x\":\"\n\"}}").into_bytes()),
        ("unknown escape", format!(r#"{open},"x":"\x41"}}"#).into_bytes()),
        ("deep arrays", nested("[", "]", 40)),
        ("deep objects", nested("{\"y\":", "}", 40)),
        ("deeper", nested("[", "]", 5000)),
        ("never closed", format!("{open},\"x\":{}", "[".repeat(11_000)).into_bytes()),
        ("too deep to read", nested("[", "]", 50_000)),
    ];
    for (variant, payload) in payloads {
        target.attack_with(variant, target.good().raw_payload(payload.clone()).sign()).await;
        if payload.len() < 6_000 {
            let forged = target.good().raw_payload(payload.clone()).signed_with_foreign_key();
            target.attack_with(variant, forged.sign()).await;
            target.attack_with(variant, target.good().raw_header(payload).sign()).await;
        }
    }
    target.finish().await;
}

#[tokio::test]
async fn enc_07_look_alikes() {
    let mut target = Target::start("ENC-07").await;
    for name in
        ["Scope", "SCOPE", "\u{455}cope", "\u{ff53}cope", "scope ", "scope\u{301}", "scp", "scopes"]
    {
        let token = target.good().without_claim("scope").claim(name, "notes:read");
        target.attack_with(name, token.sign()).await;
    }
    for scope in ["notes:Read", "\u{ff4e}otes:read", "notes\u{ff1a}read"] {
        let ascii = scope.is_ascii();
        let token = target.good().scope(scope).sign();
        // A scope of other than ASCII is no scope at all, see SCP-02.
        if ascii {
            target.attack_with(scope, token).await;
        }
    }
    for (claim, others) in [
        ("iss", ["ISS", "i\u{455}s", "iss\u{200b}"]),
        ("aud", ["Aud", "\u{430}ud", "aud\u{200b}"]),
        ("exp", ["EXP", "\u{435}xp", "exp\u{feff}"]),
        ("sub", ["Sub", "\u{455}ub", "sub\u{301}"]),
    ] {
        let value = json!({ "iss": target.issuer.issuer(), "aud": target.url, "sub": "mallory",
            "exp": target.issuer.now() + 300 })[claim]
            .clone();
        for other in others {
            let token = target.good().without_claim(claim).claim(other, value.clone());
            target.attack_with(other, token.sign()).await;
        }
    }
    let issuer = target.issuer.issuer().to_owned();
    for other in [
        issuer.replace("http", "HTTP"),
        issuer.replace('1', "\u{ff11}"),
        issuer.replace('.', "\u{3002}"),
        format!("{issuer}\u{200b}"),
    ] {
        target.attack_with(&other, target.good().claim("iss", other.as_str()).sign()).await;
    }
    let url = target.url.clone();
    for other in [
        url.replace("mcp", "\u{ff4d}cp"),
        url.replace("mcp", "mc\u{440}"),
        url.replace("/mcp", "\u{2215}mcp"),
        format!("{url}\u{301}"),
        format!("\u{feff}{url}"),
    ] {
        target.attack_with(&other, target.good().audience(other.as_str()).sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn enc_08_sizes_and_counts() {
    let mut target = Target::start("ENC-08").await;
    let many = |count: usize, text: &str| vec![text.to_owned(); count];
    let numbers = |count: u32| (0..count).map(Value::from).collect::<Vec<_>>();
    let (header, payload, signature) = target.good().sign_parts();
    for token in [
        target.good().claim("x", "x".repeat(20_000)).sign(),
        target.good().claim("x", "x".repeat(200_000)).sign(),
        target.good().header("x", "x".repeat(48_000)).sign(),
        target.good().claim("x", numbers(5_000)).sign(),
        target.good().header("x", vec![0; 5_000]).sign(),
        target.good().claim("x", vec![json!({}); 4_000]).sign(),
        target.good().audiences(many(65, &target.url)).sign(),
        target.good().audiences(many(1_000, "a")).sign(),
        target.good().claim("aud", numbers(100)).sign(),
        target.good().scope("a".repeat(1_000_000 / 8)).sign(),
        target.good().scope(" ".repeat(10_000)).sign(),
        target.good().scope(format!("notes:read {}", "\u{e9}".repeat(4_000))).sign(),
        target.good().subject("\u{1}".repeat(1_500)).sign(),
        "a".repeat(16 * 1024),
        "a".repeat(16 * 1024 + 1),
        format!("{header}.{payload}.{}", "A".repeat(15_000)),
        format!("{header}.{}.{signature}", "A".repeat(15_000)),
        format!("{header}{}.{payload}.{signature}", MARKER.repeat(1_000)),
        format!("{header}.{payload}.{signature}{}", "A".repeat(300_000)),
    ] {
        target.attack_with(&token.chars().take(60).collect::<String>(), &token).await;
    }
    for megabytes in [1, 10] {
        let request = target.whoami().token("a".repeat(megabytes << 20));
        target.attack_below("megabytes", request).await;
    }
    // As much as is allowed, of everything.
    let scopes: Vec<_> = (0..1_000).map(|number| format!("s{number}")).collect();
    let large = target
        .good()
        .scope(format!("notes:read {}", scopes.join(" ")))
        .audiences(many(63, "https://other.example").into_iter().chain([target.url.clone()]))
        .claim("x", numbers(1_000))
        .sign();
    target.lets_pass("large", target.whoami().token(large)).await;
    // The longest names that fit, of characters that grow when a record escapes them.
    let long = "\u{202e}".repeat(700);
    let large = target
        .good()
        .subject(long.as_str())
        .client_id(long.as_str())
        .claim("jti", long.as_str())
        .actor(json!({ "sub": long, "iss": long }))
        .sign();
    target.lets_pass("long names", target.whoami().token(large)).await;
    target.finish().await;
}

#[tokio::test]
async fn enc_09_numbers() {
    let mut target = Target::start("ENC-09").await;
    let open = open_payload(&target);
    let digits = "9".repeat(400);
    for number in [
        "1E400",
        "-1E400",
        "1e999999999",
        "0x10",
        "0b1",
        "0o7",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "--1",
        "-",
        "NaN",
        "Infinity",
        "-Infinity",
        "1_000",
        "1,000",
        "\u{ff11}",
        "9999999999L",
        "1n",
        "1 2",
        &digits,
        "-0",
        "-0.0",
        "1e-400",
        "0e0",
        "1E+5",
    ] {
        let payload = format!("{},\"exp\":{number}}}", open.replace("\"exp\"", "\"x\""));
        target.attack_with(number, target.good().raw_payload(payload).sign()).await;
    }
    for number in ["1E400", "0x10", "NaN", "01", &digits] {
        let payload = format!("{open},\"x\":[{{\"y\":{number}}}]}}");
        target.attack_with(number, target.good().raw_payload(payload).sign()).await;
    }
    target.finish().await;
}
