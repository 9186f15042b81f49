//! What a mistake is told, whole.

use proptest::prelude::*;

use crate::trust::Trust;

const EXAMPLE: &str = include_str!("../../../../examples/trust.toml");

/// A file with one issuer and these lines, of which the first is the third of the file.
fn told(lines: &str) -> String {
    told_of(&format!("[[issuer]]\nissuer = 'https://as.example'\n{lines}"))
}

fn told_of(file: &str) -> String {
    Trust::from_toml(file).map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
}

#[test]
fn a_mistake_is_found_by_line_and_key() {
    let rows = [
        // The file.
        ("", "line 1, column 1: no issuer is trusted: add a table `[[issuer]]`"),
        ("issuer = []", "line 1, column 1, `issuer`: no issuer is trusted: name at least one"),
        (
            "[issuer]\nissuer = 'https://as.example'",
            "line 1, column 2, `issuer`: write `[[issuer]]`, with two brackets: there can be several",
        ),
        ("issuer = 'x'", "line 1, column 1, `issuer`: expected an array, found a string"),
        ("issuer = ['x']", "line 1, column 11, `issuer[0]`: expected a table, found a string"),
        ("\n[[issuers]]", "line 2, column 3, `issuers`: unknown key: did you mean `issuer`?"),
        (
            "[[issuer]]\nkeys = 'discovery'",
            "line 1, column 1, `issuer[0]`: the key `issuer` is missing",
        ),
        ("a = 1\na = 2", "line 2, column 1: not TOML: duplicate key"),
        ("a = 'x", "line 1, column 7: not TOML: invalid literal string, expected `'`"),
        (
            "[[issuer]]\nissuer = 'https://a.example'\n[[issuer]]\nissuer = 'https://b.example'\n\
             [[issuer]]\nkeys = 'supplied'\nissuer = 'https://a.example'",
            "line 7, column 1, `issuer[2].issuer`: there are two sets of rules for this issuer: keep one",
        ),
        (
            "[[issuer]]\nissuer = 'as.example'",
            "line 2, column 1, `issuer[0].issuer`: the issuer cannot be used: copy the `issuer` of the \
             server's metadata: the resource is not absolute: write `https://host/path`",
        ),
        (
            "[[issuer]]\nissuer = 'https://acme.okta.com'\nprofile = 'okta'",
            "line 2, column 1, `issuer[0].issuer`: not an issuer of the profile `okta`, which looks like \
             `https://{host}/oauth2/{name}`: without `/oauth2/` it is the org authorization server, whose \
             tokens are opaque (`okta-org`)",
        ),
    ];
    for (file, expected) in rows {
        assert_eq!(told_of(file), expected, "{file}");
    }
}

#[test]
fn a_mistake_in_a_rule_is_told_what_to_write() {
    let rows = [
        // Keys of tables.
        (
            "leeway_second = 5",
            "line 3, column 1, `issuer[0].leeway_second`: unknown key: did you mean `leeway_seconds`?",
        ),
        (
            "client_secret = 'hunter2'",
            "line 3, column 1, `issuer[0].client_secret`: looks like a secret: this file holds rules, and is \
             no place for secrets",
        ),
        (
            "require.x = { is = 1 }",
            "line 3, column 15, `issuer[0].require.x.is`: unknown key: write one of `absent`, `one_of`, \
             `present`",
        ),
        (
            "profile = 'keyclock'",
            "line 3, column 1, `issuer[0].profile`: unknown value: did you mean \"keycloak\"?",
        ),
        (
            "profile = 'x'",
            "line 3, column 1, `issuer[0].profile`: unknown value: write one of \"auth0\", \
             \"auth0-rfc9068\", \"authentik\", \"cognito\", \"entra-v1\", \"entra-v2\", \"google\", \"hydra\", \
             \"hydra-opaque\", \"keycloak\", \"okta\", \"okta-org\", \"rfc9068\", \"workos\", \"zitadel\", \
             \"zitadel-opaque\"",
        ),
        (
            "profile = 'google'",
            "line 3, column 1, `issuer[0].profile`: the profile `google` needs your OAuth client: write \
             `profile = { name = \"google\", client_id = \"...\" }`",
        ),
        (
            "profile = { name = 'okta', client_id = 'x' }",
            "line 3, column 28, `issuer[0].profile.client_id`: this profile has no client",
        ),
        // Where the keys are.
        (
            "jwks_uri = 'https://as.example/k'\njwks = '{}'",
            "line 4, column 1, `issuer[0].jwks`: not a JWK set: give a JSON object with an array `keys` and \
             no duplicate names",
        ),
        (
            "jwks_uri = 'https://as.example/k'\nkeys = 'discovery'",
            "line 4, column 1, `issuer[0].keys`: there is a second place of the keys: keep one of `keys`, \
             `jwks_uri` and `jwks`",
        ),
        (
            "jwks = '{\"keys\":[]}'",
            "line 3, column 1, `issuer[0].jwks`: no key of the set can be used: enable `warn` and `debug` \
             events to see why",
        ),
        // What is accepted.
        (
            "algorithms = 'RS256'",
            "line 3, column 1, `issuer[0].algorithms`: expected an array, found a string",
        ),
        (
            "algorithms = []",
            "line 3, column 1, `issuer[0].algorithms`: no algorithm is accepted: name at least one",
        ),
        (
            "algorithms = [\n  'RS256',\n  'RS257',\n]",
            "line 5, column 3, `issuer[0].algorithms[1]`: unknown value: did you mean \"RS256\"?",
        ),
        (
            "algorithms = ['RS256', 'HS256']",
            "line 3, column 1, `issuer[0].algorithms`: HMAC and asymmetric algorithms are accepted together: \
             name one kind only",
        ),
        (
            "algorithms = ['none']",
            "line 3, column 15, `issuer[0].algorithms[0]`: unknown value: write one of \"Ed25519\", \
             \"ES256\", \"ES384\", \"ES512\", \"PS256\", \"PS384\", \"PS512\", \"RS256\", \"RS384\", \"RS512\"",
        ),
        (
            "types = ['JWT', 'dpop+jwt']",
            "line 3, column 17, `issuer[0].types[1]`: not a type of access tokens: name the `typ` that the \
             issuer writes, such as `JWT`",
        ),
        (
            "accept_missing_type = 1",
            "line 3, column 1, `issuer[0].accept_missing_type`: expected `true` or `false`, found a whole number",
        ),
        (
            "accept_missing_type = false",
            "line 3, column 1, `issuer[0].accept_missing_type`: write `true`, or leave it out",
        ),
        (
            "leeway_seconds = 301",
            "line 3, column 1, `issuer[0].leeway_seconds`: the leeway is longer than 300 seconds: set the clocks instead",
        ),
        (
            "leeway_seconds = '5'",
            "line 3, column 1, `issuer[0].leeway_seconds`: expected a whole number, found a string",
        ),
        (
            "leeway_seconds = 0.5",
            "line 3, column 1, `issuer[0].leeway_seconds`: expected a whole number, found a fraction",
        ),
        (
            "max_age_seconds = -1",
            "line 3, column 1, `issuer[0].max_age_seconds`: expected a number from 0 on",
        ),
        // What is required.
        (
            "require = 1",
            "line 3, column 1, `issuer[0].require`: expected a table, found a whole number",
        ),
        (
            "require.'/a~b' = 1",
            "line 3, column 9, `issuer[0].require.\"/a~b\"`: not a claim: give its name, or a JSON pointer that begins with `/`",
        ),
        (
            "require.x = { one_of = [] }",
            "line 3, column 15, `issuer[0].require.x.one_of`: the list is empty: name at least one value",
        ),
        (
            "require.x = {}",
            "line 3, column 9, `issuer[0].require.x`: write one of `absent`, `one_of`, `present`",
        ),
        (
            "require.x = { absent = true, present = true }",
            "line 3, column 30, `issuer[0].require.x.present`: a claim has one rule: keep one",
        ),
        (
            "require.x = 2026-01-01",
            "line 3, column 9, `issuer[0].require.x`: claims are no dates: write a string, or the seconds since 1970",
        ),
        ("require.x = inf", "line 3, column 9, `issuer[0].require.x`: claims are no such numbers"),
        (
            "require.x = 0xffffffffffffffff",
            "line 3, column 9, `issuer[0].require.x`: the number is too large",
        ),
        (
            "require_any = ['scp']",
            "line 3, column 16, `issuer[0].require_any[0]`: expected an array, found a string",
        ),
        (
            "require_any = [[]]",
            "line 3, column 16, `issuer[0].require_any[0]`: the list is empty: name at least one entry, or leave it out",
        ),
        // Where things are.
        (
            "scopes = []",
            "line 3, column 1, `issuer[0].scopes`: the list is empty: name at least one entry, or leave it out",
        ),
        (
            "roles = [{ names = 'x' }]",
            "line 3, column 12, `issuer[0].roles[0].names`: unknown key: write one of `member_names`",
        ),
        (
            "clients = ['']",
            "line 3, column 12, `issuer[0].clients[0]`: not a claim: give its name, or a JSON pointer that begins with `/`",
        ),
        (
            "scope_map = { a = 'x', b = 'x' }",
            "line 3, column 24, `issuer[0].scope_map.b`: two scopes of the issuer have the same meaning, or one has two",
        ),
        (
            "scope_prefix = 'a b'",
            "line 3, column 1, `issuer[0].scope_prefix`: not a scope: printable ASCII without space, `\"` and `\\`",
        ),
        // Who may do what.
        (
            "actors = 'all'",
            "line 3, column 1, `issuer[0].actors`: unknown value: write one of \"none\"",
        ),
        ("actors = {}", "line 3, column 1, `issuer[0].actors`: the key `max_depth` is missing"),
        (
            "actors = { max_depth = 9 }",
            "line 3, column 1, `issuer[0].actors`: the number of actors must be from 1 to 8: to refuse all of them is a rule of its own",
        ),
        (
            "actors = { max_depth = 1, one_of = [] }",
            "line 3, column 1, `issuer[0].actors`: the list is empty: name at least one entry, or leave it out",
        ),
        (
            "actors = { max_depth = 1, one_of = [{ issuer = 'x' }] }",
            "line 3, column 37, `issuer[0].actors.one_of[0]`: the key `subject` is missing",
        ),
        (
            "sender_constraint = 'require'",
            "line 3, column 1, `issuer[0].sender_constraint`: unknown value: did you mean \"required\"?",
        ),
        (
            "limits.sub = 'nothing'",
            "line 3, column 8, `issuer[0].limits.sub`: this claim belongs to the protocol: it has rules of its own",
        ),
        (
            "limits.\"/realm_access/roles\" = 'nothing'",
            "line 3, column 8, `issuer[0].limits.\"/realm_access/roles\"`: limits are for whole claims: give the name of \
             a claim, and no JSON pointer",
        ),
        (
            "limits.scp = 'nothing'\nscopes = ['scp', 'scope']",
            "line 3, column 1, `issuer[0].limits`: the issuer could say it in another place of the same list: limit all \
             of them, or list one",
        ),
        (
            "limits.x = {}",
            "line 3, column 8, `issuer[0].limits.x`: write `\"nothing\"`, `{ domains = [..] }` or `{ values = [..] }`",
        ),
        (
            "limits.x = { domains = ['a'], values = ['b'] }",
            "line 3, column 31, `issuer[0].limits.x.values`: a claim has one limit: keep one",
        ),
        (
            "limits.x = { domains = ['@'] }",
            "line 3, column 8, `issuer[0].limits.x`: not a domain: give what is behind the `@`, such as `example.com`",
        ),
        (
            "require = { \"a\\nb\" = { is = 1 } }",
            "line 3, column 24, `issuer[0].require.\"a\\nb\".is`: unknown key: write one of `absent`, `one_of`, `present`",
        ),
    ];
    let mut wrong = Vec::new();
    for (lines, expected) in rows {
        let told = told(lines);
        if told != expected {
            wrong.push(format!("{lines}\n  told: {told}\n  not:  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_private_key_in_a_file_is_refused_and_not_repeated() {
    let secret = "c2VjcmV0LW9mLXRoZS1rZXk";
    let rows = [
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"AA","d":"{secret}"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"oct","k":"{secret}"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"RSA","n":"AA","e":"AQAB","dp":"{secret}"}}]}}"#),
    ];
    for set in rows {
        let error =
            Trust::from_toml(&format!("[[issuer]]\nissuer = 'https://as.example'\njwks = '{set}'"))
                .unwrap_err();
        assert_eq!((error.line(), error.column(), error.path()), (3, 1, "issuer[0].jwks"));
        assert!(error.to_string().contains("Replace the key at once"), "{error}");
        assert!(!format!("{error} {error:?}").contains(secret));
        // Nor does a mistake elsewhere on the same line.
        let error = Trust::from_toml(&format!("[[issuer]]\njwks = '{set}' x")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
}

#[test]
fn a_file_has_a_size() {
    let file = |bytes: usize| {
        let issuer = "[[issuer]]\nissuer = 'https://as.example'\n#";
        format!("{issuer}{}", "x".repeat(bytes - issuer.len()))
    };
    assert_eq!(told_of(&file(256 * 1024)), "nothing");
    assert_eq!(told_of(&file(256 * 1024 + 1)), "line 1, column 1: the file is larger than 256 KiB");
    // Deep nesting is the parser's to stop.
    assert!(told_of(&format!("a = {}", "[".repeat(100_000))).contains("not TOML"));
}

proptest! {
    /// Whatever somebody does to a file, the place that is named is in it.
    #[test]
    fn every_file_is_read_or_refused_at_a_place_of_its_own(
        at in 0..EXAMPLE.len(),
        length in 0..40_usize,
        put in "[\\[\\]{}'\"=.,#\n 0-9a-z\u{e9}]{0,8}",
    ) {
        let mut file = EXAMPLE.to_owned();
        file.replace_range(at..at.saturating_add(length).min(EXAMPLE.len()), &put);
        if let Err(error) = Trust::from_toml(&file) {
            // An end that comes too soon is behind the last line.
            let line = file.split('\n').nth(error.line().saturating_sub(1));
            prop_assert!(line.is_some_and(|line| error.column() <= line.chars().count().saturating_add(1)), "{error}");
        }
    }
}
