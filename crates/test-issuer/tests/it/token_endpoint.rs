use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use palisade_test_issuer::TestIssuer;
use serde_json::{Value, json};

use crate::support::{
    ISSUER, NOW, RESOURCE, basic, builder, claims, get, header, issuer, json as body, post_token,
    verifies,
};

const GRANT: &str = "grant_type=client_credentials&resource=https://mcp.example/mcp";

async fn ask(issuer: &TestIssuer, authorization: Option<&str>, form: &str) -> (StatusCode, Value) {
    let response = issuer.handle(post_token(authorization, form)).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    (response.status(), body(&response))
}

async fn granted(issuer: &TestIssuer, form: &str) -> Value {
    let (status, answer) = ask(issuer, Some(&basic("app", "s3cret")), form).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    claims(answer["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn issues_an_rfc_9068_token() {
    let issuer = issuer();
    let (status, answer) = ask(&issuer, Some(&basic("app", "s3cret")), GRANT).await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 300);
    assert_eq!(answer["scope"], "mcp:tools mcp:admin");
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(header(token), json!({ "typ": "at+jwt", "alg": "ES256", "kid": "ES256-1" }));
    assert_eq!(
        claims(token),
        json!({
            "iss": ISSUER, "sub": "app", "client_id": "app", "aud": RESOURCE,
            "scope": "mcp:tools mcp:admin", "iat": NOW, "exp": NOW + 300, "jti": "jti-1",
        })
    );
    assert!(verifies(&issuer.jwks(), token));
}

#[tokio::test]
async fn refuses_what_the_standards_refuse() {
    let basic_ok = basic("app", "s3cret");
    let no_colon = "Basic YXBw";
    #[rustfmt::skip]
    let rows: &[(&str, Option<&str>, &str, u16, &str)] = &[
        ("no credentials", None, GRANT, 401, "invalid_client"),
        ("wrong secret", Some(&basic("app", "S3cret")), GRANT, 401, "invalid_client"),
        ("beginning of the secret", Some(&basic("app", "s3cre")), GRANT, 401, "invalid_client"),
        ("no secret", Some(&basic("app", "")), GRANT, 401, "invalid_client"),
        ("unknown client", Some(&basic("App", "s3cret")), GRANT, 401, "invalid_client"),
        ("not base64", Some("Basic app:s3cret"), GRANT, 401, "invalid_client"),
        ("no colon", Some(no_colon), GRANT, 401, "invalid_client"),
        ("scheme without credentials", Some("Basic"), GRANT, 401, "invalid_client"),
        ("another scheme", Some(&basic_ok.replace("Basic", "Bearer")), GRANT, 401, "invalid_client"),
        ("wrong secret in the body", None, "grant_type=client_credentials&resource=https://mcp.example/mcp&client_id=app&client_secret=x", 401, "invalid_client"),
        ("id without secret in the body", None, "grant_type=client_credentials&resource=https://mcp.example/mcp&client_id=app", 401, "invalid_client"),
        ("secret without id in the body", None, "grant_type=client_credentials&resource=https://mcp.example/mcp&client_secret=s3cret", 401, "invalid_client"),
        ("two ways to authenticate", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&client_id=app&client_secret=s3cret", 400, "invalid_request"),
        ("another client in the body", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&client_id=other", 400, "invalid_request"),
        ("no grant type", Some(&basic_ok), "resource=https://mcp.example/mcp", 400, "invalid_request"),
        ("empty grant type", Some(&basic_ok), "grant_type=&resource=https://mcp.example/mcp", 400, "invalid_request"),
        ("grant type twice", Some(&basic_ok), "grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        ("another grant type", Some(&basic_ok), "grant_type=authorization_code", 400, "unsupported_grant_type"),
        ("no resource", Some(&basic_ok), "grant_type=client_credentials", 400, "invalid_target"),
        ("foreign resource", Some(&basic_ok), "grant_type=client_credentials&resource=https://other.example/", 400, "invalid_target"),
        ("resource with another final slash", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp/", 400, "invalid_target"),
        ("two resources", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&resource=https://mcp.example/mcp", 400, "invalid_target"),
        ("unknown scope", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&scope=mcp:tools+root", 400, "invalid_scope"),
        ("scope of another case", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&scope=MCP:tools", 400, "invalid_scope"),
        ("scopes apart by two spaces", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&scope=mcp:tools++mcp:admin", 400, "invalid_scope"),
        ("scope twice", Some(&basic_ok), "grant_type=client_credentials&resource=https://mcp.example/mcp&scope=mcp:tools&scope=mcp:admin", 400, "invalid_request"),
    ];
    let issuer = issuer();
    for (name, authorization, form, status, error) in rows {
        let response = issuer.handle(post_token(*authorization, form)).await;
        let document = body(&response);
        assert_eq!(response.status().as_u16(), *status, "{name}: {document}");
        assert_eq!(document["error"], *error, "{name}");
        assert_eq!(document.get("access_token"), None, "{name}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{name}");
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), *status == 401, "{name}");
    }
}

#[tokio::test]
async fn accepts_each_spelling_of_client_credentials() {
    let issuer = builder().client("a:b&c=d+e f", "100% ö", "mcp:tools").in_process(ISSUER).unwrap();
    #[rustfmt::skip]
    let rows: &[(&str, Option<String>, &str)] = &[
        ("encoded", Some(basic("a%3Ab%26c%3Dd%2Be+f", "100%25+%C3%B6")), ""),
        ("reserved characters not encoded", Some(basic("a%3Ab&c=d%2Be%20f", "100%25 ö")), ""),
        ("lower-case scheme", Some(basic("a%3Ab%26c%3Dd%2Be+f", "100%25+%C3%B6").replace("Basic", "basic")), ""),
        ("the same client in the body", Some(basic("a%3Ab%26c%3Dd%2Be+f", "100%25+%C3%B6")), "&client_id=a:b%26c%3Dd%2Be+f"),
        ("in the body", None, "&client_id=a:b%26c%3Dd%2Be+f&client_secret=100%25+%C3%B6"),
    ];
    for (name, authorization, more) in rows {
        let (status, answer) =
            ask(&issuer, authorization.as_deref(), &format!("{GRANT}{more}")).await;
        assert_eq!(status, StatusCode::OK, "{name}: {answer}");
        let token = answer["access_token"].as_str().unwrap();
        assert_eq!(claims(token)["sub"], "a:b&c=d+e f", "{name}");
    }
}

#[tokio::test]
async fn refuses_two_authorization_headers() {
    let mut request = post_token(Some(&basic("app", "s3cret")), GRANT);
    request.headers_mut().append(AUTHORIZATION, basic("app", "s3cret").parse().unwrap());

    let response = issuer().handle(request).await;

    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(body(&response)["error"], "invalid_request");
}

#[tokio::test]
async fn looks_at_the_content_type() {
    let rows = [
        ("application/x-www-form-urlencoded", 200),
        ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", 200),
        ("application/json", 400),
        ("application/x-www-form-urlencodedx", 400),
        ("", 400),
    ];
    for (content_type, status) in rows {
        let mut request = post_token(Some(&basic("app", "s3cret")), GRANT);
        request.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        let response = issuer().handle(request).await;
        assert_eq!(response.status().as_u16(), status, "{content_type}");
    }
}

#[tokio::test]
async fn refuses_a_body_that_is_too_large() {
    for (padding, status) in [(16_000, 200), (17_000, 413)] {
        let form = format!("{GRANT}&ignored={}", "x".repeat(padding));
        let request = post_token(Some(&basic("app", "s3cret")), &form);
        assert_eq!(issuer().handle(request).await.status().as_u16(), status, "{padding}");
    }
}

#[tokio::test]
async fn never_echoes_the_request() {
    let forms = [
        format!("{GRANT}&scope=%3Cmark%3E"),
        format!("{GRANT}&client_id=%3Cmark%3E"),
        "grant_type=%3Cmark%3E".to_owned(),
        "grant_type=client_credentials&resource=%3Cmark%3E".to_owned(),
    ];
    for form in forms {
        let request = post_token(Some(&basic("app", "s3cret")), &form);
        let response = issuer().handle(request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{form}");
        assert!(!String::from_utf8_lossy(response.body()).contains("mark"), "{form}");
    }
}

#[tokio::test]
async fn grants_the_scopes_asked_for_in_the_clients_order() {
    let issuer = issuer();
    let asked = granted(&issuer, &format!("{GRANT}&scope=mcp:admin+mcp:tools+mcp:admin")).await;
    assert_eq!(asked["scope"], "mcp:tools mcp:admin");

    let one = granted(&issuer, &format!("{GRANT}&scope=mcp:admin")).await;
    assert_eq!(one["scope"], "mcp:admin");

    let none = granted(&issuer, &format!("{GRANT}&scope=")).await;
    assert_eq!(none["scope"], "mcp:tools mcp:admin", "an empty parameter is an absent one");
}

#[tokio::test]
async fn a_client_without_scopes_gets_a_token_without_scope() {
    // The first client has scopes: they must not leak into this one's token.
    let issuer = builder().client("bare", "x", "").in_process(ISSUER).unwrap();
    let (status, answer) = ask(&issuer, Some(&basic("bare", "x")), GRANT).await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer.get("scope"), None);
    let claims = claims(answer["access_token"].as_str().unwrap());
    assert_eq!(claims.get("scope"), None);
    assert_eq!(claims["client_id"], "bare");
}

#[tokio::test]
async fn the_default_audience_stands_in_for_a_missing_resource_only() {
    let issuer = builder().default_audience("https://default.example").in_process(ISSUER).unwrap();

    let without = granted(&issuer, "grant_type=client_credentials").await;
    assert_eq!(without["aud"], "https://default.example");
    let with = granted(&issuer, GRANT).await;
    assert_eq!(with["aud"], RESOURCE);
    let foreign = "grant_type=client_credentials&resource=https://other.example";
    let (status, _) = ask(&issuer, Some(&basic("app", "s3cret")), foreign).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn no_two_tokens_share_a_jti() {
    let issuer = issuer();
    let first = granted(&issuer, GRANT).await;
    let second = granted(&issuer, GRANT).await;
    let minted = claims(&issuer.mint().sign());

    assert_eq!([&first["jti"], &second["jti"], &minted["jti"]], ["jti-1", "jti-2", "jti-3"]);
}

#[tokio::test]
async fn a_second_client_of_the_same_name_replaces_the_first() {
    let issuer = builder().client("app", "other", "mcp:tools").in_process(ISSUER).unwrap();

    assert_eq!(ask(&issuer, Some(&basic("app", "s3cret")), GRANT).await.0, 401);
    assert_eq!(ask(&issuer, Some(&basic("app", "other")), GRANT).await.0, 200);
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let rows = [
        (Method::GET, "/token", 405, Some("POST")),
        (Method::POST, "/jwks", 405, Some("GET")),
        (Method::DELETE, "/.well-known/openid-configuration", 405, Some("GET")),
        (Method::GET, "/", 404, None),
        (Method::GET, "/jwks/", 404, None),
        (Method::GET, "//jwks", 404, None),
    ];
    for (method, path, status, allow) in rows {
        let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        let response = issuer().handle(request).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let allowed = response.headers().get(ALLOW).map(|value| value.to_str().unwrap());
        assert_eq!(allowed, allow, "{path}");
    }
}

#[tokio::test]
async fn metadata_says_what_there_is() {
    let response = issuer().handle(get("/.well-known/oauth-authorization-server")).await;

    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(
        body(&response),
        json!({
            "issuer": ISSUER,
            "token_endpoint": "https://issuer.example/token",
            "introspection_endpoint": "https://issuer.example/introspect",
            "jwks_uri": "https://issuer.example/jwks",
            "grant_types_supported": ["client_credentials"],
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "introspection_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "scopes_supported": ["mcp:tools", "mcp:admin"],
            "protected_resources": [RESOURCE],
        })
    );
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_at_each_well_known_place() {
    let issuer = builder().in_process("https://as.example/tenant1/").unwrap();
    let rows = [
        ("/.well-known/oauth-authorization-server/tenant1", 200),
        ("/.well-known/openid-configuration/tenant1", 200),
        ("/tenant1/.well-known/openid-configuration", 200),
        ("/tenant1/jwks", 200),
        ("/.well-known/oauth-authorization-server", 404),
        ("/.well-known/openid-configuration", 404),
        ("/.well-known/oauth-authorization-server/tenant12", 404),
        ("/tenant1/.well-known/oauth-authorization-server", 404),
        ("/jwks", 404),
    ];
    for (path, status) in rows {
        assert_eq!(issuer.handle(get(path)).await.status().as_u16(), status, "{path}");
    }
    let metadata = issuer.handle(get(rows[0].0)).await;
    assert_eq!(body(&metadata)["issuer"], "https://as.example/tenant1/");
    assert_eq!(body(&metadata)["jwks_uri"], "https://as.example/tenant1/jwks");
    assert_eq!(issuer.jwks_uri(), "https://as.example/tenant1/jwks");
    assert_eq!(issuer.token_endpoint(), "https://as.example/tenant1/token");
}

#[tokio::test]
async fn a_resource_that_is_added_later_is_known_from_then_on() {
    let issuer = issuer();
    let form = "grant_type=client_credentials&resource=https://late.example/mcp";
    let (status, answer) = ask(&issuer, Some(&basic("app", "s3cret")), form).await;
    assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_target")));
    issuer.add_resource("https://late.example/mcp");
    assert_eq!(granted(&issuer, form).await["aud"], "https://late.example/mcp");
}

#[tokio::test]
async fn nobody_can_log_in() {
    let response = issuer().handle(get("/authorize?response_type=code")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(body(&response), json!({ "error": "unsupported_response_type" }));
}
