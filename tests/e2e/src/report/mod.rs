//! The matrix of `docs/clients.md`: what each client sent and saw, read off the log alone.

mod cells;
mod story;
mod transcript;

use std::fmt::Write;

pub use self::story::{Kind, Story};

/// One client with one revision of the protocol and one way to get a token.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests write it out")]
pub struct Row {
    /// Its name and version.
    pub client: &'static str,
    /// The revision that it speaks.
    pub protocol: &'static str,
    /// How it gets a token.
    pub flow: Flow,
    /// What a reader has to know beside what is recorded; may be empty.
    pub note: &'static str,
    /// What it sent and saw.
    pub story: Story,
}

/// How a client gets a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests choose among these")]
pub enum Flow {
    /// A person signs in at a client that registered itself.
    Registered,
    /// A person signs in at a client that the authorization server knew before.
    Known,
    /// The same, with tokens that are bound to a key of the client (DPoP, RFC 9449).
    KnownAndBound,
    /// A client that the authorization server knew before, for itself.
    ClientCredentials,
}

impl Flow {
    const fn text(self) -> &'static str {
        match self {
            Self::Registered => "code, registers itself",
            Self::Known => "code, known client",
            Self::KnownAndBound => "code, known client, DPoP",
            Self::ClientCredentials => "client credentials",
        }
    }
}

const HEAD: &str = "\
# What real clients send and see

<!-- Written by the end-to-end tests: `cargo xtask clients`. They fail when it is not what they see. -->

Each client was started with the URL of the MCP server, and with client credentials where its flow needs them: nothing
else. The server is rmcp behind all layers; the authorization server is `oidc-provider`. Where a row differs, its
section says so. All that is here was recorded on the wire, on the side of the servers. In it,

- `server`, `issuer`, `callback` and `page` stand for loopback addresses with ports that change with each run,
- `token-1` is the first access token that was issued, `refresh-1` the first refresh token,
- `…` stands for what is random or secret.

The tool `whoami` needs the scope `tools:read`, which challenges ask for at first. `delete_everything` needs
`tools:write`, which only the challenge of its 403 names: a client that steps up gets a new token and calls again.
What follows **no** is what a client did instead. One that *registers itself* does it dynamically (RFC 7591); a *known
client* was registered beforehand.

";

const LESSONS: &str = include_str!("lessons.md");

/// The whole file.
#[must_use]
pub fn page(rows: &[&Row]) -> String {
    let mut page = String::from(HEAD);
    page.push_str(
        "| client | MCP | flow | discovers | asks for | gets | calls | meets a 403 | steps up |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let cells = cells::of(&row.story).join(" | ");
        let name = format!("[{}](#{})", row.client, anchor(&row.title()));
        let _ = writeln!(page, "| {name} | {} | {} | {cells} |", row.protocol, row.flow.text());
    }
    page.push('\n');
    page.push_str(LESSONS);
    for row in rows {
        let _ = write!(page, "\n## {}\n\n", row.title());
        if !row.note.is_empty() {
            let _ = write!(page, "{}\n\n", row.note);
        }
        let _ = write!(page, "```text\n{}```\n", row.story.transcript());
    }
    page
}

impl Row {
    fn title(&self) -> String {
        format!("{}, MCP {}, {}", self.client, self.protocol, self.flow.text())
    }
}

/// As GitHub makes them from titles.
fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
