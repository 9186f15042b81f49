use palisade_test_issuer::{Behaviour, TestIssuer};
use reqwest::header::{AUTHORIZATION, LOCATION};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const SETTINGS: HttpSettings = HttpSettings {
    addresses: AddressPolicy::PublicOnly,
    connect_timeout: Duration::from_secs(3),
    timeout: Duration::from_secs(10),
    max_idle: 0,
};

fn resource(url: &str) -> Resource {
    Resource::parse(url).unwrap()
}

fn client(configured: &str) -> HttpClient {
    HttpClient::new(&resource(configured), SETTINGS).unwrap()
}

/// Answers one request with `answer`, and gives what it was asked.
async fn serve(listener: TcpListener, answer: &str, body_bytes: usize) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.unwrap());
    }
    let mut body = vec![0; body_bytes];
    stream.read_exact(&mut body).await.unwrap();
    asked.extend(body);
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(asked).unwrap()
}

#[tokio::test]
async fn a_form_is_posted_and_the_answer_is_read() {
    const ANSWER: &str =
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\netag: \"1\"\r\nage: 1\r\nage: 2\r\n\r\n{}";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/introspect?x=1", listener.local_addr().unwrap());
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
    let client = client(&url);
    let url = resource(&url);
    let form = form::encode(&[("token", "a b")]);
    let (answer, asked) = tokio::join!(
        client.post_form(&url, headers, &form, 2),
        serve(listener, ANSWER, "token=a+b".len()),
    );
    let answer = answer.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(answer.header(&HeaderName::from_static("etag")).unwrap(), "\"1\"");
    let age = HeaderName::from_static("age");
    assert!(answer.header(&age).is_none(), "said twice");
    assert_eq!(answer.header_lines(&age).collect::<Vec<_>>(), ["1", "2"]);
    let asked = asked.to_ascii_lowercase();
    assert!(asked.starts_with("post /introspect?x=1 http/1.1\r\n"), "{asked}");
    for line in [
        "authorization: basic edp5\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "content-length: 9\r\n",
    ] {
        assert!(asked.contains(line), "{asked}");
    }
    assert!(asked.ends_with("\r\n\r\ntoken=a+b"), "{asked}");
    for absent in ["accept-encoding", "cookie", "referer"] {
        assert!(!asked.contains(absent), "{asked}");
    }
}

#[tokio::test]
async fn jwk_06_an_answer_is_read_up_to_its_limit() {
    let issuer = TestIssuer::builder().start().await.unwrap();
    let client = client(issuer.issuer());
    let url = resource(&issuer.jwks_uri());
    issuer.behave(Behaviour::Body(vec![b'x'; 100].into())).unwrap();
    assert_eq!(client.get(&url, HeaderMap::new(), 100).await.unwrap().body.len(), 100);
    let error = client.get(&url, HeaderMap::new(), 99).await.unwrap_err();
    assert!(matches!(error, HttpError::TooLarge));
}

#[tokio::test]
async fn jwk_07_a_redirect_is_an_answer_and_is_not_followed() {
    let issuer = TestIssuer::builder().start().await.unwrap();
    let elsewhere = TestIssuer::builder().start().await.unwrap();
    issuer.behave(Behaviour::Redirect(elsewhere.jwks_uri())).unwrap();
    let client = client(issuer.issuer());
    let answer =
        client.get(&resource(&issuer.jwks_uri()), HeaderMap::new(), 1 << 20).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (302, 0));
    assert_eq!(answer.header(&LOCATION).unwrap(), elsewhere.jwks_uri().as_str());
    assert_eq!(elsewhere.jwks_fetches(), 0);
}

#[tokio::test]
async fn jwk_07_https_does_not_lead_to_http_on_loopback_either() {
    let issuer = TestIssuer::builder().start().await.unwrap();
    let client = client("https://localhost:1");
    let answer = client.get(&resource(&issuer.jwks_uri()), HeaderMap::new(), 1 << 20).await;
    assert!(matches!(answer, Err(HttpError::Exchange(_))));
    assert_eq!(issuer.jwks_fetches(), 0);
}

async fn refused(client: &HttpClient, url: &str) -> RefusedAddressError {
    match client.get(&resource(url), HeaderMap::new(), 1).await.unwrap_err() {
        HttpError::Address(refused) => refused,
        other @ (HttpError::Exchange(_) | HttpError::TooLarge) => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn jwk_11_what_an_answer_names_is_checked_before_it_is_asked() {
    let client = client("https://as.example");
    for url in ["https://10.0.0.1/jwks", "https://[fd00::1]/jwks", "https://192.168.1.1/"] {
        assert_eq!(refused(&client, url).await, RefusedAddressError::Private, "{url}");
    }
    for url in ["https://169.254.169.254/latest/meta-data", "https://[::ffff:169.254.169.254]/"] {
        assert_eq!(refused(&client, url).await, RefusedAddressError::Forbidden, "{url}");
    }
    for url in ["https://127.0.0.1/", "https://127.1/", "https://[::1]/"] {
        assert_eq!(refused(&client, url).await, RefusedAddressError::Loopback, "{url}");
    }
    // `https_only` is not what refuses here: the name is resolved, and the address of the answer is refused.
    assert_eq!(refused(&client, "https://localhost/").await, RefusedAddressError::Loopback);
}

#[tokio::test]
async fn jwk_11_private_networks_open_by_configuration_and_nothing_else_does() {
    let settings = HttpSettings { addresses: AddressPolicy::AllowPrivate, ..SETTINGS };
    let client = HttpClient::new(&resource("https://as.internal"), settings).unwrap();
    assert_eq!(refused(&client, "https://127.0.0.1/").await, RefusedAddressError::Loopback);
    assert_eq!(refused(&client, "https://localhost/").await, RefusedAddressError::Loopback);
    assert_eq!(refused(&client, "https://169.254.169.254/").await, RefusedAddressError::Forbidden);
    client.gate.check_url(&Url::parse("https://10.0.0.1/").unwrap()).unwrap();
}

#[tokio::test]
async fn a_text_of_an_error_holds_no_address() {
    let client = client("https://as.example");
    let error = client.get(&resource("https://10.0.0.1/secret-path"), HeaderMap::new(), 1).await;
    let error = error.unwrap_err();
    let text = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(!text.contains("10.0.0.1") && !text.contains("secret-path"), "{text}");
    assert!(text.contains("`AddressPolicy::AllowPrivate`"), "it says what to set: {text}");
}
