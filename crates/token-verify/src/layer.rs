use std::fmt;

use palisade_core::{PlainRenderer, stack::roles::Authenticates};
use tower_layer::Layer;

use crate::{TokenVerify, deny_list::DenyList};

const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Lets requests pass that carry a good access token. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TokenVerifyLayer<V, R = PlainRenderer> {
    verifier: V,
    renderer: R,
    deny_list: Option<DenyList>,
    settings: Settings,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) max_token_bytes: usize,
    pub(crate) afterwards: Afterwards,
}

/// What becomes of the credential's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Keep,
    Remove,
}

impl<V> TokenVerifyLayer<V> {
    /// A layer that asks `verifier` about every token.
    pub const fn new(verifier: V) -> Self {
        Self {
            verifier,
            renderer: PlainRenderer::new(),
            deny_list: None,
            settings: Settings {
                max_token_bytes: DEFAULT_MAX_TOKEN_BYTES,
                afterwards: Afterwards::Remove,
            },
        }
    }
}

impl<V, R> TokenVerifyLayer<V, R> {
    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> TokenVerifyLayer<V, R2> {
        let Self { verifier, deny_list, settings, .. } = self;
        TokenVerifyLayer { verifier, renderer, deny_list, settings }
    }

    /// Refuses whom the list has, whatever the verifier says, from the next request on: addresses before the
    /// token is looked at, principals after it was verified. See [`deny_list`](crate::deny_list).
    pub fn with_deny_list(mut self, list: DenyList) -> Self {
        self.deny_list = Some(list);
        self
    }

    /// The largest token that is looked at; 16 KiB if not set. A larger one is refused with 431 before
    /// anything reads it.
    pub const fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_token_bytes = bytes;
        self
    }

    /// Leaves the `Authorization` and `DPoP` headers in the request after verification.
    ///
    /// # What you give up
    ///
    /// By default they are removed as soon as the token has been read, so nothing inside can pass the
    /// token on, log it or echo it. A service that forwards it to another service lets that service act
    /// as the user here, and acts there with a token that was not meant for it; the MCP specification
    /// forbids that outright ("MUST NOT pass through the token"). Get a token of your own for the other
    /// service instead (RFC 8693).
    pub const fn insecure_keep_authorization_header(mut self) -> Self {
        self.settings.afterwards = Afterwards::Keep;
        self
    }
}

impl<S, V: Clone, R: Clone> Layer<S> for TokenVerifyLayer<V, R> {
    type Service = TokenVerify<S, V, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let (verifier, renderer) = (self.verifier.clone(), self.renderer.clone());
        TokenVerify::new(inner, verifier, renderer, self.deny_list.clone(), self.settings)
    }
}

impl<V, R> Authenticates for TokenVerifyLayer<V, R> {}

impl<V, R> fmt::Debug for TokenVerifyLayer<V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifyLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
