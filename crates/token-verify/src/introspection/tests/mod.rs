//! A server on a string, and the questions it was asked.

mod answers;
mod cache;
mod endpoint;
mod google;
mod load;
mod principals;
mod request;
mod signed;

use std::{
    collections::VecDeque,
    future::pending,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use palisade_core::{ManualClock, Principal};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::*;
use crate::{
    BearerToken, Issuer, Rejection, VerifyToken,
    testing::{AUDIENCE, ISSUER, NOW, clock},
};

const CLIENT: &str = "s6BhdRkqt3";
const SECRET: &str = "gX1fBat3bV";
const TOKEN: &str = "mF_9.B5f-4.1JqM";

const SECOND: Duration = Duration::from_secs(1);

/// The other end of the wire.
#[derive(Clone)]
struct Server(Arc<Shared>);

struct Shared {
    /// What is answered next; the last again and again.
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    gate: Semaphore,
}

#[derive(Clone)]
enum Reply {
    Answer {
        status: u16,
        content_type: Option<&'static str>,
        body: Vec<u8>,
    },
    /// An answer, once the gate is opened for it.
    Held(Value),
    Hang,
    NoConnection,
}

#[derive(Clone, Debug)]
struct Asked {
    accept: &'static str,
    authorization: Option<String>,
    body: String,
}

impl Server {
    fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self(Arc::new(Shared {
            replies: Mutex::new(replies.into_iter().collect()),
            asked: Mutex::default(),
            gate: Semaphore::new(0),
        }))
    }

    fn that_says(answer: Value) -> Self {
        Self::of([Reply::json(answer)])
    }

    fn now_says(&self, reply: Reply) {
        *self.0.replies.lock().unwrap() = [reply].into();
    }

    fn open_gate_for(&self, answers: usize) {
        self.0.gate.add_permits(answers);
    }

    fn asked(&self) -> Vec<Asked> {
        self.0.asked.lock().unwrap().clone()
    }

    fn calls(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }
}

impl Reply {
    fn json(answer: impl Into<Value>) -> Self {
        let body = answer.into().to_string().into_bytes();
        Self::Answer { status: 200, content_type: Some("application/json"), body }
    }

    fn status(status: u16) -> Self {
        Self::Answer { status, content_type: None, body: Vec::new() }
    }

    fn signed(jwt: String) -> Self {
        let content_type = Some("application/token-introspection+jwt");
        Self::Answer { status: 200, content_type, body: jwt.into_bytes() }
    }
}

impl IntrospectToken for Server {
    type Error = io::Error;

    async fn introspect(
        &self,
        request: IntrospectionRequest,
    ) -> Result<IntrospectionResponse, io::Error> {
        self.0.asked.lock().unwrap().push(Asked {
            accept: request.accept(),
            authorization: request.authorization().map(|value| value.to_str().unwrap().to_owned()),
            body: request.body().to_owned(),
        });
        let reply = {
            let mut replies = self.0.replies.lock().unwrap();
            if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() }
        };
        match reply.unwrap() {
            Reply::Answer { status, content_type, body } => {
                let response = IntrospectionResponse::new(status, body);
                Ok(match content_type {
                    Some(content_type) => response.with_content_type(content_type),
                    None => response,
                })
            }
            Reply::Held(answer) => {
                self.0.gate.acquire().await.unwrap().forget();
                Ok(IntrospectionResponse::new(200, answer.to_string())
                    .with_content_type("application/json"))
            }
            Reply::Hang => pending().await,
            Reply::NoConnection => Err(io::Error::other("connection refused")),
        }
    }
}

/// What a server says of a good token.
fn active() -> Value {
    json!({
        "active": true,
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "client_id": "app",
        "scope": "read write",
        "exp": NOW + 300,
        "iat": NOW - 10,
        "jti": "id-1",
        "token_type": "Bearer",
    })
}

fn active_with(name: &str, value: impl Into<Value>) -> Value {
    let mut answer = active();
    answer[name] = value.into();
    answer
}

fn active_without(name: &str) -> Value {
    let mut answer = active();
    answer.as_object_mut().unwrap().remove(name);
    answer
}

fn credential() -> ClientAuthentication {
    ClientAuthentication::secret_basic(CLIENT, SECRET).unwrap()
}

fn builder(server: &Server) -> IntrospectionBuilder<Server> {
    let issuer = Issuer::parse(ISSUER).unwrap();
    IntrospectionVerifier::builder(issuer, server.clone(), credential()).unwrap()
}

type Verifier = IntrospectionVerifier<Server, crate::keys::StaticKeys, ManualClock>;

fn verifier(server: &Server) -> Verifier {
    builder(server).with_clock(clock()).build()
}

fn token(text: &str) -> BearerToken {
    BearerToken::parse(text).unwrap()
}

async fn verdict_on(verifier: &impl VerifyToken, text: &str) -> Result<Principal, Rejection> {
    verifier.verify(token(text)).await
}

async fn rejection(verifier: &impl VerifyToken, text: &str) -> Option<Rejection> {
    verdict_on(verifier, text).await.err()
}

/// The verdict on one answer, by a verifier that knows nothing else.
async fn verdict(answer: Value) -> Result<Principal, Rejection> {
    verdict_on(&verifier(&Server::that_says(answer)), TOKEN).await
}

fn is_outage(verdict: &Result<Principal, Rejection>) -> bool {
    matches!(verdict, Err(Rejection::IntrospectionUnavailable { retry_after: Some(_) }))
}
