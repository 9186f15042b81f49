//! What MCP clients in a browser have to be allowed, for a layer that answers preflights.
//!
//! ```
//! use palisade_cors::CorsLayer;
//! use palisade_mcp_request::cors;
//!
//! let layer = CorsLayer::new()
//!     .allow_origin("https://app.example")?
//!     .allow_headers(cors::REQUEST_HEADERS)
//!     .allow_headers_with_prefix(cors::REQUEST_HEADER_PREFIX)?
//!     .expose_headers(cors::RESPONSE_HEADERS);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Allow the same origins with [`McpRequestLayer::allow_origin`](crate::McpRequestLayer::allow_origin): one
//! layer tells browsers who may ask, the other refuses who asks anyway.

use http::HeaderName;

/// The headers that clients send, of all revisions.
pub const REQUEST_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    HeaderName::from_static("mcp-protocol-version"),
    SESSION_ID,
];

/// How the headers begin that mirror arguments of tools. Their names are up to the schema of each tool.
pub const REQUEST_HEADER_PREFIX: &str = "mcp-param-";

/// The headers that clients read, of all revisions.
pub const RESPONSE_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("mcp-protocol-version"), SESSION_ID];

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
