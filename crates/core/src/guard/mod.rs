//! Checks that look at the head of a request and say yes or no.
//!
//! Most protections need no more than that. They implement [`Check`], and [`GuardLayer`] makes a tower
//! layer of any check: one `Service` impl for all, which neither clones the inner service nor boxes a
//! future nor touches a body.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response, request::Parts};
//! use palisade_core::{Check, Denial, DenialKind, GuardLayer, Reason};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! #[derive(Clone)]
//! struct OpenHours;
//!
//! impl Check for OpenHours {
//!     fn check(&self, request: &mut Parts) -> Result<(), Denial> {
//!         const CLOSED: Reason = Reason::new("closed", "we are closed");
//!         if request.uri.path() == "/night" {
//!             return Err(Denial::new("open-hours", DenialKind::Forbidden, CLOSED));
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Infallible> {
//! let service = ServiceBuilder::new()
//!     .layer(GuardLayer::new(OpenHours))
//!     .service_fn(async |_: Request<String>| {
//!         Ok::<_, Infallible>(Response::new(String::from("welcome")))
//!     });
//!
//! let day = Request::get("/day").body(String::new()).unwrap();
//! assert_eq!(service.clone().oneshot(day).await?.status(), 200);
//!
//! let night = Request::get("/night").body(String::new()).unwrap();
//! let refused = service.oneshot(night).await?;
//! assert_eq!(refused.status(), 403);
//! assert_eq!(refused.extensions().get::<Denial>().unwrap().reason().code(), "closed");
//! # Ok(()) }
//! ```

pub mod future;
mod layer;
mod service;

use http::request::Parts;

pub use self::{layer::GuardLayer, service::Guard};
use crate::Denial;

/// Decides from the head of a request whether it may go on.
pub trait Check {
    /// Lets the request pass, or refuses it. May leave facts in the request's extensions.
    ///
    /// Must not block and must not panic.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn check(&self, request: &mut Parts) -> Result<(), Denial>;
}

impl<F: Fn(&mut Parts) -> Result<(), Denial>> Check for F {
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        self(request)
    }
}
