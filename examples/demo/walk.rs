//! The steps, in the order in which a client meets them.

use http::{HeaderMap, StatusCode, header};
use palisade_examples::AnyError;
use palisade_test_issuer::Retire;
use rmcp::{
    ClientLifecycleMode, ClientServiceExt,
    model::{CallToolRequestParams, ClientConfig, ProtocolVersion},
    transport::{
        AuthClient, StreamableHttpClientTransport,
        auth::{ClientCredentialsConfig, OAuthState},
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};

use crate::{
    records::Record,
    show::Show,
    world::{ADMIN, ClientOf, EAGER, OTHER_RESOURCE, READER, World},
};

/// A request and its answer.
pub(crate) struct Exchange {
    line: String,
    notes: Vec<String>,
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Exchange {
    async fn perform(world: &World, request: reqwest::RequestBuilder) -> Result<Self, AnyError> {
        let request = request.build()?;
        let line = format!("{} {}", request.method(), request.url());
        let mut notes = Vec::new();
        if let Some(value) = request.headers().get(header::AUTHORIZATION) {
            notes.push(format!("authorization: {}", abbreviate(value.to_str()?)));
        }
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
            notes.push(String::from_utf8_lossy(body).into_owned());
        }
        let response = world.http().execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { line, notes, status, headers, body: response.text().await? })
    }

    pub(crate) fn request_line(&self) -> &str {
        &self.line
    }

    pub(crate) fn request_notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Result<Value, AnyError> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Never a whole token on the screen.
fn abbreviate(credential: &str) -> String {
    match credential.char_indices().nth(24) {
        Some((end, _)) => {
            format!(
                "{}… ({} characters)",
                credential.get(..end).unwrap_or_default(),
                credential.len()
            )
        }
        None => credential.to_owned(),
    }
}

fn check(show: &Show, holds: bool, what: &str) -> Result<(), AnyError> {
    if holds {
        show.checked(what);
        Ok(())
    } else {
        Err(format!("not so: {what}").into())
    }
}

pub(crate) async fn all_steps(world: &World, show: &Show) -> Result<(), AnyError> {
    no_token(world, show).await?;
    discovery(world, show).await?;
    let token = first_token(world, show).await?;
    rmcp_client(world, show).await?;
    other_audience(world, show).await?;
    too_few_scopes(world, show, &token).await?;
    more_scopes(world, show).await?;
    burst(world, show).await?;
    rotation(world, show).await
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// An MCP request of revision 2026-07-28, with the headers that mirror it.
fn mcp_request(
    world: &World,
    token: Option<&str>,
    method: &str,
    tool: Option<&str>,
) -> reqwest::RequestBuilder {
    const VERSION: &str = "2026-07-28";
    let mut params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": { "name": "palisade-demo", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let mut request = world
        .http()
        .post(world.url())
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", VERSION)
        .header("mcp-method", method);
    if let (Some(tool), Some(params)) = (tool, params.as_object_mut()) {
        params.insert("name".into(), tool.into());
        params.insert("arguments".into(), json!({}));
        request = request.header("mcp-name", tool);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.json(&message(method, &params))
}

fn token_request(
    world: &World,
    client: ClientOf,
    resource: &str,
    scope: &str,
) -> reqwest::RequestBuilder {
    world
        .http()
        .post(world.issuer().token_endpoint())
        .basic_auth(client.id, Some(client.secret))
        .form(&[("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)])
}

pub(crate) async fn token(
    world: &World,
    client: ClientOf,
    resource: &str,
) -> Result<String, AnyError> {
    let answer =
        Exchange::perform(world, token_request(world, client, resource, client.scopes)).await?;
    let token = answer.json()?.get("access_token").and_then(Value::as_str).map(str::to_owned);
    token.ok_or_else(|| format!("no token for {}: {}", client.id, answer.body()).into())
}

async fn no_token(world: &World, show: &Show) -> Result<(), AnyError> {
    show.step(1, "Knock without a token", "The server says no, and where to go from here.");
    let answer = Exchange::perform(world, mcp_request(world, None, "tools/list", None)).await?;
    show.exchange(&answer);
    let challenge = answer.header("www-authenticate");
    check(show, answer.status == StatusCode::UNAUTHORIZED, "401")?;
    check(
        show,
        challenge.starts_with("Bearer ")
            && challenge.contains(&format!(
                "resource_metadata=\"{}\"",
                world.at("/.well-known/oauth-protected-resource/mcp")
            )),
        "the challenge says where the metadata is (RFC 9728)",
    )?;
    check(
        show,
        challenge.contains("scope=\"notes:read\"") && !challenge.contains("error"),
        "it names the scope to ask for, and no error: nothing was wrong with a token",
    )
}

async fn discovery(world: &World, show: &Show) -> Result<(), AnyError> {
    show.step(
        2,
        "Discover",
        "The metadata is at both well-known URLs and leads to the authorization server.",
    );
    let mut bodies = Vec::new();
    for path in
        ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]
    {
        let answer = Exchange::perform(world, world.http().get(world.at(path))).await?;
        show.exchange(&answer);
        check(show, answer.status == StatusCode::OK, "200")?;
        bodies.push(answer.json()?);
    }
    let [inserted, root] = bodies.as_slice() else {
        return Err("two documents were asked for".into());
    };
    check(show, inserted == root, "both are the same document")?;
    check(
        show,
        inserted.get("resource") == Some(&world.url().into()),
        "its resource is the URL that we called",
    )?;
    check(
        show,
        inserted.get("authorization_servers") == Some(&json!([world.issuer().issuer()])),
        "it names the authorization server",
    )?;
    let metadata = format!("{}/.well-known/oauth-authorization-server", world.issuer().issuer());
    let answer = Exchange::perform(world, world.http().get(metadata)).await?;
    show.exchange(&answer);
    check(
        show,
        answer.json()?.get("issuer") == Some(&world.issuer().issuer().into()),
        "which says of itself what we were told (RFC 8414)",
    )
}

async fn first_token(world: &World, show: &Show) -> Result<String, AnyError> {
    show.step(
        3,
        "Get a token for this resource",
        "Client credentials, with the resource named (RFC 8707).",
    );
    let request = token_request(world, READER, world.url(), READER.scopes);
    let answer = Exchange::perform(world, request).await?;
    let document = answer.json()?;
    let token = document.get("access_token").and_then(Value::as_str).ok_or("no token came back")?;
    show.note(&format!("→ POST {}", world.issuer().token_endpoint()));
    show.note(&format!("← {} with a token: {}", answer.status, abbreviate(token)));
    check(show, document.get("token_type") == Some(&"Bearer".into()), "a bearer token came back")?;
    let answer =
        Exchange::perform(world, mcp_request(world, Some(token), "tools/list", None)).await?;
    show.exchange(&answer);
    check(show, answer.status == StatusCode::OK, "the server lists its tools")?;
    Ok(token.to_owned())
}

/// The same with a real client, which is told nothing but the URL and its credentials.
async fn rmcp_client(world: &World, show: &Show) -> Result<(), AnyError> {
    show.step(
        4,
        "The same with rmcp's own client",
        "It knows the URL and its credentials, and finds the rest.",
    );
    let mut state = OAuthState::new(world.url(), None).await?;
    state
        .authenticate_client_credentials(ClientCredentialsConfig::ClientSecret {
            client_id: READER.id.into(),
            client_secret: READER.secret.into(),
            scopes: vec![READER.scopes.into()],
            resource: Some(world.url().into()),
        })
        .await?;
    let manager = state.into_authorization_manager().ok_or("rmcp is not authorized")?;
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(world.url());
    let transport = StreamableHttpClientTransport::with_client(client, config);
    let mode =
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let peer = ClientConfig::default().serve_with_lifecycle(transport, mode).await?;
    let tools = peer.list_all_tools().await?;
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    show.note(&format!("tools: {}", names.join(", ")));
    check(
        show,
        names.contains(&"whoami"),
        "rmcp found the authorization server, a token and the tools",
    )?;
    let mut call = CallToolRequestParams::new("whoami");
    call.arguments = Some(serde_json::Map::new());
    let answer = serde_json::to_string(&peer.call_tool(call).await?.content)?;
    show.note(&format!("whoami: {answer}"));
    peer.cancel().await?;
    check(show, answer.contains(READER.id), "the tool knows on whose authority it was called")
}

async fn other_audience(world: &World, show: &Show) -> Result<(), AnyError> {
    show.step(
        5,
        "A token for another resource",
        "Same issuer, same signature, same client. It was not meant for us.",
    );
    let foreign = token(world, READER, OTHER_RESOURCE).await?;
    let answer =
        Exchange::perform(world, mcp_request(world, Some(&foreign), "tools/list", None)).await?;
    show.exchange(&answer);
    check(
        show,
        answer.status == StatusCode::UNAUTHORIZED,
        "401, not 403: another token helps, another scope does not",
    )?;
    check(
        show,
        answer.header("www-authenticate").contains("error=\"invalid_token\""),
        "invalid_token",
    )
}

async fn too_few_scopes(world: &World, show: &Show, token: &str) -> Result<(), AnyError> {
    show.step(
        6,
        "A tool beyond the token's scopes",
        "The answer names all scopes that the call needs, at once.",
    );
    let request = mcp_request(world, Some(token), "tools/call", Some("delete_all_notes"));
    let answer = Exchange::perform(world, request).await?;
    show.exchange(&answer);
    let challenge = answer.header("www-authenticate");
    check(show, answer.status == StatusCode::FORBIDDEN, "403")?;
    check(
        show,
        challenge.contains("error=\"insufficient_scope\"")
            && challenge.contains("scope=\"notes:admin notes:write\""),
        "insufficient_scope, with both scopes in one challenge",
    )
}

async fn more_scopes(world: &World, show: &Show) -> Result<(), AnyError> {
    show.step(7, "The same call with a token that has them", "Step up, and go through.");
    let token = token(world, ADMIN, world.url()).await?;
    let request = mcp_request(world, Some(&token), "tools/call", Some("delete_all_notes"));
    let answer = Exchange::perform(world, request).await?;
    show.exchange(&answer);
    check(show, answer.status == StatusCode::OK && answer.body.contains("deleted"), "done")
}

async fn burst(world: &World, show: &Show) -> Result<(), AnyError> {
    const AT_MOST: usize = 200;
    show.step(
        8,
        "Too many calls at once",
        "One caller calls as fast as it can. Others are not affected.",
    );
    let token = token(world, EAGER, world.url()).await?;
    let mut allowed = 0_usize;
    let refused = loop {
        let request = mcp_request(world, Some(&token), "tools/call", Some("whoami"));
        let answer = Exchange::perform(world, request).await?;
        match answer.status {
            StatusCode::OK if allowed < AT_MOST => allowed = allowed.saturating_add(1),
            _ => break answer,
        }
    };
    show.note(&format!("{allowed} calls went through, then:"));
    show.exchange(&refused);
    check(show, refused.status == StatusCode::TOO_MANY_REQUESTS, "429")?;
    let wait: u64 = refused.header("retry-after").parse().unwrap_or(0);
    check(show, wait >= 1, "it says how long to wait, in whole seconds, at least one")?;
    let other = self::token(world, READER, world.url()).await?;
    let answer =
        Exchange::perform(world, mcp_request(world, Some(&other), "tools/list", None)).await?;
    check(show, answer.status == StatusCode::OK, "another caller is served meanwhile")
}

async fn rotation(world: &World, show: &Show) -> Result<(), AnyError> {
    show.step(9, "The issuer rotates its keys", "Old tokens keep working, new ones work at once.");
    let before = world.issuer().current_kid();
    let old = token(world, ADMIN, world.url()).await?;
    let after = world.issuer().rotate(Retire::KeepPrevious)?;
    let new = token(world, ADMIN, world.url()).await?;
    show.note(&format!("key `{before}` is followed by key `{after}`"));
    let mut failed = 0_usize;
    for token in [&old, &new, &old, &new, &new, &old] {
        let answer =
            Exchange::perform(world, mcp_request(world, Some(token), "tools/list", None)).await?;
        failed = failed.saturating_add(usize::from(answer.status != StatusCode::OK));
    }
    check(show, before != after, "the key is another one")?;
    check(show, failed == 0, "six calls, with tokens of both keys, and none failed")
}

/// The trail must tell the same story.
pub(crate) fn check_records(records: &[Record], show: &Show) -> Result<(), AnyError> {
    show.plain("");
    let reasons: Vec<_> = records.iter().map(Record::reason).collect();
    for reason in ["token_missing", "audience_mismatch", "scope_missing", "rate_limited"] {
        check(show, reasons.contains(&reason), &format!("a refusal for `{reason}` is on record"))?;
    }
    let by_admin = records.iter().any(|record| {
        record.subject() == ADMIN.id
            && record.operation().contains("delete_all_notes")
            && record.status() == 200
    });
    check(show, by_admin, "so is who deleted all notes")?;
    let text = records.iter().map(Record::raw).collect::<String>();
    check(show, !text.contains("eyJ"), "and no token is in any record")
}
