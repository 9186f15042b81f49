use std::{str::FromStr, time::Duration};

use tonic::{Code, Request, metadata::MetadataValue, transport::Channel};

use self::greeter::{HelloRequest, greeter_client::GreeterClient};
use crate::support::Server;

#[expect(
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod greeter {
    tonic::include_proto!("palisade.examples");
}

/// What came back: the message, or the status.
async fn call(channel: &Channel, token: Option<&str>, shout: bool) -> Result<String, Code> {
    let mut request = Request::new(HelloRequest { greeting: "hello".to_owned() });
    if let Some(token) = token {
        let value = MetadataValue::from_str(&format!("Bearer {token}")).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let mut client = GreeterClient::new(channel.clone());
    let reply = if shout { client.shout(request).await } else { client.say_hello(request).await };
    reply.map(|reply| reply.into_inner().message).map_err(|status| status.code())
}

#[tokio::test]
async fn refusals_are_grpc_statuses() {
    let server = Server::start(env!("CARGO_BIN_EXE_grpc_server"), &[]).await;
    let channel = tonic::transport::Endpoint::from_shared(server.url.clone())
        .unwrap()
        .timeout(Duration::from_secs(30))
        .connect()
        .await
        .unwrap();
    let hello = server.token("greeter:hello").sign();
    let shout = server.token("greeter:hello greeter:shout").sign();
    let foreign = server.token("greeter:hello").audience("https://elsewhere.example").sign();

    assert_eq!(call(&channel, Some(&hello), false).await.unwrap(), "hello alice");
    assert_eq!(call(&channel, Some(&shout), true).await.unwrap(), "HELLO ALICE!");
    assert_eq!(call(&channel, None, false).await, Err(Code::Unauthenticated));
    assert_eq!(call(&channel, Some(&foreign), false).await, Err(Code::Unauthenticated));
    assert_eq!(call(&channel, Some(&hello), true).await, Err(Code::PermissionDenied));

    let mut codes = Vec::new();
    for _ in 0..40 {
        codes.extend(call(&channel, Some(&hello), false).await.err());
    }
    assert!(codes.contains(&Code::ResourceExhausted), "{codes:?}");
}
