//! Wherever the server is mounted, clients find its metadata and get a token for it alone.

use palisade_e2e::{Credential, Flow, Issuer, Kind, Party, READ, Server, Story, Wire};

use crate::{
    play::{Start, finish},
    rows::{NEW, fastmcp, python, rmcp, ts_v1, ts_v2},
};

const CLIENTS: &[(&str, Start)] = &[
    ("TypeScript SDK v1", ts_v1),
    ("TypeScript SDK v2", ts_v2),
    ("Python SDK", python),
    ("fastmcp", fastmcp),
    ("rmcp", rmcp),
];

struct Host {
    wire: Wire,
    issuer: Issuer,
    server: Server,
}

impl Host {
    async fn with(paths: &[&str]) -> Self {
        let wire = Wire::new();
        let mut issuer = Issuer::start(&wire).await.unwrap();
        let server =
            paths.iter().fold(Server::builder(&wire, issuer.url()), |server, path| server.at(path));
        let server = server.start().await.unwrap();
        issuer.serve(&server.urls()).await.unwrap();
        Self { wire, issuer, server }
    }

    /// A client that is told `url` signs in and calls a tool there.
    async fn play(&self, start: Start, url: &str) -> Story {
        let client = start(url, NEW, Flow::Known, "whoami").start().unwrap();
        let steps = finish(client, Flow::Known, &self.wire).await;
        assert!(
            steps.iter().any(|step| step["text"] == format!("alice, with {READ}")),
            "{steps:?}"
        );
        Story::new(self.wire.take(), self.server.origin(), self.issuer.url())
    }
}

/// That the metadata was found at the first try, and the token is for `url`.
#[track_caller]
fn is_found(name: &str, story: &Story, url: &str, document: &str) {
    let transcript = story.transcript();
    for exchange in story.of(Kind::ResourceMetadata) {
        assert_eq!(exchange.path(), document, "{name}\n{transcript}");
        assert_eq!(exchange.answer["resource"], url, "{name}\n{transcript}");
    }
    let grants: Vec<_> = story.grants().filter_map(|exchange| exchange.grant.as_ref()).collect();
    let [grant] = &grants[..] else { panic!("{name}\n{transcript}") };
    assert_eq!(grant.claims["aud"], url, "{name}\n{transcript}");
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    for call in story.calls("whoami") {
        assert_eq!((call.path(), call.status.unwrap().as_u16()), (&*format!("/{path}"), 200));
    }
}

async fn mounted_at(path: &str, document: &str) {
    let host = Host::with(&[path]).await;
    for (name, start) in CLIENTS {
        let url = host.server.url();
        let story = host.play(*start, url).await;
        is_found(name, &story, url, document);
    }
}

/// On the wire, an origin with its slash and without are the same. Clients are told either, and ask for a token as the
/// document has it.
#[tokio::test]
async fn a_server_at_the_root_is_found_with_and_without_its_slash() {
    for configured in ["", "/"] {
        let host = Host::with(&[configured]).await;
        let origin = host.server.origin();
        for told in [origin.to_owned(), format!("{origin}/")] {
            for (name, start) in CLIENTS {
                let story = host.play(*start, &told).await;
                let name = format!("{name}, told {told}");
                let document = "/.well-known/oauth-protected-resource";
                is_found(&name, &story, host.server.url(), document);
            }
        }
    }
}

#[tokio::test]
async fn a_server_at_a_path_is_found() {
    mounted_at("/mcp", "/.well-known/oauth-protected-resource/mcp").await;
}

#[tokio::test]
async fn a_server_at_a_path_with_a_slash_is_found() {
    mounted_at("/mcp/", "/.well-known/oauth-protected-resource/mcp/").await;
}

#[tokio::test]
async fn two_servers_on_one_host_are_found_each_for_itself() {
    let host = Host::with(&["/notes/mcp", "/mail/mcp"]).await;
    for (name, start) in CLIENTS {
        for (url, path) in host.server.urls().into_iter().zip(["/notes/mcp", "/mail/mcp"]) {
            let story = host.play(*start, url).await;
            let document = format!("/.well-known/oauth-protected-resource{path}");
            is_found(name, &story, url, &document);
        }
    }
}

/// Attack of a server on its neighbour: it has a token of its own caller, and tries it next door.
#[tokio::test]
async fn a_token_for_one_server_is_refused_at_the_other() {
    let mut host = Host::with(&["/notes/mcp", "/mail/mcp"]).await;
    let urls: Vec<String> = host.server.urls().into_iter().map(ToOwned::to_owned).collect();
    let http = reqwest::Client::new();
    for (own, other) in [(&urls[0], &urls[1]), (&urls[1], &urls[0])] {
        let token = host.issuer.authorization_server().token(own, READ).await.unwrap();
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{
            "io.modelcontextprotocol/protocolVersion":"2026-07-28",
            "io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},
            "io.modelcontextprotocol/clientCapabilities":{}}}}"#;
        let ask = async |url: &String| {
            let request =
                http.post(url).bearer_auth(&token).header("content-type", "application/json");
            let request = request.header("accept", "application/json, text/event-stream");
            let request =
                request.header("mcp-protocol-version", NEW).header("mcp-method", "tools/list");
            request.body(list).send().await.unwrap().status().as_u16()
        };
        drop((host.wire.take(), host.server.records()));
        assert_eq!(ask(own).await, 200, "{own}");
        assert_eq!(ask(other).await, 401, "{other}");

        let at_server: Vec<_> =
            host.wire.take().into_iter().filter(|exchange| exchange.to == Party::Server).collect();
        let refused = at_server.last().unwrap();
        assert!(matches!(refused.credential, Credential::Token(..)), "the issuer's own token");
        let path = other.strip_prefix(host.server.origin()).unwrap();
        assert_eq!(
            refused.challenge().unwrap(),
            format!(
                "Bearer error=\"invalid_token\", \
                 error_description=\"the token is not meant for this resource\", \
                 scope=\"{READ}\", \
                 resource_metadata=\"{}/.well-known/oauth-protected-resource{path}\"",
                host.server.origin()
            )
        );
        let reasons: Vec<_> = host
            .server
            .records()
            .iter()
            .filter_map(|record| Some(record.outcome.denial()?.reason().code()))
            .collect();
        assert_eq!(reasons, ["audience_mismatch"]);
    }
}
