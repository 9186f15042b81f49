use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::{Clock, SystemClock};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Server, challenge};

/// A client with a key.
struct Client {
    key: EcdsaKeyPair,
    server: Server,
}

impl Client {
    async fn start() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let server = Server::start(env!("CARGO_BIN_EXE_dpop_server"), &[]).await;
        Self { key, server }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        json!({ "crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y) })
    }

    /// A token that is bound to the client's key (RFC 7638 has the members in this order).
    fn token(&self) -> String {
        let jwk = self.jwk();
        let canonical =
            format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        let cnf = json!({ "jkt": sha256(&canonical) });
        self.server.token("hello").claim("cnf", cnf).sign()
    }

    fn proof(&self, token: &str, jti: &str, nonce: Option<&str>) -> String {
        let now = SystemClock::new().now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let mut claims = json!({
            "jti": jti,
            "htm": "GET",
            "htu": self.server.at("/hello"),
            "iat": now.as_secs(),
            "ath": sha256(token),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let message =
            format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature))
    }

    async fn ask(&self, scheme: &str, token: &str, proof: &str) -> Response {
        let request = self.server.http.get(self.server.at("/hello"));
        let request = request.header("authorization", format!("{scheme} {token}"));
        request.header("dpop", proof).send().await.unwrap()
    }
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(text: &str) -> String {
    base64url(digest(&SHA256, text.as_bytes()))
}

#[tokio::test]
async fn takes_a_token_from_who_has_its_key_and_from_nobody_else() {
    let client = Client::start().await;
    let token = client.token();

    let refused = client.ask("DPoP", &token, &client.proof(&token, "1", None)).await;
    assert_eq!(refused.status(), 401);
    assert!(challenge(&refused).starts_with("DPoP error=\"use_dpop_nonce\""));
    let nonce = refused.headers()["dpop-nonce"].to_str().unwrap().to_owned();

    let proof = client.proof(&token, "2", Some(&nonce));
    let answer = client.ask("DPoP", &token, &proof).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "hello alice");

    let replayed = client.ask("DPoP", &token, &proof).await;
    assert_eq!(replayed.status(), 401);
    assert!(challenge(&replayed).starts_with("DPoP error=\"invalid_dpop_proof\""));

    // Another key, and the stolen token.
    let thief = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let thief = Client { key: thief, server: client.server };
    let proof = thief.proof(&token, "3", Some(&nonce));
    let stolen = thief.ask("DPoP", &token, &proof).await;
    assert_eq!(stolen.status(), 401);
    assert!(challenge(&stolen).starts_with("DPoP error=\"invalid_token\""));

    let bearer = thief.ask("Bearer", &token, "").await;
    assert_eq!(bearer.status(), 401);
    assert!(challenge(&bearer).starts_with("DPoP resource_metadata="), "{}", challenge(&bearer));
}
