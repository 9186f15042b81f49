use crate::support::{Server, challenge};

async fn start() -> Server {
    Server::start(env!("CARGO_BIN_EXE_rest_api"), &["--jwks", "JWKS"]).await
}

#[tokio::test]
async fn answers_those_who_may_and_refuses_the_others() {
    let server = start().await;
    let reader = server.token("reports:read").sign();
    let writer = server.token("reports:write").sign();

    let response = server.get("/reports/7", Some(&reader)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), r#"{"id":"7","reader":"alice"}"#);
    assert_eq!(server.get("/reports/7", Some(&writer)).await.status(), 200, "writers may read");

    let put = |token: &str| server.http.put(server.at("/reports/7")).bearer_auth(token).send();
    assert_eq!(put(&writer).await.unwrap().status(), 200);
    let refused = put(&reader).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(challenge(&refused).contains("scope=\"reports:write\""), "{}", challenge(&refused));

    let refused = server.get("/reports/7", None).await;
    assert_eq!(refused.status(), 401);
    assert!(!challenge(&refused).contains("error"), "{}", challenge(&refused));

    let foreign = server.token("reports:read").audience("https://elsewhere.example").sign();
    let refused = server.get("/reports/7", Some(&foreign)).await;
    assert_eq!(refused.status(), 401);
    assert!(challenge(&refused).contains("error=\"invalid_token\""), "{}", challenge(&refused));
}

#[tokio::test]
async fn pth_01_and_03_what_is_no_listed_path_is_refused() {
    let server = start().await;
    let token = server.token("reports:read reports:write").sign();
    // Sent by hand: clients tidy up paths before they send them.
    for (target, expected) in [
        ("/reports/7", "200"),
        ("/reports/7/", "403"),
        ("/reports", "403"),
        ("/reportsx/7", "403"),
        ("/REPORTS/7", "403"),
        ("/salaries", "403"),
        ("//reports/7", "400"),
        ("/./reports/7", "400"),
        ("/x/../reports/7", "400"),
        ("/reports/..", "400"),
        ("/reports/%2e%2e", "400"),
        ("/reports/a%2fb", "400"),
        ("/%72eports/7", "400"),
        ("/reports/7;x", "400"),
    ] {
        assert_eq!(raw_get(&server, target, &token).await, expected, "{target}");
    }
}

async fn raw_get(server: &Server, target: &str, token: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let host = server.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}
