use http::{Request, Response};
use palisade_core::{Confirmation, Denial, Principal};
use tower::{ServiceBuilder, ServiceExt};

use super::*;
use crate::{BearerToken, TokenVerifyLayer, TransportSecurity};

const DER: &[u8] = b"not looked into!";

/// The code of the refusal, or nothing if it passed. The token is bound to [`DER`] if it says so.
async fn ask(mutual_tls: Option<MutualTls>, token: &str, edit: impl FnOnce(&mut Parts)) -> String {
    let verifier = async |token: BearerToken| {
        let principal = Principal::assert_verified("https://as.example", "alice");
        Ok(match token.expose() {
            "bound" => {
                let digest = Sha256::digest(DER).into();
                let confirmation = Confirmation::new().with_certificate_thumbprint(digest);
                principal.confirmation(confirmation).build()
            }
            _ => principal.build(),
        })
    };
    let layer = TokenVerifyLayer::new(verifier);
    let layer = match mutual_tls {
        Some(mutual_tls) => layer.with_mutual_tls(mutual_tls),
        None => layer,
    };
    let service = ServiceBuilder::new().layer(layer).service_fn(async |_: Request<()>| {
        Ok::<_, std::convert::Infallible>(Response::new(String::new()))
    });
    let request = Request::get("/")
        .extension(TransportSecurity::tls())
        .header("authorization", format!("Bearer {token}"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    edit(&mut parts);
    let response = service.oneshot(Request::from_parts(parts, ())).await.unwrap();
    let Some(denial) = response.extensions().get::<Denial>() else { return String::new() };
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    denial.reason().code().to_owned()
}

fn connection(der: &'static [u8]) -> impl FnOnce(&mut Parts) {
    move |parts| ClientCertificate::from_der(der).leave_in(parts)
}

fn header(value: &str) -> impl FnOnce(&mut Parts) {
    let value = value.parse().unwrap();
    move |parts| {
        parts.headers.insert("client-cert", value);
    }
}

#[tokio::test]
async fn a_bound_token_needs_its_certificate() {
    let tls = Some(MutualTls::from_connection());
    assert_eq!(ask(tls, "bound", connection(DER)).await, "");
    assert_eq!(ask(tls, "bound", connection(b"another")).await, "certificate_wrong");
    assert_eq!(ask(tls, "bound", |_| {}).await, "certificate_missing");
    assert_eq!(ask(tls, "unbound", |_| {}).await, "");
    assert_eq!(ask(None, "bound", connection(DER)).await, "token_bound");
}

#[tokio::test]
async fn unbound_tokens_can_be_refused() {
    let tls = Some(MutualTls::from_connection().refuse_unbound_tokens());
    assert_eq!(ask(tls, "unbound", connection(DER)).await, "token_not_bound");
    assert_eq!(ask(tls, "bound", connection(DER)).await, "");
}

#[tokio::test]
async fn pop_10_headers_count_only_from_a_trusted_proxy() {
    let good = format!(":{}:", STANDARD.encode(DER));
    let proxy = Some(MutualTls::from_trusted_proxy());
    assert_eq!(ask(proxy, "bound", header(&good)).await, "");

    let tls = Some(MutualTls::from_connection());
    assert_eq!(ask(tls, "bound", header(&good)).await, "certificate_missing");
    let beside = |parts: &mut Parts| {
        header(&good)(parts);
        connection(b"another")(parts);
    };
    assert_eq!(ask(tls, "bound", beside).await, "certificate_wrong");
    assert_eq!(ask(proxy, "bound", connection(DER)).await, "certificate_missing");
    for name in ["x-client-cert", "x-forwarded-client-cert", "ssl-client-cert", "client_cert"] {
        let spoofed = |parts: &mut Parts| {
            parts.headers.insert(name, good.parse().unwrap());
        };
        assert_eq!(ask(proxy, "bound", spoofed).await, "certificate_missing", "{name}");
    }
}

#[tokio::test]
async fn pop_10_forms_of_the_header() {
    let proxy = Some(MutualTls::from_trusted_proxy());
    let encoded = STANDARD.encode(DER);
    let missing = "certificate_missing";
    let rows = [
        ("another certificate", format!(":{}:", STANDARD.encode("another")), "certificate_wrong"),
        ("empty", String::new(), missing),
        ("no bytes", "::".into(), missing),
        ("one colon", ":".into(), missing),
        ("bare base64", encoded.clone(), missing),
        ("quoted", format!("\"{encoded}\""), missing),
        ("no padding", format!(":{}:", encoded.replace('=', "")), missing),
        ("two in a list", format!(":{encoded}:, :{encoded}:"), missing),
        ("with parameter", format!(":{encoded}:;a=1"), missing),
        ("PEM", "-----BEGIN CERTIFICATE-----".into(), missing),
        ("spaces", format!(": {encoded}:"), missing),
        ("too large", format!(":{}:", "A".repeat(MAX_HEADER_BYTES)), missing),
    ];
    for (name, value, expected) in rows {
        assert_eq!(ask(proxy, "bound", header(&value)).await, expected, "{name}");
    }
    let twice = |parts: &mut Parts| {
        for _ in 0..2 {
            parts.headers.append("client-cert", format!(":{encoded}:").parse().unwrap());
        }
    };
    assert_eq!(ask(proxy, "bound", twice).await, missing, "two lines");
}

#[test]
fn debug_shows_no_certificate() {
    assert_eq!(format!("{:?}", ClientCertificate::from_der(DER)), "ClientCertificate { .. }");
}
