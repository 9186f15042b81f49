use std::time::{Duration, SystemTime};

use palisade_core::ManualClock;
use serde_json::{Value, json};

use super::check_table;
use crate::{
    Rejection,
    testing::{NOW, clock, instant, issuer, rejection, rules, verifier, verifier_with},
};

fn invalid(claim: &'static str) -> Option<Rejection> {
    Some(Rejection::invalid(claim))
}

/// Numbers that `json!` cannot write.
fn raw(number: &str) -> Value {
    number.parse::<serde_json::Number>().unwrap().into()
}

#[test]
fn clm_01_and_02_a_date_is_a_number_that_everybody_reads_alike() {
    let issuer = issuer();
    let values = || {
        [
            json!("1900000000"),
            json!(true),
            json!(null),
            json!([NOW + 60]),
            json!({}),
            json!(-1),
            json!(-1e308),
            raw("-0"),
            json!(1e308),
            json!(1e18),
            json!(9_007_199_254_740_993_u64),
            json!(9_223_372_036_854_775_808_u64),
            json!(u64::MAX),
            json!(1.844_674_407_370_955_2e19),
        ]
    };
    for claim in ["exp", "nbf", "iat"] {
        let rows = values().map(|value| {
            let token = issuer.mint().claim(claim, value.clone()).sign();
            (format!("{claim}: {value}"), token, invalid(claim))
        });
        check_table(&verifier(&issuer), rows);
    }
    let token = issuer.mint().without_claim("exp").sign();
    assert_eq!(rejection(&verifier(&issuer), &token), Some(Rejection::missing("exp")));
    let rows = [
        ("0", json!(0), Some(Rejection::Expired)),
        ("1e-400", json!(1e-300), Some(Rejection::Expired)),
        ("1.5", json!(1.5), Some(Rejection::Expired)),
        ("2^53", json!(9_007_199_254_740_992_u64), None),
        ("2^53 as a float", json!(9_007_199_254_740_992.0), None),
    ];
    let rows = rows.map(|(name, exp, expected)| {
        (name, issuer.mint().issued_at(0).claim("exp", exp).sign(), expected)
    });
    check_table(&verifier(&issuer), rows.map(|(name, token, expected)| (name, token, expected)));
}

#[test]
fn clm_03_and_04_the_edges_of_a_lifetime() {
    let issuer = issuer();
    let exact = verifier_with(rules().leeway(Duration::ZERO).unwrap(), &issuer);
    let seconds = |offset: f64| json!(1_800_000_000.0 + offset);
    let rows = [
        ("exp now", "exp", json!(NOW), Some(Rejection::Expired)),
        ("exp in a second", "exp", json!(NOW + 1), None),
        ("exp in 0.4 s is rounded down", "exp", seconds(0.4), Some(Rejection::Expired)),
        ("exp in 1.9 s", "exp", seconds(1.9), None),
        ("nbf now", "nbf", json!(NOW), None),
        ("nbf in a second", "nbf", json!(NOW + 1), Some(Rejection::NotYetValid)),
        ("nbf in 0.4 s is rounded up", "nbf", seconds(0.4), Some(Rejection::NotYetValid)),
        ("nbf 0.4 s ago", "nbf", seconds(-0.4), None),
        ("iat now", "iat", json!(NOW), None),
        ("iat in a second", "iat", json!(NOW + 1), Some(Rejection::NotYetValid)),
        ("iat in 0.4 s is rounded up", "iat", seconds(0.4), Some(Rejection::NotYetValid)),
    ];
    let rows = rows.map(|(name, claim, value, expected)| {
        (name, issuer.mint().claim(claim, value).sign(), expected)
    });
    check_table(&exact, rows);
}

#[test]
fn the_leeway_is_half_a_minute_on_either_side() {
    let issuer = issuer();
    let rows = [
        ("exp 29 s ago", "exp", NOW - 29, None),
        ("exp 30 s ago", "exp", NOW - 30, Some(Rejection::Expired)),
        ("nbf in 30 s", "nbf", NOW + 30, None),
        ("nbf in 31 s", "nbf", NOW + 31, Some(Rejection::NotYetValid)),
        ("iat in 30 s", "iat", NOW + 30, None),
        ("iat in 31 s", "iat", NOW + 31, Some(Rejection::NotYetValid)),
    ];
    let rows = rows.map(|(name, claim, value, expected)| {
        (name, issuer.mint().issued_at(NOW - 60).claim(claim, value).sign(), expected)
    });
    check_table(&verifier(&issuer), rows);
}

#[test]
fn clm_04_a_token_is_not_issued_after_it_expires() {
    let issuer = issuer();
    let token = issuer.mint().issued_at(NOW + 10).expires_at(NOW + 9).sign();
    assert_eq!(rejection(&verifier(&issuer), &token), invalid("iat"));
}

#[test]
fn clm_02_a_lifetime_can_be_bounded() {
    let issuer = issuer();
    let bounded = verifier_with(rules().max_lifetime(Duration::from_secs(600)), &issuer);
    let mint = |lifetime| issuer.mint().issued_at(NOW).expires_at(NOW + lifetime);
    let rows = [
        ("ten minutes", mint(600), None),
        ("a second more", mint(601), Some(Rejection::LivesTooLong)),
        ("for ever", mint(1 << 52), Some(Rejection::LivesTooLong)),
        ("without iat", mint(1).without_claim("iat"), Some(Rejection::missing("iat"))),
    ];
    check_table(&bounded, rows.map(|(name, token, expected)| (name, token.sign(), expected)));
}

#[test]
fn clm_05_no_clock_makes_it_panic() {
    let issuer = issuer();
    let token = issuer.mint().claim("nbf", NOW - 60).sign();
    let at = |now| rejection(&verifier(&issuer).with_clock(ManualClock::at(now)), &token);
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1_000_000_000);
    assert_eq!(at(before_1970), Some(Rejection::NotYetValid));
    assert_eq!(at(SystemTime::UNIX_EPOCH), Some(Rejection::NotYetValid));
    assert_eq!(at(instant(i64::MAX >> 8)), Some(Rejection::Expired));

    let clock = clock();
    let verifier = verifier(&issuer).with_clock(clock.clone());
    assert_eq!(rejection(&verifier, &token), None);
    clock.advance(Duration::from_secs(10_000));
    assert_eq!(rejection(&verifier, &token), Some(Rejection::Expired));
    clock.set_wall(instant(NOW - 10));
    assert_eq!(rejection(&verifier, &token), None, "the clock was set back");
}
