use std::{fmt, sync::Arc};

use http::HeaderName;
use palisade_core::{PlainRenderer, stack::roles::Authenticates};
use tower_layer::Layer;

use crate::{
    Https, MutualTls, TokenVerify,
    deny_list::DenyList,
    sender::{Dpop, WithoutDpop},
};

const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Lets requests pass that carry a good access token. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TokenVerifyLayer<V, R = PlainRenderer, D = WithoutDpop> {
    verifier: V,
    renderer: R,
    dpop: D,
    deny_list: Option<DenyList>,
    settings: Settings,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How it is known that a request came over https; nothing, if it does not matter.
    pub(crate) https: Option<Https>,
    pub(crate) max_token_bytes: usize,
    pub(crate) afterwards: Afterwards,
    /// Shared, because the service is cloned for each request.
    pub(crate) also_removed: Option<Arc<[HeaderName]>>,
    pub(crate) mutual_tls: Option<MutualTls>,
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
            dpop: WithoutDpop,
            deny_list: None,
            settings: Settings {
                https: Some(Https::from_connection()),
                max_token_bytes: DEFAULT_MAX_TOKEN_BYTES,
                afterwards: Afterwards::Remove,
                also_removed: None,
                mutual_tls: None,
            },
        }
    }
}

impl<V, R, D> TokenVerifyLayer<V, R, D> {
    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> TokenVerifyLayer<V, R2, D> {
        let Self { verifier, dpop, deny_list, settings, .. } = self;
        TokenVerifyLayer { verifier, renderer, dpop, deny_list, settings }
    }

    /// Refuses whom the list has, whatever the verifier says, from the next request on: addresses before the
    /// token is looked at, principals after it was verified. See [`deny_list`](crate::deny_list).
    ///
    /// There is one list: a second call replaces the first. A list takes entries from several feeds.
    pub fn with_deny_list(mut self, list: DenyList) -> Self {
        self.deny_list = Some(list);
        self
    }

    /// How it is known that a request came over https. Without this call:
    /// [`Https::from_connection`]. What did not is refused before its token is looked at.
    pub const fn with_https(mut self, https: Https) -> Self {
        self.settings.https = Some(https);
        self
    }

    /// Takes tokens over plain http, from everywhere.
    ///
    /// # What you give up
    ///
    /// Whoever is on the way between client and service reads the token and uses it, until it expires, and nothing here
    /// can tell (RFC 6750 §5.1, §5.2). Only tokens that are bound to a key resist that, and of the requests and answers
    /// nothing is secret. A service behind a proxy does not need this: name the proxy by [`with_https`](Self::with_https).
    pub const fn insecure_accept_plain_http(mut self) -> Self {
        self.settings.https = None;
        self
    }

    /// Takes tokens that are bound to a key, with proof of that key:
    #[cfg_attr(
        any(feature = "aws-lc-rs", feature = "rust-crypto"),
        doc = "[`DpopProofs`](crate::dpop::DpopProofs)."
    )]
    #[cfg_attr(
        not(any(feature = "aws-lc-rs", feature = "rust-crypto")),
        doc = "`DpopProofs`, if there is a signature backend."
    )]
    /// Without this call such tokens are refused.
    pub fn with_dpop<D2: Dpop>(self, proofs: D2) -> TokenVerifyLayer<V, R, D2> {
        let Self { verifier, renderer, deny_list, settings, .. } = self;
        TokenVerifyLayer { verifier, renderer, dpop: proofs, deny_list, settings }
    }

    /// Takes tokens that are bound to a client certificate, from who showed it. Without this call such tokens
    /// are refused.
    pub const fn with_mutual_tls(mut self, mutual_tls: MutualTls) -> Self {
        self.settings.mutual_tls = Some(mutual_tls);
        self
    }

    /// The largest token that is looked at; 16 KiB if not set. A larger one is refused with 431 before
    /// anything reads it.
    pub const fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_token_bytes = bytes;
        self
    }

    /// Removes these headers as well, beside `Authorization` and `DPoP`: credentials that this layer does not read and
    /// that nothing inside should have either. Each call adds to those before.
    ///
    /// They are gone for the service, and for renderers where the request is refused. Typical are `Cookie`,
    /// `Proxy-Authorization`, and what a proxy in front adds, such as `X-Forwarded-Access-Token`. Layers outside still
    /// see them.
    ///
    /// Not for `Client-Cert` where [`MutualTls::from_trusted_proxy`] has to read it: bound tokens would be refused.
    ///
    /// ```
    /// use http::{HeaderName, header::{COOKIE, PROXY_AUTHORIZATION}};
    /// # use palisade_core::Principal;
    /// # use palisade_token_verify::{BearerToken, Rejection, TokenVerifyLayer};
    /// # let verifier = async |_: BearerToken| Err::<Principal, _>(Rejection::BadSignature);
    ///
    /// let layer = TokenVerifyLayer::new(verifier)
    ///     .also_remove_headers([COOKIE, PROXY_AUTHORIZATION])
    ///     .also_remove_headers([HeaderName::from_static("x-forwarded-access-token")]);
    /// # drop(layer);
    /// ```
    pub fn also_remove_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let before = self.settings.also_removed.take();
        let before = before.iter().flat_map(|names| names.iter().cloned());
        self.settings.also_removed = Some(before.chain(names).collect());
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

impl<S, V: Clone, R: Clone, D: Clone> Layer<S> for TokenVerifyLayer<V, R, D> {
    type Service = TokenVerify<S, V, R, D>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { verifier, renderer, dpop, deny_list, settings } = self.clone();
        TokenVerify::new(inner, verifier, renderer, dpop, deny_list, settings)
    }
}

impl<V, R, D> Authenticates for TokenVerifyLayer<V, R, D> {}

impl<V, R, D> fmt::Debug for TokenVerifyLayer<V, R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifyLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
