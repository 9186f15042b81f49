use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const MAX: usize = 64;

fn headers(lines: &[&[u8]]) -> HeaderMap {
    lines.iter().map(|line| (AUTHORIZATION, HeaderValue::from_bytes(line).unwrap())).collect()
}

fn outcome(lines: &[&[u8]]) -> Result<String, &'static str> {
    outcome_with(Taken::BearerOnly, lines).map(|(scheme, token)| {
        assert_eq!(scheme, Scheme::Bearer);
        token
    })
}

fn outcome_with(taken: Taken, lines: &[&[u8]]) -> Result<(Scheme, String), &'static str> {
    extract(&headers(lines), MAX, taken)
        .map(|(scheme, token)| (scheme, token.expose().to_owned()))
        .map_err(|denial| denial.reason().code())
}

/// A name, the lines of the header, the token or the code of the refusal.
type Row<'a> = (&'a str, &'a [&'a [u8]], Result<&'a str, &'a str>);

const MISSING: Result<&str, &str> = Err("token_missing");
const MALFORMED: Result<&str, &str> = Err("authorization_malformed");
const REPEATED: Result<&str, &str> = Err("authorization_repeated");

#[test]
fn http_01_to_04_the_decision_table() {
    let long = [b"Bearer ".as_slice(), &[b'a'; MAX + 1]].concat();
    let longest = [b"Bearer ".as_slice(), &[b'a'; MAX]].concat();
    let expected_longest = "a".repeat(MAX);
    let rows: &[Row<'_>] = &[
        ("none", &[], MISSING),
        ("a token", &[b"Bearer abc"], Ok("abc")),
        ("all of token68", &[b"Bearer aZ09-._~+/=="], Ok("aZ09-._~+/==")),
        ("lower case", &[b"bearer abc"], Ok("abc")),
        ("upper case", &[b"BEARER abc"], Ok("abc")),
        ("mixed case", &[b"bEaReR abc"], Ok("abc")),
        ("several spaces", &[b"Bearer   abc"], Ok("abc")),
        ("the longest", &[&longest], Ok(&expected_longest)),
        ("too long", &[&long], Err("token_too_large")),
        // HTTP-01
        ("two lines", &[b"Bearer a", b"Bearer b"], REPEATED),
        ("two equal lines", &[b"Bearer a", b"Bearer a"], REPEATED),
        ("Basic and Bearer", &[b"Basic a", b"Bearer b"], REPEATED),
        ("Bearer and nothing", &[b"Bearer a", b""], REPEATED),
        // HTTP-02
        ("joined", &[b"Bearer a, Bearer b"], MALFORMED),
        ("joined without space", &[b"Bearer a,b"], MALFORMED),
        ("joined after Basic", &[b"Basic x, Bearer y"], MALFORMED),
        ("joined after Basic, tight", &[b"Basic x,bearer y"], MALFORMED),
        ("joined after DPoP", &[b"DPoP x ,\tBEARER y"], MALFORMED),
        // HTTP-03
        ("tab", &[b"Bearer\tabc"], MALFORMED),
        ("space and tab", &[b"Bearer \tabc"], MALFORMED),
        ("no token", &[b"Bearer"], MALFORMED),
        ("no token, space", &[b"Bearer "], MALFORMED),
        ("no space", &[b"Bearerabc"], MALFORMED),
        ("colon", &[b"Bearer: abc"], MALFORMED),
        ("equals sign", &[b"Bearer=abc"], MALFORMED),
        ("quoted scheme", &[b"\"Bearer\" abc"], MALFORMED),
        ("leading space", &[b" Bearer abc"], MALFORMED),
        ("trailing space", &[b"Bearer abc "], MALFORMED),
        ("two tokens", &[b"Bearer abc def"], MALFORMED),
        ("quoted token", &[b"Bearer \"abc\""], MALFORMED),
        ("only padding", &[b"Bearer =="], MALFORMED),
        ("padding inside", &[b"Bearer a=b"], MALFORMED),
        ("parameter", &[b"Bearer token=\"abc\""], MALFORMED),
        ("percent", &[b"Bearer a%2eb"], MALFORMED),
        ("braces", &[b"Bearer {\"a\":1}"], MALFORMED),
        ("empty", &[b""], MALFORMED),
        // HTTP-04
        ("0x80 in the token", &[b"Bearer ab\x80"], MALFORMED),
        ("0xff in the scheme", &[b"B\xffarer abc"], MALFORMED),
        ("utf-8", &["Bearer äbc".as_bytes()], MALFORMED),
        ("0x80 in another scheme", &[b"Basic ab\x80"], MALFORMED),
        // Other schemes.
        ("Basic", &[b"Basic YTpi"], MISSING),
        ("DPoP", &[b"DPoP abc"], MISSING),
        ("Digest with commas", &[b"Digest username=\"a\", realm=\"b\""], MISSING),
        ("Negotiate alone", &[b"Negotiate"], MISSING),
        ("a scheme that sounds alike", &[b"Bear abc"], MISSING),
        ("a scheme that is longer", &[b"XBearer abc"], MISSING),
    ];
    for (name, lines, expected) in rows {
        assert_eq!(outcome(lines).as_deref().map_err(|code| *code), *expected, "{name}");
    }
}

#[test]
fn each_outcome_has_its_kind() {
    let kind = |lines: &[&[u8]]| extract(&headers(lines), 3, Taken::BearerOnly).unwrap_err().kind();
    assert_eq!(kind(&[]), DenialKind::Unauthenticated);
    assert_eq!(kind(&[b"Basic x"]), DenialKind::Unauthenticated);
    assert_eq!(kind(&[b"Bearer"]), DenialKind::InvalidCredentials);
    assert_eq!(kind(&[b"Bearer a", b"Bearer a"]), DenialKind::InvalidCredentials);
    assert_eq!(kind(&[b"Bearer abcd"]), DenialKind::HeadersTooLarge);
}

#[test]
fn http_05_other_places_are_not_looked_at() {
    let mut headers = HeaderMap::new();
    for name in
        ["cookie", "x-forwarded-access-token", "sec-websocket-protocol", "proxy-authorization"]
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("Bearer abc"));
    }
    assert_eq!(extract(&headers, MAX, Taken::Both).unwrap_err().reason().code(), "token_missing");
}

#[test]
fn with_dpop_both_schemes_are_read_alike() {
    type Row<'a> = (&'a [&'a [u8]], Result<(Scheme, String), &'a str>);

    let bearer = |token: &str| Ok((Scheme::Bearer, token.to_owned()));
    let dpop = |token: &str| Ok((Scheme::Dpop, token.to_owned()));
    let (malformed, missing) = (Err("authorization_malformed"), Err("token_missing"));
    let repeated = Err("authorization_repeated");
    let rows: &[Row<'_>] = &[
        (&[b"DPoP abc"], dpop("abc")),
        (&[b"dpop   abc=="], dpop("abc==")),
        (&[b"DPOP abc"], dpop("abc")),
        (&[b"Bearer abc"], bearer("abc")),
        (&[b"DPoP abc", b"DPoP abc"], repeated.clone()),
        (&[b"Bearer abc", b"DPoP abc"], repeated),
        (&[b"DPoP"], malformed.clone()),
        (&[b"DPoP "], malformed.clone()),
        (&[b"DPoPabc"], malformed.clone()),
        (&[b"DPoP: abc"], malformed.clone()),
        (&[b"DPoP\tabc"], malformed.clone()),
        (&[b"DPoP a,DPoP b"], malformed.clone()),
        (&[b"DPoP a, Bearer b"], malformed.clone()),
        (&[b"Bearer a, DPoP b"], malformed.clone()),
        (&[b"Basic a, DPoP b"], malformed.clone()),
        (&[b"Basic a, dpop"], malformed),
        (&[b"Basic a, dpopx b"], missing.clone()),
        (&[b"XDPoP abc"], missing),
    ];
    for (lines, expected) in rows {
        assert_eq!(outcome_with(Taken::Both, lines), *expected, "{lines:?}");
    }
    assert_eq!(outcome_with(Taken::DpopOnly, &[b"DPoP abc"]), dpop("abc"));
    assert_eq!(outcome_with(Taken::DpopOnly, &[b"Bearer abc"]), Err("bearer_not_taken"));
    assert_eq!(outcome_with(Taken::DpopOnly, &[b"Bearer"]), Err("authorization_malformed"));
}

#[test]
fn http_06_a_token_in_the_query_is_noticed() {
    let rows = [
        (None, false),
        (Some(""), false),
        (Some("access_token"), false),
        (Some("access_token="), true),
        (Some("a=1&access_token=x"), true),
        (Some("my_access_token=x&x=access_token=y"), false),
    ];
    for (query, expected) in rows {
        assert_eq!(is_in_query(query), expected, "{query:?}");
    }
}

#[test]
fn debug_shows_no_token() {
    let token = BearerToken::parse("secret").unwrap();
    assert_eq!(format!("{token:?}"), "BearerToken([redacted])");
    assert_eq!(token.expose(), "secret");
}

/// The grammar as it is written, slowly: undo the parts from the right.
fn naive(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let (scheme, rest) = line.split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    let content = token.trim_end_matches('=');
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    (scheme.to_lowercase() == "bearer"
        && !content.is_empty()
        && content.chars().all(|c| allowed.contains(c))
        && token.len() <= MAX)
        .then(|| token.to_owned())
}

proptest! {
    #[test]
    fn agrees_with_the_grammar(line in "(?i:bearer)?[ \t:,]{0,3}[a-zA-Z0-9._~+/= ,\"é-]{0,20}={0,2}") {
        let found = outcome(&[line.as_bytes()]).ok();
        prop_assert_eq!(found, naive(line.as_bytes()));
    }

    #[test]
    fn no_bytes_make_it_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..3)) {
        let lines: HeaderMap = lines
            .iter()
            .filter_map(|line| Some((AUTHORIZATION, HeaderValue::from_bytes(line).ok()?)))
            .collect();
        for taken in [Taken::BearerOnly, Taken::Both, Taken::DpopOnly] {
            let _ = extract(&lines, MAX, taken);
        }
    }
}
