use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::introspection::{AssertionAlgorithm, AssertionKey};

async fn asked_with(credential: ClientAuthentication) -> Asked {
    let server = Server::that_says(active());
    let issuer = Issuer::parse(ISSUER).unwrap();
    let verifier = IntrospectionVerifier::builder(issuer, server.clone(), credential)
        .unwrap()
        .with_clock(clock())
        .build();
    verdict_on(&verifier, TOKEN).await.unwrap();
    server.asked().remove(0)
}

/// RFC 8037 §A.1, in PKCS#8.
fn key() -> AssertionKey {
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";
    AssertionKey::from_pkcs8_pem(AssertionAlgorithm::EdDSA, PEM).unwrap()
}

#[tokio::test]
async fn the_request_is_the_example_of_rfc_7662() {
    let asked = asked_with(credential()).await;
    assert_eq!(asked.accept, "application/json");
    assert_eq!(asked.authorization.unwrap(), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    assert_eq!(asked.body, "token=mF_9.B5f-4.1JqM&token_type_hint=access_token");

    let token = BearerToken::parse("23410913-abewfq.123483").unwrap();
    let asked = asked_with(ClientAuthentication::bearer(token)).await;
    assert_eq!(asked.authorization.unwrap(), "Bearer 23410913-abewfq.123483");
}

#[tokio::test]
async fn basic_encodes_identifier_and_secret_before_it_joins_them() {
    // RFC 6749 appendix B gives the encoding of " %&+£€".
    let credential = ClientAuthentication::secret_basic("a:b", " %&+\u{a3}\u{20ac}").unwrap();
    let asked = asked_with(credential).await;
    let line = asked.authorization.unwrap();
    let pair = base64::engine::general_purpose::STANDARD
        .decode(line.strip_prefix("Basic ").unwrap())
        .unwrap();
    assert_eq!(String::from_utf8(pair).unwrap(), "a%3Ab:+%25%26%2B%C2%A3%E2%82%AC");
}

#[tokio::test]
async fn post_puts_identifier_and_secret_into_the_form_and_nowhere_else() {
    let credential = ClientAuthentication::secret_post("a b", "1&2=3").unwrap();
    let asked = asked_with(credential).await;
    assert_eq!(asked.authorization, None);
    let form =
        "token=mF_9.B5f-4.1JqM&token_type_hint=access_token&client_id=a+b&client_secret=1%262%3D3";
    assert_eq!(asked.body, form);
}

fn field<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.body.split('&').find_map(|field| field.strip_prefix(&format!("{name}="))).unwrap()
}

fn part(jwt: &str, index: usize) -> Value {
    let part = jwt.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn an_assertion_says_what_rfc_7523_wants() {
    let credential =
        ClientAuthentication::private_key_jwt(CLIENT, key().with_key_id("k1")).unwrap();
    let asked = asked_with(credential.clone()).await;
    assert_eq!(asked.authorization, None);
    assert_eq!(field(&asked, "client_id"), CLIENT);
    assert_eq!(
        field(&asked, "client_assertion_type"),
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let jwt = field(&asked, "client_assertion").to_owned();
    assert_eq!(part(&jwt, 0), json!({ "typ": "JWT", "alg": "EdDSA", "kid": "k1" }));
    let mut claims = part(&jwt, 1);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(
        claims,
        json!({ "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "iat": NOW, "exp": NOW + 60 })
    );
    // Sixteen bytes that no other assertion has.
    assert_eq!(jti.as_str().unwrap().len(), 22);
    let again = asked_with(credential).await;
    assert_ne!(part(field(&again, "client_assertion"), 1)["jti"], jti);

    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let public = crate::crypto::PublicKey::parse(
        crate::SignatureAlgorithm::Ed25519,
        crate::crypto::KeyMaterial::Ed25519 { x: &x },
    );
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(public.unwrap().verify(signed.as_bytes(), &signature).is_some());
}

#[tokio::test]
async fn audience_and_type_of_an_assertion_can_be_those_that_the_server_wants() {
    let credential = ClientAuthentication::private_key_jwt(CLIENT, key().with_explicit_type())
        .unwrap()
        .assertion_audience("https://as.example/introspect")
        .unwrap();
    let asked = asked_with(credential).await;
    let jwt = field(&asked, "client_assertion");
    assert_eq!(part(jwt, 0)["typ"], "client-authentication+jwt");
    assert_eq!(part(jwt, 1)["aud"], "https://as.example/introspect");
}

#[tokio::test]
async fn a_bearer_token_is_asked_for_each_time_and_missed_without_asking_the_server() {
    let server = Server::that_says(active());
    let tokens = Mutex::new(vec![None, Some("second"), Some("first")]);
    let credential =
        ClientAuthentication::bearer_from(move || tokens.lock().unwrap().pop().unwrap().map(token));
    let issuer = Issuer::parse(ISSUER).unwrap();
    let verifier = IntrospectionVerifier::builder(issuer, server.clone(), credential)
        .unwrap()
        .with_clock(clock())
        .build();
    for text in ["a", "b"] {
        verdict_on(&verifier, text).await.unwrap();
    }
    let lines: Vec<_> = server.asked().into_iter().map(|asked| asked.authorization).collect();
    assert_eq!(lines, [Some("Bearer first".to_owned()), Some("Bearer second".to_owned())]);
    assert!(is_outage(&verdict_on(&verifier, "c").await));
    assert_eq!(server.calls(), 2);
}

#[test]
fn unusable_credentials_are_refused_when_they_are_configured() {
    use ClientAuthenticationError as Error;

    for (result, error) in [
        (ClientAuthentication::secret_basic("", "s"), Error::ClientId),
        (ClientAuthentication::secret_basic("a\n", "s"), Error::ClientId),
        (ClientAuthentication::secret_basic("a", ""), Error::Secret),
        (ClientAuthentication::secret_post("a", ""), Error::Secret),
        (ClientAuthentication::private_key_jwt("", key()), Error::ClientId),
        (credential().assertion_audience("x"), Error::NotAnAssertion),
    ] {
        assert_eq!(result.err(), Some(error));
    }
    let assertion = ClientAuthentication::private_key_jwt("a", key()).unwrap();
    assert_eq!(assertion.assertion_audience("").err(), Some(Error::Audience));
    for pem in [
        "",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----",
    ] {
        let error = AssertionKey::from_pkcs8_pem(AssertionAlgorithm::EdDSA, pem).unwrap_err();
        assert_eq!(error, InvalidAssertionKeyError::Pem, "{pem}");
    }
}

#[tokio::test]
async fn no_secret_shows_in_debug() {
    let server = Server::that_says(active());
    let request = Mutex::new(String::new());
    let transport = {
        let server = server.clone();
        move |asked: IntrospectionRequest| {
            *request.lock().unwrap() = format!("{asked:?} {:?}", asked.authorization());
            assert!(!request.lock().unwrap().contains("czZCaGRSa3F0MzpnWDFmQmF0M2JW"));
            assert!(!request.lock().unwrap().contains(TOKEN));
            let server = server.clone();
            async move { server.introspect(asked).await }
        }
    };
    let issuer = Issuer::parse(ISSUER).unwrap();
    let builder = IntrospectionVerifier::builder(issuer, transport, credential()).unwrap();
    let mut shown = format!("{builder:?}");
    let verifier = builder.with_clock(clock()).build();
    let future = verifier.verify(token(TOKEN));
    shown += &format!("{verifier:?} {future:?}");
    future.await.unwrap();
    shown += &format!("{verifier:?} {:?}", key());
    for credential in [
        ClientAuthentication::secret_post(CLIENT, SECRET).unwrap(),
        ClientAuthentication::private_key_jwt(CLIENT, key()).unwrap(),
        ClientAuthentication::bearer(token(SECRET)),
    ] {
        shown += &format!("{credential:?}");
    }
    for secret in [SECRET, TOKEN, "nWGxne", "alice"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
