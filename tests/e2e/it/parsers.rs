//! What the SDKs themselves read in a challenge: what we meant, and what the tests of the layers take them to read.

use palisade_e2e::Client;
use palisade_integration::challenges::{
    clients::{Found, only_metadata, python, typescript_1, typescript_2},
    of_every_kind, some_garbage, some_hostile,
};
use serde_json::{Map, Value, json};
use url::Url;

/// The official SDKs, each reading field lines in its own process.
struct Sdks {
    node: Client,
    python: Client,
}

/// What each of them found: parameters by name.
#[derive(Debug, PartialEq)]
struct Read {
    typescript_1: Value,
    typescript_2: Value,
    python: Value,
}

impl Sdks {
    fn start() -> Self {
        let node = Client::node("parsers.mjs").and_then(|ready| ready.start()).unwrap();
        let python = Client::python("parsers.py").and_then(|ready| ready.start()).unwrap();
        Self { node, python }
    }

    async fn read(&mut self, lines: &[String]) -> Read {
        let lines = json!(lines);
        self.node.tell(&lines).await.unwrap();
        self.python.tell(&lines).await.unwrap();
        let node = self.node.step("read").await.unwrap();
        let python = self.python.step("read").await.unwrap();
        Read {
            typescript_1: found(&node["v1"]),
            typescript_2: found(&node["v2"]),
            python: found(&python["python"]),
        }
    }
}

/// Without what was not found.
fn found(read: &Value) -> Value {
    let found = read.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    found.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// A URL as the TypeScript SDKs hand it on.
fn href(url: Option<&str>) -> Option<String> {
    Url::parse(url?).ok().map(String::from)
}

/// The parameters that are read, by name. Version 1 for TypeScript reads no description.
fn expect(read: Option<&Found>, with_description: bool, metadata_alone: Option<&str>) -> Value {
    let Some(read) = read else { return json!({}) };
    let description = read.error_description.as_ref().filter(|_| with_description);
    found(&json!({
        "error": read.error,
        "error_description": description,
        "scope": read.scope,
        "resource_metadata": href(read.resource_metadata.as_deref()),
        "only": href(metadata_alone),
    }))
}

/// What the SDKs are taken to read.
fn taken_to_read(lines: &[String]) -> Read {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let version_1 = typescript_1(&lines);
    // The older function knows DPoP in neither version.
    let alone = version_1.as_ref().and_then(|_| only_metadata(&lines));
    let version_2 = typescript_2(&lines);
    let python = python(&lines).unwrap_or_default();
    Read {
        typescript_1: expect(version_1.as_ref(), false, alone.as_deref()),
        typescript_2: expect(version_2.as_ref(), true, alone.as_deref()),
        python: all_of(&python),
    }
}

/// What they should read.
fn meant_to_read(meant: Option<&Found>) -> Read {
    let bearer = meant.filter(|meant| meant.scheme == "Bearer");
    let alone = bearer.and_then(|meant| meant.resource_metadata.as_deref());
    Read {
        typescript_1: expect(bearer, false, alone),
        typescript_2: expect(meant, true, alone),
        python: meant.map_or_else(|| json!({}), all_of),
    }
}

fn all_of(read: &Found) -> Value {
    found(&json!({
        "error": read.error,
        "error_description": read.error_description,
        "realm": read.realm,
        "scope": read.scope,
        "resource_metadata": read.resource_metadata,
    }))
}

#[tokio::test]
async fn http_08_the_sdks_read_in_refusals_what_was_meant() {
    let mut sdks = Sdks::start();
    let mut with_challenge = 0;
    for refused in of_every_kind().into_iter().chain(some_hostile(400)) {
        let read = sdks.read(&refused.lines).await;
        assert_eq!(read, meant_to_read(refused.meant.as_ref()), "{refused:?}");
        assert_eq!(read, taken_to_read(&refused.lines), "{refused:?}");
        with_challenge += usize::from(read.python != json!({}));
    }
    // DPoP alone, with nothing to say but `algs`.
    assert_eq!(with_challenge, 4 * 5 * 3 * 2 - 1 + 400);
}

/// Or the tests of the layers, which need no SDK, would test against clients that do not exist.
#[tokio::test]
async fn the_sdks_read_what_the_tests_of_the_layers_take_them_to_read() {
    let mut sdks = Sdks::start();
    let mut with_challenge = 0;
    for lines in some_garbage(1000) {
        let read = sdks.read(&lines).await;
        assert_eq!(read, taken_to_read(&lines), "{lines:?}");
        with_challenge += usize::from(read.typescript_1 != json!({}));
    }
    assert!(with_challenge > 300, "{with_challenge} of 1000 are read as something");
}
