//! What a log says, whoever wrote it.

use http::Method;
use serde_json::Value;
use url::Url;

use crate::wire::{Credential, Exchange, Message, Party};

/// The exchanges of one client, in the order of their requests, and how the parties are called.
#[derive(Clone, Debug)]
pub struct Story {
    exchanges: Vec<Exchange>,
    names: Vec<(String, String)>,
}

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each has a place in the report")]
pub enum Kind {
    /// The document of RFC 9728, or the search for it.
    ResourceMetadata,
    /// The document of RFC 8414 or of OpenID Connect, or the search for it.
    IssuerMetadata,
    /// Dynamic registration (RFC 7591).
    Registration,
    /// The authorization endpoint.
    Authorization,
    /// The token endpoint.
    Token,
    /// MCP.
    Mcp,
    /// A question of CORS.
    Preflight,
    /// What a person and the authorization server have to do with each other.
    Person,
}

impl Exchange {
    /// What it is for. Paths of authorization servers differ, so messages tell.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.method == Method::OPTIONS {
            return Kind::Preflight;
        }
        let path = self.path();
        if path.starts_with("/.well-known/oauth-protected-resource") {
            return Kind::ResourceMetadata;
        }
        if path.contains("/.well-known/") {
            return Kind::IssuerMetadata;
        }
        if self.to == Party::Server {
            return Kind::Mcp;
        }
        match &self.message {
            Message::Json(json) if json.get("redirect_uris").is_some() => Kind::Registration,
            Message::Form(_) if self.parameter("grant_type").is_some() => Kind::Token,
            _ if self.parameter("response_type").is_some() => Kind::Authorization,
            Message::Json(_) | Message::Form(_) | Message::None => Kind::Person,
        }
    }

    /// The error that an authorization endpoint sends a client by way of the person (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn refused_on_the_way_back(&self) -> Option<(String, String)> {
        if self.kind() != Kind::Authorization {
            return None;
        }
        let location = Url::parse(self.answer_header("location")?).ok()?;
        let parameter = |name: &str| {
            location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        Some((parameter("error")?, parameter("error_description").unwrap_or_default()))
    }

    /// Whether it is a call of this tool.
    #[must_use]
    pub fn calls(&self, tool: &str) -> bool {
        self.operation().as_deref() == Some(&format!("tools/call {tool}"))
    }
}

impl Story {
    /// `server` and `issuer` are origins.
    #[must_use]
    pub fn new(exchanges: Vec<Exchange>, server: &str, issuer: &str) -> Self {
        let mut names = vec![
            (server.to_owned(), "http://server".to_owned()),
            (issuer.to_owned(), "http://issuer".to_owned()),
        ];
        let redirects = exchanges.iter().filter_map(|exchange| exchange.parameter("redirect_uri"));
        names.extend(redirects.map(|uri| (uri, "http://callback".to_owned())));
        let pages = exchanges.iter().filter_map(|exchange| exchange.header("origin"));
        names.extend(pages.map(|origin| (origin.to_owned(), "http://page".to_owned())));
        Self { exchanges: in_one_order(exchanges), names }
    }

    /// All of it.
    #[must_use]
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// Those of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.kind() == kind)
    }

    /// Calls of a tool.
    pub fn calls(&self, tool: &str) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.calls(tool))
    }

    /// Requests for tokens that got one.
    pub fn grants(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| exchange.grant.is_some())
    }

    /// The place of the first exchange that is like this.
    pub fn first(&self, like: impl Fn(&Exchange) -> bool) -> Option<usize> {
        self.exchanges.iter().position(like)
    }

    /// What was sent and seen, line by line.
    #[must_use]
    pub fn transcript(&self) -> String {
        super::transcript::of(self)
    }

    /// A text with names in the place of addresses.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (address, name)| text.replace(address, name))
    }
}

/// Clients of older revisions open a stream beside their first requests, and it arrives when it likes. Its place is
/// behind the notification that made them do it.
fn in_one_order(mut exchanges: Vec<Exchange>) -> Vec<Exchange> {
    let is_stream = |exchange: &Exchange| {
        exchange.to == Party::Server
            && exchange.method == Method::GET
            && exchange.kind() == Kind::Mcp
            && exchange.credential != Credential::None
    };
    let opens = |exchange: &Exchange| {
        exchange.operation().as_deref() == Some("notifications/initialized")
            && exchange.status.is_some_and(|status| status == 202)
    };
    let mut from = 0;
    while let Some(offset) = exchanges.iter().skip(from).position(opens) {
        let behind = from.saturating_add(offset).saturating_add(1);
        if let Some(offset) = exchanges.iter().skip(behind).position(is_stream) {
            let stream = exchanges.remove(behind.saturating_add(offset));
            exchanges.insert(behind, stream);
        }
        from = behind;
    }
    exchanges
}

/// A member of the top level that is a string.
pub(super) fn member<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Value::as_str)
}
