use std::error::Error;

use palisade_core::InvalidResourceError;
use serde_json::json;

use super::*;

fn metadata() -> Metadata {
    Metadata::new(Resource::parse("https://h/a").unwrap())
}

#[test]
fn a_small_document_has_what_clients_need() {
    let metadata = metadata().add_authorization_server("https://as.example").unwrap();
    assert_eq!(
        metadata.to_json().unwrap(),
        r#"{"resource":"https://h/a","authorization_servers":["https://as.example"],"bearer_methods_supported":["header"]}"#
    );
}

#[test]
fn a_large_document_has_all_that_was_said_as_it_was_said() {
    let metadata = metadata()
        .add_authorization_server("https://as.example/")
        .and_then(|metadata| metadata.add_authorization_server("https://AS2.example/tenant"))
        .and_then(|metadata| metadata.add_authorization_server("http://127.0.0.1:9/"))
        .and_then(|metadata| metadata.scopes_supported(ScopeSet::parse("b a").unwrap()))
        .and_then(|metadata| metadata.jwks_uri("https://h/jwks.json"))
        .and_then(|metadata| metadata.resource_documentation("https://docs.example/#start"))
        .and_then(|metadata| metadata.resource_policy_uri("https://h/policy?lang=en"))
        .and_then(|metadata| metadata.resource_tos_uri("https://h/tos"))
        .unwrap()
        .resource_name("Fichiers \"été\"");
    assert_eq!(
        metadata.to_json().unwrap(),
        [
            r#"{"resource":"https://h/a","#,
            r#""authorization_servers":["https://as.example/","https://AS2.example/tenant","http://127.0.0.1:9/"],"#,
            r#""jwks_uri":"https://h/jwks.json","scopes_supported":["a","b"],"#,
            r#""bearer_methods_supported":["header"],"#,
            r#""resource_name":"Fichiers \"été\"","#,
            r#""resource_documentation":"https://docs.example/#start","#,
            r#""resource_policy_uri":"https://h/policy?lang=en","#,
            r#""resource_tos_uri":"https://h/tos"}"#,
        ]
        .concat()
    );
}

#[test]
fn b_02_a_document_without_authorization_server_is_not_published() {
    assert_eq!(metadata().to_json().unwrap_err(), MetadataError::NoAuthorizationServer);
}

#[test]
fn b_10_offline_access_is_refused() {
    let scopes = ScopeSet::parse("files:read offline_access").unwrap();
    assert_eq!(metadata().scopes_supported(scopes).unwrap_err(), MetadataError::OfflineAccess);
}

#[test]
fn refuses_what_is_no_issuer() {
    use InvalidResourceError as Invalid;

    let invalid = |source| MetadataError::InvalidAuthorizationServer { source };
    for (name, issuer, expected) in [
        ("plain http", "http://as.example", invalid(Invalid::PlainHttp)),
        ("fragment", "https://as.example/#x", invalid(Invalid::Fragment)),
        ("query", "https://as.example/?x", MetadataError::QueryInAuthorizationServer),
        ("user information", "https://u:secret@as.example", invalid(Invalid::UserInfo)),
        ("no URL", "as.example", invalid(Invalid::NotAbsolute)),
        ("white space", "https://as.example ", invalid(Invalid::Character)),
        ("empty", "", invalid(Invalid::NotAbsolute)),
    ] {
        let error = metadata().add_authorization_server(issuer).unwrap_err();
        assert_eq!(error, expected, "{name}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{name}");
    }
    let error = metadata()
        .add_authorization_server("https://as.example")
        .and_then(|metadata| metadata.add_authorization_server("https://as.example/"))
        .and_then(|metadata| metadata.add_authorization_server("https://as.example"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the authorization server `https://as.example` is listed twice: remove one of the two"
    );
}

#[test]
fn refuses_links_that_clients_must_not_follow() {
    for url in [
        "javascript:alert(1)",
        "http://h/tos",
        "/tos",
        "https://h/tos#\"onclick=",
        "https://h/tos#a#b",
        "https://user@h/tos",
        "",
    ] {
        for (member, error) in [
            ("resource_documentation", metadata().resource_documentation(url).unwrap_err()),
            ("resource_policy_uri", metadata().resource_policy_uri(url).unwrap_err()),
            ("resource_tos_uri", metadata().resource_tos_uri(url).unwrap_err()),
            ("jwks_uri", metadata().jwks_uri(url).unwrap_err()),
        ] {
            let expected = format!("`{member}` cannot be published: write an absolute `https` URL");
            assert_eq!(error.to_string(), expected, "{url}");
            assert!(error.source().is_some(), "{url}");
        }
    }
    assert!(metadata().jwks_uri("https://h/jwks#x").is_err(), "keys are no page");
}

#[test]
fn every_registered_member_can_be_published() {
    let metadata = metadata()
        .resource_name("Files")
        .dpop_bound_access_tokens_required()
        .tls_client_certificate_bound_access_tokens()
        .add_authorization_server("https://as.example")
        .and_then(|metadata| metadata.resource_name_in("fr-CA", "Fichiers"))
        .and_then(|metadata| metadata.resource_name_in("de", "Dateien"))
        .and_then(|metadata| metadata.resource_documentation_in("fr", "https://h/fr/#a"))
        .and_then(|metadata| metadata.resource_policy_uri_in("fr", "https://h/fr/policy"))
        .and_then(|metadata| metadata.resource_tos_uri_in("fr", "https://h/fr/tos"))
        .and_then(|metadata| metadata.dpop_signing_alg_values_supported(["ES256", "EdDSA"]))
        .and_then(|metadata| metadata.resource_signing_alg_values_supported(["PS256", "HS256"]))
        .and_then(|metadata| metadata.authorization_details_types_supported(["file_access"]))
        .and_then(|metadata| metadata.add_extension("z", json!({ "b": [1, null] })))
        .and_then(|metadata| metadata.add_extension("com.example.tier", "gold"))
        .and_then(|metadata| metadata.add_extension("com.example.motto#de", "Los!"))
        .unwrap();
    assert_eq!(
        metadata.to_json().unwrap(),
        [
            r#"{"resource":"https://h/a","authorization_servers":["https://as.example"],"#,
            r#""bearer_methods_supported":["header"],"#,
            r#""resource_signing_alg_values_supported":["PS256","HS256"],"#,
            r#""resource_name":"Files","resource_name#de":"Dateien","resource_name#fr-CA":"Fichiers","#,
            r#""resource_documentation#fr":"https://h/fr/#a","#,
            r#""resource_policy_uri#fr":"https://h/fr/policy","resource_tos_uri#fr":"https://h/fr/tos","#,
            r#""tls_client_certificate_bound_access_tokens":true,"#,
            r#""authorization_details_types_supported":["file_access"],"#,
            r#""dpop_signing_alg_values_supported":["ES256","EdDSA"],"#,
            r#""dpop_bound_access_tokens_required":true,"#,
            r#""com.example.motto#de":"Los!","com.example.tier":"gold","z":{"b":[1,null]}}"#,
        ]
        .concat()
    );
}

#[test]
fn a_name_is_there_once_in_each_language() {
    let twice = |one: &str, other: &str| {
        metadata()
            .resource_name_in(one, "one")
            .and_then(|metadata| metadata.resource_name_in(other, "other"))
            .map(drop)
    };
    let known = |name: &str| Err(MetadataError::DuplicateName { name: name.into() });
    assert_eq!(twice("fr", "fr"), known("resource_name#fr"));
    assert_eq!(twice("fr", "FR"), known("resource_name#fr"), "case does not count");
    assert_eq!(twice("zh-Hant-TW", "zh-hant-tw"), known("resource_name#zh-Hant-TW"));
    assert_eq!(twice("fr", "fr-FR"), Ok(()));
    let error = metadata().resource_tos_uri_in("fr_FR", "https://h/tos").unwrap_err();
    assert_eq!(error, MetadataError::InvalidLanguage { tag: "fr_FR".into() });
    let error = metadata().resource_policy_uri_in("fr", "javascript:x").unwrap_err();
    assert!(matches!(error, MetadataError::InvalidUrl { member: "resource_policy_uri", .. }));
}

#[test]
fn refuses_extensions_that_mean_something_else() {
    let registered = |name: &str| MetadataError::RegisteredName { name: name.into() };
    for (name, expected) in [
        ("resource", registered("resource")),
        ("authorization_servers", registered("authorization_servers")),
        ("scopes_supported", registered("scopes_supported")),
        ("bearer_methods_supported", registered("bearer_methods_supported")),
        ("signed_metadata", registered("signed_metadata")),
        ("Authorization_Servers", registered("Authorization_Servers")),
        ("RESOURCE#fr", registered("RESOURCE")),
        ("re\u{17f}ource", registered("re\u{17f}ource")),
        ("jw\u{212a}s_uri", registered("jw\u{212a}s_uri")),
        ("ISS", registered("ISS")),
        ("signed_metadata#de", registered("signed_metadata")),
        ("resource_name#de", registered("resource_name")),
        ("iss", registered("iss")),
        ("exp", registered("exp")),
        ("", MetadataError::InvalidName),
        ("#de", MetadataError::InvalidName),
        ("a b", MetadataError::InvalidName),
        ("a\n", MetadataError::InvalidName),
        ("a#", MetadataError::InvalidLanguage { tag: "".into() }),
        ("a#d_e", MetadataError::InvalidLanguage { tag: "d_e".into() }),
        (&"a".repeat(129), MetadataError::InvalidName),
    ] {
        assert_eq!(metadata().add_extension(name, 1).unwrap_err(), expected, "{name:?}");
    }
    let error = metadata()
        .add_extension("a#de", 1)
        .and_then(|metadata| metadata.add_extension("a#DE", 2))
        .unwrap_err();
    assert_eq!(error, MetadataError::DuplicateName { name: "a#de".into() });
    let _ = metadata().add_extension(&"a".repeat(128), 1).unwrap();
}

#[test]
fn refuses_algorithms_that_sign_nothing() {
    for (name, metadata, member) in [
        (
            "none among others",
            metadata().resource_signing_alg_values_supported(["RS256", "none"]),
            "resource_signing_alg_values_supported",
        ),
        (
            "none in other case",
            metadata().resource_signing_alg_values_supported(["None"]),
            "resource_signing_alg_values_supported",
        ),
        (
            "none for proofs",
            metadata().dpop_signing_alg_values_supported(["none"]),
            "dpop_signing_alg_values_supported",
        ),
        (
            "a MAC for proofs",
            metadata().dpop_signing_alg_values_supported(["ES256", "HS256"]),
            "dpop_signing_alg_values_supported",
        ),
    ] {
        assert_eq!(metadata.unwrap_err(), MetadataError::InvalidAlgorithm { member }, "{name}");
    }
}

#[test]
fn a_member_that_says_nothing_is_not_published() {
    let with_server = || metadata().add_authorization_server("https://as.example").unwrap();
    for (name, metadata) in [
        ("resource_name", Ok(with_server().resource_name(""))),
        ("resource_name#fr", with_server().resource_name_in("fr", "")),
        (
            "resource_signing_alg_values_supported",
            with_server().resource_signing_alg_values_supported([]),
        ),
        ("a", with_server().add_extension("a", json!(null))),
        ("a", with_server().add_extension("a", json!([]))),
    ] {
        let error = metadata.unwrap().to_json().unwrap_err();
        assert_eq!(error, MetadataError::Empty { name: name.into() });
    }
    let error = with_server().authorization_details_types_supported([""]).unwrap_err();
    let name = "authorization_details_types_supported".into();
    assert_eq!(error, MetadataError::Empty { name });
}

#[test]
fn a_document_is_no_larger_than_clients_read() {
    let with = |bytes: usize| {
        let metadata = metadata().add_authorization_server("https://as.example").unwrap();
        metadata.resource_name("a".repeat(bytes)).to_json().map(|json| json.len())
    };
    let rest = with(1).unwrap() - 1;
    assert_eq!(with(65_536 - rest), Ok(65_536));
    assert_eq!(with(65_537 - rest), Err(MetadataError::TooLarge { bytes: 65_537 }));
}
