//! `cargo xtask demo --serve`: both servers stay up, with lines to paste.

use palisade_examples::AnyError;

use crate::{
    show::Show,
    walk::token,
    world::{ADMIN, World},
};

pub(crate) async fn until_interrupted(world: &World, show: &Show) -> Result<(), AnyError> {
    let token = token(world, ADMIN, world.url()).await?;
    let url = world.url();
    let issuer = world.issuer();
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"curl","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let headers = "-H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -H 'mcp-protocol-version: 2026-07-28' -H 'mcp-method: tools/list'";
    show.plain(&format!(
        "
Paste away; Ctrl-C ends it.

# Without a token: 401, and where to go from here.
curl -i {url} {headers} -d '{list}'

# Where to go from here.
curl -i {metadata}

# A token of your own (scopes: {scopes}).
curl -s -u {id}:{secret} {token_endpoint} -d grant_type=client_credentials -d resource={url}

# With a token that was made for you, good for an hour.
TOKEN={token}
curl -i {url} -H \"authorization: Bearer $TOKEN\" {headers} -d '{list}'

# What is on record so far.
cat {audit}
",
        metadata = world.at("/.well-known/oauth-protected-resource/mcp"),
        scopes = ADMIN.scopes,
        id = ADMIN.id,
        secret = ADMIN.secret,
        token_endpoint = issuer.token_endpoint(),
        audit = world.audit_file().display(),
    ));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
