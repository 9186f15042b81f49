mod twins;

use http::Method;

use super::*;
use crate::{Decision, InvalidPathError};

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

/// The scopes that the policy wants, or `-` if it denies.
fn needed(policy: &ScopePolicy, operation: &Operation) -> String {
    match policy.requirement(operation) {
        Requirement::All(needed) => needed.to_string(),
        Requirement::AnyOf(alternatives) => {
            let texts: Vec<_> = alternatives.iter().map(ToString::to_string).collect();
            texts.join(" | ")
        }
        Requirement::Deny => "-".to_owned(),
        Requirement::WithoutScopes => "open".to_owned(),
    }
}

fn paths(patterns: &[&'static str]) -> Result<ScopePolicy, InvalidPolicyError> {
    let mut policy = ScopePolicy::deny_all();
    for (index, pattern) in patterns.iter().enumerate() {
        policy = policy.allow_path(Method::GET, pattern, format!("s{index}").as_str())?;
    }
    policy.build()
}

/// The index of the pattern that counts for a path.
fn matched(patterns: &[&'static str], path: &str) -> String {
    needed(&paths(patterns).unwrap(), &Operation::http("GET", path))
}

#[test]
fn scp_06_what_no_rule_allows_is_denied() {
    let policy = ScopePolicy::deny_all()
        .allow(Operation::new("rpc", "call").with_target("a"), "call:a")
        .and_then(|policy| policy.allow(Operation::new("rpc", "list"), "list"))
        .and_then(|policy| policy.allow_every("rpc", "read", Needs::any_of(["r", "w x"])))
        .and_then(|policy| policy.allow(Operation::new("rpc", "read").with_target("a"), "read:a"))
        .and_then(|policy| policy.allow(Operation::new("rpc", "ping"), Needs::without_scopes()))
        .and_then(|policy| policy.allow(Operation::http("GET", "/a"), "get:a"))
        .and_then(ScopePolicyBuilder::build)
        .unwrap();
    for (name, operation, expected) in [
        ("listed", Operation::new("rpc", "call").with_target("a"), "call:a"),
        ("another target", Operation::new("rpc", "call").with_target("b"), "-"),
        ("another case", Operation::new("rpc", "call").with_target("A"), "-"),
        ("a longer target", Operation::new("rpc", "call").with_target("a "), "-"),
        ("no target", Operation::new("rpc", "call"), "-"),
        ("listed without target", Operation::new("rpc", "list"), "list"),
        ("a target where none is listed", Operation::new("rpc", "list").with_target("a"), "-"),
        ("an empty target is a target", Operation::new("rpc", "list").with_target(""), "-"),
        ("every", Operation::new("rpc", "read").with_target("b"), "r | w x"),
        ("every, without target", Operation::new("rpc", "read"), "r | w x"),
        ("the exact rule wins", Operation::new("rpc", "read").with_target("a"), "read:a"),
        ("open", Operation::new("rpc", "ping"), "open"),
        ("another name", Operation::new("rpc", "drop"), "-"),
        ("another protocol", Operation::new("other", "list"), "-"),
        ("http", Operation::http("GET", "/a"), "get:a"),
        ("another path", Operation::http("GET", "/b"), "-"),
        ("a message that poses as http", Operation::new("rpc", "GET").with_target("/a"), "-"),
        ("http that poses as a message", Operation::http("call", "a"), "-"),
        ("http without path", Operation::new("http", "GET"), "-"),
    ] {
        assert_eq!(needed(&policy, &operation), expected, "{name}");
    }
}

#[test]
fn scp_06_a_policy_without_rules_is_an_error() {
    assert_eq!(ScopePolicy::deny_all().build().unwrap_err(), InvalidPolicyError::NoRules);
    let hierarchy_only = ScopePolicy::deny_all().implies("a", "b").unwrap();
    assert_eq!(hierarchy_only.build().unwrap_err(), InvalidPolicyError::NoRules);
}

#[test]
fn the_most_specific_pattern_counts() {
    const PATTERNS: &[&str] = &[
        "/files",
        "/files/{id}",
        "/files/all",
        "/files/{id}/tags",
        "/files/{*rest}",
        "/{*rest}",
        "/",
        "/{tenant}/files/{id}",
    ];
    for (path, expected) in [
        ("/files", "s0"),
        ("/files/7", "s1"),
        ("/files/all", "s2"),
        ("/files/7/tags", "s3"),
        ("/files/all/tags", "s3"),
        ("/files/7/8", "s4"),
        ("/files/7/tags/8", "s4"),
        ("/files/files/7", "s4"),
        ("/file", "s5"),
        ("/files/", "s5"),
        ("/files/7/", "s4"),
        ("/", "s6"),
        ("/acme/files/7", "s7"),
        ("/acme/files/", "s5"),
        ("files", "-"),
        ("", "-"),
    ] {
        assert_eq!(matched(PATTERNS, path), expected, "{path}");
    }
}

#[test]
fn pth_02_and_03_patterns_match_whole_segments() {
    for (pattern, path) in [
        ("/public", "/publicity"),
        ("/public", "/public/x"),
        ("/public", "/x/public"),
        ("/public", "/public/"),
        ("/public/", "/public"),
        ("/public", "/PUBLIC"),
        ("/public/{id}", "/public"),
        ("/public/{id}", "/public/"),
        ("/public/{id}", "/public/a/b"),
        ("/public/{*rest}", "/public"),
        ("/public/{*rest}", "/public/"),
        ("/public/{*rest}", "/publicity/x"),
        ("/a.c", "/abc"),
        ("/a*", "/ab"),
        ("/a+", "/aa"),
    ] {
        assert_eq!(matched(&[pattern], path), "-", "{pattern} and {path}");
    }
}

#[test]
fn pth_01_an_encoded_spelling_of_a_literal_is_no_way_around_its_rule() {
    const PATTERNS: &[&str] = &["/files/{id}", "/files/@all", "/n/a%20b", "/n/{*rest}"];
    for (path, expected) in [
        ("/files/@all", "s1"),
        ("/files/%40all", "-"),
        ("/files/%40alice", "s0"),
        ("/files/a%20b", "s0"),
        ("/n/a%20b", "s2"),
        ("/n/%61%20b", "-"),
        ("/n/a%20b/c", "s3"),
        ("/n/x%20y", "s3"),
    ] {
        assert_eq!(matched(PATTERNS, path), expected, "{path}");
    }
    // Nor by the rule for every path.
    let policy = ScopePolicy::deny_all()
        .allow_every("http", "GET", "get")
        .and_then(|policy| policy.allow(Operation::http("GET", "/@all"), "all"))
        .and_then(ScopePolicyBuilder::build)
        .unwrap();
    for (path, expected) in
        [("/@all", "all"), ("/%40all", "-"), ("/%40", "get"), ("/", "get"), ("/x", "get")]
    {
        assert_eq!(needed(&policy, &Operation::http("GET", path)), expected, "{path}");
    }
}

#[test]
fn pth_05_methods_are_not_guessed() {
    let policy = paths(&["/a"]).unwrap();
    for method in ["HEAD", "get", "Get", "POST", "TRACE", "CONNECT", "OPTIONS", "BREW", ""] {
        assert_eq!(needed(&policy, &Operation::http(method, "/a")), "-", "{method}");
    }
    assert_eq!(needed(&policy, &Operation::http("GET", "/a")), "s0");
}

#[test]
fn bad_paths_of_rules_are_errors() {
    use InvalidPathError as Invalid;
    for (pattern, expected) in [
        ("", Invalid::NotAbsolute),
        ("files", Invalid::NotAbsolute),
        ("*", Invalid::NotAbsolute),
        ("//files", Invalid::Ambiguous),
        ("/files//", Invalid::Ambiguous),
        ("/a/../b", Invalid::Ambiguous),
        ("/%61", Invalid::Ambiguous),
        ("/a;b", Invalid::Ambiguous),
        ("/a?b", Invalid::Ambiguous),
        ("/a b", Invalid::Ambiguous),
        ("/é", Invalid::Ambiguous),
        ("/{}", Invalid::Placeholder),
        ("/{*}", Invalid::Placeholder),
        ("/a{id}", Invalid::Placeholder),
        ("/{id}.json", Invalid::Placeholder),
        ("/{id", Invalid::Placeholder),
        ("/id}", Invalid::Placeholder),
        ("/{{id}}", Invalid::Placeholder),
        ("/{id:[0-9]+}", Invalid::Placeholder),
        ("/{**rest}", Invalid::Placeholder),
        ("/{*rest}/x", Invalid::RestNotLast),
        ("/{*rest}/", Invalid::RestNotLast),
    ] {
        let rule = format!("GET {pattern}");
        let error = ScopePolicy::deny_all().allow_path(Method::GET, pattern, "a").unwrap_err();
        assert_eq!(error, InvalidPolicyError::Path { rule, source: expected }, "{pattern}");
    }
    // In an exact rule, braces are no placeholders, and no URI holds them.
    let error = ScopePolicy::deny_all().allow(Operation::http("GET", "/{id}"), "a").unwrap_err();
    let rule = "GET /{id}".to_owned();
    assert_eq!(error, InvalidPolicyError::Path { rule, source: Invalid::Ambiguous });
    let without_path = Operation::new(Operation::HTTP, "GET");
    let error = ScopePolicy::deny_all().allow(without_path, "a").unwrap_err();
    let rule = "GET".to_owned();
    assert_eq!(error, InvalidPolicyError::Path { rule, source: Invalid::NotAbsolute });
}

#[test]
fn bad_scopes_of_rules_are_errors_that_name_the_rule() {
    let operation = || Operation::http("GET", "/a");
    let rule = || "GET /a".to_owned();
    for needs in [
        Needs::from(""),
        Needs::from(&String::new()),
        Needs::from(ScopeSet::empty()),
        Needs::any_of([]),
        Needs::any_of(["a", ""]),
    ] {
        let error = ScopePolicy::deny_all().allow(operation(), needs.clone()).unwrap_err();
        assert_eq!(error, InvalidPolicyError::NoScopes { rule: rule() }, "{needs:?}");
    }
    for needs in [Needs::from("a\tb"), Needs::any_of(["a", "b,  c"])] {
        let error = ScopePolicy::deny_all().allow(operation(), needs.clone()).unwrap_err();
        assert!(
            matches!(&error, InvalidPolicyError::Scopes { rule, .. } if rule == "GET /a"),
            "{error}"
        );
    }
    for needs in [
        Needs::from("a,b"),
        Needs::from(ScopeSet::parse("x?scope=y").unwrap()),
        Needs::any_of(["a", "error=b"]),
        Needs::from(&"s".repeat(1025)),
    ] {
        let error = ScopePolicy::deny_all().allow(operation(), needs.clone()).unwrap_err();
        assert!(
            matches!(&error, InvalidPolicyError::UnreadableScopes { rule, .. } if rule == "GET /a"),
            "{error}"
        );
    }
    for needs in [Needs::from("a offline_access"), Needs::any_of(["a", "offline_access"])] {
        let error = ScopePolicy::deny_all().allow(operation(), needs.clone()).unwrap_err();
        assert_eq!(error, InvalidPolicyError::OfflineAccess { rule: rule() }, "{needs:?}");
    }
    for (broad, narrow) in [("", "a"), ("a", ""), ("a b", "c"), ("a", "b c")] {
        let error = ScopePolicy::deny_all().implies(broad, narrow).unwrap_err();
        assert!(matches!(error, InvalidPolicyError::Scopes { .. }), "{error}");
    }
}

#[test]
fn two_rules_for_one_operation_are_an_error() {
    type Build = fn(ScopePolicyBuilder) -> Result<ScopePolicyBuilder, InvalidPolicyError>;
    let pairs: [(&str, Build, Build); 7] = [
        (
            "exact",
            |p| p.allow(Operation::new("rpc", "a").with_target("b"), "x"),
            |p| p.allow(Operation::new("rpc", "a").with_target("b"), "y"),
        ),
        (
            "without target",
            |p| p.allow(Operation::new("rpc", "a"), "x"),
            |p| p.allow(Operation::new("rpc", "a"), Needs::without_scopes()),
        ),
        ("every", |p| p.allow_every("rpc", "a", "x"), |p| p.allow_every("rpc", "a", "y")),
        (
            "every path",
            |p| p.allow_every("http", "GET", "x"),
            |p| p.allow_every("http", "GET", "y"),
        ),
        (
            "path, exact and as a pattern",
            |p| p.allow(Operation::http("GET", "/a"), "x"),
            |p| p.allow_path(Method::GET, "/a", "y"),
        ),
        (
            "placeholders of other names",
            |p| p.allow_path(Method::GET, "/{a}/{*b}", "x"),
            |p| p.allow_path(Method::GET, "/{c}/{*d}", "y"),
        ),
        (
            "two spellings of one path",
            |p| p.allow_path(Method::GET, "/a@b/c", "x"),
            |p| p.allow_path(Method::GET, "/a%40b/d", "y"),
        ),
    ];
    for (name, first, second) in pairs {
        for (first, second) in [(first, second), (second, first)] {
            let error = second(first(ScopePolicy::deny_all()).unwrap()).unwrap_err();
            assert!(matches!(error, InvalidPolicyError::Duplicate { .. }), "{name}: {error}");
        }
    }
}

#[test]
fn a_broad_scope_satisfies_a_narrow_need_and_is_not_in_the_challenge() {
    let operation = Operation::http("GET", "/a");
    // The upper pair first: what follows from it must not depend on the order.
    let pairs = [("admin", "write"), ("read", "list"), ("write", "read")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut policy = ScopePolicy::deny_all().allow(operation.clone(), "list other").unwrap();
        for index in order {
            let (broad, narrow) = pairs[index];
            policy = policy.implies(broad, narrow).unwrap();
        }
        let policy = policy.build().unwrap();
        for (granted, allowed) in [
            ("list other", true),
            ("read other", true),
            ("write other", true),
            ("admin other", true),
            ("admin", false),
            ("other", false),
            ("administrator other", false),
            ("lis other", false),
        ] {
            let expected = match allowed {
                true => Decision::Allowed,
                false => Decision::InsufficientScope(set("list other")),
            };
            assert_eq!(policy.decide(&operation, &set(granted)), expected, "{granted} {order:?}");
        }
    }
}

#[test]
fn a_narrow_scope_does_not_satisfy_a_broad_need() {
    let operation = Operation::http("GET", "/a");
    let policy = ScopePolicy::deny_all().allow(operation.clone(), "files:write").unwrap();
    let policy = policy.implies("files:write", "files:read").unwrap().build().unwrap();
    assert!(!policy.decide(&operation, &set("files:read")).is_allowed());
}

#[test]
fn scp_05_a_wildcard_is_a_scope_like_any_other_until_the_policy_says_more() {
    let operation = Operation::http("GET", "/a");
    let policy = || ScopePolicy::deny_all().allow(operation.clone(), "tools:call").unwrap();
    let literal = policy().build().unwrap();
    assert!(!literal.decide(&operation, &set("tools:* * tools")).is_allowed());
    let declared = policy().implies("tools:*", "tools:call").unwrap().build().unwrap();
    assert!(declared.decide(&operation, &set("tools:*")).is_allowed());
    assert!(!declared.decide(&operation, &set("*")).is_allowed());
}

#[test]
fn scopes_that_imply_each_other_are_an_error() {
    let policy = || ScopePolicy::deny_all().implies("a", "b").unwrap().implies("b", "c").unwrap();
    for (broad, narrow) in [("a", "a"), ("b", "a"), ("c", "b"), ("c", "a")] {
        let error = policy().implies(broad, narrow).unwrap_err();
        assert!(matches!(error, InvalidPolicyError::Cycle { .. }), "{broad} {narrow}: {error}");
    }
    assert!(policy().implies("a", "c").is_ok(), "known already, and harmless");
    assert!(policy().implies("d", "b").is_ok(), "two scopes may imply one");
}

#[test]
fn errors_say_what_to_do() {
    use std::error::Error as _;

    let policy = ScopePolicy::deny_all;
    let error = policy().allow_path(Method::GET, "/a{id}", "a").unwrap_err();
    assert_eq!(error.to_string(), "the rule for `GET /a{id}` has a bad path");
    assert_eq!(
        error.source().unwrap().to_string(),
        "a placeholder is a whole segment: write `{name}`, or `{*name}` for all that is left"
    );
    let error = policy().implies("a", "b").and_then(|policy| policy.implies("b", "a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a` implies `b` already: swap the two, or remove one of the lines"
    );
}
