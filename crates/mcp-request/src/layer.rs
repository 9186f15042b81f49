use std::{fmt, sync::Arc};

use palisade_core::{InvalidOriginError, PlainRenderer, stack::roles::NamesOperation};
use tower_layer::Layer;

use crate::{InvalidBodyLimitError, InvalidHostError, origin::Addressees, service::McpRequest};

/// As much as MCP servers take by default.
const DEFAULT_MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Reads one MCP message per POST and names its operation. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct McpRequestLayer<R = PlainRenderer> {
    settings: Arc<Settings>,
    renderer: R,
}

/// What the services of a layer share.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoints: Vec<Box<str>>,
    pub(crate) max_body_bytes: usize,
    pub(crate) addressees: Addressees,
}

impl McpRequestLayer {
    /// A layer for the MCP endpoint at this path, such as `/mcp`, of a service on this machine: hosts and
    /// origins must be loopback ones, a body may have 4 MiB.
    ///
    /// The path is compared byte for byte with that of the request. Requests to other paths are not
    /// messages, whatever they hold: they keep the operation that HTTP gives them. Otherwise a message
    /// that a policy allows would open every route of the service, each with its own idea of the body.
    ///
    /// If a router in front takes a prefix away, name what is left.
    pub fn new(endpoint: impl Into<Box<str>>) -> Self {
        let settings = Settings {
            endpoints: vec![endpoint.into()],
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            addressees: Addressees::default(),
        };
        Self { settings: Arc::new(settings), renderer: PlainRenderer::new() }
    }
}

impl<R> McpRequestLayer<R> {
    /// One more endpoint, for hosts with several MCP servers behind one stack.
    ///
    /// An [`Operation`](palisade_core::Operation) does not say at which endpoint it was asked for, so one policy holds
    /// for all of them. Endpoints whose tools have the same names and need other scopes need stacks of their own.
    pub fn add_endpoint(mut self, endpoint: impl Into<Box<str>>) -> Self {
        self.settings_mut().endpoints.push(endpoint.into());
        self
    }

    /// How many bytes a body may have. At least as many are held in memory for each request that is
    /// being read.
    ///
    /// # Errors
    ///
    /// [`InvalidBodyLimitError`] if `limit` is 0.
    pub fn max_body_bytes(mut self, limit: usize) -> Result<Self, InvalidBodyLimitError> {
        if limit == 0 {
            return Err(InvalidBodyLimitError);
        }
        self.settings_mut().max_body_bytes = limit;
        Ok(self)
    }

    /// Allows requests that name this host, `mcp.example.com` or `mcp.example.com:8443`.
    ///
    /// Call it once per name that clients use. The first call takes away the default, which is
    /// `localhost`, `127.0.0.1` and `[::1]` at any port. Names are compared without case. Without a port,
    /// the request must have none either, or 80 or 443; `mcp.example.com:*` allows all ports.
    ///
    /// # Errors
    ///
    /// [`InvalidHostError`] if `host` is not a host with perhaps a port.
    pub fn allow_host(mut self, host: &str) -> Result<Self, InvalidHostError> {
        self.settings_mut().addressees.allow_host(host)?;
        Ok(self)
    }

    /// Allows requests of pages of this origin, such as `https://app.example`.
    ///
    /// Requests without `Origin`, which is to say not from a browser, are always allowed. The first call
    /// takes away the default, which is `http` and `https` pages of loopback hosts at any port. Origins are
    /// compared byte for byte with what browsers send, see [`Origin`](palisade_core::Origin).
    ///
    /// # Errors
    ///
    /// [`InvalidOriginError`] if `origin` is not what a browser sends. For `null`, there is
    /// [`insecure_allow_null_origin`](Self::insecure_allow_null_origin).
    pub fn allow_origin(mut self, origin: &str) -> Result<Self, InvalidOriginError> {
        self.settings_mut().addressees.allow_origin(origin)?;
        Ok(self)
    }

    /// Allows requests whatever well-formed host they name.
    ///
    /// # What you give up
    ///
    /// One half of the defence against DNS rebinding. Use it only if something in front of the service
    /// checks the host.
    pub fn insecure_allow_any_host(mut self) -> Self {
        self.settings_mut().addressees.allow_any_host();
        self
    }

    /// Allows requests of pages of all origins, `null` among them.
    ///
    /// # What you give up
    ///
    /// MCP: "Servers MUST validate the `Origin` header on all incoming connections to prevent DNS
    /// rebinding attacks". Any page that a user visits may then call the service from the user's
    /// network.
    pub fn insecure_allow_any_origin(mut self) -> Self {
        self.settings_mut().addressees.allow_any_origin();
        self
    }

    /// Allows requests of pages whose origin is `null`, besides those that are allowed already.
    ///
    /// # What you give up
    ///
    /// `null` is what files, sandboxed frames and redirected requests have in common. Any page can open a
    /// sandboxed frame.
    pub fn insecure_allow_null_origin(mut self) -> Self {
        self.settings_mut().addressees.allow_null_origin();
        self
    }

    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> McpRequestLayer<R2> {
        McpRequestLayer { settings: self.settings, renderer }
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl<R> NamesOperation for McpRequestLayer<R> {}

impl<S, R: Clone> Layer<S> for McpRequestLayer<R> {
    type Service = McpRequest<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        McpRequest::new(inner, Arc::clone(&self.settings), self.renderer.clone())
    }
}

impl<R> fmt::Debug for McpRequestLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpRequestLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
