use http::{HeaderMap, Method, Request};
use proptest::prelude::*;

use super::{PAGE, answers, layer, send};

/// What a shared cache would do: keep an answer under the values of the headers that `Vary` names.
fn cache_key(request: &HeaderMap, answer: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let lines = answer.get_all("vary").iter().map(|line| line.to_str().unwrap().to_owned());
    let mut key: Vec<_> = lines
        .flat_map(|line| line.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .map(|name| {
            let value = request.get(&name).map_or(&b""[..], |value| value.as_bytes());
            (name, value.to_vec())
        })
        .collect();
    key.sort();
    key
}

fn cors_headers(answer: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<_> = answer
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-"))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    headers.sort();
    headers
}

proptest! {
    /// Whoever shares a cache with another page sees the permissions of their own.
    #[test]
    fn answers_that_a_cache_takes_for_the_same_are_the_same(
        any_origin: bool,
        method in prop::sample::select(vec![Method::GET, Method::OPTIONS]),
        origins in prop::array::uniform2(prop::sample::select(vec![
            None, Some(PAGE), Some("https://evil.example"), Some("null"),
        ])),
        asked in prop::array::uniform2(prop::sample::select(vec![
            None, Some("authorization"), Some("x-evil"), Some("mcp-param-x,dpop"),
        ])),
    ) {
        let layer = if any_origin { layer().insecure_allow_any_origin() } else { layer() };
        let service = answers(&layer);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = |index: usize| {
            let mut request = Request::builder().method(&method);
            for (name, value) in [
                ("origin", origins[index]),
                ("access-control-request-headers", asked[index]),
                ("access-control-request-method", Some("POST")),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let headers = request.headers_ref().unwrap().clone();
            (headers, runtime.block_on(send(&service, request)))
        };
        let ((left, left_answer), (right, right_answer)) = (answer(0), answer(1));
        let keys = |answer: &HeaderMap| (cache_key(&left, answer), cache_key(&right, answer));
        let (one, other) = keys(left_answer.headers());
        // Caches keep no OPTIONS at all (RFC 9110 §9.3.7), but what is not one may be kept.
        if one == other && method != Method::OPTIONS {
            prop_assert_eq!(cors_headers(left_answer.headers()), cors_headers(right_answer.headers()));
        }
        if !any_origin {
            let is_named = one.iter().any(|(name, _)| name == "origin");
            prop_assert!(is_named, "{:?}", one);
        }
    }
}
