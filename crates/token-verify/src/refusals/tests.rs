//! The page says what the layer and the audit log do: every refusal is carried out and compared with it.

use std::{
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use http::{Request, Response, request};
use palisade_audit_log::{AuditLogLayer, AuditRecord, body::RequestBody};
use palisade_core::{PlainRenderer, Principal};
use serde_json::Value;
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    BearerToken, Rejection, TokenVerifyLayer, TransportSecurity, VerifyToken,
    dpop::tests::support::{BOUND, Client, head, nonces, proofs},
    rejection::samples::samples,
    sender::Dpop,
};

const PAGE: &str = include_str!("../refusals.md");

/// What the page has to say about one refusal.
#[derive(Debug)]
struct Entry {
    /// How it looks on the wire and in the record.
    block: String,
    /// How its row in the table under the block begins.
    row: String,
}

struct Section<'a> {
    block: &'a str,
    rows: Vec<&'a str>,
}

fn sections() -> Vec<Section<'static>> {
    let with_block = PAGE.split("\n## ").filter_map(|section| {
        let (_, rest) = section.split_once("```text\n")?;
        let (block, rest) = rest.split_once("```")?;
        let is_row = |line: &&str| line.starts_with("| `") && !line.starts_with("| `reason`");
        let rows = rest.lines().filter(is_row).collect();
        Some(Section { block, rows })
    });
    with_block.collect()
}

/// The answer over HTTP and over gRPC and the record, as the page shows them.
async fn entry<D: Dpop>(
    layer: TokenVerifyLayer<impl VerifyToken + Clone, PlainRenderer, D>,
    rejection: Option<&Rejection>,
    request: impl Fn() -> request::Builder,
) -> Entry {
    let records = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let records = Arc::clone(&records);
        move |record: &AuditRecord| records.lock().unwrap().push(record.to_json())
    };
    let nobody_gets_here = async |_: Request<RequestBody<String>>| -> Result<_, Infallible> {
        Ok(Response::new(String::from("passed")))
    };
    let service = ServiceBuilder::new()
        .layer(AuditLogLayer::new(sink))
        .layer(layer)
        .service_fn(nobody_gets_here);
    let plain = request().body(String::new()).unwrap();
    let grpc = request().header("content-type", "application/grpc").body(String::new()).unwrap();
    let plain = service.clone().oneshot(plain).await.unwrap();
    let grpc = service.oneshot(grpc).await.unwrap();

    let mut block = format!("{}\n", plain.status());
    for name in ["www-authenticate", "retry-after", "cache-control"] {
        for value in plain.headers().get_all(name) {
            writeln!(block, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        let lines = |response: &Response<_>| {
            response.headers().get_all(name).iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(lines(&plain), lines(&grpc), "gRPC has the same in its headers");
    }
    if plain.headers().contains_key("dpop-nonce") {
        block.push_str("dpop-nonce: …\n");
    }
    let header = |name: &str| grpc.headers()[name].to_str().unwrap();
    let (status, message) = (header("grpc-status"), header("grpc-message"));
    writeln!(block, "\ngrpc-status: {status}\ngrpc-message: {message}\n").unwrap();
    drop((plain, grpc.map(drop)));

    let records = records.lock().unwrap();
    let [record, _] = &records[..] else { panic!("one record for each request") };
    let record: Value = serde_json::from_str(record).unwrap();
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let (code, cause) = (text("reason"), text("cause"));
    write!(
        block,
        "\"outcome\":{},\"status\":{},\"stage\":{},\"kind\":{},\"reason\":\"…\"",
        record["outcome"], record["status"], record["stage"], record["kind"],
    )
    .unwrap();
    let row = match rejection {
        Some(rejection) => {
            block.push_str(",\"cause\":\"…\"");
            let debug = format!("{rejection:?}");
            let variant = debug.split(' ').next().unwrap();
            let name = if let Rejection::InvalidProof { fault } = rejection {
                format!("ProofFault::{fault:?}")
            } else {
                format!("Rejection::{variant}")
            };
            format!("| `{code}` | [`{name}`](crate::{name}) | {cause} | ")
        }
        None => format!("| `{code}` | "),
    };
    // What is wrong with a proof is told to the client, in the words of the record.
    if let Some(Rejection::InvalidProof { .. }) = rejection {
        block = block.replace(&cause, "…");
    }
    block.push('\n');
    Entry { block, row }
}

fn post() -> request::Builder {
    Request::post("/").extension(TransportSecurity::tls())
}

fn bearer(token: &str) -> request::Builder {
    post().header("authorization", format!("Bearer {token}"))
}

/// All that the layer can answer, each caused by a request or by what a verifier says.
async fn entries() -> Vec<Entry> {
    let client = Client::new();
    let mut entries = Vec::new();
    let refuse = |rejection: Rejection| {
        move |_: BearerToken| std::future::ready(Err::<Principal, _>(rejection.clone()))
    };
    for rejection in samples() {
        let layer = TokenVerifyLayer::new(refuse(rejection.clone()));
        let proof = || client.proof().claim("htm", "POST").sign();
        let with_proof = || head("DPoP", BOUND).method("POST").header("dpop", proof());
        entries.push(if rejection == Rejection::NonceRequired {
            let asking = layer.with_dpop(proofs().require_nonces(nonces()));
            entry(asking, Some(&rejection), with_proof).await
        } else if matches!(rejection, Rejection::InvalidProof { .. } | Rejection::WrongProofKey) {
            entry(layer.with_dpop(proofs()), Some(&rejection), with_proof).await
        } else {
            entry(layer, Some(&rejection), || bearer("some.token")).await
        });
    }
    let layer = || TokenVerifyLayer::new(refuse(Rejection::BadSignature));
    let huge = "a".repeat(16 * 1024 + 1);
    entries.push(entry(layer(), None, post).await);
    entries.push(entry(layer(), None, || bearer("so me")).await);
    entries.push(entry(layer(), None, || bearer("a").header("authorization", "Basic YTpi")).await);
    entries.push(entry(layer(), None, || bearer(&huge)).await);
    let dpop_only = layer().with_dpop(proofs().refuse_bearer_tokens());
    entries.push(entry(dpop_only, None, || bearer(BOUND)).await);
    entries
}

#[tokio::test]
async fn the_page_has_every_refusal_as_it_is_sent_and_recorded() {
    let sections = sections();
    let entries = entries().await;
    for Entry { block, row } in &entries {
        let mut fits = sections
            .iter()
            .filter(|section| section.rows.iter().any(|line| line.starts_with(row.as_str())));
        let section = fits.next().unwrap_or_else(|| panic!("no row for\n{block}{row}"));
        assert_eq!(section.block, block, "{row}");
        assert!(fits.next().is_none(), "twice: {row}");
    }
    let rows: Vec<_> = sections.iter().flat_map(|section| &section.rows).collect();
    assert_eq!(rows.len(), entries.len(), "a row that nothing answers to");
    for row in rows {
        let says = row.trim_end_matches('|').rsplit("| ").next().unwrap();
        assert!(says.trim().len() > 20, "what it means and what to do: {row}");
    }
}
