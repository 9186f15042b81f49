use std::{
    convert::Infallible,
    future::{Ready, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
};

use http::{HeaderValue, Method, Request, Response, Uri};
use palisade_core::{AccessStack, GuardLayer, Resource, ScopeSet, Trail};
use tower::{Layer, Service, ServiceExt, util::ServiceFn};

use super::*;
use crate::{Needs, Requirement, ScopePolicy, ScopePolicyLayer};

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn policy() -> ScopePolicy {
    ScopePolicy::deny_all()
        .allow(Operation::http("GET", "/files"), "files:read")
        .and_then(|policy| policy.allow_path(Method::GET, "/{*rest}", Needs::without_scopes()))
        .and_then(|policy| policy.allow_path(Method::GET, "/admin", "admin audit"))
        .and_then(|policy| {
            policy.allow_path(Method::POST, "/files.v1.Files/{method}", "files:write")
        })
        .and_then(|policy| {
            let delete = Operation::new("mcp", "tools/call").with_target("delete_file");
            policy.allow(delete, Needs::any_of(["admin", "files:delete files:write"]))
        })
        .and_then(|policy| policy.implies("files:write", "files:read"))
        .and_then(|policy| policy.build())
        .unwrap()
}

fn unchecked(scopes: &str) -> Principal {
    Principal::assert_verified("https://as.example", "alice").scopes(set(scopes)).build()
}

fn principal(scopes: &str) -> Principal {
    unchecked(scopes).with_checked_audience(Resource::parse("https://files.example").unwrap())
}

fn request(method: &str, uri: &str) -> Request<String> {
    Request::builder().method(method).uri(uri).body(String::new()).unwrap()
}

fn with<T: Clone + Send + Sync + 'static>(
    mut request: Request<String>,
    fact: T,
) -> Request<String> {
    request.extensions_mut().insert(fact);
    request
}

type Answer = Ready<Result<Response<String>, Infallible>>;
type Inner = ServiceFn<fn(Request<String>) -> Answer>;

/// Through the layer, alone.
async fn answer<L>(layer: L, request: Request<String>) -> Response<String>
where
    L: Layer<Inner>,
    L::Service: Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    let inner: Inner = tower::service_fn(|_| ready(Ok(Response::new("reached".to_owned()))));
    layer.layer(inner).oneshot(request).await.unwrap()
}

/// `reached`, or the code of the refusal with its status.
async fn outcome(request: Request<String>) -> String {
    outcome_of(ScopePolicyLayer::new(policy()), request).await
}

async fn outcome_of<P: RequireScopes>(
    layer: ScopePolicyLayer<P>,
    request: Request<String>,
) -> String {
    let response = answer(layer, request).await;
    match response.extensions().get::<Denial>() {
        Some(denial) => {
            assert_eq!(denial.stage(), STAGE);
            assert!(response.body().is_empty());
            format!("{} {}", response.status().as_u16(), denial.reason().code())
        }
        None => response.into_body(),
    }
}

#[tokio::test]
async fn yes_and_no() {
    let delete = || Operation::new("mcp", "tools/call").with_target("delete_file");
    for (name, method, uri, operation, scopes, expected) in [
        ("granted", "GET", "/files", None, "files:read", "reached"),
        ("implied", "GET", "/files", None, "files:write", "reached"),
        (
            "the query is not part of the path",
            "GET",
            "/files?a=//..",
            None,
            "files:read",
            "reached",
        ),
        ("no scope needed", "GET", "/about", None, "", "reached"),
        ("missing", "GET", "/files", None, "mail", "403 scope_missing"),
        ("one of two", "GET", "/admin", None, "admin", "403 scope_missing"),
        ("unlisted", "PUT", "/files", None, "files:read", "403 operation_not_allowed"),
        ("gRPC", "POST", "/files.v1.Files/Put", None, "files:write", "reached"),
        (
            "gRPC, another service",
            "POST",
            "/x/Put",
            None,
            "files:write",
            "403 operation_not_allowed",
        ),
        ("a message", "POST", "/mcp", Some(delete()), "admin", "reached"),
        ("a message, missing", "POST", "/mcp", Some(delete()), "files:write", "403 scope_missing"),
        (
            "a message in another case",
            "POST",
            "/mcp",
            Some(Operation::new("mcp", "tools/call").with_target("Delete_File")),
            "admin",
            "403 operation_not_allowed",
        ),
        (
            "a message has its own rules, whatever the method",
            "GET",
            "/files",
            Some(Operation::new("mcp", "tools/list")),
            "files:read",
            "403 operation_not_allowed",
        ),
        ("the target of a message is no path", "POST", "//mcp", Some(delete()), "admin", "reached"),
        ("an unread message", "POST", "/mcp", None, "admin", "403 operation_not_allowed"),
    ] {
        let mut request = with(request(method, uri), principal(scopes));
        if let Some(operation) = operation {
            request = with(request, operation);
        }
        assert_eq!(outcome(request).await, expected, "{name}");
    }
}

#[tokio::test]
async fn scp_07_scopes_are_judged_only_of_principals_whose_audience_was_checked() {
    let list = || request("GET", "/files");
    let open = || request("GET", "/about");
    for (name, request, expected) in [
        ("nobody", list(), "500 principal_missing"),
        ("nobody, no scope needed", open(), "500 principal_missing"),
        ("unchecked", with(list(), unchecked("files:read")), "500 audience_unchecked"),
        ("unchecked, no scope needed", with(open(), unchecked("")), "500 audience_unchecked"),
        ("unchecked, scope missing", with(list(), unchecked("")), "500 audience_unchecked"),
        (
            "unchecked, ambiguous",
            with(request("GET", "//"), unchecked("")),
            "500 audience_unchecked",
        ),
        ("checked, ambiguous", with(request("GET", "//"), principal("")), "400 path_ambiguous"),
        ("checked", with(list(), principal("files:read")), "reached"),
    ] {
        assert_eq!(outcome(request).await, expected, "{name}");
    }
}

#[tokio::test]
async fn an_unchecked_audience_is_accepted_if_that_is_said_out_loud() {
    let layer = || ScopePolicyLayer::new(policy()).insecure_accept_unchecked_audience();
    for (request, expected) in [
        (with(request("GET", "/files"), unchecked("files:read")), "reached"),
        (with(request("GET", "/files"), unchecked("")), "403 scope_missing"),
        (request("GET", "/files"), "500 principal_missing"),
    ] {
        assert_eq!(outcome_of(layer(), request).await, expected);
    }
}

#[tokio::test]
async fn pth_01_an_ambiguous_path_is_refused_before_any_rule_is_looked_at() {
    // `/{*rest}` would let all of these pass without any scope.
    for path in [
        "//admin",
        "/./admin",
        "/x/../admin",
        "/%61dmin",
        "/admin%2f",
        "/admin%5c",
        "/admin%00",
        "/admin;x",
        "/x/..%2fadmin",
        "/x/..;/admin",
        "/x\\..\\admin",
        "/%2e%2e/admin",
        "/%252e%252e/admin",
    ] {
        let asks = with(request("GET", path), principal("admin audit"));
        assert_eq!(outcome(asks).await, "400 path_ambiguous", "{path}");
        let curious = |_: &Operation| -> Requirement<'static> { panic!("a rule was looked at") };
        let asks = with(request("GET", path), principal("admin audit"));
        let outcome = outcome_of(ScopePolicyLayer::new(curious), asks).await;
        assert_eq!(outcome, "400 path_ambiguous", "{path}");
    }
    for path in ["/admin/", "/ADMIN", "/administrator"] {
        let asks = with(request("GET", path), principal(""));
        assert_eq!(outcome(asks).await, "reached", "{path} is another path");
    }
    let asks = with(request("GET", "/admin?"), principal(""));
    assert_eq!(outcome(asks).await, "403 scope_missing");
}

#[tokio::test]
async fn pth_04_the_path_of_the_request_line_counts_outside_of_a_router_that_shortens_it() {
    let nested = |mut request: Request<String>| {
        let shortened = request.uri().path().trim_start_matches("/api").to_owned();
        *request.uri_mut() = shortened.parse::<Uri>().unwrap();
        request
    };
    let rule = |path: &'static str| {
        let policy = ScopePolicy::deny_all().allow(Operation::http("GET", path), "a");
        ScopePolicyLayer::new(policy.unwrap().build().unwrap())
    };
    let inner = || tower::service_fn(|_| ready(Ok::<_, Infallible>(Response::new(String::new()))));
    let asks = || with(request("GET", "/api/files"), principal("a"));
    for (path, expected) in [("/api/files", 200), ("/files", 403)] {
        let outside = rule(path).layer(inner().map_request(nested));
        assert_eq!(outside.oneshot(asks()).await.unwrap().status(), expected, "{path}");
    }
}

#[tokio::test]
async fn pth_05_unlisted_methods_are_denied() {
    for method in ["HEAD", "get", "Get", "TRACE", "OPTIONS", "DELETE", "BREW"] {
        let asks = with(request(method, "/files"), principal("files:read"));
        assert_eq!(outcome(asks).await, "403 operation_not_allowed", "{method}");
    }
    for uri in ["example.com:443", "*"] {
        let method = if uri == "*" { "OPTIONS" } else { "CONNECT" };
        let asks = with(request(method, uri), principal("files:read"));
        assert_eq!(outcome(asks).await, "400 path_ambiguous", "{uri}");
    }
}

#[tokio::test]
async fn pth_05_and_06_headers_change_no_operation() {
    for (name, value) in [
        ("x-http-method-override", "GET"),
        ("x-http-method", "GET"),
        ("x-method-override", "GET"),
        ("x-original-url", "/files"),
        ("x-rewrite-url", "/files"),
        ("x-original-uri", "/files"),
        ("x-forwarded-uri", "/files"),
        ("x-forwarded-prefix", "/files"),
        ("x-forwarded-method", "GET"),
        ("x-middleware-subrequest", "middleware"),
        ("mcp-method", "tools/list"),
    ] {
        let mut asks = with(request("POST", "/drop"), principal("files:read"));
        asks.headers_mut().insert(name, HeaderValue::from_static(value));
        assert_eq!(outcome(asks).await, "403 operation_not_allowed", "{name}");
    }
}

#[tokio::test]
async fn a_challenge_names_all_scopes_of_the_operation_and_none_that_imply_them() {
    let delete = Operation::new("mcp", "tools/call").with_target("delete_file");
    for (asks, scope) in [
        (with(request("GET", "/files"), principal("mail")), "files:read"),
        (with(request("GET", "/admin"), principal("admin")), "admin audit"),
        (with(with(request("POST", "/mcp"), delete.clone()), principal("")), "admin"),
        (with(with(request("POST", "/mcp"), delete), principal("files:write")), "admin"),
    ] {
        let response = answer(ScopePolicyLayer::new(policy()), asks).await;
        assert_eq!(
            response.headers()["www-authenticate"],
            format!(
                "Bearer error=\"insufficient_scope\", \
                 error_description=\"the token grants too little for this operation\", \
                 scope=\"{scope}\""
            )
        );
    }
}

#[tokio::test]
async fn what_no_scope_can_cure_has_no_challenge() {
    for asks in [
        with(request("PUT", "/files"), principal("")),
        with(request("GET", "//"), principal("")),
        with(request("GET", "/files"), unchecked("")),
    ] {
        let response = answer(ScopePolicyLayer::new(policy()), asks).await;
        assert!(!response.headers().contains_key("www-authenticate"), "{:?}", response.headers());
    }
}

#[tokio::test]
async fn refusals_of_grpc_requests_are_grpc_statuses() {
    for (path, scopes, expected) in [
        ("/files.v1.Files/Put", "", "7"),
        ("/files.v1.Admin/Drop", "files:write", "7"),
        ("/files.v1.Files//Put", "files:write", "3"),
    ] {
        let mut asks = with(request("POST", path), principal(scopes));
        asks.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        let response = answer(ScopePolicyLayer::new(policy()), asks).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["grpc-status"], expected, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_is_recorded_and_can_look_otherwise() {
    let trail = Trail::new();
    let asks = with(with(request("PUT", "/files"), principal("")), trail.clone());
    let layer = ScopePolicyLayer::new(policy()).with_renderer(|_: &Denial, _: &Parts| {
        Response::builder().status(404).body("not found".to_owned()).unwrap()
    });
    let response = answer(layer, asks).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (404, "not found"));
    assert_eq!(trail.notes().denial.unwrap().reason().code(), "operation_not_allowed");
}

#[test]
fn scp_09_a_policy_that_panics_lets_nothing_pass() {
    static REACHED: AtomicUsize = AtomicUsize::new(0);
    let broken = |_: &Operation| -> Requirement<'static> { panic!("a bug in a policy") };
    let inner = tower::service_fn(|_: Request<String>| {
        REACHED.fetch_add(1, Ordering::Relaxed);
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let mut service = ScopePolicyLayer::new(broken).layer(inner);
    let asks = with(request("GET", "/files"), principal("files:read"));
    let result = catch_unwind(AssertUnwindSafe(|| drop(service.call(asks))));
    assert!(result.is_err(), "the panic is not swallowed");
    assert_eq!(REACHED.load(Ordering::Relaxed), 0);
}

#[test]
fn it_has_its_place_in_the_stack_as_a_layer_and_as_a_check() {
    let _ = AccessStack::new().authorize(ScopePolicyLayer::new(policy()));
    let check = ScopePolicyLayer::new(policy()).into_check();
    let _ = AccessStack::new().authorize(GuardLayer::new(check));
}

fn assert_is_a_good_neighbour<T: Clone + Send + Sync + fmt::Debug + 'static>(_: &T) {}

#[test]
fn it_goes_anywhere_even_with_a_policy_that_is_neither_clone_nor_debug() {
    struct Own;
    impl RequireScopes for Own {
        fn requirement(&self, _: &Operation) -> Requirement<'_> {
            Requirement::Deny
        }
    }
    let layer = ScopePolicyLayer::new(Own);
    assert_is_a_good_neighbour(&layer);
    assert_is_a_good_neighbour(&layer.layer(()));
    assert_is_a_good_neighbour(&layer.into_check());
    assert_is_a_good_neighbour(&policy());
}
