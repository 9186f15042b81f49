//! The order of the layers, written once.
//!
//! ```text
//!  request
//!     │
//!     ▼
//!  audit                 sees what every other layer refused
//!  metadata              the document is public, and challenges need its URL
//!  cors                  preflights have no credential, and scripts must be able to read refusals
//!  limit_by_address      protects signature checks from floods
//!  passthrough           sees credentials before they are taken out
//!  authenticate          who is asking?                                  required
//!  audience              was the credential meant for us?                required
//!  limit_by_principal    before a body is read
//!  protocol              reads bodies only of callers who are known and within limits
//!  authorize             needs principal and operation                   required
//!  limit_by_operation    charges only for what will be done
//!     │
//!     ▼
//!  your service
//! ```
//!
//! [`AccessStack`] takes layers by [role](roles), in any order, and builds *one* layer that has them in
//! the right one. A layer in the wrong place, or a stack without one of the required three, does not
//! compile. Put the result around your *finished* service: with axum that is the router after its last
//! route, so that no route can be forgotten.
//!
//! The stack is sugar. The same layers in the same order in a `ServiceBuilder` do the same, and layers
//! in a wrong order fail closed: what misses a fact answers 500 and names itself.
//!
//! What is not about access (tracing, timeouts) goes around the whole stack.

#![expect(clippy::type_complexity, reason = "the type is the order of the layers")]

pub mod roles;

use tower_layer::{Identity, Layer, Stack};

use self::roles::{
    AnswersPreflights, Audits, Authenticates, Authorizes, ChecksAudience, Limits, NamesOperation,
    PublishesMetadata, WatchesCredentials,
};

/// No layer verifies credentials yet: call [`authenticate`](AccessStack::authenticate).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoAuthenticator;

/// No layer checks the audience yet: call [`audience`](AccessStack::audience).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoAudienceGuard;

/// No layer decides what is allowed yet: call [`authorize`](AccessStack::authorize).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoAuthorizer;

/// A required place and its layer.
#[derive(Clone, Copy, Debug)]
pub struct Set<L>(L);

/// Collects layers by role and builds one layer with all of them in the right order. See the
/// [module docs](self).
///
/// Places that are not required may be filled several times: of two layers in one place, the first is
/// the outer one.
#[derive(Clone, Debug)]
#[must_use = "call `build` to get a layer"]
pub struct AccessStack<
    Authn = NoAuthenticator,
    Aud = NoAudienceGuard,
    Authz = NoAuthorizer,
    Audit = Identity,
    Meta = Identity,
    Cors = Identity,
    ByAddr = Identity,
    Watch = Identity,
    ByPrincipal = Identity,
    Proto = Identity,
    ByOperation = Identity,
> {
    authenticate: Authn,
    audience: Aud,
    authorize: Authz,
    audit: Audit,
    metadata: Meta,
    cors: Cors,
    limit_by_address: ByAddr,
    passthrough: Watch,
    limit_by_principal: ByPrincipal,
    protocol: Proto,
    limit_by_operation: ByOperation,
}

impl AccessStack {
    /// A stack without layers.
    pub const fn new() -> Self {
        Self {
            authenticate: NoAuthenticator,
            audience: NoAudienceGuard,
            authorize: NoAuthorizer,
            audit: Identity::new(),
            metadata: Identity::new(),
            cors: Identity::new(),
            limit_by_address: Identity::new(),
            passthrough: Identity::new(),
            limit_by_principal: Identity::new(),
            protocol: Identity::new(),
            limit_by_operation: Identity::new(),
        }
    }
}

impl Default for AccessStack {
    fn default() -> Self {
        Self::new()
    }
}

/// The stack with one place filled. Struct update syntax cannot change type parameters.
macro_rules! with {
    ($stack:ident, $place:ident: $layer:expr, keep $($kept:ident)*) => {
        AccessStack { $place: $layer, $($kept: $stack.$kept),* }
    };
}

// The required places: filling one twice would silently drop a protection, so it does not compile.

impl<G, Z, A, M, C, L1, W, L2, P, L3>
    AccessStack<NoAuthenticator, G, Z, A, M, C, L1, W, L2, P, L3>
{
    /// The layer that verifies credentials.
    pub fn authenticate<L: Authenticates>(
        self,
        layer: L,
    ) -> AccessStack<Set<L>, G, Z, A, M, C, L1, W, L2, P, L3> {
        with!(self, authenticate: Set(layer), keep audience authorize audit metadata cors
            limit_by_address passthrough limit_by_principal protocol limit_by_operation)
    }
}

impl<V, Z, A, M, C, L1, W, L2, P, L3>
    AccessStack<V, NoAudienceGuard, Z, A, M, C, L1, W, L2, P, L3>
{
    /// The layer that checks whether a credential was meant for this resource.
    pub fn audience<L: ChecksAudience>(
        self,
        layer: L,
    ) -> AccessStack<V, Set<L>, Z, A, M, C, L1, W, L2, P, L3> {
        with!(self, audience: Set(layer), keep authenticate authorize audit metadata cors
            limit_by_address passthrough limit_by_principal protocol limit_by_operation)
    }
}

impl<V, G, A, M, C, L1, W, L2, P, L3> AccessStack<V, G, NoAuthorizer, A, M, C, L1, W, L2, P, L3> {
    /// The layer that decides what is allowed.
    pub fn authorize<L: Authorizes>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Set<L>, A, M, C, L1, W, L2, P, L3> {
        with!(self, authorize: Set(layer), keep authenticate audience audit metadata cors
            limit_by_address passthrough limit_by_principal protocol limit_by_operation)
    }
}

impl<V, G, Z, A, M, C, L1, W, L2, P, L3> AccessStack<V, G, Z, A, M, C, L1, W, L2, P, L3> {
    /// A layer that records requests, outside everything else.
    pub fn audit<L: Audits>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, Stack<L, A>, M, C, L1, W, L2, P, L3> {
        with!(self, audit: Stack::new(layer, self.audit), keep authenticate audience authorize
            metadata cors limit_by_address passthrough limit_by_principal protocol
            limit_by_operation)
    }

    /// A layer that publishes metadata of the resource.
    pub fn metadata<L: PublishesMetadata>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, Stack<L, M>, C, L1, W, L2, P, L3> {
        with!(self, metadata: Stack::new(layer, self.metadata), keep authenticate audience
            authorize audit cors limit_by_address passthrough limit_by_principal protocol
            limit_by_operation)
    }

    /// A layer that lets scripts of other origins call and read answers, refusals among them.
    pub fn cors<L: AnswersPreflights>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, M, Stack<L, C>, L1, W, L2, P, L3> {
        with!(self, cors: Stack::new(layer, self.cors), keep authenticate audience authorize audit
            metadata limit_by_address passthrough limit_by_principal protocol limit_by_operation)
    }

    /// A layer that limits requests before anything is known about the caller but an address.
    pub fn limit_by_address<L: Limits>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, M, C, Stack<L, L1>, W, L2, P, L3> {
        with!(self, limit_by_address: Stack::new(layer, self.limit_by_address), keep authenticate
            audience authorize audit metadata cors passthrough limit_by_principal protocol
            limit_by_operation)
    }

    /// A layer that remembers credentials, to keep them from being passed on.
    pub fn passthrough<L: WatchesCredentials>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, M, C, L1, Stack<L, W>, L2, P, L3> {
        with!(self, passthrough: Stack::new(layer, self.passthrough), keep authenticate audience
            authorize audit metadata cors limit_by_address limit_by_principal protocol
            limit_by_operation)
    }

    /// A layer that limits requests of a known caller.
    pub fn limit_by_principal<L: Limits>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, M, C, L1, W, Stack<L, L2>, P, L3> {
        with!(self, limit_by_principal: Stack::new(layer, self.limit_by_principal), keep
            authenticate audience authorize audit metadata cors limit_by_address passthrough
            protocol limit_by_operation)
    }

    /// A layer that reads a protocol and names the operation.
    pub fn protocol<L: NamesOperation>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, M, C, L1, W, L2, Stack<L, P>, L3> {
        with!(self, protocol: Stack::new(layer, self.protocol), keep authenticate audience
            authorize audit metadata cors limit_by_address passthrough limit_by_principal
            limit_by_operation)
    }

    /// A layer that limits allowed operations, by what they cost.
    pub fn limit_by_operation<L: Limits>(
        self,
        layer: L,
    ) -> AccessStack<V, G, Z, A, M, C, L1, W, L2, P, Stack<L, L3>> {
        with!(self, limit_by_operation: Stack::new(layer, self.limit_by_operation), keep
            authenticate audience authorize audit metadata cors limit_by_address passthrough
            limit_by_principal protocol)
    }

    /// One layer with all of them, in the order of the [module docs](self).
    pub fn build(self) -> AccessLayer<Order<V, G, Z, A, M, C, L1, W, L2, P, L3>>
    where
        V: HasAuthenticator,
        G: HasAudienceGuard,
        Z: HasAuthorizer,
    {
        let inside = Stack::new(self.limit_by_operation, self.authorize.take());
        let inside = Stack::new(inside, self.protocol);
        let inside = Stack::new(inside, self.limit_by_principal);
        let inside = Stack::new(inside, self.audience.take());
        let inside = Stack::new(inside, self.authenticate.take());
        let inside = Stack::new(inside, self.passthrough);
        let inside = Stack::new(inside, self.limit_by_address);
        let inside = Stack::new(inside, self.cors);
        let inside = Stack::new(inside, self.metadata);
        AccessLayer(Stack::new(inside, self.audit))
    }
}

type Outside<Outer, Inner> = Stack<Inner, Outer>;
type Order<V, G, Z, A, M, C, L1, W, L2, P, L3> =
    Outside<A, Outside<M, Outside<C, Outside<L1, Outside<W, Known<V, G, Z, L2, P, L3>>>>>>;
/// From where on it is known who asks.
type Known<V, G, Z, L2, P, L3> = Outside<
    <V as HasAuthenticator>::Layer,
    Outside<
        <G as HasAudienceGuard>::Layer,
        Outside<L2, Outside<P, Outside<<Z as HasAuthorizer>::Layer, L3>>>,
    >,
>;

macro_rules! required {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub trait $name: sealed::Sealed {
            /// The layer in that place.
            type Layer;

            #[doc(hidden)]
            fn take(self) -> Self::Layer;
        }

        impl<L> $name for Set<L> {
            type Layer = L;

            fn take(self) -> L {
                self.0
            }
        }
    )*};
}

required! {
    /// The place for the layer that verifies credentials is filled.
    HasAuthenticator
    /// The place for the layer that checks the audience is filled.
    HasAudienceGuard
    /// The place for the layer that decides what is allowed is filled.
    HasAuthorizer
}

mod sealed {
    #[expect(unnameable_types, reason = "sealed: nobody else decides which places are filled")]
    pub trait Sealed {}

    impl<L> Sealed for super::Set<L> {}
}

/// All layers of an [`AccessStack`] as one.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct AccessLayer<T>(T);

impl<S, T: Layer<S>> Layer<S> for AccessLayer<T> {
    type Service = T::Service;

    fn layer(&self, service: S) -> Self::Service {
        self.0.layer(service)
    }
}

#[cfg(test)]
mod tests;
