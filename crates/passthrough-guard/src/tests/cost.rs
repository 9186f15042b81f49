//! What an outgoing request costs, and how to ask about one by hand.

use http::{HeaderMap, Method, Uri};

use super::*;
use crate::OutboundLayer;

/// A head as clients write them, with a token of our own of this length.
fn head(length: usize) -> (Uri, HeaderMap) {
    let own: String = ('A'..='Z').cycle().step_by(7).take(length).collect();
    let request = Request::get("https://up.example/v1/forecast?city=Berlin&days=3")
        .header("authorization", format!("Bearer {own}"))
        .header("content-type", "application/json")
        .header("user-agent", "weather/1.0")
        .header("accept", "*/*");
    let (head, ()) = request.body(()).unwrap().into_parts();
    (head.uri, head.headers)
}

fn check(layer: &OutboundLayer, (uri, headers): &(Uri, HeaderMap)) {
    assert_eq!(layer.check(&Method::GET, uri, headers), Ok(()));
}

#[tokio::test]
async fn what_may_go_out_costs_few_allocations_and_none_if_nobody_is_there() {
    let guard = PassthroughGuard::new().unwrap();
    let layer = guard.outbound_layer();
    let head = head(900);
    let cost = || allocation_counter::measure(|| check(&layer, &head)).count_total;
    assert_eq!(cost(), 0);
    let one = verified(&guard, TOKEN).await;
    let with_one = cost();
    let _many: Vec<_> = [one, verified(&guard, &TOKEN.repeat(2)).await].into();
    assert_eq!(cost(), with_one, "however many there are");
    // Two buffers for base64 for the one field that is long enough, and the list of what is a credential.
    assert_eq!(with_one, 3);
}

#[tokio::test]
async fn a_request_is_asked_about_by_hand_as_the_layer_asks() {
    let guard = PassthroughGuard::new().unwrap();
    let trail = verified(&guard, TOKEN).await;
    let layer = guard.outbound_layer().insecure_allow_to("https://as.example").unwrap();
    for (name, uri, header, part) in [
        ("nothing", "https://up.example/", "", None),
        ("a header", "https://up.example/", TOKEN, Some(crate::outbound::Part::HeaderValue)),
        ("an origin that may have it", "https://as.example/introspect", TOKEN, None),
        ("no origin", "/introspect", TOKEN, Some(crate::outbound::Part::HeaderValue)),
    ] {
        let headers = HeaderMap::from_iter([("x-a".parse().unwrap(), header.parse().unwrap())]);
        let found = match layer.check(&Method::GET, &uri.parse().unwrap(), &headers) {
            Ok(()) => None,
            Err(PassthroughError::Carries { part, .. }) => Some(part),
            Err(error @ PassthroughError::TooLarge) => panic!("{error}"),
        };
        assert_eq!(found, part, "{name}");
    }
    assert_eq!(trail.notes().withheld.count, 2);
}
