use serde_json::{Value, json};

use crate::issuer::State;

/// The RFC 8414 document, the same at each well-known path.
///
/// At OpenID's path it is what many plain OAuth servers put there: there are no ID tokens here, so
/// the members that describe them are absent. `authorization_endpoint` is there though no grant type
/// uses it: clients in use cannot read the document without it.
pub(super) fn document(state: &State) -> Value {
    let mut document = json!({
        "issuer": state.issuer,
        "authorization_endpoint": state.endpoint("/authorize"),
        "token_endpoint": state.endpoint("/token"),
        "introspection_endpoint": state.endpoint("/introspect"),
        "jwks_uri": state.endpoint("/jwks"),
        "grant_types_supported": ["client_credentials"],
        // Section 2 requires the member, section 3.2 omits empty ones. Clients miss it more.
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    if let Value::Object(members) = &mut document {
        let scopes = scopes(state);
        if !scopes.is_empty() {
            members.insert("scopes_supported".to_owned(), Value::from(scopes));
        }
        let resources = state.resources();
        if !resources.is_empty() {
            // RFC 9728 section 4.
            members.insert("protected_resources".to_owned(), Value::from(resources));
        }
    }
    document
}

/// The scopes of all clients, each once, in the order they were configured.
fn scopes(state: &State) -> Vec<&str> {
    let mut scopes = Vec::new();
    for scope in state.settings.clients.iter().flat_map(|client| &client.scopes) {
        if !scopes.contains(&scope.as_str()) {
            scopes.push(scope);
        }
    }
    scopes
}
