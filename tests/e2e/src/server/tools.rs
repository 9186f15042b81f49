//! The MCP server itself. It serves sessions of the 2025 revisions and requests of 2026-07-28 alike.

use std::sync::Arc;

use http::header;
use palisade_core::Principal;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::wrapper::Parameters,
    model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig},
    schemars,
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};

use super::forward::Upstream;

pub(super) fn service(upstream: Upstream) -> StreamableHttpService<Tools, LocalSessionManager> {
    StreamableHttpService::new(
        move || Ok(Tools { upstream: upstream.clone() }),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    )
}

#[derive(Clone, Debug)]
pub(super) struct Tools {
    upstream: Upstream,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Add {
    a: i64,
    b: i64,
}

#[tool_router]
impl Tools {
    #[tool(description = "Adds two numbers")]
    async fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> String {
        a.wrapping_add(b).to_string()
    }

    #[tool(description = "Says on whose authority you are here")]
    async fn whoami(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let principal = context
            .extensions
            .get::<http::request::Parts>()
            .and_then(|parts| parts.extensions.get::<Principal>())
            .ok_or_else(|| ErrorData::internal_error("this server is not protected", None))?;
        let text = format!("{}, with {}", principal.subject(), principal.scopes());
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]))
    }

    #[tool(description = "Asks another service with your token, which must not work")]
    async fn forward(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let head = context.extensions.get::<http::request::Parts>();
        let Some(credential) = head.and_then(|head| head.headers.get(header::AUTHORIZATION)) else {
            let text = "there is no token to forward";
            return Ok(CallToolResult::success(vec![ContentBlock::text(text)]));
        };
        Ok(match self.upstream.ask(credential).await {
            Ok(answer) => CallToolResult::success(vec![ContentBlock::text(answer)]),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(error)]),
        })
    }

    #[tool(description = "Deletes everything")]
    async fn delete_everything(&self) -> String {
        "deleted".to_owned()
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("palisade-e2e", env!("CARGO_PKG_VERSION")))
    }
}
