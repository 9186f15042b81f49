mod file;

use std::{
    cell::Cell,
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use palisade_core::{ManualClock, Principal, ScopeSet};

use super::{
    key::{KeyDigest, Presented},
    *,
};
use crate::{BearerToken, Rejection, VerifyToken};

const ISSUER: &str = "https://api.example/keys";
const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap()
}

fn clock() -> ManualClock {
    ManualClock::at(at(NOW))
}

fn prefix() -> ApiKeyPrefix {
    ApiKeyPrefix::parse("acme_live").unwrap()
}

fn grant() -> ApiKeyGrant {
    ApiKeyGrant::new("alice")
        .add_audience("https://api.example")
        .scopes(ScopeSet::parse("files:read").unwrap())
        .expires_at(at(NOW + 3600))
}

fn generate(grant: ApiKeyGrant) -> (ApiKey, ApiKeyRecord) {
    ApiKey::generate(&prefix(), grant, &clock()).unwrap()
}

fn ring<S: ApiKeyStore>(store: S, clock: &ManualClock) -> ApiKeys<S, ManualClock> {
    ApiKeys::new(ISSUER, prefix(), store).unwrap().with_clock(clock.clone())
}

fn verdict<S: ApiKeyStore>(
    ring: &ApiKeys<S, ManualClock>,
    token: &str,
) -> Result<Principal, Rejection> {
    let token = BearerToken::parse(token).unwrap();
    match pin!(ring.verify(token)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => panic!("the store waits"),
    }
}

#[test]
fn a_good_key_says_everything_that_was_granted() {
    let grant = grant()
        .client_id("ci")
        .add_audience("https://other.example")
        .add_role("robot")
        .label("builds");
    let (key, record) = generate(grant);
    let keys = MemoryApiKeys::new();
    keys.add(record.clone()).unwrap();
    let principal = verdict(&ring(keys, &clock()), key.expose()).unwrap();
    assert_eq!((principal.issuer(), principal.subject()), (ISSUER, "alice"));
    assert_eq!(principal.client_id(), Some("ci"));
    assert_eq!(principal.token_id(), Some(record.id().as_str()));
    let audiences: Vec<_> = principal.audiences().collect();
    assert_eq!(audiences, ["https://api.example", "https://other.example"]);
    assert_eq!(principal.scopes().to_string(), "files:read");
    assert_eq!(principal.roles().collect::<Vec<_>>(), ["robot"]);
    assert_eq!(principal.issued_at(), Some(at(NOW)));
    assert_eq!(principal.expires_at(), Some(at(NOW + 3600)));
    assert_eq!(record.label(), Some("builds"));
}

/// Answers with one record, whatever it is asked for, and counts.
struct Always<'a> {
    record: ApiKeyRecord,
    asked: &'a Cell<usize>,
}

impl ApiKeyStore for Always<'_> {
    type Find = Ready<Result<Option<ApiKeyRecord>, ApiKeyStoreError>>;

    fn find(&self, _: ApiKeyId) -> Self::Find {
        self.asked.update(|asked| asked.saturating_add(1));
        ready(Ok(Some(self.record.clone())))
    }
}

#[test]
fn cch_06_an_unknown_key_and_a_wrong_secret_are_told_alike() {
    let asked = Cell::new(0);
    let (key, record) = generate(grant());
    let (other, _) = generate(grant());
    let wrong_secret = ring(Always { record, asked: &asked }, &clock());
    let unknown = ring(MemoryApiKeys::new(), &clock());
    assert_eq!(verdict(&wrong_secret, other.expose()).unwrap_err(), Rejection::Inactive);
    assert_eq!(verdict(&unknown, other.expose()).unwrap_err(), Rejection::Inactive);
    assert_eq!(verdict(&wrong_secret, key.expose()).unwrap().subject(), "alice");
    assert_eq!(asked.get(), 2);
}

#[test]
fn cch_06_the_state_of_a_key_is_told_only_to_who_has_it() {
    let asked = Cell::new(0);
    let (stranger, _) = generate(grant());
    let (_, record) = generate(grant());
    let rows = [
        ("disabled", record.disabled()),
        ("expired", generate(grant().expires_at(at(NOW))).1),
        ("not yet valid", generate(grant().not_before(at(NOW + 1))).1),
    ];
    for (name, record) in rows {
        let ring = ring(Always { record, asked: &asked }, &clock());
        let told = verdict(&ring, stranger.expose()).unwrap_err();
        assert_eq!(told, Rejection::Inactive, "{name}");
    }
}

#[test]
fn cch_06_an_unknown_key_is_refused_whatever_the_dummy_says() {
    let ring = ring(MemoryApiKeys::new(), &clock());
    let presented = || Presented { id: generate(grant()).1.id(), digest: KeyDigest::DUMMY };
    assert_eq!(ring.judge(&presented(), Ok(None)).unwrap_err(), Rejection::Inactive);
    let hash = KeyDigest::DUMMY.to_hex();
    let record = ApiKeyRecord::from_line(&LINE.replace("HASH", &hash)).unwrap();
    assert_eq!(ring.judge(&presented(), Ok(Some(record))).unwrap().subject(), "alice");
}

#[test]
fn rev_01_a_key_ends_when_it_expires_is_disabled_or_removed() {
    let clock = clock();
    let keys = MemoryApiKeys::new();
    let (key, record) = generate(grant().not_before(at(NOW + 10)));
    keys.add(record.clone()).unwrap();
    let ring = ring(keys.clone(), &clock);
    let mut steps = Vec::new();
    let mut step = |name, wall| {
        clock.set_wall(at(wall));
        steps.push((name, verdict(&ring, key.expose()).err()));
    };
    step("before its time", NOW + 9);
    step("in its time", NOW + 10);
    step("its last second", NOW + 3599);
    step("its end", NOW + 3600);
    keys.remove(record.id()).unwrap();
    keys.add(record.disabled()).unwrap();
    step("disabled", NOW + 10);
    assert!(keys.remove(record.id()).unwrap().is_disabled());
    step("removed", NOW + 10);
    keys.add(record).unwrap();
    step("back again", NOW + 10);
    assert_eq!(
        steps,
        [
            ("before its time", Some(Rejection::NotYetValid)),
            ("in its time", None),
            ("its last second", None),
            ("its end", Some(Rejection::Expired)),
            ("disabled", Some(Rejection::Inactive)),
            ("removed", Some(Rejection::Inactive)),
            ("back again", None),
        ]
    );
}

#[test]
fn what_is_not_a_key_asks_no_store() {
    let asked = Cell::new(0);
    let (key, record) = generate(grant());
    let ring = ring(Always { record, asked: &asked }, &clock());
    let cut = key.expose().split_at(key.expose().len() - 1).0;
    for token in ["eyJh.eyJi.c2ln", "acme_live_short", cut] {
        let rejection = verdict(&ring, token).unwrap_err();
        assert!(matches!(rejection, Rejection::Malformed { .. }), "{rejection:?}");
    }
    assert_eq!(asked.get(), 0);
    assert!(ring.recognizes(&BearerToken::parse(cut).unwrap()));
    assert!(!ring.recognizes(&BearerToken::parse("eyJh.eyJi.c2ln").unwrap()));
}

#[test]
fn a_store_that_cannot_be_asked_is_an_outage() {
    struct Down;
    impl ApiKeyStore for Down {
        type Find = Ready<Result<Option<ApiKeyRecord>, ApiKeyStoreError>>;

        fn find(&self, _: ApiKeyId) -> Self::Find {
            ready(Err(ApiKeyStoreError::new(Some(Duration::from_secs(3)))))
        }
    }
    let rejection = verdict(&ring(Down, &clock()), generate(grant()).0.expose()).unwrap_err();
    let retry_after = Some(Duration::from_secs(3));
    assert_eq!(rejection, Rejection::KeysUnavailable { retry_after });
}

#[test]
fn a_grant_that_is_not_thought_through_makes_no_key() {
    use InvalidApiKeyGrantError as E;
    let bare = || ApiKeyGrant::new("alice");
    let many = (0..65).fold(grant(), |grant, n| grant.add_role(format!("role-{n}")));
    let rows = [
        ("no end", bare().add_audience("a"), E::NoEnd),
        ("no audience", bare().never_expires(), E::NoAudience),
        (
            "no subject",
            ApiKeyGrant::new("").add_audience("a").never_expires(),
            E::Text { key: "subject" },
        ),
        ("a line break", grant().label("a\nb"), E::Text { key: "label" }),
        ("an empty role", grant().add_role(""), E::Text { key: "roles" }),
        ("a long client", grant().client_id("c".repeat(2049)), E::Text { key: "client_id" }),
        ("an empty audience", grant().add_audience(""), E::Text { key: "audiences" }),
        ("too many roles", many, E::TooMany { key: "roles" }),
        ("never good", grant().not_before(at(NOW + 3600)), E::EndsBeforeItBegins),
        ("a date before dates", grant().not_before(at(0) - Duration::from_secs(1)), E::Date),
    ];
    for (name, grant, expected) in rows {
        let error = ApiKey::generate(&prefix(), grant, &clock()).map(|_| ()).unwrap_err();
        assert_eq!(error, expected, "{name}");
    }
}

const LINE: &str = r#"{"id":"aaaaaaaaaaaaaaaa","sha256":"HASH","subject":"alice","audiences":["https://api.example"],"issued_at":"2027-01-01T00:00:00Z","expires_at":"never"}"#;

#[test]
fn an_id_is_used_once_and_room_is_bounded() {
    let keys = MemoryApiKeys::with_capacity(1);
    let (_, record) = generate(grant());
    let (_, other) = generate(grant());
    keys.add(record.clone()).unwrap();
    let id = record.id();
    assert_eq!(keys.add(record.disabled()), Err(AddApiKeyError::Duplicate { id }));
    assert_eq!(keys.add(other), Err(AddApiKeyError::Full { max: 1 }));
    assert!(!keys.records()[0].is_disabled(), "the first one counts");
}

#[test]
fn nothing_shows_a_key() {
    let (key, record) = generate(grant());
    let keys = MemoryApiKeys::new();
    keys.add(record.clone()).unwrap();
    let ring = ring(keys.clone(), &clock());
    let future = ring.verify(BearerToken::parse(key.expose()).unwrap());
    let wrong = key.expose().replace("acme_live", "acme_test");
    let rejection = verdict(&ring, &wrong).unwrap_err();
    let shown = format!(
        "{key:?} {record:?} {keys:?} {ring:?} {future:?} {rejection:?} {rejection} {}",
        record.to_line()
    );
    let secret = key.expose().rsplit('_').next().unwrap();
    assert_eq!(secret.len(), 49);
    for piece in secret.as_bytes().windows(12) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!shown.contains(piece), "{shown}");
    }
    let digest = key.digest().to_hex();
    assert!(!format!("{record:?} {keys:?} {ring:?}").contains(&digest));
}

#[test]
fn the_name_of_a_ring_is_a_uri() {
    for (name, issuer, good) in [
        ("https", ISSUER, true),
        ("urn", "urn:example:keys", true),
        ("a word", "keys", false),
        ("empty", "", false),
        ("only a scheme", "urn:", false),
        ("no scheme", ":keys", false),
        ("a space", "urn:a b", false),
        ("a line break", "urn:a\nb", false),
        ("other letters", "urn:schlüssel", false),
    ] {
        let ring = ApiKeys::new(issuer, prefix(), MemoryApiKeys::new());
        assert_eq!(ring.is_ok(), good, "{name}");
    }
}
