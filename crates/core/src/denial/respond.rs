//! The one way from a denial to a response.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{Denial, kind::KindChallenge};
use crate::{
    Challenge, OfferedSchemes, ProtectedResource, RefusedInBody, RenderDenial, Trail,
    offered_schemes, render::GRPC_STATUS,
};

pub(super) fn respond<B, R: RenderDenial<B>>(
    denial: Denial,
    renderer: &R,
    request: &Parts,
) -> Response<B> {
    let mut response = renderer.render(&denial, request);
    // A refusal that looks like a success is taken for one, by clients and by dashboards. gRPC is the
    // exception: there, HTTP says 200 and `grpc-status` says no. So is a body that was marked as a refusal,
    // if the refusal is one that a credential would change.
    let status = response.status();
    let is_in_body = response.extensions_mut().remove::<RefusedInBody>().is_some()
        && status == StatusCode::OK
        && denial.kind().has_challenge();
    let says_no = status.is_client_error()
        || status.is_server_error()
        || response.headers().contains_key(GRPC_STATUS);
    if !says_no && !is_in_body {
        *response.status_mut() = denial.kind().status();
    }
    stamp(response.headers_mut(), &denial, request);
    if let Some(trail) = Trail::of(request) {
        trail.deny(&denial);
    }
    response.extensions_mut().insert(denial);
    response
}

/// Writes what no renderer may lose or restyle.
fn stamp(headers: &mut HeaderMap, denial: &Denial, request: &Parts) {
    headers.remove(WWW_AUTHENTICATE);
    // One field line per challenge: some clients read only the first (RFC 9110 §11.6.1).
    for challenge in challenges(denial, request) {
        headers.append(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = denial.retry_after_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The challenges of a refusal: what is offered, completed, and what the layer added.
pub(super) fn challenges(
    denial: &Denial,
    request: &Parts,
) -> impl Iterator<Item = HeaderValue> + use<> {
    let mut challenges = Vec::new();
    let offered = OfferedSchemes::of(request);
    let completed = offered.challenges().filter_map(|scheme| complete(scheme, denial, request));
    for challenge in completed.chain(denial.0.further_challenges.iter().cloned()) {
        offered_schemes::add(&mut challenges, challenge);
    }
    challenges.into_iter().map(|challenge| challenge.to_header_value())
}

/// The challenge of a scheme with what this refusal and this resource have to say.
fn complete(scheme: &Challenge, denial: &Denial, request: &Parts) -> Option<Challenge> {
    let challenge = scheme.clone();
    let challenge = match denial.kind().challenge() {
        KindChallenge::None => return None,
        KindChallenge::WithoutError => challenge,
        KindChallenge::WithError(code) => {
            challenge.error(denial.0.error_code.unwrap_or(code), denial.reason().text())
        }
    };
    let resource = request.extensions.get::<ProtectedResource>();
    let scopes = match denial.required_scopes() {
        known if !known.is_empty() => known.clone(),
        _ => resource.map(|resource| resource.scopes().clone()).unwrap_or_default(),
    };
    let challenge = challenge.scope(scopes);
    Some(match resource {
        Some(resource) => challenge.resource_metadata(resource.metadata_url()),
        None => challenge,
    })
}
