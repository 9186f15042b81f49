//! Each client of the matrix, run once for all tests that look at it.

use palisade_e2e::{Builder, Client, Flow, READ, Ready};
use tokio::sync::OnceCell;

use crate::play::{Cast, Played};

pub(crate) const OLD: &str = "2025-11-25";
pub(crate) const NEW: &str = "2026-07-28";

/// What a client is told beside the URL.
fn known(flow: Flow, secret: (&'static str, &'static str)) -> Vec<&'static str> {
    match flow {
        Flow::Registered => vec![],
        Flow::Known => vec!["--client-id", "desktop"],
        Flow::KnownAndBound => vec!["--client-id", "desktop", "--dpop"],
        Flow::ClientCredentials => vec!["--client-id", secret.0, "--client-secret", secret.1],
    }
}

const APP: (&str, &str) = ("app", "app-secret");

fn options(ready: Ready, url: &str, protocol: &'static str, flow: Flow, calls: &str) -> Ready {
    ready.arg(url).args(&["--protocol", protocol, "--calls", calls]).args(&known(flow, APP))
}

pub(crate) fn ts_v1(url: &str, protocol: &'static str, flow: Flow, calls: &str) -> Ready {
    let ready = options(Client::node("ts_v1.mjs").unwrap(), url, protocol, flow, calls);
    if flow == Flow::ClientCredentials { ready.args(&["--scope", READ]) } else { ready }
}

pub(crate) fn ts_v2(url: &str, protocol: &'static str, flow: Flow, calls: &str) -> Ready {
    options(Client::node("ts_v2.mjs").unwrap(), url, protocol, flow, calls)
}

pub(crate) fn python(url: &str, protocol: &'static str, flow: Flow, calls: &str) -> Ready {
    options(Client::python("mcp_sdk.py").unwrap(), url, protocol, flow, calls)
}

pub(crate) fn fastmcp(url: &str, protocol: &'static str, flow: Flow, calls: &str) -> Ready {
    options(Client::python("fastmcp_client.py").unwrap(), url, protocol, flow, calls)
}

pub(crate) fn rmcp(url: &str, protocol: &'static str, flow: Flow, calls: &str) -> Ready {
    let ready = Client::program(env!("CARGO_BIN_EXE_rmcp_client")).args(&[url, protocol, calls]);
    let known = known(flow, ("app-post", "app-post-secret"));
    ready.args(&known.iter().skip(1).step_by(2).copied().collect::<Vec<_>>())
}

const fn plain(server: Builder) -> Builder {
    server
}

macro_rules! rows {
    ($($name:ident: $client:expr, $protocol:expr, $flow:ident, $start:expr, $server:expr, $note:expr;)*) => {
        $(
            pub(crate) async fn $name() -> &'static Played {
                static PLAYED: OnceCell<Played> = OnceCell::const_new();
                let cast = Cast {
                    client: $client,
                    protocol: $protocol,
                    flow: Flow::$flow,
                    note: $note,
                    start: $start,
                    server: $server,
                };
                PLAYED.get_or_init(async || cast.play().await).await
            }
        )*

        pub(crate) async fn all() -> Vec<&'static Played> {
            vec![$($name().await),*]
        }
    };
}

pub(crate) const TOLD_SCOPES: &str = "\
    It was also told the scope `tools:read`. For itself this client asks for the scopes that its application names, \
    whatever a challenge or the metadata say, and for none if it names none.";

pub(crate) const TS_V1: &str = "TypeScript SDK 1.32.2";
pub(crate) const TS_V2: &str = "TypeScript SDK 2.4.0";
pub(crate) const PYTHON: &str = "Python SDK 2.3.0";
pub(crate) const FASTMCP: &str = "fastmcp 4.1.2";
pub(crate) const RMCP: &str = "rmcp 3.9.0";

rows! {
    ts_v1_registers: TS_V1, OLD, Registered, ts_v1, plain, "";
    ts_v1_for_itself: TS_V1, OLD, ClientCredentials, ts_v1, plain, TOLD_SCOPES;
    ts_v2_registers: TS_V2, NEW, Registered, ts_v2, plain, "";
    ts_v2_known: TS_V2, NEW, Known, ts_v2, plain, "";
    ts_v2_known_old: TS_V2, OLD, Known, ts_v2, plain, "";
    ts_v2_for_itself: TS_V2, NEW, ClientCredentials, ts_v2, plain, "";
    ts_v2_known_and_bound: TS_V2, NEW, KnownAndBound, ts_v2, Builder::require_dpop, "The server \
        demands proof that a token is the client's own (RFC 9449), so the client binds its tokens to a key.";
    python_registers: PYTHON, NEW, Registered, python, plain, "";
    python_known: PYTHON, NEW, Known, python, plain, "";
    python_known_old: PYTHON, OLD, Known, python, plain, "";
    python_for_itself: PYTHON, NEW, ClientCredentials, python, plain, "";
    fastmcp_registers: FASTMCP, NEW, Registered, fastmcp, plain, "";
    fastmcp_known: FASTMCP, NEW, Known, fastmcp, plain, "";
    fastmcp_known_old: FASTMCP, OLD, Known, fastmcp, plain, "";
    rmcp_registers: RMCP, NEW, Registered, rmcp, plain, "";
    rmcp_known: RMCP, NEW, Known, rmcp, plain, "";
    rmcp_known_old: RMCP, OLD, Known, rmcp, plain, "";
    rmcp_for_itself: RMCP, NEW, ClientCredentials, rmcp, plain, "";
}
