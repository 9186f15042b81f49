//! Parameters of the JOSE header that say how a token is to be read.

use serde_json::{Value, json};

use super::{MARKER, Row, Target};

pub(super) const ROWS: &[Row] = &[
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
