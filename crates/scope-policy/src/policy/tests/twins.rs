//! Lookups, written down once more in the most naive way, and compared with the real ones.

use http::Method;
use proptest::prelude::*;

use super::*;

/// How well a pattern fits a path, segment by segment: 2 literal, 1 `{x}`, 0 `{*x}`.
fn naive_score(pattern: &str, path: &str) -> Option<Vec<u8>> {
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let mut score = Vec::new();
    for (index, wanted) in pattern.iter().enumerate() {
        let found = path.get(index)?;
        if wanted.starts_with("{*") {
            score.push(0);
            return (!path[index..].join("/").is_empty()).then_some(score);
        } else if wanted.starts_with('{') {
            score.push(1);
            if found.is_empty() {
                return None;
            }
        } else {
            score.push(2);
            if wanted != found {
                return None;
            }
        }
    }
    (pattern.len() == path.len()).then_some(score)
}

proptest! {
    /// The rule that counts equals one that somebody else would look up.
    #[test]
    fn a_rule_equals_its_naive_twin(
        patterns in prop::collection::vec("(/([ab@]|\\{x\\})){0,3}(/\\{\\*x\\}|/)?", 1..8),
        path in "(/([ab@]|%40)){0,4}/?",
    ) {
        let mut builder = ScopePolicy::deny_all();
        let mut known = Vec::new();
        for pattern in &patterns {
            let scope = format!("s{}", known.len());
            if let Ok(more) = builder.clone().allow_path(Method::GET, pattern, scope.as_str()) {
                builder = more;
                known.push(pattern.as_str());
            }
        }
        prop_assume!(!known.is_empty());
        let lookup = |path: &str| {
            let scores = known.iter().enumerate().filter_map(|(index, pattern)| {
                Some((naive_score(pattern, path)?, index))
            });
            scores.max().map(|(_, index)| index)
        };
        let (raw, decoded) = (lookup(&path), lookup(&path.replace("%40", "@")));
        let expected = match raw {
            Some(index) if raw == decoded => format!("s{index}"),
            _ => "-".to_owned(),
        };
        let policy = builder.build().unwrap();
        prop_assert_eq!(needed(&policy, &Operation::http("GET", path.as_str())), expected);
    }

    /// Exact and general rules of a message protocol equal two plain searches.
    #[test]
    fn a_rule_for_a_message_equals_its_naive_twin(
        rules in prop::collection::vec(("[ab]", prop::option::of("[xy]")), 1..6),
        every in prop::option::of("[ab]"),
        asked in ("[abc]", prop::option::of("[xyz]")),
    ) {
        let operation = |(name, target): &(String, Option<String>)| {
            let operation = Operation::new("rpc", name.clone());
            match target {
                Some(target) => operation.with_target(target.as_str()),
                None => operation,
            }
        };
        let mut builder = ScopePolicy::deny_all();
        for rule in &rules {
            builder = builder.clone().allow(operation(rule), "exact").unwrap_or(builder);
        }
        if let Some(name) = &every {
            builder = builder.allow_every("rpc", name, "every").unwrap();
        }
        let expected = match (rules.contains(&asked), every.as_ref() == Some(&asked.0)) {
            (true, _) => "exact",
            (false, true) => "every",
            (false, false) => "-",
        };
        prop_assert_eq!(needed(&builder.build().unwrap(), &operation(&asked)), expected);
    }

    /// Implication equals reachability in the graph as it was written.
    #[test]
    fn the_hierarchy_equals_its_naive_twin(
        pairs in prop::collection::vec((0_u8..6, 0_u8..6), 0..12),
        from in 0_u8..6,
        to in 0_u8..6,
    ) {
        let operation = Operation::http("GET", "/a");
        let mut builder =
            ScopePolicy::deny_all().allow(operation.clone(), format!("s{to}").as_str()).unwrap();
        let mut edges = Vec::new();
        let reaches = |edges: &[(u8, u8)], from: u8, to: u8| {
            let mut seen = vec![from];
            // No path is longer than there are edges.
            for _ in edges {
                let further = edges.iter().filter(|(broad, _)| seen.contains(broad));
                let narrow: Vec<u8> = further.map(|(_, narrow)| *narrow).collect();
                seen.extend(narrow);
                seen.sort_unstable();
                seen.dedup();
            }
            seen.contains(&to)
        };
        for (broad, narrow) in pairs {
            let added = builder.clone().implies(&format!("s{broad}"), &format!("s{narrow}"));
            prop_assert_eq!(added.is_err(), reaches(&edges, narrow, broad));
            if let Ok(more) = added {
                builder = more;
                edges.push((broad, narrow));
            }
        }
        let decision = builder.build().unwrap().decide(&operation, &set(&format!("s{from}")));
        prop_assert_eq!(decision.is_allowed(), reaches(&edges, from, to));
    }
}
