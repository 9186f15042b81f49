//! What is refused is read alike by every client in use: HTTP-08, and the reason why a login works with one
//! client and not with the next.

#[path = "challenge/misread.rs"]
mod misread;
#[path = "challenge/properties.rs"]
mod properties;
#[path = "challenge/tool_result.rs"]
mod tool_result;

use http::{Request, Response};
use palisade_core::{Denial, ProtectedResource, Reason, ScopeSet};
use palisade_integration::{
    CaptureSink, Counting, DEFECTS, Defect, Facts, SCOPE, TestBody, World, all_layers, body,
    challenges::{
        KINDS, METADATA, Refused, answered,
        clients::{CLIENTS, Found, only_metadata, split_at_commas, strict, typescript_1},
        error_of, lines, of_every_kind,
    },
};
use palisade_mcp_request::JsonRpcRenderer;
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_token_verify::{TokenVerifyLayer, dpop::DpopProofs};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};

/// Every client finds this, and nothing else, in every line that it reads.
fn assert_read_alike(lines: &[String], expected: &Found, name: &str) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert!(lines.iter().map(|line| line.len()).sum::<usize>() <= 8192, "{name}: {lines:?}");
    assert!(lines.iter().all(|line| line.bytes().all(|byte| (0x20..0x7F).contains(&byte))));
    for (client, read) in CLIENTS {
        // TypeScript 1 reads nothing if DPoP is all that is offered.
        let is_blind = expected.scheme != "Bearer" && client == "TypeScript 1";
        let expected = (!is_blind).then(|| expected.clone());
        assert_eq!(read(&lines), expected, "{name}: {client} reads {lines:?}");
    }
    assert_eq!(only_metadata(&lines), expected.resource_metadata, "{name}: {lines:?}");
    for line in lines {
        // A client that knows another scheme follows that line, and finds the same.
        let scheme = line.split(' ').next().unwrap().to_owned();
        let expected = Found { scheme, ..expected.clone() };
        assert_eq!(strict(&[line]), Some(expected.clone()), "{name}: {line}");
        assert_eq!(split_at_commas(&[line]), Some(expected), "{name}: {line}");
    }
}

#[test]
fn refusals_of_every_kind_are_read_alike_whatever_is_offered() {
    let mut seen = 0;
    let again = of_every_kind();
    for (Refused { name, lines, offered, meant, .. }, again) in
        of_every_kind().into_iter().zip(again)
    {
        assert_eq!(lines, again.lines, "{name}: the same again");
        let Some(meant) = meant else {
            assert!(lines.is_empty(), "{name}: {lines:?}");
            continue;
        };
        assert_eq!(lines.len(), offered, "{name}: {lines:?}");
        assert!(lines[0].starts_with(&meant.scheme), "{name}: {lines:?}");
        let lines = if meant.realm.is_some() { &lines[..1] } else { &lines[..] };
        assert_read_alike(lines, &meant, &name);
        seen += 1;
    }
    assert_eq!(seen, 4 * 5 * 3 * 2);
}

/// The layers themselves, behind the one that publishes metadata.
#[tokio::test]
async fn what_the_layers_refuse_is_read_alike() {
    let world = World::new().unwrap();
    let metadata = Metadata::new(World::resource().unwrap())
        .add_authorization_server(world.issuer())
        .and_then(|metadata| metadata.scopes_supported(ScopeSet::parse(SCOPE).unwrap()))
        .unwrap();
    let metadata = ResourceMetadataLayer::new(metadata).unwrap().with_body(body);
    let layers = all_layers(&world, &CaptureSink::default(), body).unwrap();
    let mut with_challenge = 0;
    for (defect, guardian) in DEFECTS {
        let guardian = layers.iter().find(|layer| layer.name() == guardian).unwrap();
        let service = metadata.layer(guardian.around(Counting::default().service()));
        let send =
            async || service.clone().oneshot(defect.request(&world, Facts::All)).await.unwrap();
        let response = send().await;
        let lines = lines(response.headers());
        let again = send().await;
        assert_eq!(lines, self::lines(again.headers()), "{defect:?}: the same again");
        let denial = response.extensions().get::<Denial>().unwrap();
        if !denial.kind().has_challenge() {
            assert!(lines.is_empty(), "{defect:?}: {lines:?}");
            continue;
        }
        let error = error_of(denial.kind());
        let expected = Found {
            scheme: "Bearer".to_owned(),
            error: error.map(str::to_owned),
            error_description: error.map(|_| denial.reason().text().to_owned()),
            scope: Some(SCOPE.to_owned()),
            resource_metadata: Some(METADATA.to_owned()),
            realm: None,
        };
        assert_read_alike(&lines, &expected, &format!("{defect:?}"));
        with_challenge += 1;
    }
    assert_eq!(with_challenge, 4, "no token, a bad one, one for others, and too few scopes");
}

#[tokio::test]
async fn a_verifier_that_takes_dpop_is_read_alike() {
    let world = World::new().unwrap();
    let proofs = || DpopProofs::new(&World::resource().unwrap()).unwrap();
    for (name, proofs, schemes) in [
        ("both", proofs(), &["Bearer", "DPoP"][..]),
        ("DPoP alone", proofs().refuse_bearer_tokens(), &["DPoP"]),
    ] {
        let layer = TokenVerifyLayer::new(world.verifier().unwrap()).with_dpop(proofs);
        let inner = service_fn(async |_: Request<TestBody>| Ok(Response::new(TestBody::default())));
        let inner: palisade_integration::Inner<TestBody> = BoxCloneService::new(inner);
        let mut request = Defect::NoToken.request(&world, Facts::OfTheServer);
        ProtectedResource::new(METADATA)
            .and_then(|resource| resource.challenge_scope(ScopeSet::parse(SCOPE).unwrap()))
            .unwrap()
            .leave_in_extensions(&mut request);
        let response = layer.layer(inner).oneshot(request).await.unwrap();
        let lines = lines(response.headers());
        assert_eq!(lines.len(), schemes.len(), "{name}: {lines:?}");
        let expected = Found {
            scheme: schemes[0].to_owned(),
            scope: Some(SCOPE.to_owned()),
            resource_metadata: Some(METADATA.to_owned()),
            ..Found::default()
        };
        assert_read_alike(&lines, &expected, name);
        assert_eq!(typescript_1(&[&lines[0]]).is_some(), schemes[0] == "Bearer", "{name}");
    }
}

/// A fact of the request, left in a whole one.
trait LeaveInExtensions {
    fn leave_in_extensions<B>(self, request: &mut Request<B>);
}

impl LeaveInExtensions for ProtectedResource {
    fn leave_in_extensions<B>(self, request: &mut Request<B>) {
        request.extensions_mut().insert(self);
    }
}

/// The renderer decides the look, and the look is not the challenge.
#[test]
fn every_renderer_sends_the_same_challenge() {
    let (mut request, ()) = Request::new(()).into_parts();
    ProtectedResource::new(METADATA).unwrap().leave_in(&mut request);
    for kind in KINDS {
        let denial = Denial::new("test", kind, Reason::new("some_reason", "some reason"));
        let plain = answered(denial.clone(), &request);
        let known: Vec<_> = denial.challenges(&request).collect();
        let json: Response<bytes::Bytes> = denial.into_response(&JsonRpcRenderer::new(), &request);
        assert_eq!(lines(json.headers()), plain, "{kind:?}");
        assert_eq!(known, plain, "{kind:?}");
    }
}
