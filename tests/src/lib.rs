//! What the integration tests share: every layer behind one type, requests with one defect each, and
//! services that notice when they are misused; and a certified authorization server.

mod authorization_server;
pub mod challenges;
mod layers;
mod proof;
mod requests;
mod services;
mod world;

pub use self::{
    authorization_server::{APP, Answer, AuthorizationServer, Form, RESOURCE_SERVER, SignedIn},
    layers::{Inner, Layered, Named, all_layers},
    proof::{Proof, ProofKey},
    requests::{DEFECTS, Defect, Facts},
    services::{Counting, NeedsReady, Stalled},
    world::{CaptureSink, OTHER_RESOURCE, RESOURCE, SCOPE, World},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use tower::BoxError;

/// The body of all requests, and of all responses once a layer is through with them.
pub type TestBody = UnsyncBoxBody<Bytes, BoxError>;

/// A body of these bytes.
pub fn body(bytes: impl Into<Bytes>) -> TestBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The README's examples compile, and what they assert holds.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// As are those of the recipes.
#[cfg(doctest)]
#[doc = include_str!("../../docs/recipes.md")]
struct Recipes;
