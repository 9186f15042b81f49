//! Proofs that are good, or bent where a test wants them bent.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response, request};
use palisade_core::{Confirmation, Denial, ManualClock, Principal, Resource};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    BearerToken, Rejection, TokenVerifyLayer, TransportSecurity,
    dpop::{DpopProofs, MemoryReplays, ServerNonces, thumbprint::thumbprint},
    sender::Dpop,
    testing::{NOW, clock},
};

pub(crate) const RESOURCE: &str = "https://mcp.example/mcp";
/// Bound to the key of the test.
pub(crate) const BOUND: &str = "bound.token";
/// Bound to somebody else's key.
pub(crate) const STOLEN: &str = "stolen.token";
/// A plain bearer token.
pub(crate) const UNBOUND: &str = "unbound.token";

/// A client with a key, and a verifier that knows tokens which are bound to it.
pub(crate) struct Client(EcdsaKeyPair);

impl Client {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
    }

    pub(crate) fn thumbprint(&self) -> [u8; 32] {
        thumbprint(self.jwk().as_object().unwrap()).unwrap()
    }

    pub(crate) fn sign(&self, message: &str) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
    }

    /// A good proof for `GET https://mcp.example/mcp` with [`BOUND`], now.
    pub(crate) fn proof(&self) -> Bent<'_> {
        Bent {
            client: self,
            header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() }),
            claims: json!({
                "jti": "c33b1f5c-0b3e-4b9e-9f0a-3b5a2a6d1e7f",
                "htm": "GET",
                "htu": RESOURCE,
                "iat": NOW,
                "ath": hash(BOUND),
            }),
        }
    }

    pub(crate) fn verifier(&self) -> impl Fn(BearerToken) -> Ready<Verdict> + Clone + use<> {
        let ours = Confirmation::new().with_jwk_thumbprint(self.thumbprint());
        let theirs = Confirmation::new().with_jwk_thumbprint([7; 32]);
        move |token: BearerToken| {
            let principal = Principal::assert_verified("https://as.example", "alice");
            ready(match token.expose() {
                BOUND => Ok(principal.confirmation(ours).build()),
                STOLEN => Ok(principal.confirmation(theirs).build()),
                UNBOUND => Ok(principal.build()),
                _ => Err(Rejection::BadSignature),
            })
        }
    }
}

pub(crate) type Verdict = Result<Principal, Rejection>;

/// A proof in the making. Each call bends one thing, before it is signed.
#[derive(Clone)]
pub(crate) struct Bent<'a> {
    client: &'a Client,
    header: Value,
    claims: Value,
}

impl Bent<'_> {
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        for part in [&mut self.header, &mut self.claims] {
            part.as_object_mut().map(|members| members.remove(name));
        }
        self
    }

    pub(crate) fn sign(&self) -> String {
        self.sign_raw(&self.header.to_string(), &self.claims.to_string())
    }

    pub(crate) fn sign_raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.client.sign(&message);
        format!("{message}.{}", base64url(signature))
    }

    pub(crate) fn texts(&self) -> (String, String) {
        (self.header.to_string(), self.claims.to_string())
    }
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn hash(token: &str) -> String {
    base64url(Sha256::digest(token))
}

pub(crate) fn proofs() -> DpopProofs {
    proofs_at(&clock())
}

pub(crate) fn proofs_at(clock: &ManualClock) -> DpopProofs {
    DpopProofs::new(&Resource::parse(RESOURCE).unwrap())
        .unwrap()
        .with_replay_store(MemoryReplays::new().with_clock(clock.clone()))
        .with_clock(clock.clone())
}

pub(crate) fn nonces() -> ServerNonces {
    ServerNonces::with_secret(&[7; 32]).unwrap()
}

/// `GET /mcp` with this scheme, token and proof.
pub(crate) fn request(scheme: &str, token: &str, proof: &str) -> Request<()> {
    head(scheme, token).header("dpop", proof).body(()).unwrap()
}

pub(crate) fn head(scheme: &str, token: &str) -> request::Builder {
    Request::get("https://elsewhere.example/mcp?x=1")
        .extension(TransportSecurity::tls())
        .header("host", "elsewhere.example")
        .header("x-forwarded-host", "elsewhere.example")
        .header("authorization", format!("{scheme} {token}"))
}

/// What a client sees, and what is on record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Empty if the request passed.
    pub(crate) code: &'static str,
    pub(crate) challenges: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) cache_control: Option<String>,
}

pub(crate) async fn ask<D: Dpop>(
    layer: TokenVerifyLayer<impl crate::VerifyToken + Clone, palisade_core::PlainRenderer, D>,
    mut request: Request<()>,
) -> Answer {
    request.extensions_mut().insert(TransportSecurity::tls());
    let inner = async |request: Request<()>| {
        assert!(!request.headers().contains_key("dpop"), "the proof is gone");
        let public = Response::builder().header("cache-control", "public");
        Ok::<_, Infallible>(public.body(String::new()).unwrap())
    };
    let service = ServiceBuilder::new().layer(layer).service_fn(inner);
    let response = service.oneshot(request).await.unwrap();
    let text = |name| {
        let lines = response.headers().get_all(name).iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let denial = response.extensions().get::<Denial>();
    Answer {
        status: response.status().as_u16(),
        code: denial.map_or("", |denial| denial.reason().code()),
        challenges: text("www-authenticate"),
        nonce: text("dpop-nonce").pop(),
        cache_control: text("cache-control").pop(),
    }
}

/// The code of the refusal, or nothing if it passed.
pub(crate) async fn code_of(
    client: &Client,
    dpop: DpopProofs,
    request: Request<()>,
) -> &'static str {
    ask(TokenVerifyLayer::new(client.verifier()).with_dpop(dpop), request).await.code
}

/// Checks rows of name, proof and the code of the refusal.
pub(crate) async fn check(client: &Client, rows: Vec<(String, String, &str)>) {
    let good = code_of(client, proofs(), request("DPoP", BOUND, &client.proof().sign())).await;
    assert_eq!(good, "", "nothing is bent");
    for (name, proof, expected) in rows {
        let code = code_of(client, proofs(), request("DPoP", BOUND, &proof)).await;
        assert_eq!(code, expected, "{name}");
    }
}
