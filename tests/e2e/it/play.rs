//! One client against one server.

use palisade_e2e::{Builder, Client, Flow, Issuer, Ready, Row, Server, Story, Wire};
use serde_json::Value;

/// How a client is started: with the URL, the revision, what is known of it, and the tools to call.
pub(crate) type Start = fn(&str, &'static str, Flow, &str) -> Ready;

/// A client, how it is told what to do, and the server that it meets.
pub(crate) struct Cast {
    pub(crate) client: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) flow: Flow,
    pub(crate) note: &'static str,
    pub(crate) start: Start,
    pub(crate) server: fn(Builder) -> Builder,
}

/// What came of it.
pub(crate) struct Played {
    pub(crate) row: Row,
    pub(crate) steps: Vec<Value>,
    /// The URL of the endpoint, and its scheme, host and port.
    pub(crate) server: String,
    pub(crate) origin: String,
    /// Why the server refused, in its audit records.
    pub(crate) refusals: Vec<&'static str>,
}

impl Cast {
    /// Calls a tool that the first token is good for, and one that it is not.
    pub(crate) async fn play(&self) -> Played {
        let wire = Wire::new();
        let mut issuer = Issuer::start(&wire).await.unwrap();
        let server = Server::builder(&wire, issuer.url());
        let server = (self.server)(server).start().await.unwrap();
        issuer.serve(&server.urls()).await.unwrap();
        let client =
            (self.start)(server.url(), self.protocol, self.flow, "whoami,delete_everything");
        let steps = finish(client.start().unwrap(), self.flow, &wire).await;
        let story = Story::new(wire.take(), server.origin(), issuer.url());
        let Self { client, protocol, flow, note, .. } = *self;
        let denials = server.records();
        let denials = denials.iter().filter_map(|record| record.outcome.denial());
        Played {
            row: Row { client, protocol, flow, note, story },
            steps,
            server: server.url().to_owned(),
            origin: server.origin().to_owned(),
            refusals: denials.map(|denial| denial.reason().code()).collect(),
        }
    }
}

/// What went over the wire tells more than what a client has to say about it.
///
/// Who registered itself is refused more scopes by the authorization server, and what a client makes of that, up to
/// its own end, is its business.
pub(crate) async fn finish(mut client: Client, flow: Flow, wire: &Wire) -> Vec<Value> {
    let first = client.step("called").await;
    let before = client.steps().to_vec();
    match client.end().await {
        Ok(steps) => steps,
        Err(_) if first.is_ok() && flow == Flow::Registered => before,
        Err(error) => {
            let story = Story::new(wire.take(), "no server", "no issuer");
            panic!("{error}\n{}", story.transcript())
        }
    }
}
