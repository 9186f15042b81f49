//! The REST server of the examples, whose rules are about paths.

use std::net::SocketAddr;

use super::{
    Target,
    raw::{Answer, Raw},
};
use crate::support::Server;

/// The REST server, with a token that may read and write reports.
pub(super) struct Rest {
    addr: SocketAddr,
    token: String,
    pub(super) server: Server,
}

impl Rest {
    pub(super) async fn start() -> Self {
        let server = Server::start(env!("CARGO_BIN_EXE_rest_api"), &["--jwks", "JWKS"]).await;
        let addr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
        let token = server.token("reports:read reports:write").sign();
        Self { addr, token, server }
    }

    pub(super) fn request(&self, line: &str) -> Raw {
        let token = format!("Bearer {}", self.token);
        Raw::new(line).header("host", self.addr.to_string()).header("authorization", token)
    }

    pub(super) async fn send(&self, request: &Raw) -> Answer {
        request.send(self.addr).await
    }
}

impl Target {
    /// A variant against the REST server, which has no audit record and answers without a body.
    pub(super) async fn attack_rest(&mut self, rest: &Rest, variant: &str, request: Raw) {
        let answer = rest.send(&request).await;
        assert!(answer.status >= 400, "{}, {variant}: let through\n{answer:?}", self.row.id);
        self.is_among(variant, &answer);
    }

    pub(super) fn is_among(&mut self, variant: &str, answer: &Answer) {
        let summary = answer.summary();
        assert!(
            self.row.answers.contains(&summary.as_str()),
            "{}, {variant}: {answer:?}",
            self.row.id
        );
        self.answers.insert(summary);
    }
}
