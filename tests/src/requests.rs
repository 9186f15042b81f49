use http::{Request, header};
use palisade_core::{ClientAddr, Principal, ProtectedResource, ScopeSet, Trail};
use palisade_test_issuer::Signature;
use palisade_token_verify::TransportSecurity;
use serde_json::json;

use crate::{OTHER_RESOURCE, RESOURCE, SCOPE, TestBody, World, body};

/// What a request brings along beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Facts {
    /// Every fact that any layer may need, so that each layer can be tested alone.
    All,
    /// What a server knows by itself: the address of the peer and that there was TLS, and nothing that a layer
    /// should establish.
    OfTheServer,
}

/// The one thing that is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// Nothing: the request is good.
    None,
    /// Several messages in one body.
    Batch,
    /// A signature that nobody made.
    ForgedToken,
    /// The mirrored header names another method than the body.
    HeaderMismatch,
    /// No credential at all.
    NoToken,
    /// A token for another resource.
    OtherAudience,
    /// A token without scopes.
    NoScopes,
    /// An operation that no rule mentions.
    UnknownOperation,
}

/// All defects, and the layer that must notice each.
pub const DEFECTS: [(Defect, &str); 7] = [
    (Defect::Batch, "mcp-request"),
    (Defect::ForgedToken, "token-verify"),
    (Defect::HeaderMismatch, "mcp-request"),
    (Defect::NoToken, "token-verify"),
    (Defect::OtherAudience, "audience-guard"),
    (Defect::NoScopes, "scope-policy"),
    (Defect::UnknownOperation, "scope-policy"),
];

impl Defect {
    /// The bytes of the body.
    #[must_use]
    pub fn message(self) -> String {
        let tool = if self == Self::UnknownOperation { "unheard-of" } else { "tool" };
        let message = json!({
            "jsonrpc": "2.0", "id": 7, "method": "tools/call",
            "params": { "name": tool, "arguments": {} },
        });
        let messages = if self == Self::Batch { json!([message, message]) } else { message };
        messages.to_string()
    }

    /// The request.
    ///
    /// # Panics
    ///
    /// Never: all its parts are constants.
    #[must_use]
    #[expect(clippy::expect_used, reason = "constants, and a test should fail loudly")]
    pub fn request(self, world: &World, facts: Facts) -> Request<TestBody> {
        let mut token = world.token();
        if self == Self::OtherAudience {
            token = token.audience(OTHER_RESOURCE);
        }
        if self == Self::NoScopes {
            token = token.without_claim("scope");
        }
        if self == Self::ForgedToken {
            token = token.signature(Signature::Zeros);
        }
        let path = if self == Self::UnknownOperation { "/unheard-of" } else { "/mcp" };
        let method = if self == Self::HeaderMismatch { "tools/list" } else { "tools/call" };
        let request = Request::post(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header("mcp-method", method);
        let request = if self == Self::NoToken {
            request
        } else {
            request.header(header::AUTHORIZATION, format!("Bearer {}", token.sign()))
        };
        let (mut parts, body) =
            request.body(body(self.message())).expect("all parts are constants").into_parts();
        ClientAddr::peer(([192, 0, 2, 1], 4711).into()).leave_in(&mut parts);
        TransportSecurity::tls().leave_in(&mut parts);
        if facts == Facts::All {
            parts.extensions.insert(Trail::new());
            self.principal(world).leave_in(&mut parts);
            ProtectedResource::new("https://rs.example/metadata")
                .expect("a readable URL")
                .leave_in(&mut parts);
        }
        Request::from_parts(parts, body)
    }

    /// What a verifier would have left. The audience is marked as checked where it is the right one, as
    /// an audience guard would have done.
    fn principal(self, world: &World) -> Principal {
        let audience = if self == Self::OtherAudience { OTHER_RESOURCE } else { RESOURCE };
        let scopes = if self == Self::NoScopes { "" } else { SCOPE };
        let scopes = ScopeSet::parse(scopes).unwrap_or_default();
        let principal = Principal::assert_verified(world.issuer(), "alice")
            .client_id("app")
            .add_audience(audience)
            .scopes(scopes)
            .build();
        match World::resource() {
            Ok(resource) if self != Self::OtherAudience => {
                principal.with_checked_audience(resource)
            }
            Ok(_) | Err(_) => principal,
        }
    }
}
