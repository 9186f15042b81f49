//! Parameters of the JOSE header that say which key a token is signed with.

use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_test_issuer::TestIssuer;
use serde_json::{Value, json};

use super::{
    MARKER, Row, Target,
    canned::{Canned, Script},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "HDR-01",
        attack: "a token by the attacker's key with that key in `jwk`, under our `kid`, its own, or none",
        answers: &["401 key_unknown", "401 signature_bad"],
        test: "hdr_01_embedded_key",
    },
    Row {
        id: "HDR-02",
        attack: "`jku` and `x5u` that lead to the attacker's key set, to metadata services, to files",
        answers: &["401 key_unknown", "401 signature_bad", "503 key_not_yet_known"],
        test: "hdr_02_addresses_of_keys",
    },
    Row {
        id: "HDR-03",
        attack: "`x5c`, `x5t`, `x5t#S256` of the attacker's certificate",
        answers: &["401 key_unknown", "401 signature_bad"],
        test: "hdr_03_certificates",
    },
    Row {
        id: "HDR-04",
        attack: "`kid` as path, SQL, URL, format string, NUL, line break, empty, 100 KB, number, null, array",
        answers: &[
            "401 key_unknown",
            "401 token_malformed",
            "431 token_too_large",
            "503 key_not_yet_known",
        ],
        test: "hdr_04_kid_is_text_of_a_stranger",
    },
    Row {
        id: "HDR-05",
        attack: "another issuer's token whose `kid` is also ours, with its own `iss` and with ours",
        answers: &["401 issuer_wrong", "401 signature_bad"],
        test: "hdr_05_kid_of_two_issuers",
    },
];

/// An issuer of the attacker's own. Its keys have the same names as ours.
fn attacker() -> TestIssuer {
    TestIssuer::builder().in_process("https://evil.example").unwrap()
}

#[tokio::test]
async fn hdr_01_embedded_key() {
    let mut target = Target::start("HDR-01").await;
    let evil = attacker();
    let jwk = evil.jwks()["keys"][0].clone();
    let mut named = jwk.clone();
    named["kid"] = "evil".into();
    let mut secret = jwk.clone();
    secret["d"] = "AQAB".into();
    for jwk in [jwk.clone(), named, secret, jwk.to_string().into(), json!([jwk]), json!(null)] {
        let token = target.claims_of(evil.mint()).header("jwk", jwk);
        target.attack_with("our kid", token.sign()).await;
        target.attack_with("evil", token.clone().header("kid", "evil").sign()).await;
        target.attack_with("no kid", token.without_header("kid").sign()).await;
    }
    let decorated = target.good().header("jwk", jwk);
    target.lets_pass("not even read", target.whoami().token(decorated.sign())).await;
    target.finish().await;
}

#[tokio::test]
async fn hdr_02_addresses_of_keys() {
    let mut target = Target::start("HDR-02").await;
    let evil = attacker();
    let listener = Canned::start().await;
    listener.answer("/jwks", Script::json(&evil.jwks()));
    let redirect = format!("{}/redirect?to={}/jwks", target.issuer.issuer(), listener.url);
    let addresses = [
        format!("{}/jwks", listener.url),
        format!("{}/jwks#{}", listener.url, target.issuer.jwks_uri()),
        format!("{}@{}/jwks", target.issuer.issuer(), listener.url.trim_start_matches("http://")),
        redirect,
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "data:application/json,{}".to_owned(),
    ];
    let fetches = target.issuer.jwks_fetches();
    for address in &addresses {
        for parameter in ["jku", "x5u"] {
            let token = target.claims_of(evil.mint()).header(parameter, address.as_str());
            target.attack_with(address, token.sign()).await;
            target.attack_with(address, token.header("kid", address.as_str()).sign()).await;
        }
        // In the claims, where an issuer is looked up.
        let token = target.claims_of(evil.mint()).claim("jku", address.as_str());
        target.attack_with(address, token.claim("jwks_uri", address.as_str()).sign()).await;
    }
    assert_eq!(listener.asked(), [""; 0], "nobody asked the attacker");
    assert!(target.issuer.jwks_fetches() <= fetches + 1, "and the issuer once, for unknown names");
    target.finish().await;
}

#[tokio::test]
async fn hdr_03_certificates() {
    let mut target = Target::start("HDR-03").await;
    let evil = attacker();
    let certificate = STANDARD.encode(evil.public_key_der());
    let parameters = [
        ("x5c", json!([certificate])),
        ("x5c", json!([certificate, certificate])),
        ("x5c", json!(certificate)),
        ("x5t", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("x5t#S256", json!(target.issuer.current_kid())),
    ];
    for (name, value) in parameters {
        let token = target.claims_of(evil.mint()).header(name, value);
        target.attack_with(name, token.sign()).await;
        target.attack_with(name, token.clone().header("kid", "evil").sign()).await;
        target.attack_with(name, token.without_header("kid").sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn hdr_04_kid_is_text_of_a_stranger() {
    let mut target = Target::start("HDR-04").await;
    let own = target.issuer.current_kid();
    let texts = [
        "../../../dev/null".to_owned(),
        "/dev/null".to_owned(),
        "/proc/self/environ".to_owned(),
        "' OR 1=1--".to_owned(),
        "; sleep 10".to_owned(),
        "$(sleep 10)".to_owned(),
        "*)(uid=*".to_owned(),
        "${jndi:ldap://127.0.0.1/a}".to_owned(),
        "%s%s%n{}".to_owned(),
        "http://169.254.169.254/".to_owned(),
        format!("{MARKER}\r\nX-Injected: {MARKER}"),
        format!("\u{1b}[31m{MARKER}\u{202e}"),
        String::new(),
        "\0".to_owned(),
        format!("{own}\0"),
        format!("{own} "),
        format!(" {own}"),
        own.to_uppercase() + "X",
        "\u{10ffff}".to_owned(),
        "k".repeat(256),
        "k".repeat(257),
        "\u{e9}".repeat(129),
        "k".repeat(11_000),
        "k".repeat(100_000),
    ];
    for kid in texts {
        let variant: String = kid.chars().take(30).collect();
        let forged = target.good().signed_with_foreign_key().header("kid", kid.as_str());
        target.attack_with(&variant, forged.sign()).await;
        target.attack_with(&variant, target.good().header("kid", kid).sign()).await;
    }
    let own = Value::from(own);
    for kid in [json!(0), json!(-1), json!(null), json!(true), json!([own]), json!({ "kid": own })]
    {
        target.attack_with("not a text", target.good().header("kid", kid).sign()).await;
    }
    assert!(target.issuer.jwks_fetches() <= 2, "one at the start and one for all unknown names");
    target.finish().await;
}

#[tokio::test]
async fn hdr_05_kid_of_two_issuers() {
    let mut target = Target::start("HDR-05").await;
    let evil = attacker();
    assert_eq!(evil.current_kid(), target.issuer.current_kid());
    let foreign = evil.mint().audience(&target.url).subject("alice").scope("notes:admin");
    target.attack_with("its own iss", foreign.sign()).await;
    target.attack_with("our iss", target.claims_of(evil.mint()).sign()).await;
    let in_header = foreign.header("iss", target.issuer.issuer());
    target.attack_with("our iss in the header", in_header.sign()).await;
    let ours = target.good().claim("iss", "https://evil.example");
    target.attack_with("our key, its iss", ours.sign()).await;
    target.finish().await;
}
