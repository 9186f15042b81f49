//! The clients that most services have: reqwest, in a tool of rmcp.

use palisade_mcp_request::McpRequestLayer;
use palisade_passthrough_guard::outbound::OutboundLayer;
use rmcp::{
    RoleServer, ServerHandler,
    model::{ServerCapabilities, ServerConfig},
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};

use super::*;

const COPY: &str = "x-forwarded-access-token";

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forward","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// reqwest as a service of requests of `http`, as the README has it.
async fn send(
    client: reqwest::Client,
    request: Request<reqwest::Body>,
) -> Result<reqwest::Response, BoxError> {
    Ok(client.execute(request.try_into()?).await?)
}

#[derive(Clone)]
struct Tools {
    client: reqwest::Client,
    layer: OutboundLayer,
    url: String,
}

#[tool_router]
impl Tools {
    #[tool(description = "Asks another service with the token that it finds")]
    async fn forward(&self, context: RequestContext<RoleServer>) -> String {
        let head = context.extensions.get::<Parts>().unwrap();
        assert!(!head.headers.contains_key("authorization"));
        let token = head.headers[COPY].to_str().unwrap();
        let asked = self.client.get(&self.url).bearer_auth(token).build().unwrap();
        // By hand,
        let uri = asked.url().as_str().parse().unwrap();
        let checked = self.layer.check(asked.method(), &uri, asked.headers());
        // and with the layer around, in a task of its own.
        let client = self.client.clone();
        let client = self.layer.layer(service_fn(move |request| send(client.clone(), request)));
        let (said, heard) = oneshot::channel();
        let asked = asked.try_into().unwrap();
        spawn(async move {
            let _ = said.send(client.oneshot(asked).await);
        });
        let sent = heard.await.unwrap();
        let is = |error: &BoxError| error.downcast_ref() == checked.as_ref().err();
        if sent.as_ref().is_err_and(is) { "refused".to_owned() } else { format!("{sent:?}") }
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

#[tokio::test]
async fn aud_10_a_tool_of_rmcp_that_forwards_a_copy_with_reqwest_gets_an_error_and_a_record() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let (upstream, guard) = (Upstream::start().await, PassthroughGuard::new().unwrap());
    let (layer, url) = (guard.outbound_layer(), upstream.url());
    let tools = Tools { client: reqwest::Client::new(), layer, url };
    let mcp: StreamableHttpService<Tools, LocalSessionManager> = StreamableHttpService::new(
        move || Ok(tools.clone()),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    let policy = ScopePolicy::deny_all()
        .allow(Operation::new("mcp", "tools/call").with_target("forward"), "use")
        .unwrap();
    let access = AccessStack::new()
        .audit(AuditLogLayer::new(sink.clone()))
        .passthrough(guard.inbound_layer())
        .authenticate(TokenVerifyLayer::new(world.verifier().unwrap()))
        .audience(AudienceGuardLayer::new(World::resource().unwrap()))
        .protocol(McpRequestLayer::new("/mcp"))
        .authorize(ScopePolicyLayer::new(policy.build().unwrap()))
        .build();
    let (listener, addr) = listener().await;
    spawn(serve(listener, access.layer(mcp)));
    let token = world.token().sign();
    let request = Request::post(format!("http://{addr}/mcp"))
        .header("authorization", format!("Bearer {token}"))
        .header(COPY, &token)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "forward")
        .body(Full::new(Bytes::from_static(CALL.as_bytes())))
        .unwrap();
    let response = plain().request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("refused"), "{body}");
    assert!(upstream.heads().is_empty(), "nothing arrived");
    let withheld = record(&sink).await.withheld;
    assert_eq!((withheld.count, withheld.destinations), (2, vec![upstream.origin()]));
}

#[tokio::test]
async fn a_request_of_reqwest_with_a_token_of_our_own_goes_out() {
    let (upstream, guard) = (Upstream::start().await, PassthroughGuard::new().unwrap());
    let client = reqwest::Client::new();
    let request = client.get(upstream.url()).bearer_auth("of-our-own-0123456789").build().unwrap();
    let service = service_fn(move |request| send(client.clone(), request));
    let client = guard.outbound_layer().layer(service);
    let response = client.oneshot(request.try_into().unwrap()).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "hello");
    assert_eq!(upstream.heads()[0]["authorization"], "Bearer of-our-own-0123456789");
}
