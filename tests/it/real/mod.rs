//! A certified authorization server and its tokens: those we must take, and those we must not.

mod dpop;
mod introspection;
mod jwt;
mod server;

use std::{convert::Infallible, time::Duration};

use http::{Request, Response};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{Denial, Principal};
use palisade_integration::{RESOURCE, World};
use palisade_token_verify::TransportSecurity;
use tower::{Service, ServiceBuilder, ServiceExt, util::BoxCloneService};

const LIFETIME: Duration = Duration::from_secs(600);
const LEEWAY: Duration = Duration::from_secs(30);

/// What became of a request.
#[derive(Debug)]
enum Outcome {
    Accepted(Box<Principal>),
    /// The status, and the code for the record.
    Refused(u16, &'static str),
}

impl Outcome {
    #[track_caller]
    fn principal(self) -> Principal {
        match self {
            Self::Accepted(principal) => *principal,
            Self::Refused(status, reason) => panic!("refused: {status} {reason}"),
        }
    }

    #[track_caller]
    fn refusal(self) -> (u16, &'static str) {
        match self {
            Self::Accepted(principal) => panic!("accepted: {principal:?}"),
            Self::Refused(status, reason) => (status, reason),
        }
    }
}

/// The audience guard, and a service that shows who came.
fn behind_the_verifier() -> BoxCloneService<Request<String>, Response<String>, Infallible> {
    let service = ServiceBuilder::new()
        .layer(AudienceGuardLayer::new(World::resource().unwrap()))
        .service_fn(async |mut request: Request<String>| {
            let principal: Option<Principal> = request.extensions_mut().remove();
            let mut response = Response::new(String::new());
            response.extensions_mut().insert(principal.expect("a principal reaches the service"));
            Ok(response)
        });
    BoxCloneService::new(service)
}

/// Sends a request for the resource with these headers.
async fn ask<S>(service: S, headers: &[(&str, &str)]) -> Outcome
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    let mut request = Request::post(RESOURCE).extension(TransportSecurity::tls());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = service.oneshot(request.body(String::new()).unwrap()).await.unwrap();
    let (head, _) = response.into_parts();
    match (head.extensions.get::<Principal>(), head.extensions.get::<Denial>()) {
        (Some(principal), None) => Outcome::Accepted(Box::new(principal.clone())),
        (None, Some(denial)) => Outcome::Refused(head.status.as_u16(), denial.reason().code()),
        (principal, denial) => panic!("neither accepted nor refused: {principal:?} {denial:?}"),
    }
}
