use proptest::prelude::*;

use super::*;
use UnreadableValueError as Unreadable;

fn bearer() -> Challenge {
    Challenge::new(AuthScheme::Bearer)
}

#[test]
fn a_challenge_is_never_bare() {
    assert_eq!(bearer().to_header_value(), "Bearer realm=\"protected\"");
    assert_eq!(bearer().error("", ",=").to_header_value(), "Bearer realm=\"protected\"");
}

#[test]
fn parameters_keep_their_order_whatever_the_order_of_the_calls() {
    let value = Challenge::new(AuthScheme::DPoP)
        .param("algs", "ES256")
        .param("ALGS", "none")
        .param("Scope", "everything")
        .resource_metadata("https://rs.example/.well-known/oauth-protected-resource")
        .scope(ScopeSet::parse("b a").unwrap())
        .error("invalid_token", "the token, is=bad")
        .to_header_value();
    assert_eq!(
        value,
        "DPoP error=\"invalid_token\", error_description=\"the token isbad\", scope=\"a b\", \
         resource_metadata=\"https://rs.example/.well-known/oauth-protected-resource\", algs=\"ES256\""
    );
}

/// Each with what `check_scope` or `check_resource_metadata` says.
#[test]
fn what_a_client_would_misread_is_refused_where_it_is_configured_and_never_written() {
    let parameter = |name| Err(Unreadable::Parameter { name });
    let character = |position| Err(Unreadable::Character { position });
    for (value, expected) in [
        ("files:read", Ok(())),
        ("https://as.example/scopes/x?a=b&c=d", Ok(())),
        ("patient/Observation.rs?category=laboratory", Ok(())),
        ("scope", Ok(())),
        ("scope:error", Ok(())),
        ("a,b", character(1)),
        ("https://h/a,b", character(11)),
        ("scope=x", parameter("scope")),
        ("a?realm=x", parameter("realm")),
        ("xERROR=", parameter("error")),
        ("https://h/?resource_metadata=https://evil.example", parameter("resource_metadata")),
        ("error_description=x", parameter("error_description")),
        ("a=b&algs=none", parameter("algs")),
    ] {
        assert_eq!(Challenge::check_resource_metadata(value), expected, "{value}");
        let scopes = ScopeSet::parse(value).unwrap();
        assert_eq!(Challenge::check_scope(&scopes), expected, "{value}");
        let url = bearer().resource_metadata(value).to_header_value();
        let scope = bearer().scope(scopes).to_header_value();
        let param = bearer().param("p", value).to_header_value();
        if expected.is_ok() {
            assert_eq!(url, format!("Bearer resource_metadata=\"{value}\""));
            assert_eq!(scope, format!("Bearer scope=\"{value}\""));
            assert_eq!(param, format!("Bearer p=\"{value}\""));
        } else {
            for written in [url, scope, param] {
                assert_eq!(written, "Bearer realm=\"protected\"", "{value}");
            }
        }
    }
}

#[test]
fn a_realm_is_one_that_every_client_reads() {
    assert_eq!(
        bearer().realm("the files").unwrap().to_header_value(),
        "Bearer realm=\"the files\""
    );
    for (realm, expected) in [
        ("", Unreadable::Empty),
        ("a\"b", Unreadable::Character { position: 1 }),
        ("a\\b", Unreadable::Character { position: 1 }),
        ("a\nb", Unreadable::Character { position: 1 }),
        ("é", Unreadable::Character { position: 0 }),
        ("scope = admin", Unreadable::Parameter { name: "scope" }),
    ] {
        assert_eq!(bearer().realm(realm).unwrap_err(), expected, "{realm}");
    }
}

#[test]
fn a_challenge_takes_at_most_4_kib_and_loses_own_parameters_first() {
    let scopes = |bytes| ScopeSet::parse(&"s".repeat(bytes)).unwrap();
    let url = |bytes: usize| format!("{:x<bytes$}", "https://rs.example/");
    Challenge::check_scope(&scopes(1024)).unwrap();
    assert_eq!(Challenge::check_scope(&scopes(1025)), Err(Unreadable::TooLong { max_bytes: 1024 }));
    Challenge::check_resource_metadata(&url(MAX_URL_BYTES)).unwrap();
    assert_eq!(
        Challenge::check_resource_metadata(&url(MAX_URL_BYTES + 1)),
        Err(Unreadable::TooLong { max_bytes: MAX_URL_BYTES })
    );
    bearer().realm("r".repeat(256)).unwrap();
    assert_eq!(bearer().realm("r".repeat(257)), Err(Unreadable::TooLong { max_bytes: 256 }));

    let code: &'static str = "e".repeat(999).leak();
    let largest = bearer()
        .error(code, code)
        .scope(scopes(1024))
        .resource_metadata(url(MAX_URL_BYTES))
        .realm("r".repeat(256))
        .unwrap();
    let length = largest.to_header_value().len();
    let param = |challenge: Challenge, name| challenge.param(name, "p".repeat(256));
    let full = ["p1", "p2", "p3"].into_iter().fold(largest, param).to_header_value();
    let text = full.to_str().unwrap();
    assert!(text.len() <= MAX_BYTES, "{}", text.len());
    assert!(text.contains(&format!("realm=\"{}\", p1=\"", "r".repeat(256))));
    assert_eq!(
        (length < text.len(), text.contains("p3")),
        (true, false),
        "the last one is left out"
    );
}

#[test]
fn errors_say_what_to_do() {
    for (error, expected) in [
        (
            Unreadable::Character { position: 3 },
            "clients misread the character at byte 3 in a challenge: use printable ASCII without commas, quotes and \
             backslashes",
        ),
        (Unreadable::Empty, "a challenge holds no empty values: leave it out"),
        (
            Unreadable::Parameter { name: "scope" },
            "clients take `scope=` in a challenge for a parameter: write it another way",
        ),
        (
            Unreadable::TooLong { max_bytes: 9 },
            "a challenge has room for 9 bytes of it: shorten it",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}

proptest! {
    /// HTTP-08: whatever reaches a value, the field stays one challenge with the same parameters.
    #[test]
    fn http_08_nothing_breaks_out_of_a_value(
        url in any::<String>(),
        other in any::<String>(),
        name in any::<String>(),
    ) {
        let value = bearer()
            .resource_metadata(url.clone())
            .param(name.clone().leak(), other.clone())
            .param("last", "x")
            .to_header_value();
        let text = value.to_str().unwrap();
        let mut expected = Vec::new();
        if Challenge::check_resource_metadata(&url).is_ok() {
            expected.push(format!("resource_metadata=\"{url}\""));
        }
        let is_written = readable::is_token(&name)
            && readable::check(&other, MAX_PARAM_BYTES).is_ok()
            && !OWN_NAMES.iter().any(|own| own.eq_ignore_ascii_case(&name));
        if is_written {
            expected.push(format!("{name}=\"{other}\""));
        }
        if !name.eq_ignore_ascii_case("last") || !is_written {
            expected.push("last=\"x\"".to_owned());
        }
        prop_assert_eq!(text, format!("Bearer {}", expected.join(", ")));
    }
}
