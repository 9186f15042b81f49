//! CORS, for pages of other origins.

use http::{HeaderName, HeaderValue, Method, header};
use tower::BoxError;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Lets pages of these origins call, and read refusals.
pub(super) fn layer(origins: &[String]) -> Result<CorsLayer, BoxError> {
    let ours = |name| HeaderName::from_static(name);
    let origins: Vec<HeaderValue> =
        origins.iter().map(|origin| HeaderValue::from_str(origin)).collect::<Result<_, _>>()?;
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            ours("mcp-protocol-version"),
            ours("mcp-method"),
            ours("mcp-name"),
            ours("mcp-session-id"),
        ])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, ours("mcp-session-id")]))
}
