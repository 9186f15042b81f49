use proptest::prelude::*;

use super::*;

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn all(text: &str) -> Requirement<'static> {
    Requirement::from(set(text))
}

fn any_of(texts: &[&str]) -> Requirement<'static> {
    Requirement::AnyOf(texts.iter().map(|text| set(text)).collect())
}

fn missing(text: &str) -> Decision {
    Decision::InsufficientScope(set(text))
}

fn decide(requirement: &Requirement<'static>, granted: &str) -> Decision {
    let policy = |_: &Operation| requirement.clone();
    policy.decide(&Operation::new("rpc", "call"), &set(granted))
}

#[test]
fn a_decision_follows_from_requirement_and_grant() {
    use Decision::{Allowed, Denied};
    for (name, requirement, granted, expected) in [
        ("denied to all", Requirement::Deny, "a", Denied),
        ("open to all", Requirement::WithoutScopes, "", Allowed),
        ("has it", all("a"), "a b", Allowed),
        ("has both", all("a b"), "b a", Allowed),
        ("has one of two: both are named", all("a b"), "a", missing("a b")),
        ("has nothing", all("a"), "", missing("a")),
        ("an empty set is no permission", all(""), "a", Denied),
        ("no alternative", any_of(&[]), "a", Denied),
        ("an empty alternative is no permission", any_of(&["", "a"]), "b", missing("a")),
        ("only empty alternatives", any_of(&["", ""]), "a", Denied),
        ("the second alternative", any_of(&["a b", "c"]), "c", Allowed),
        ("parts of two make no whole", any_of(&["a b", "c d"]), "a c", missing("a b")),
        ("the nearer alternative is named", any_of(&["a b c", "d e"]), "d", missing("d e")),
        ("and not the smaller one", any_of(&["d", "a b c"]), "a b c x", Allowed),
        ("nearer though larger", any_of(&["d e", "a b c"]), "a b", missing("a b c")),
        ("of equally near ones the first", any_of(&["d", "a", "b c"]), "b", missing("d")),
    ] {
        assert_eq!(decide(&requirement, granted), expected, "{name}");
        assert_eq!(decide(&requirement.borrowed().into_owned(), granted), expected, "{name}");
        assert_eq!(requirement.borrowed(), requirement, "{name}");
    }
}

#[test]
fn scp_01_03_and_05_scopes_are_compared_whole_with_case_and_literally() {
    for (needed, granted) in [
        ("read", "readonly"),
        ("readonly", "read"),
        ("read:all", "read:"),
        ("files", "files:write"),
        ("READ", "read"),
        ("tools:call", "tools:*"),
        ("tools:call", "*"),
        ("tools:*", "tools:call"),
    ] {
        assert_eq!(decide(&all(needed), granted), missing(needed), "{granted} for {needed}");
    }
}

#[test]
fn a_policy_may_be_shared_and_behind_a_pointer() {
    let policy: Arc<dyn RequireScopes + Send + Sync> =
        Arc::new(|_: &Operation| Requirement::WithoutScopes);
    let operation = Operation::new("rpc", "call");
    assert!(policy.decide(&operation, &ScopeSet::empty()).is_allowed());
    assert_eq!(policy.requirement(&operation), Requirement::WithoutScopes);
}

proptest! {
    /// The decision equals one that somebody else would write down.
    #[test]
    fn a_decision_equals_its_naive_twin(
        alternatives in prop::collection::vec("([a-d]( [a-d]){0,2})?", 0..4),
        granted in "([a-d]( [a-d]){0,3})?",
    ) {
        let alternatives: Vec<&str> = alternatives.iter().map(String::as_str).collect();
        let words = |text: &str| -> Vec<String> {
            let mut words: Vec<_> = text.split_whitespace().map(ToOwned::to_owned).collect();
            words.sort();
            words.dedup();
            words
        };
        let mut expected = Decision::Denied;
        let mut fewest = usize::MAX;
        for alternative in &alternatives {
            let needed = words(alternative);
            let lacking = needed.iter().filter(|word| !words(&granted).contains(word)).count();
            if needed.is_empty() || lacking >= fewest {
                continue;
            }
            fewest = lacking;
            expected = if lacking == 0 { Decision::Allowed } else { missing(&needed.join(" ")) };
        }
        prop_assert_eq!(decide(&any_of(&alternatives), &granted), expected);
    }
}
