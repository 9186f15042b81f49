use crate::support::{Server, challenge};

#[tokio::test]
async fn answers_those_who_may_and_refuses_the_others() {
    let server = Server::start(env!("CARGO_BIN_EXE_hyper_server"), &[]).await;
    let token = server.token("hello").sign();

    let response = server.get("/hello", Some(&token)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "hello alice");

    let metadata = server.get("/.well-known/oauth-protected-resource", None).await;
    assert_eq!(metadata.status(), 200, "the metadata needs no token");

    let refused = server.get("/hello", None).await;
    assert_eq!(refused.status(), 401);
    let metadata_url = server.at("/.well-known/oauth-protected-resource");
    assert!(challenge(&refused).contains(&metadata_url), "{}", challenge(&refused));

    let refused =
        server.http.post(server.at("/echo")).bearer_auth(&token).body("x").send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(challenge(&refused).contains("scope=\"echo hello\""), "{}", challenge(&refused));

    let token = server.token("hello echo").sign();
    let response =
        server.http.post(server.at("/echo")).bearer_auth(&token).body("x").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "x");
}

#[tokio::test]
async fn limits_an_address_before_it_looks_at_tokens() {
    let server = Server::start(env!("CARGO_BIN_EXE_hyper_server"), &[]).await;
    for _ in 0..1_000 {
        let response = server.get("/hello", Some("not-a-token")).await;
        match response.status().as_u16() {
            401 => {}
            429 => {
                let wait: u64 =
                    response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                assert!(wait >= 1);
                return;
            }
            status => panic!("{status}"),
        }
    }
    panic!("a thousand bad tokens in a row were all looked at");
}
