//! rmcp's client with its feature `auth`, as an application would use it:
//! `rmcp_client URL PROTOCOL CALLS [CLIENT_ID [CLIENT_SECRET]]`. See `src/client.rs` for what it says.

use std::{env, error::Error, io::stdin};

use palisade_e2e::{REDIRECT, visit};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::{CallToolRequestParams, ClientConfig, ProtocolVersion},
    service::{RunningService, ServiceError},
    transport::{
        AuthClient, StreamableHttpClientTransport,
        auth::{AuthorizationManager, AuthorizationRequest, ClientCredentialsConfig, OAuthState},
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
    },
};
use serde_json::{Value, json};

type AnyError = Box<dyn Error + Send + Sync>;
type Auth = AuthClient<reqwest::Client>;

struct Told {
    url: String,
    protocol: String,
    calls: String,
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl Told {
    /// Of a client that comes for itself. For these, rmcp does not choose the scopes by itself.
    fn credentials(&self, scopes: Vec<String>) -> Option<ClientCredentialsConfig> {
        Some(ClientCredentialsConfig::ClientSecret {
            client_id: self.client_id.clone()?,
            client_secret: self.client_secret.clone()?,
            scopes,
            resource: Some(self.url.clone()),
        })
    }
}

#[tokio::main]
async fn main() {
    let failed = match run().await {
        Ok(()) => say("done", json!({})),
        Err(error) => say("failed", json!({ "error": error.to_string() })),
    };
    drop(failed);
}

async fn run() -> Result<(), AnyError> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next();
    let told = Told {
        url: next().ok_or("no URL")?,
        protocol: next().ok_or("no protocol")?,
        calls: next().ok_or("no calls")?,
        client_id: next(),
        client_secret: next(),
    };
    let auth = authorize(&told).await?;
    let transport = StreamableHttpClientTransport::with_client(
        auth.clone(),
        StreamableHttpClientTransportConfig::with_uri(told.url.clone()),
    );
    let mode = if told.protocol == "2026-07-28" {
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
    } else {
        ClientLifecycleMode::Initialize
    };
    let peer = ClientConfig::default().serve_with_lifecycle(transport, mode).await?;
    let version = peer.peer_info().map(|info| info.protocol_version.to_string());
    say("connected", json!({ "protocol": version }))?;
    let tools = peer.list_all_tools().await?;
    let mut tools: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    tools.sort_unstable();
    say("listed", json!({ "tools": tools }))?;
    for tool in told.calls.split(',') {
        if tool == "wait" {
            say("waiting", json!({}))?;
            stdin().read_line(&mut String::new())?;
            continue;
        }
        match call(&peer, tool, &auth, &told).await {
            Ok(text) => say("called", json!({ "tool": tool, "text": text }))?,
            Err(error) => say("refused", json!({ "tool": tool, "error": error.to_string() }))?,
        }
    }
    peer.cancel().await?;
    Ok(())
}

/// rmcp wants a token before its first message: it asks the server without one by itself.
async fn authorize(told: &Told) -> Result<Auth, AnyError> {
    let manager =
        if told.client_secret.is_some() { itself(told).await? } else { a_person(told).await? };
    Ok(AuthClient::new(reqwest::Client::new(), manager))
}

async fn a_person(told: &Told) -> Result<AuthorizationManager, AnyError> {
    let mut state = OAuthState::new(&told.url, None).await?;
    let mut request = AuthorizationRequest::new(REDIRECT).with_application_type("native");
    if let Some(id) = &told.client_id {
        request = request.with_preregistered_client(id.clone());
    }
    state.start_authorization(request).await?;
    let back = visit(&state.get_authorization_url().await?).await?;
    state.handle_callback_url(&back).await?;
    Ok(state.into_authorization_manager().ok_or("not authorized")?)
}

/// With the scopes of the challenge, which rmcp chooses if it is asked to.
async fn itself(told: &Told) -> Result<AuthorizationManager, AnyError> {
    let mut manager = AuthorizationManager::new(&told.url).await?;
    let resolution = manager.resolve_metadata().await?;
    manager.set_metadata(resolution.metadata);
    let mut scopes = manager.select_initial_scopes(&[]).await;
    // It takes every client for a person's. For itself there are no refresh tokens (RFC 6749 §4.4.3).
    scopes.retain(|scope| scope != "offline_access");
    let config = told.credentials(scopes).ok_or("no credentials")?;
    manager.configure_client_credentials(&config)?;
    manager.exchange_client_credentials(&config).await?;
    Ok(manager)
}

/// Calls a tool, and again with more scopes if it takes them.
async fn call(
    peer: &RunningService<RoleClient, ClientConfig>,
    tool: &str,
    auth: &Auth,
    told: &Told,
) -> Result<String, AnyError> {
    let error = match call_once(peer, tool).await {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let Some(scope) = missing_scope(&error) else { return Err(error.into()) };
    let manager = auth.auth_manager.lock().await;
    let mut scopes = manager.get_current_scopes().await;
    scopes.push(scope.clone());
    if let Some(config) = told.credentials(scopes) {
        manager.exchange_client_credentials(&config).await?;
        drop(manager);
        return Ok(call_once(peer, tool).await?);
    }
    let back = visit(&manager.request_scope_upgrade(&scope).await?).await?;
    let back = url::Url::parse(&back)?;
    let parameter = |name: &str| {
        let found = back.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let (code, state) =
        (parameter("code").ok_or("no code")?, parameter("state").ok_or("no state")?);
    manager.exchange_code_for_token_with_issuer(&code, &state, parameter("iss").as_deref()).await?;
    drop(manager);
    Ok(call_once(peer, tool).await?)
}

async fn call_once(
    peer: &RunningService<RoleClient, ClientConfig>,
    tool: &str,
) -> Result<String, ServiceError> {
    let answer = peer.call_tool(CallToolRequestParams::new(tool.to_owned())).await?;
    let text = serde_json::to_value(&answer.content).unwrap_or_default();
    Ok(text.pointer("/0/text").and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn missing_scope(error: &ServiceError) -> Option<String> {
    let ServiceError::TransportSend(error) = error else { return None };
    let error = error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>()?;
    let StreamableHttpError::InsufficientScope(error) = error else { return None };
    error.required_scope.clone()
}

#[expect(clippy::print_stdout, reason = "this is how it says what it did")]
fn say(step: &str, mut more: Value) -> Result<(), AnyError> {
    more.as_object_mut().map(|more| more.insert("step".to_owned(), step.into()));
    println!("{more}");
    Ok(())
}
