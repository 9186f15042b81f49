mod file;
#[cfg(feature = "reload")]
mod shared;

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use palisade_core::{Actor, ClientAddr, ManualClock, Principal, PrincipalBuilder};

use super::*;
use crate::Rejection;

const AS: &str = "https://as.example";
const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap()
}

fn clock() -> ManualClock {
    ManualClock::at(at(NOW))
}

fn list_of(entries: impl IntoIterator<Item = DenyEntry>) -> DenyList {
    let list = DenyList::with_clock(100, clock());
    for entry in entries {
        list.deny(entry).unwrap();
    }
    list
}

fn alice() -> PrincipalBuilder {
    Principal::assert_verified(AS, "alice").client_id("app").token_id("t1").issued_at(at(NOW))
}

fn from(ip: &str) -> Option<ClientAddr> {
    Some(ClientAddr::peer(SocketAddr::new(ip.parse().unwrap(), 443)))
}

fn address(text: &str) -> DenyEntry {
    DenyEntry::address(Network::parse(text).unwrap())
}

/// What of the principal was found, if anything.
fn found(list: &DenyList, principal: &Principal) -> Option<&'static str> {
    match list.check(principal) {
        Ok(()) => None,
        Err(Rejection::Revoked { what, .. }) => Some(what),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn rev_01_each_kind_of_entry_denies_what_it_names_and_nothing_else() {
    let subject = DenyEntry::subject;
    let other = "https://other.example";
    let agent = |issuer: Option<&'static str>| {
        let actor = Actor::new("agent");
        alice().add_actor(issuer.into_iter().fold(actor, Actor::of_issuer)).build()
    };
    let history = alice().add_actor(Actor::new("front")).add_actor(Actor::new("agent")).build();
    let bare = || Principal::assert_verified(AS, "alice").build();
    let rows = [
        ("the subject", subject(AS, "alice"), alice().build(), Some("subject")),
        ("another subject", subject(AS, "bob"), alice().build(), None),
        ("a prefix of the subject", subject(AS, "ali"), alice().build(), None),
        ("other case", subject(AS, "Alice"), alice().build(), None),
        ("a namesake elsewhere", subject(other, "alice"), alice().build(), None),
        ("an issuer with a slash", subject("https://as.example/", "alice"), alice().build(), None),
        (
            "of any issuer",
            DenyEntry::subject_of_any_issuer("alice"),
            alice().build(),
            Some("subject"),
        ),
        ("the client", DenyEntry::client(AS, "app"), alice().build(), Some("client")),
        ("another client", DenyEntry::client(AS, "web"), alice().build(), None),
        ("a client elsewhere", DenyEntry::client(other, "app"), alice().build(), None),
        (
            "a client anywhere",
            DenyEntry::client_of_any_issuer("app"),
            alice().build(),
            Some("client"),
        ),
        ("no client", DenyEntry::client(AS, "app"), bare(), None),
        ("the token", DenyEntry::token(AS, "t1"), alice().build(), Some("token")),
        ("another token", DenyEntry::token(AS, "t2"), alice().build(), None),
        ("a token of another issuer", DenyEntry::token(other, "t1"), alice().build(), None),
        ("no token id", DenyEntry::token(AS, "t1"), bare(), None),
        ("the issuer", DenyEntry::issuer(AS), alice().build(), Some("issuer")),
        ("another issuer", DenyEntry::issuer(other), alice().build(), None),
        ("names of another kind", subject(AS, "app"), alice().build(), None),
        ("the current actor", subject(AS, "agent"), agent(None), Some("actor")),
        ("the actor of another issuer", subject(other, "agent"), agent(Some(other)), Some("actor")),
        ("its namesake here", subject(AS, "agent"), agent(Some(other)), None),
        ("any actor", DenyEntry::subject_of_any_issuer("agent"), agent(None), Some("actor")),
        ("an actor of the past", subject(AS, "agent"), history, None),
        ("on behalf of the denied", subject(AS, "alice"), agent(None), Some("subject")),
    ];
    for (name, entry, principal, expected) in rows {
        assert_eq!(found(&list_of([entry.unwrap()]), &principal), expected, "{name}");
    }
    assert_eq!(found(&list_of([]), &alice().build()), None, "an empty list");
}

#[test]
fn rev_01_what_was_issued_before_is_denied_and_later_is_not() {
    let issued =
        |at| Principal::assert_verified(AS, "alice").client_id("app").issued_at(at).build();
    let unsaid = Principal::assert_verified(AS, "alice").client_id("app").build();
    let entries = [
        ("subject", DenyEntry::subject(AS, "alice")),
        ("subject", DenyEntry::subject_of_any_issuer("alice")),
        ("client", DenyEntry::client(AS, "app")),
        ("issuer", DenyEntry::issuer(AS)),
    ];
    for (what, entry) in entries {
        let list = list_of([entry.unwrap().issued_before(at(NOW)).unwrap()]);
        assert_eq!(found(&list, &issued(at(NOW - 1))), Some(what));
        assert_eq!(found(&list, &issued(at(NOW))), None);
        assert_eq!(found(&list, &unsaid), Some(what), "who does not say may be older");
    }
}

#[test]
fn rev_01_clients_of_the_list_see_an_entry_at_once() {
    let list = list_of([]);
    let (seen_by_a_layer, principal) = (list.clone(), alice().build());
    assert_eq!(found(&seen_by_a_layer, &principal), None);
    let entry = DenyEntry::subject(AS, "alice").unwrap();
    list.deny(entry.clone()).unwrap();
    assert_eq!(found(&seen_by_a_layer, &principal), Some("subject"));
    assert_eq!(list.lift(&entry), 1);
    assert_eq!(found(&seen_by_a_layer, &principal), None);
    assert!(list.is_empty());
    assert_eq!(list.lift(&entry), 0);
}

#[test]
fn an_entry_ends_when_it_says_so() {
    let clock = clock();
    let list = DenyList::with_clock(10, clock.clone());
    let until = |entry: DenyEntry| entry.until(at(NOW + 60));
    list.deny(until(DenyEntry::token(AS, "t1").unwrap())).unwrap();
    list.deny(until(address("192.0.2.0/24"))).unwrap();
    for (name, wall, denied) in [
        ("now", NOW, true),
        ("the last second", NOW + 59, true),
        ("its end", NOW + 60, false),
        ("later", NOW + 3600, false),
        ("a clock that was set back", NOW, true),
    ] {
        clock.set_wall(at(wall));
        assert_eq!(list.check(&alice().build()).is_err(), denied, "{name}");
        assert_eq!(list.check_address(from("192.0.2.7")).is_err(), denied, "{name}");
    }
}

#[test]
fn addresses_are_denied_by_network() {
    let list =
        list_of([address("192.0.2.0/24").label("scanner").unwrap(), address("2001:db8::/32")]);
    for (name, ip, denied) in [
        ("in the network", "192.0.2.7", true),
        ("its first address", "192.0.2.0", true),
        ("its last address", "192.0.2.255", true),
        ("the one before", "192.0.1.255", false),
        ("the one behind", "192.0.3.0", false),
        ("an IPv4 client of an IPv6 socket", "::ffff:192.0.2.7", true),
        ("IPv6", "2001:db8:1::1", true),
        ("other IPv6", "2001:db9::1", false),
    ] {
        assert_eq!(list.check_address(from(ip)).is_err(), denied, "{name}");
    }
    let label = Some("scanner".into());
    let told = list.check_address(from("192.0.2.7")).unwrap_err();
    assert_eq!(told, Rejection::AddressDenied { label });
    assert_eq!(found(&list, &alice().build()), None, "an address is no name");
}

#[test]
fn a_request_without_an_address_passes_only_where_none_is_denied() {
    assert_eq!(list_of([]).check_address(None), Ok(()));
    let by_name = list_of([DenyEntry::issuer(AS).unwrap()]);
    assert_eq!(by_name.check_address(None), Ok(()));
    let by_address = list_of([address("192.0.2.7")]);
    assert_eq!(by_address.check_address(None), Err(Rejection::AddressMissing));
    assert_eq!(by_address.check(&alice().build()), Ok(()));
    assert_eq!(by_address.lift(&address("192.0.2.7")), 1);
    assert_eq!(by_address.check_address(None), Ok(()));
}

#[test]
fn a_full_list_says_so_and_makes_room_of_what_is_over() {
    let clock = clock();
    let list = DenyList::with_clock(2, clock.clone());
    let token = |id: &str| DenyEntry::token(AS, id).unwrap();
    list.deny(token("a")).unwrap();
    list.deny(token("b").until(at(NOW + 60))).unwrap();
    let full = DenyListFullError { max: 2 };
    assert_eq!(list.deny(token("t1")), Err(full));
    assert_eq!(list.deny(address("192.0.2.7")), Err(full));
    assert_eq!((list.len(), found(&list, &alice().build())), (2, None));
    assert_eq!(list.check_address(None), Ok(()), "a refused entry leaves nothing behind");
    // What changes no number of entries needs no room.
    list.deny(token("b").until(at(NOW + 90))).unwrap();
    list.deny(token("a").until(at(NOW + 60))).unwrap();
    clock.advance(Duration::from_secs(89));
    assert_eq!(list.deny(token("t1")), Err(full), "the later end counts");
    clock.advance(Duration::from_secs(1));
    list.deny(token("t1")).unwrap();
    assert_eq!((list.len(), found(&list, &alice().build())), (2, Some("token")));
}

#[test]
fn an_entry_that_includes_another_takes_its_place() {
    let old = || Principal::assert_verified(AS, "alice").issued_at(at(NOW - 10)).build();
    let subject = || DenyEntry::subject(AS, "alice").unwrap();
    let before = |time| subject().issued_before(at(time)).unwrap();
    for (name, first, second, len) in [
        ("log out, twice", before(NOW - 5), before(NOW), 1),
        ("the earlier one later", before(NOW), before(NOW - 5), 1),
        ("for good after log out", before(NOW), subject(), 1),
        ("log out after for good", subject(), before(NOW), 1),
        ("a short one after for good", subject(), subject().until(at(NOW + 1)), 1),
        ("neither includes the other", subject().until(at(NOW + 1)), before(NOW), 2),
    ] {
        let list = list_of([first, second]);
        assert_eq!(list.len(), len, "{name}");
        assert_eq!(found(&list, &old()), Some("subject"), "{name}");
    }
}

#[test]
fn entries_that_could_deny_nobody_are_errors() {
    use InvalidDenyEntryError::{IssuedBefore, Text};
    let long = "x".repeat(2049);
    for (name, entry, expected) in [
        ("no subject", DenyEntry::subject(AS, ""), Text { key: "subject" }),
        ("no issuer", DenyEntry::subject("", "alice"), Text { key: "issuer" }),
        ("a long client", DenyEntry::client(AS, &long), Text { key: "client_id" }),
        ("a line break", DenyEntry::token(AS, "a\n"), Text { key: "token_id" }),
        ("an empty label", DenyEntry::issuer(AS).unwrap().label(""), Text { key: "label" }),
        ("an address of before", address("192.0.2.7").issued_before(at(NOW)), IssuedBefore),
        (
            "a token of before",
            DenyEntry::token(AS, "t").unwrap().issued_before(at(NOW)),
            IssuedBefore,
        ),
    ] {
        assert_eq!(entry.unwrap_err(), expected, "{name}");
    }
}

#[test]
fn a_feed_replaces_its_own_entries_and_no_others() {
    let list = list_of([DenyEntry::issuer("https://evil.example").unwrap()]);
    let (one, two) = (list.feed(WhenStale::KeepLastGood), list.feed(WhenStale::KeepLastGood));
    one.replace([DenyEntry::subject(AS, "alice").unwrap()]).unwrap();
    two.replace([DenyEntry::subject(AS, "bob").unwrap()]).unwrap();
    two.replace([]).unwrap();
    drop((one, two));
    assert_eq!(list.len(), 2);
    assert_eq!(found(&list, &alice().build()), Some("subject"), "also when the feed is gone");
    assert_eq!(list.lift(&DenyEntry::subject(AS, "alice").unwrap()), 0);
}

#[test]
fn what_is_over_needs_no_room_in_a_feed() {
    let list = DenyList::with_clock(1, clock());
    let feed = list.feed(WhenStale::KeepLastGood);
    let token = |id: &str| DenyEntry::token(AS, id).unwrap();
    feed.replace([token("a").until(at(NOW)), token("t1")]).unwrap();
    let full = DenyListFullError { max: 1 };
    assert_eq!(feed.replace([token("a"), token("b")]), Err(full));
    assert_eq!(found(&list, &alice().build()), Some("token"), "the last good entries stay");
}

#[test]
fn rev_01_a_clock_that_was_ahead_for_a_moment_lets_nobody_in() {
    let clock = clock();
    let list = DenyList::with_clock(3, clock.clone());
    let feed = list.feed(WhenStale::KeepLastGood);
    let token = |id: &str| DenyEntry::token(AS, id).unwrap();
    clock.set_wall(at(NOW + 3600));
    feed.replace([token("t1").until(at(NOW + 60)), address("192.0.2.7").until(at(NOW + 60))])
        .unwrap();
    assert_eq!(found(&list, &alice().build()), None);
    assert_eq!(list.check_address(None), Ok(()), "no address is denied now");
    clock.set_wall(at(NOW));
    assert_eq!(found(&list, &alice().build()), Some("token"));
    assert_eq!(list.check_address(None), Err(Rejection::AddressMissing));
    assert!(list.check_address(from("192.0.2.7")).is_err());
    // What is over still makes room for what is not.
    clock.set_wall(at(NOW + 60));
    let over = |id: &str| token(id).until(at(NOW));
    feed.replace([over("a"), over("b"), over("c"), over("d"), token("t1"), over("e")]).unwrap();
    assert_eq!((list.len(), found(&list, &alice().build())), (1, Some("token")));
}

#[test]
fn a_stale_list_refuses_after_its_bound_and_an_outage_is_no_401() {
    let clock = clock();
    let list = DenyList::with_clock(10, clock.clone());
    let feed = list.feed(WhenStale::RefuseAfter(Duration::from_secs(60)));
    let stale = Err(Rejection::DenyListStale { retry_after: Some(Duration::from_secs(1)) });
    let both = || (list.check(&alice().build()), list.check_address(None), list.is_fresh());
    assert_eq!(both(), (stale.clone(), stale.clone(), false), "before the first answer");
    feed.confirm();
    assert_eq!(both(), (stale.clone(), stale.clone(), false), "nothing can be confirmed yet");
    feed.replace([DenyEntry::subject(AS, "bob").unwrap()]).unwrap();
    assert_eq!(both(), (Ok(()), Ok(()), true));
    clock.advance(Duration::from_secs(60));
    assert_eq!(both(), (Ok(()), Ok(()), true), "at the bound");
    clock.set_wall(at(0));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(both(), (stale.clone(), stale, false), "behind the bound");
    let bob = Principal::assert_verified(AS, "bob").build();
    assert_eq!(found(&list, &bob), Some("subject"), "who is known to be denied is denied");
    feed.confirm();
    assert_eq!(both(), (Ok(()), Ok(()), true));
}

#[test]
fn last_good_entries_are_kept_only_where_there_were_any() {
    let clock = clock();
    let list = DenyList::with_clock(10, clock.clone());
    let feed = list.feed(WhenStale::KeepLastGood);
    assert!(!list.is_fresh(), "an empty list that nobody filled is not good");
    feed.replace([]).unwrap();
    clock.advance(Duration::from_secs(366 * 24 * 60 * 60));
    assert_eq!(list.check(&alice().build()), Ok(()));
    assert_eq!(WhenStale::default(), WhenStale::RefuseAfter(Duration::from_secs(60)));
}

#[test]
fn the_default_bound_is_the_documented_one() {
    let feed_of = |list: &DenyList| list.feed(WhenStale::KeepLastGood);
    let entries = |n: u32| (0..n).map(|n| DenyEntry::token(AS, &n.to_string()).unwrap());
    let list = DenyList::new();
    feed_of(&list).replace(entries(100_000)).unwrap();
    let full = feed_of(&list).replace(entries(100_001)).unwrap_err();
    assert_eq!(full.max, 100_000);
}
