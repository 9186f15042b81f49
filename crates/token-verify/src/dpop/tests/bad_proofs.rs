//! Proofs with one thing bent and a good signature over it, so that nothing but the one check can refuse them.

use http::Request;
use palisade_core::Resource;
use serde_json::{Value, json};

use super::support::{
    BOUND, Bent, Client, RESOURCE, STOLEN, UNBOUND, ask, base64url, check, code_of, hash, head,
    proofs, request,
};
use crate::{
    TokenVerifyLayer,
    dpop::{DpopProofs, DpopProofsError, MemoryReplays},
    testing::{NOW, clock},
};

fn claims<'a>(
    client: &'a Client,
    claim: &'a str,
    values: impl IntoIterator<Item = Value> + 'a,
    expected: &'static str,
) -> impl Iterator<Item = (String, String, &'static str)> + 'a {
    values.into_iter().map(move |value| {
        let name = format!("{claim}: {value}");
        (name, client.proof().claim(claim, value).sign(), expected)
    })
}

#[tokio::test]
async fn pop_02_proofs_for_other_requests() {
    let client = Client::new();
    let methods = [json!("POST"), json!("get"), json!("GET "), json!("")];
    let mut rows: Vec<_> = claims(&client, "htm", methods, "proof_method_wrong").collect();
    let targets = [
        json!("https://mcp.example/other"),
        json!("https://mcp.example/mcp/"),
        json!("https://mcp.example/MCP"),
        json!("https://mcp.example/mcp?x=1"),
        json!("https://mcp.example/mcp?"),
        json!("https://mcp.example/mcp#"),
        json!("http://mcp.example/mcp"),
        json!("https://mcp.example:8443/mcp"),
        json!("https://elsewhere.example/mcp"),
        json!("https://mcp.example@elsewhere.example/mcp"),
        json!("/mcp"),
        json!(""),
    ];
    rows.extend(claims(&client, "htu", targets, "proof_target_wrong"));
    let same = [
        json!("HTTPS://MCP.EXAMPLE:443/mcp"),
        json!("https://mcp.example/%6Dcp"),
        json!("https://mcp.example/a/../mcp"),
    ];
    rows.extend(claims(&client, "htu", same, ""));
    let other_types = [json!(null), json!(1), json!(["GET"]), json!([RESOURCE])];
    rows.extend(claims(&client, "htm", other_types.clone(), "proof_malformed"));
    rows.extend(claims(&client, "htu", other_types, "proof_malformed"));
    check(&client, rows).await;
}

#[tokio::test]
async fn pop_02_a_path_that_is_no_path_has_no_proof() {
    let client = Client::new();
    let proof = client.proof().claim("htu", "https://mcp.example/%zz").sign();
    let request = Request::get("/%zz")
        .header("authorization", format!("DPoP {BOUND}"))
        .header("dpop", proof)
        .body(())
        .unwrap();
    assert_eq!(code_of(&client, proofs(), request).await, "proof_target_wrong");
}

#[tokio::test]
async fn pop_02_a_proof_is_for_the_path_that_the_client_sent() {
    let client = Client::new();
    let resource = |path: &str| Resource::parse(&format!("https://mcp.example{path}")).unwrap();
    let at = |path: &str, served_at| resource(path).served_at(served_at).unwrap();
    // The proxy in front takes `/t` away.
    let one = DpopProofs::new(&at("/t/mcp", "/mcp")).unwrap();
    let root = DpopProofs::new(&at("/t", "/")).unwrap();
    let several = [at("/t/a", "/a"), at("/t/b", "/b"), resource("/")];
    let several = DpopProofs::per_endpoint(several).unwrap();
    let whole = DpopProofs::per_endpoint([resource("/a"), resource("/b")]).unwrap();
    const WRONG: &str = "proof_target_wrong";
    for (name, proofs, arrived, sent, expected) in [
        ("one", &one, "/mcp", "/t/mcp", ""),
        ("one, below", &one, "/mcp/x", "/t/mcp/x", ""),
        ("one, slash", &one, "/mcp/", "/t/mcp/", ""),
        ("one, as it arrives", &one, "/mcp", "/mcp", WRONG),
        ("one, below, as it arrives", &one, "/mcp/x", "/mcp/x", WRONG),
        ("one, for above", &one, "/mcp/x", "/t/mcp", WRONG),
        ("one, elsewhere", &one, "/other", "/other", WRONG),
        ("one, elsewhere, rewritten", &one, "/other", "/t/other", WRONG),
        ("one, unwritten", &one, "/t/mcp", "/t/mcp", WRONG),
        ("one, encoded", &one, "/%6dcp", "/t/mcp", WRONG),
        ("one, dots", &one, "/x/../mcp", "/t/mcp", WRONG),
        ("the root", &root, "/x", "/t/x", ""),
        ("the root itself", &root, "/", "/t", ""),
        ("the root, outside", &root, "/x", "/x", WRONG),
        ("several", &several, "/a", "/t/a", ""),
        ("several, the other", &several, "/b/x", "/t/b/x", ""),
        ("several, not rewritten", &several, "/x", "/x", ""),
        ("several, for another", &several, "/b", "/t/a", WRONG),
        ("several, for another, as it arrives", &several, "/b", "/a", WRONG),
        // It arrives at the third, by a way that is not described: for the first, it is no proof.
        ("several, the path of another", &several, "/t/a", "/t/a", WRONG),
        ("several, below the path of another", &several, "/t/a/x", "/t/a/x", WRONG),
        ("several, none rewritten", &whole, "/a", "/a", ""),
        ("several, none rewritten, for another", &whole, "/b", "/a", WRONG),
        ("several, none rewritten, elsewhere", &whole, "/x", "/x", ""),
    ] {
        let proof = client.proof().claim("htu", format!("https://mcp.example{sent}")).sign();
        let request = Request::get(arrived)
            .header("authorization", format!("DPoP {BOUND}"))
            .header("dpop", proof)
            .body(())
            .unwrap();
        let proofs = proofs.clone().with_replay_store(MemoryReplays::new()).with_clock(clock());
        assert_eq!(code_of(&client, proofs, request).await, expected, "{name}");
    }
    let error = DpopProofs::per_endpoint([resource("/a"), resource("/a")]).unwrap_err();
    assert!(matches!(error, DpopProofsError::Endpoints { .. }), "{error}");
}

#[tokio::test]
async fn pop_04_hashes_of_tokens() {
    let client = Client::new();
    let (digest, good) = (sha2::Sha512::digest_of(BOUND), hash(BOUND));
    let wrong = [
        json!(hash(UNBOUND)),
        json!(hash("")),
        json!(format!("{good}=")),
        json!(good.get(1..).unwrap()),
        json!(good.to_uppercase()),
        json!(good.replace(['-', '_'], "+")),
        json!("d1".repeat(32)),
        json!(base64url(digest)),
        json!(BOUND),
        json!(""),
        json!(null),
        json!([good]),
    ];
    // The hash may happen to have neither `-` nor `_`.
    let wrong = wrong.into_iter().filter(|ath| *ath != json!(good));
    let mut rows: Vec<_> = claims(&client, "ath", wrong, "proof_token_wrong").collect();
    rows.push(("none".into(), client.proof().without("ath").sign(), "proof_token_wrong"));
    check(&client, rows).await;
}

trait DigestOf {
    fn digest_of(token: &str) -> Vec<u8>;
}

impl DigestOf for sha2::Sha512 {
    fn digest_of(token: &str) -> Vec<u8> {
        <Self as sha2::Digest>::digest(token).to_vec()
    }
}

#[tokio::test]
async fn pop_06_times() {
    let client = Client::new();
    let good = [json!(NOW), json!(NOW - 60), json!(NOW + 10)];
    let mut rows: Vec<_> = claims(&client, "iat", good, "").collect();
    let stale = [
        json!(NOW - 61),
        json!(NOW + 11),
        json!(0),
        json!(u64::MAX),
        json!(-NOW),
        json!(1_800_000_000.5),
        json!(1e300),
        json!(NOW.to_string()),
        json!(null),
        json!([NOW]),
        json!(true),
    ];
    rows.extend(claims(&client, "iat", stale, "proof_not_fresh"));
    rows.push(("none".into(), client.proof().without("iat").sign(), "proof_not_fresh"));
    check(&client, rows).await;
}

#[tokio::test]
async fn pop_07_forms_of_proofs() {
    let client = Client::new();
    let proof = client.proof();
    let (header, claims) = proof.texts();
    let good = proof.sign();
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let rows = [
        ("empty", String::new(), "proof_malformed"),
        ("no JWT", "proof".into(), "proof_malformed"),
        ("two parts", "a.b".into(), "proof_malformed"),
        ("five parts", format!("{good}.a.b"), "proof_malformed"),
        ("joined", format!("{good}, {good}"), "proof_malformed"),
        ("joined with nothing", format!("{good},"), "proof_malformed"),
        ("padded", format!("{good}="), "proof_malformed"),
        ("spaces inside", good.replace('.', ". "), "proof_malformed"),
        ("header in base64", good.replacen('e', "+", 1), "proof_malformed"),
        ("9 KiB", proof.clone().claim("x", "x".repeat(9 * 1024)).sign(), "proof_malformed"),
        (
            "typ twice",
            proof.sign_raw(&twice(&header, r#""typ":"dpop+jwt""#), &claims),
            "proof_malformed",
        ),
        (
            "htm twice",
            proof.sign_raw(&header, &twice(&claims, r#""htm":"GET""#)),
            "proof_malformed",
        ),
        (
            "a name twice in the key",
            proof.sign_raw(&header.replacen(r#""kty""#, r#""kty":"EC","kty""#, 1), &claims),
            "proof_malformed",
        ),
        ("header is an array", proof.sign_raw("[]", &claims), "proof_malformed"),
        ("payload is text", proof.sign_raw(&header, "\"x\""), "proof_malformed"),
        ("crit", proof.clone().header("crit", json!(["b64"])).sign(), "proof_malformed"),
        ("b64", proof.clone().header("b64", false).sign(), "proof_malformed"),
        ("zip", proof.clone().header("zip", "DEF").sign(), "proof_malformed"),
        ("cty", proof.clone().header("cty", "JWT").sign(), "proof_malformed"),
        ("typ at+jwt", proof.clone().header("typ", "at+jwt").sign(), "proof_type_wrong"),
        ("typ JWT", proof.clone().header("typ", "JWT").sign(), "proof_type_wrong"),
        (
            "typ with parameter",
            proof.clone().header("typ", "dpop+jwt;v=1").sign(),
            "proof_type_wrong",
        ),
        ("typ of another type", proof.clone().header("typ", 1).sign(), "proof_type_wrong"),
        ("no typ", proof.clone().without("typ").sign(), "proof_type_wrong"),
        ("typ in full", proof.clone().header("typ", "application/DPoP+JWT").sign(), ""),
        ("kid, jku and x5c are nothing", ignored(&proof), ""),
        ("jti empty", proof.clone().claim("jti", "").sign(), "proof_malformed"),
        ("jti of 257 bytes", proof.clone().claim("jti", "x".repeat(257)).sign(), "proof_malformed"),
        ("jti of 256 bytes", proof.clone().claim("jti", "x".repeat(256)).sign(), ""),
        ("jti a number", proof.clone().claim("jti", 1).sign(), "proof_malformed"),
        ("no jti", proof.clone().without("jti").sign(), "proof_malformed"),
        ("nonce a number", proof.clone().claim("nonce", 1).sign(), "proof_malformed"),
        ("a nonce that nobody asked for", proof.clone().claim("nonce", "x").sign(), ""),
        ("other claims", proof.clone().claim("x", json!({ "y": [1] })).sign(), ""),
    ];
    let rows = rows.into_iter().map(|(name, proof, code)| (name.to_owned(), proof, code));
    check(&client, rows.collect()).await;
}

fn ignored(proof: &Bent<'_>) -> String {
    let bent = proof.clone().header("kid", 7).header("jku", "https://evil.example");
    bent.header("x5c", json!(["AA"])).header("x5u", "file:///").sign()
}

#[tokio::test]
async fn pop_07_one_header_and_no_other() {
    let client = Client::new();
    let (first, second) = (client.proof().sign(), client.proof().claim("jti", "2").sign());
    let with = |proofs: &[&str]| {
        let head =
            proofs.iter().fold(head("DPoP", BOUND), |head, proof| head.header("dpop", *proof));
        head.body(()).unwrap()
    };
    for (name, lines, expected) in [
        ("none", &[][..], "proof_missing"),
        ("two", &[&*first, &*second], "proof_repeated"),
        ("the same twice", &[&*first, &*first], "proof_repeated"),
        ("garbage behind", &[&*first, "x"], "proof_repeated"),
        ("not ASCII", &["\u{e9}"], "proof_malformed"),
        ("one", &[&*first], ""),
    ] {
        assert_eq!(code_of(&client, proofs(), with(lines)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn pop_08_the_order_and_the_rest_of_a_key_do_not_matter() {
    let client = Client::new();
    let jwk = client.jwk();
    let text = format!(
        r#"{{"y":{},"kid":"mine","x":{},"alg":"ES256","n":"AA","crv":"P-256","use":"sig","kty":"EC"}}"#,
        jwk["y"], jwk["x"]
    );
    let (header, claims) = client.proof().texts();
    let header = header.replace(&jwk.to_string(), &text);
    assert!(header.contains("mine"));
    let proof = client.proof().sign_raw(&header, &claims);
    assert_eq!(code_of(&client, proofs(), request("DPoP", BOUND, &proof)).await, "");
}

#[tokio::test]
async fn pop_01_tokens_and_schemes_that_do_not_fit() {
    let client = Client::new();
    let proof = client.proof();
    let for_token = |token: &str| proof.clone().claim("ath", hash(token)).sign();
    let rows = [
        ("bound, as bearer", "Bearer", BOUND, proof.sign(), "token_bound"),
        ("bound to another, as bearer", "Bearer", STOLEN, for_token(STOLEN), "token_bound"),
        ("unbound, as bearer", "Bearer", UNBOUND, for_token(UNBOUND), ""),
        ("unbound, with a proof", "DPoP", UNBOUND, for_token(UNBOUND), "token_not_bound"),
        ("stolen, with a proof of the thief", "DPoP", STOLEN, for_token(STOLEN), "proof_key_wrong"),
        ("forged, with a proof", "DPoP", "forged", for_token("forged"), "signature_bad"),
        ("bound, with a proof", "dpop", BOUND, proof.sign(), ""),
    ];
    for (name, scheme, token, proof, expected) in &rows {
        let request = request(scheme, token, proof);
        assert_eq!(code_of(&client, proofs(), request).await, *expected, "{name}");
    }
    let without_dpop = [("Bearer", "token_bound"), ("DPoP", "token_missing")];
    for (scheme, expected) in without_dpop {
        let layer = TokenVerifyLayer::new(client.verifier());
        let answer = ask(layer, request(scheme, BOUND, &proof.sign())).await;
        assert_eq!((answer.status, answer.code), (401, expected), "{scheme}");
        assert!(answer.challenges.len() == 1 && answer.challenges[0].starts_with("Bearer "));
    }
}

#[tokio::test]
async fn pop_07_whatever_byte_is_changed_the_proof_is_refused() {
    let client = Client::new();
    let dpop = proofs();
    let good = client.proof().sign();
    for index in 0..good.len() {
        for other in [b'A', b'_', b'.'] {
            let mut bytes = good.clone().into_bytes();
            if bytes[index] == other {
                continue;
            }
            bytes[index] = other;
            let bent = String::from_utf8(bytes).unwrap();
            let code = code_of(&client, dpop.clone(), request("DPoP", BOUND, &bent)).await;
            assert_ne!(code, "", "{other} at {index}");
        }
    }
    assert_eq!(code_of(&client, dpop, request("DPoP", BOUND, &good)).await, "");
}
