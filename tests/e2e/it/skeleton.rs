//! That the parts fit together before any client comes.

use palisade_e2e::{Credential, Issuer, READ, Server, Wire};

#[tokio::test]
async fn what_is_sent_and_seen_is_recorded_in_order_and_without_secrets() {
    let wire = Wire::new();
    let mut issuer = Issuer::start(&wire).await.unwrap();
    let server = Server::builder(&wire, issuer.url()).start().await.unwrap();
    issuer.serve(&[server.url()]).await.unwrap();
    assert_eq!(wire.seen().len(), 0, "the server's own requests are not a client's");

    let http = reqwest::Client::new();
    http.get(server.url()).send().await.unwrap();
    let form = [("grant_type", "client_credentials"), ("resource", server.url()), ("scope", READ)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let answer = http
        .post(format!("{}/token", issuer.url()))
        .basic_auth("app", Some("app-secret"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    http.post(server.url()).bearer_auth(token).send().await.unwrap();
    http.get(format!("{}?access_token={token}", server.url())).send().await.unwrap();

    let log = format!("{wire:?}");
    assert!(!log.replace(&format!("access_token={token}"), "").contains(token), "{log}");
    let [challenged, granted, called, astray] = &wire.take()[..] else { panic!("{log}") };
    assert_eq!(challenged.status.unwrap(), 401);
    assert_eq!(
        challenged.challenge().unwrap(),
        format!(
            "Bearer scope=\"tools:read\", resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"",
            server.origin()
        )
    );
    assert_eq!(granted.credential, Credential::Basic("app".to_owned()));
    let grant = granted.grant.as_ref().unwrap();
    assert_eq!((grant.token.as_str(), &grant.claims["aud"]), ("token-1", &server.url().into()));
    assert_eq!(called.credential, Credential::Token("Bearer".to_owned(), "token-1".to_owned()));
    assert!(!called.token_is_astray && astray.token_is_astray);
    assert_eq!(server.records().len(), 3, "every request has an audit record");
}
