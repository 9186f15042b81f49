//! Parameters of the JOSE header.

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
    Row {
        id: "HDR-06",
        attack: "`crit` with unknown, known, absent, repeated names, empty, and of other types",
        answers: &["401 header_unsupported", "401 token_malformed"],
        test: "hdr_06_crit",
    },
    Row {
        id: "HDR-07",
        attack: "`b64`, true and false, with and without `crit`, over the bare and the encoded payload",
        answers: &["401 header_unsupported", "401 token_malformed"],
        test: "hdr_07_b64",
    },
    Row {
        id: "HDR-08",
        attack: "`typ` missing, of other JWTs, with parameters, in lists, with spaces or look-alikes",
        answers: &["401 type_disallowed"],
        test: "hdr_08_typ",
    },
    Row {
        id: "HDR-09",
        attack: "`zip`, on a signed token and on five parts",
        answers: &["401 header_unsupported", "401 token_malformed"],
        test: "hdr_09_zip",
    },
    Row {
        id: "HDR-10",
        attack: "PBES2 with 2^31 rounds, in three and in five parts",
        answers: &["401 algorithm_disallowed", "401 token_malformed"],
        test: "hdr_10_pbes2",
    },
    Row {
        id: "HDR-11",
        attack: "five parts, with a good token inside; a good token nested in a good token, with and without `cty`",
        answers: &["401 header_unsupported", "401 token_malformed"],
        test: "hdr_11_encrypted_and_nested",
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

#[tokio::test]
async fn hdr_06_crit() {
    let mut target = Target::start("HDR-06").await;
    let values = [
        json!(["x-unknown"]),
        json!([MARKER]),
        json!([]),
        json!(["alg"]),
        json!(["typ", "kid"]),
        json!(["exp"]),
        json!(["x-known", "x-known"]),
        json!([""]),
        json!("exp"),
        json!(null),
        json!(0),
        json!(false),
        json!({}),
        json!([null]),
        json!([["exp"]]),
    ];
    for crit in values {
        let token = target.good().header("crit", crit.clone());
        target.attack_with(&crit.to_string(), token.sign()).await;
        let token = token.header("x-unknown", true).header("exp", 0);
        target.attack_with(&format!("{crit}, and present"), token.sign()).await;
        // The order of the checks shows nothing.
        let token = token.unsigned().header("jwk", json!({}));
        target.attack_with(&format!("{crit}, unsigned"), token.sign()).await;
    }
    let kid = target.issuer.current_kid();
    for raw in [
        format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}","\u0063rit":["x"]}}"#),
        format!(r#"{{"crit":["x"],"alg":"ES256","typ":"at+jwt","kid":"{kid}","crit":[]}}"#),
    ] {
        target.attack_with(&raw, target.good().raw_header(raw.as_bytes()).sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn hdr_07_b64() {
    let mut target = Target::start("HDR-07").await;
    for b64 in [json!(false), json!(true), json!(null), json!("false"), json!(0)] {
        let token = target.good().header("b64", b64.clone());
        target.attack_with(&b64.to_string(), token.sign()).await;
        let token = token.header("crit", json!(["b64"]));
        target.attack_with(&format!("{b64}, critical"), token.sign()).await;
        let (header, _, signature) = token.sign_parts();
        target.attack_with("detached", format!("{header}..{signature}")).await;
        // A bare payload may not hold dots or braces, so it can be no JSON; a number has neither.
        target.attack_with("bare", format!("{header}.12345678.{signature}")).await;
    }
    let (header, _, signature) = target.good().sign_parts();
    target.attack_with("detached", format!("{header}..{signature}")).await;
    target.finish().await;
}

#[tokio::test]
async fn hdr_08_typ() {
    let mut target = Target::start("HDR-08").await;
    for typ in ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "APPLICATION/at+JWT"] {
        let token = target.good().header("typ", typ);
        target.lets_pass(typ, target.whoami().token(token.sign())).await;
    }
    let others = [
        "JWT",
        "jwt",
        "JOSE",
        "JOSE+JSON",
        "dpop+jwt",
        "secevent+jwt",
        "statuslist+jwt",
        "logout+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "id_token+jwt",
        "vc+sd-jwt",
        "client-attestation+jwt",
        "at+jwt;v=1",
        "at+jwt; charset=utf-8",
        "at+jwt ",
        " at+jwt",
        "at+jwt\0",
        "at+jwt\n",
        "at jwt",
        "at%2Bjwt",
        "at+jwtx",
        "xat+jwt",
        "at",
        "",
        "/at+jwt",
        "application/",
        "application/at+jwt/",
        "application/application/at+jwt",
        "text/at+jwt",
        "x/application/at+jwt",
        "application /at+jwt",
        "*/*",
        "application/*",
        "\u{430}t+jwt",
        "at\u{ff0b}jwt",
        "JWT,at+jwt",
        MARKER,
    ];
    let values =
        [json!(null), json!(0), json!(["at+jwt"]), json!({ "typ": "at+jwt" }), json!(true)];
    for typ in others.into_iter().map(Value::from).chain(values) {
        let token = target.good().header("typ", typ.clone());
        target.attack_with(&typ.to_string(), token.sign()).await;
        // The right one elsewhere is no help.
        let token = token.header("TYP", "at+jwt").header("cty2", "at+jwt").claim("typ", "at+jwt");
        target.attack_with(&format!("{typ}, misplaced"), token.sign()).await;
    }
    target.attack_with("missing", target.good().without_header("typ").sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn hdr_09_zip() {
    let mut target = Target::start("HDR-09").await;
    // `{}` deflated, and ten megabytes of zeros, as far as a decoder gets with this.
    let deflated = [&[0xab, 0xae, 5, 0], [0xec; 4000].as_slice()].concat();
    for zip in [json!("DEF"), json!("def"), json!("GZIP"), json!(null), json!(["DEF"])] {
        let token = target.good().header("zip", zip);
        target.attack_with("signed", token.sign()).await;
        let token = token.raw_payload(deflated.as_slice());
        target.attack_with("signed, deflated", token.sign()).await;
        let (header, payload, signature) = token.sign_parts();
        let five = format!("{header}.{signature}.{signature}.{payload}.{signature}");
        target.attack_with("encrypted", five).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn hdr_10_pbes2() {
    let mut target = Target::start("HDR-10").await;
    for alg in ["PBES2-HS256+A128KW", "PBES2-HS512+A256KW"] {
        for p2c in [json!(2_147_483_648_u64), json!(u64::MAX), json!(-1), json!(1e300)] {
            let token = target.good().header("alg", alg).header("enc", "A256GCM");
            let token = token.header("p2c", p2c).header("p2s", "AAAAAAAAAAA");
            target.attack_with(alg, token.sign()).await;
            let (header, payload, signature) = token.sign_parts();
            let five = format!("{header}.{signature}.AAAAAAAAAAAAAAAA.{payload}.{signature}");
            target.attack_with(alg, five).await;
        }
    }
    target.finish().await;
}

#[tokio::test]
async fn hdr_11_encrypted_and_nested() {
    let mut target = Target::start("HDR-11").await;
    let good = target.good().sign();
    let (header, payload, signature) = target.good().sign_parts();
    for five in [
        format!("{good}.{payload}.{signature}"),
        format!("{header}.{header}.{header}.{payload}.{signature}"),
        format!("{header}....{signature}"),
        format!("{header}..{payload}.{signature}."),
    ] {
        target.attack_with("five parts", five).await;
    }
    for alg in ["dir", "RSA-OAEP-256", "ECDH-ES", "ES256"] {
        let (header, _, _) = target.good().header("alg", alg).header("enc", "A128GCM").sign_parts();
        let five = format!("{header}..{signature}.{payload}.{signature}");
        target.attack_with(alg, five).await;
    }
    for cty in [json!("JWT"), json!("jwt"), json!("at+jwt"), json!(null), json!("")] {
        let outer = target.good().header("cty", cty);
        target.attack_with("good outside", outer.sign()).await;
        target.attack_with("nested", outer.raw_payload(good.as_bytes()).sign()).await;
    }
    let quoted = serde_json::to_string(&good).unwrap();
    for payload in [good.as_str(), quoted.as_str()] {
        let outer = target.good().raw_payload(payload);
        target.attack_with("nested without cty", outer.sign()).await;
        target.attack_with("as a JWT", outer.header("typ", "JWT").sign()).await;
    }
    target.finish().await;
}
