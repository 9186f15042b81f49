//! A refusal as the result of a tool, behind all layers.

use http::{Request, Response};
use http_body_util::BodyExt;
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, Outcome};
use palisade_core::{AccessStack, DenialKind, Operation, ScopeSet};
use palisade_integration::{CaptureSink, Defect, Facts, SCOPE, TestBody, World, body};
use palisade_mcp_request::{JsonRpcRenderer, McpRequestLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::TokenVerifyLayer;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn only_missing_scopes_become_a_tool_result_and_the_record_says_denied() {
    let world = World::new().unwrap();
    let sink = CaptureSink::default();
    let renderer = JsonRpcRenderer::new().with_body(body).with_challenges_in_tool_results();
    let metadata = Metadata::new(World::resource().unwrap())
        .add_authorization_server(world.issuer())
        .and_then(|metadata| metadata.scopes_supported(ScopeSet::parse("first").unwrap()))
        .unwrap();
    let policy = ScopePolicy::deny_all()
        .allow(Operation::new("mcp", "tools/call").with_target("tool"), SCOPE)
        .unwrap()
        .build()
        .unwrap();
    let access = AccessStack::new()
        .audit(AuditLogLayer::new(sink.clone()))
        .metadata(ResourceMetadataLayer::new(metadata).unwrap().with_body(body))
        .authenticate(TokenVerifyLayer::new(world.verifier().unwrap()).with_renderer(renderer))
        .audience(AudienceGuardLayer::new(World::resource().unwrap()).with_renderer(renderer))
        .protocol(McpRequestLayer::new("/mcp").with_renderer(renderer))
        .authorize(ScopePolicyLayer::new(policy).with_renderer(renderer))
        .build();
    let service = access.layer(service_fn(async |_: Request<_>| {
        Ok::<_, std::convert::Infallible>(Response::new(TestBody::default()))
    }));

    for (defect, status, kind) in [
        (Defect::NoToken, 401, DenialKind::Unauthenticated),
        (Defect::ForgedToken, 401, DenialKind::InvalidToken),
        (Defect::OtherAudience, 401, DenialKind::InvalidToken),
        (Defect::HeaderMismatch, 400, DenialKind::BadRequest),
        (Defect::Batch, 400, DenialKind::BadRequest),
        (Defect::UnknownOperation, 403, DenialKind::Forbidden),
        (Defect::NoScopes, 200, DenialKind::InsufficientScope),
    ] {
        let request = defect.request(&world, Facts::OfTheServer);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{defect:?}");
        let lines = super::lines(response.headers());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        if status == 200 {
            let [line] = lines.as_slice() else { panic!("{lines:?}") };
            assert!(line.contains("error=\"insufficient_scope\""), "{line}");
            assert!(line.contains("scope=\"use\""), "{line}");
            assert_eq!(answer["id"], 7, "that of the call");
            assert_eq!(answer["result"]["isError"], true);
            assert_eq!(answer["result"]["_meta"], json!({ "mcp/www_authenticate": [line] }));
        } else {
            assert!(answer["error"].is_object() && answer["result"].is_null(), "{answer}");
        }
        let records = sink.take();
        let [record] = records.as_slice() else { panic!("{} records", records.len()) };
        let Outcome::Denied(denial) = &record.outcome else { panic!("{:?}", record.outcome) };
        assert_eq!(denial.kind(), kind, "{defect:?}");
        assert_eq!(record.status.unwrap(), status, "{defect:?}: what was sent");
    }
}
