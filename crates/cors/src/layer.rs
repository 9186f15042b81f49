use std::{fmt, sync::Arc, time::Duration};

use http::{
    HeaderName, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};
use palisade_core::{InvalidOriginError, Origin, stack::roles::AnswersPreflights};
use tower_http::cors;
use tower_layer::Layer;

use crate::{
    Cors,
    headers::{AllowedHeaders, InvalidHeaderPrefixError},
    service::Inside,
};

/// As long as Chromium keeps an answer at most.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(7200);

/// Lets pages of named origins call a service and read its refusals. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct CorsLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    origins: Origins,
    methods: Vec<Method>,
    pub(crate) headers: AllowedHeaders,
    exposed: Vec<HeaderName>,
    max_age: Duration,
}

#[derive(Clone, Debug)]
enum Origins {
    Any,
    Listed(Vec<Origin>),
}

impl CorsLayer {
    /// A layer that allows no origin yet, and of those that are added:
    ///
    /// | | |
    /// |---|---|
    /// | methods | `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` |
    /// | request headers | `Accept`, `Authorization`, `Content-Type`, `DPoP`, `Last-Event-ID` |
    /// | response headers | `DPoP-Nonce`, `RateLimit`, `RateLimit-Policy`, `Retry-After`, `WWW-Authenticate` |
    ///
    /// Browsers may remember that for two hours.
    pub fn new() -> Self {
        let named = HeaderName::from_static;
        let settings = Settings {
            origins: Origins::Listed(Vec::new()),
            methods: vec![
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ],
            headers: AllowedHeaders::new(vec![
                ACCEPT,
                AUTHORIZATION,
                CONTENT_TYPE,
                named("dpop"),
                named("last-event-id"),
            ]),
            exposed: vec![
                named("dpop-nonce"),
                named("ratelimit"),
                named("ratelimit-policy"),
                RETRY_AFTER,
                WWW_AUTHENTICATE,
            ],
            max_age: DEFAULT_MAX_AGE,
        };
        Self { settings: Arc::new(settings) }
    }

    /// Allows pages of one more origin, such as `https://app.example`.
    ///
    /// # Errors
    ///
    /// [`InvalidOriginError`] unless it is, byte for byte, what a browser sends in `Origin`. `null` is not: any
    /// page can open a frame that has it.
    pub fn allow_origin(mut self, origin: &str) -> Result<Self, InvalidOriginError> {
        let origin = Origin::parse(origin)?;
        if let Origins::Listed(origins) = &mut self.settings_mut().origins {
            origins.push(origin);
        }
        Ok(self)
    }

    /// Allows pages of all origins, `null` among them.
    ///
    /// # What you give up
    ///
    /// Any page may call the service with a token that it has, and read everything that is answered without
    /// one. Browsers add no credentials of their own: neither cookies nor client certificates, because this layer
    /// never allows that. So a page needs a token, and those are bound to whoever got them; what is left open
    /// is what needs none, for every page that a user of *your network* visits. A service that only listens
    /// on a private network, or tells callers by their address, must not say this.
    pub fn insecure_allow_any_origin(mut self) -> Self {
        self.settings_mut().origins = Origins::Any;
        self
    }

    /// Allows one more method.
    pub fn allow_method(mut self, method: Method) -> Self {
        self.settings_mut().methods.push(method);
        self
    }

    /// Allows more request headers, such as those of a protocol. `*` allows none: it would stand for every header but
    /// `Authorization`.
    pub fn allow_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.settings_mut().headers.names.extend(names);
        self
    }

    /// Allows all request headers that begin with this prefix, such as `x-app-`. CORS has no wildcard for
    /// that, so a preflight is told which of those it asks for are allowed.
    ///
    /// # Errors
    ///
    /// [`InvalidHeaderPrefixError`] if header names do not begin so, or if it does not end in `-`.
    pub fn allow_headers_with_prefix(
        mut self,
        prefix: &str,
    ) -> Result<Self, InvalidHeaderPrefixError> {
        self.settings_mut().headers.add_prefix(prefix)?;
        Ok(self)
    }

    /// Lets pages read more response headers, such as those of a protocol.
    pub fn expose_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.settings_mut().exposed.extend(names);
        self
    }

    /// How long browsers may remember what is allowed, in whole seconds. By default two hours. Who is not
    /// allowed any more can send requests for that long, but not read the answers.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.settings_mut().max_age = age;
        self
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl Default for CorsLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// The layer that writes the headers. What it leaves to be desired is done in [`Cors`].
    fn to_tower_http(&self) -> cors::CorsLayer {
        let origins = match &self.origins {
            Origins::Any => cors::AllowOrigin::any(),
            Origins::Listed(origins) => {
                let origins = origins.clone();
                cors::AllowOrigin::predicate(move |_, request| is_listed(&origins, request))
            }
        };
        cors::CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(self.methods.clone())
            .allow_headers(cors::AllowHeaders::mirror_request())
            .expose_headers(self.exposed.clone())
            .max_age(self.max_age)
    }
}

/// Whether the one origin that a request names is among these. With two of them, one would be checked
/// here, and another by whoever comes next.
fn is_listed(origins: &[Origin], request: &Parts) -> bool {
    let mut lines = request.headers.get_all(ORIGIN).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => origins.iter().any(|origin| origin.is_named_by(line.as_bytes())),
        (None, _) | (Some(_), Some(_)) => false,
    }
}

impl AnswersPreflights for CorsLayer {}

impl<S> Layer<S> for CorsLayer {
    type Service = Cors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let inner = self.settings.to_tower_http().layer(Inside::new(inner));
        Cors::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for CorsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorsLayer").field("settings", &self.settings).finish()
    }
}
