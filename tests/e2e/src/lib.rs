//! A protected MCP server, an authorization server and real MCP clients, with everything recorded that they say to
//! each other. `docs/decisions/0025-the-end-to-end-suite.md` says why it is built like this.
//!
//! ```text
//!                     Client (a process)
//!             ┌───────────┴───────────┐
//!        recorder ── one Wire ── recorder
//!             │                       │
//!   Server (this process)    Issuer ──▶ authorization server (a process)
//! ```

mod browser;
mod client;
mod glewlwyd;
mod issuer;
mod person;
mod places;
mod report;
mod server;
mod wire;

pub use self::{
    browser::{Page, driver},
    client::{Client, Ready},
    glewlwyd::Glewlwyd,
    issuer::{Issuer, Proxy, Running},
    person::{REDIRECT, visit},
    places::{artifacts, node24},
    report::{Flow, Kind, Row, Story, page},
    server::{Answers, Builder, Part, READ, Server, ServerClock, WRITE, Withheld},
    wire::{Credential, Exchange, Grant, Message, Party, Wire},
};
