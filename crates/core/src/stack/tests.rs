use std::convert::Infallible;

use http::{Request, Response, request::Parts};
use tower::{ServiceExt, service_fn};

use super::{
    roles::{
        AnswersPreflights, Audits, Authenticates, Authorizes, ChecksAudience, Limits,
        NamesOperation, PublishesMetadata, WatchesCredentials,
    },
    *,
};
use crate::{Check, Denial, GuardLayer};

/// Which checks ran, outermost first.
#[derive(Clone, Default)]
struct Seen(Vec<&'static str>);

#[derive(Clone)]
struct Probe(&'static str);

impl Check for Probe {
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        request.extensions.get_or_insert_default::<Seen>().0.push(self.0);
        Ok(())
    }
}

// A probe has every role: here the stack is tested, not the roles.
impl Audits for Probe {}
impl PublishesMetadata for Probe {}
impl AnswersPreflights for Probe {}
impl Limits for Probe {}
impl WatchesCredentials for Probe {}
impl Authenticates for Probe {}
impl ChecksAudience for Probe {}
impl NamesOperation for Probe {}
impl Authorizes for Probe {}

fn probe(name: &'static str) -> GuardLayer<Probe> {
    GuardLayer::new(Probe(name))
}

async fn run<L, S>(layer: L) -> Vec<&'static str>
where
    L: Layer<tower::util::BoxCloneService<Request<()>, Response<String>, Infallible>, Service = S>,
    S: tower_service::Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    let inner = service_fn(async |request: Request<()>| {
        let seen = request.extensions().get::<Seen>().cloned().unwrap_or_default();
        Ok(Response::new(seen.0.join(" ")))
    });
    let service = layer.layer(tower::util::BoxCloneService::new(inner));
    let response = service.oneshot(Request::new(())).await.unwrap();
    response.into_body().split(' ').map(|name| &*name.to_owned().leak()).collect()
}

#[tokio::test]
async fn the_order_is_the_same_whatever_the_order_of_the_calls() {
    let expected = [
        "audit",
        "metadata",
        "cors",
        "address",
        "passthrough",
        "authn",
        "audience",
        "principal",
        "proto",
        "authz",
        "operation",
    ];
    let forwards = AccessStack::new()
        .audit(probe("audit"))
        .metadata(probe("metadata"))
        .cors(probe("cors"))
        .limit_by_address(probe("address"))
        .passthrough(probe("passthrough"))
        .authenticate(probe("authn"))
        .audience(probe("audience"))
        .limit_by_principal(probe("principal"))
        .protocol(probe("proto"))
        .authorize(probe("authz"))
        .limit_by_operation(probe("operation"))
        .build();
    let backwards = AccessStack::new()
        .limit_by_operation(probe("operation"))
        .authorize(probe("authz"))
        .protocol(probe("proto"))
        .limit_by_principal(probe("principal"))
        .audience(probe("audience"))
        .authenticate(probe("authn"))
        .passthrough(probe("passthrough"))
        .limit_by_address(probe("address"))
        .cors(probe("cors"))
        .metadata(probe("metadata"))
        .audit(probe("audit"))
        .build();
    assert_eq!(run(forwards).await, expected);
    assert_eq!(run(backwards).await, expected);
}

#[tokio::test]
async fn of_two_layers_in_one_place_none_is_lost_and_the_first_is_outside() {
    let stack = AccessStack::new()
        .limit_by_principal(probe("hourly"))
        .authenticate(probe("authn"))
        .limit_by_principal(probe("daily"))
        .audience(probe("audience"))
        .authorize(probe("authz"))
        .build();
    assert_eq!(run(stack).await, ["authn", "audience", "hourly", "daily", "authz"]);
}
