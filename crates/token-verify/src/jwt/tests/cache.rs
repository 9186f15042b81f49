use std::{
    future::Ready,
    ptr,
    sync::{Arc, Mutex},
    time::Duration,
};

use palisade_core::{ManualClock, Principal};
use palisade_test_issuer::{Retire, TestIssuer};

use crate::{
    Claims, JwtVerifier, Rejection,
    keys::{KeyAnswer, KeyHint, KeyLookup, KeySource, StaticKeys},
    testing::{
        NOW, builder, clock, instant, issuer, keys, rejection, rules, unexplained_verdict, verdict,
        verifier, verifier_with,
    },
};

/// Whether both are one verdict, remembered. Two verdicts on one token are equal, and not the same.
fn is_same(left: &Principal, right: &Principal) -> bool {
    ptr::eq(left.claims::<Claims>().unwrap(), right.claims::<Claims>().unwrap())
}

fn is_remembered(verifier: &JwtVerifier<ManualClock>, token: &str) -> bool {
    is_same(&verdict(verifier, token).unwrap(), &verdict(verifier, token).unwrap())
}

/// Keys that change while the verifier runs.
#[derive(Clone)]
struct Changing(Arc<Mutex<Option<StaticKeys>>>);

impl Changing {
    fn of(issuer: &TestIssuer) -> Self {
        Self(Arc::new(Mutex::new(Some(keys(issuer)))))
    }

    fn set(&self, keys: Option<StaticKeys>) {
        *self.0.lock().unwrap() = keys;
    }
}

impl KeySource for Changing {
    type Wait = Ready<KeyAnswer>;

    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
        match &*self.0.lock().unwrap() {
            Some(keys) => keys.find(hint),
            None => KeyLookup::Ready(KeyAnswer::Unavailable { retry_after: None }),
        }
    }
}

fn changing(issuer: &TestIssuer) -> (Changing, JwtVerifier<ManualClock>) {
    let keys = Changing::of(issuer);
    let verifier = JwtVerifier::new(rules(), keys.clone()).unwrap().with_clock(clock());
    (keys, verifier)
}

#[test]
fn a_token_is_verified_once() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer.mint().subject("alice").sign();
    assert!(is_remembered(&verifier, &token));
    let clone = verifier.clone();
    let before = verdict(&verifier, &token).unwrap();
    assert!(is_same(&before, &verdict(&clone, &token).unwrap()), "clones remember together");
    assert_eq!(verdict(&verifier, &token).unwrap().subject(), "alice");
    let off = clone.max_cached_tokens(0);
    assert!(!is_remembered(&off, &token));
    let mint = issuer.mint().claim("padding", "x".repeat(4 * 1024));
    assert!(!is_remembered(&verifier, &mint.sign()), "too large");
}

#[test]
fn cch_01_no_two_tokens_share_an_entry() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer.mint().sign();
    verdict(&verifier, &token).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let other = issuer.mint().subject("mallory").sign();
    let foreign = issuer.mint().signed_with_foreign_key().sign();
    for forged in [
        format!("{signed}.{}", foreign.rsplit_once('.').unwrap().1),
        format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap()),
        format!("{header}.{payload}.{signature}x"),
        format!("{header}.{payload}."),
    ] {
        assert!(rejection(&verifier, &forged).is_some(), "{forged}");
    }
}

#[test]
fn cch_02_a_withdrawn_key_withdraws_its_tokens() {
    let issuer = builder().in_process(crate::testing::ISSUER).unwrap();
    let (keys_of, verifier) = changing(&issuer);
    let token = issuer.mint().sign();
    assert!(is_remembered(&verifier, &token));

    // The same key, fetched again, is the same key.
    keys_of.set(Some(keys(&issuer)));
    let before = verdict(&verifier, &token).unwrap();
    assert!(is_same(&before, &verdict(&verifier, &token).unwrap()));

    let kid = issuer.rotate(Retire::DropPrevious).unwrap();
    keys_of.set(Some(keys(&issuer)));
    assert_eq!(rejection(&verifier, &token), Some(Rejection::UnknownKey), "{kid} is another");
}

#[test]
fn cch_02_another_key_of_the_same_name_is_another_key() {
    let (ours, other) = (issuer(), issuer());
    let (keys_of, verifier) = changing(&ours);
    let token = ours.mint().sign();
    assert!(is_remembered(&verifier, &token));
    // Both call their key `ES256-1`.
    keys_of.set(Some(keys(&other)));
    assert_eq!(rejection(&verifier, &token), Some(Rejection::BadSignature));
}

#[test]
fn cch_02_keys_that_cannot_be_had_make_no_token_good() {
    let issuer = issuer();
    let (keys_of, verifier) = changing(&issuer);
    let token = issuer.mint().sign();
    assert!(is_remembered(&verifier, &token));
    keys_of.set(None);
    let unavailable = Rejection::KeysUnavailable { retry_after: None };
    assert_eq!(rejection(&verifier, &token), Some(unavailable));
}

#[test]
fn cch_02_rules_that_change_begin_with_an_empty_cache() {
    let (ours, other) = (issuer(), builder().in_process("https://other.example").unwrap());
    let verifier = verifier(&ours);
    let token = ours.mint().sign();
    let before = verdict(&verifier, &token).unwrap();
    let other_issuer = crate::Issuer::parse("https://other.example").unwrap();
    let both = verifier.add_issuer(other_issuer, keys(&other)).unwrap();
    let after = verdict(&both, &token).unwrap();
    assert!(!is_same(&before, &after));
    assert_eq!(after.trust_digest(), Some(&*both.trust().digest()));
}

#[test]
fn cch_03_no_entry_outlives_its_token() {
    let issuer = issuer();
    let clock = clock();
    let verifier =
        verifier_with(rules().max_age(Duration::from_secs(90)), &issuer).with_clock(clock.clone());
    let short = issuer.mint().issued_at(NOW).expires_at(NOW + 10).sign();
    let long = issuer.mint().issued_at(NOW).expires_at(NOW + 3600).sign();
    assert!(is_remembered(&verifier, &short) && is_remembered(&verifier, &long));
    clock.advance(Duration::from_secs(39));
    assert!(is_remembered(&verifier, &short));
    clock.advance(Duration::from_secs(1));
    assert_eq!(rejection(&verifier, &short), Some(Rejection::Expired));
    clock.advance(Duration::from_secs(80));
    assert_eq!(rejection(&verifier, &long), Some(Rejection::TooOld));
    clock.set_wall(instant(NOW - 31));
    assert_eq!(rejection(&verifier, &long), Some(Rejection::NotYetValid), "the clock was set back");
}

#[test]
fn cch_04_only_good_tokens_are_remembered_and_not_too_many() {
    let issuer = issuer();
    let verifier = verifier(&issuer).max_cached_tokens(10);
    for subject in 0..1000 {
        let mint = issuer.mint().subject(subject.to_string());
        verdict(&verifier, &mint.sign()).unwrap();
        let forged = mint.signed_with_foreign_key().sign();
        assert_eq!(rejection(&verifier, &forged), Some(Rejection::BadSignature));
        assert_eq!(rejection(&verifier, &forged), Some(Rejection::BadSignature));
    }
    let count = std::cell::Cell::new(0);
    verifier.forget(|_| {
        count.set(count.get() + 1);
        false
    });
    assert!((1..=10).contains(&count.get()), "{}", count.get());
}

#[test]
fn tokens_are_forgotten_on_demand() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = |subject: &str| issuer.mint().subject(subject).sign();
    let (alice, bob) = (token("alice"), token("bob"));
    let before = [&alice, &bob].map(|token| verdict(&verifier, token).unwrap());
    verifier.forget(|principal| principal.subject() == "alice");
    let after = [&alice, &bob].map(|token| verdict(&verifier, token).unwrap());
    assert!(!is_same(&before[0], &after[0]));
    assert!(is_same(&before[1], &after[1]));
}

#[test]
fn a_remembered_token_costs_three_allocations_at_most() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer.mint().sign();
    verdict(&verifier, &token).unwrap();
    let mut principal = None;
    let cost =
        allocation_counter::measure(|| principal = unexplained_verdict(&verifier, &token).ok());
    assert!(principal.is_some());
    // The copy of the token that the layer makes anyway, and its future.
    assert!(cost.count_total <= 3, "{cost:?}");
}
