//! Who may depend on whom.

use crate::{
    tidy::{Finding, repo::Repo},
    workspace::{DependencyKind, Member},
};

const CORE: &str = "palisade-core";
const CORE_DEPENDENCIES: &[&str] =
    &["bytes", "http", "pin-project-lite", "tower-layer", "tower-service"];

/// A server for tests and demos: it needs a runtime and an HTTP implementation.
const SERVER: &str = "palisade-test-issuer";

/// The one crate that knows the protocol. Its SDK is forbidden even there.
const MCP: &str = "palisade-mcp-request";

/// The one layer that is made of another: its answers to preflights are tower-http's.
const CORS: &str = "palisade-cors";

/// Frameworks, protocol implementations and runtimes, with all that is named after them.
const FORBIDDEN: &[&str] = &[
    "actix",
    "async-std",
    "axum",
    "hyper",
    "poem",
    "rmcp",
    "rocket",
    "salvo",
    "smol",
    "tide",
    "tokio",
    "tonic",
    "tower-http",
    "warp",
];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in repo.workspace.crates() {
        let manifest = format!("{}/Cargo.toml", member.folder);
        let mut found = |dependency: &str, message: String| {
            let line = repo.file(&manifest).map_or(0, |file| file.line_of(dependency));
            findings.push(Finding::at(&manifest, line, message));
        };
        for sibling in siblings(member) {
            let message =
                format!("`{sibling}` is a sibling: hand over a fact of the core's instead");
            found(sibling, message);
        }
        if member.name == CORE {
            for name in difference(&normal(member), CORE_DEPENDENCIES) {
                found(name, format!("the core does not depend on `{name}`: use it in a layer"));
            }
            for name in difference(CORE_DEPENDENCIES, &normal(member)) {
                found(name, format!("the core no longer needs `{name}`: take it off the rule"));
            }
        }
        for name in repo.compiled.get(&member.name).into_iter().flatten() {
            if !is_welcome(name, &member.name) {
                let message = format!(
                    "compiles `{name}`, which no layer needs by default: put it behind a feature \
                     or do without (`cargo tree -p {} -e normal -i {name}` shows who asks for it)",
                    member.name
                );
                found(name, message);
            }
        }
    }
    findings
}

/// What ends up in a user's build; what only tests use is free.
fn siblings(member: &Member) -> impl Iterator<Item = &str> {
    let shipped = member.dependencies.iter().filter(|edge| edge.kind != DependencyKind::Dev);
    shipped.filter(|edge| edge.folder.is_some() && edge.name != CORE).map(|edge| edge.name.as_str())
}

fn normal(member: &Member) -> Vec<&str> {
    let edges = member.dependencies.iter().filter(|edge| edge.kind == DependencyKind::Normal);
    edges.map(|edge| edge.name.as_str()).collect()
}

fn difference<'a>(left: &[&'a str], right: &[&str]) -> Vec<&'a str> {
    left.iter().copied().filter(|name| !right.contains(name)).collect()
}

fn is_welcome(name: &str, crate_name: &str) -> bool {
    if crate_name == SERVER {
        return true;
    }
    let is_forbidden = FORBIDDEN.iter().any(|forbidden| {
        name.strip_prefix(forbidden).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    let is_forbidden = is_forbidden && (crate_name, name) != (CORS, "tower-http");
    let is_protocol = name.split(['-', '_']).any(|part| part == "mcp") && crate_name != MCP;
    !is_forbidden && !is_protocol
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tidy::places, workspace::Dependency};

    fn edge(name: &str, kind: DependencyKind) -> Dependency {
        let folder = name.strip_prefix("palisade-").map(|name| format!("crates/{name}"));
        Dependency { name: name.to_owned(), kind, folder }
    }

    /// What is found about one crate with these normal dependencies.
    fn messages(name: &str, dependencies: Vec<Dependency>, compiled: &[&str]) -> Vec<String> {
        let folder = name.replace("palisade-", "crates/");
        let member = Member { name: name.to_owned(), folder, dependencies, ..Member::default() };
        let mut repo = Repo::default();
        repo.workspace.members.push(member);
        let compiled = compiled.iter().map(|&name| name.to_owned()).collect();
        repo.compiled.insert(name.to_owned(), compiled);
        check(&repo).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_layer_depends_on_no_sibling() {
        let verify = |kind| vec![edge("palisade-token-verify", kind), edge(CORE, kind)];
        let found = |kind| messages("palisade-scope-policy", verify(kind), &[]);

        assert!(found(DependencyKind::Normal)[0].contains("`palisade-token-verify` is a sibling"));
        assert_eq!(found(DependencyKind::Build).len(), 1);
        assert_eq!(found(DependencyKind::Dev), [""; 0]);
    }

    #[test]
    fn the_core_depends_on_five_crates() {
        let with = |names: &[&str]| {
            let edges = names.iter().map(|name| edge(name, DependencyKind::Normal)).collect();
            messages(CORE, edges, &[])
        };
        assert_eq!(with(CORE_DEPENDENCIES), [""; 0]);
        assert!(with(&[CORE_DEPENDENCIES, &["url"]].concat())[0].contains("`url`"));
        assert!(with(&CORE_DEPENDENCIES[1..])[0].contains("no longer needs `bytes`"));
    }

    #[test]
    fn no_framework_runtime_or_protocol_is_compiled_by_default() {
        let rows = [
            ("a framework", "palisade-audit-log", "axum", false),
            ("a part of one", "palisade-audit-log", "axum-core", false),
            ("a runtime", "palisade-audit-log", "tokio", false),
            ("the protocol's SDK, even there", MCP, "rmcp", false),
            ("a crate for the protocol", "palisade-audit-log", "some-mcp-types", false),
            ("the same where it belongs", MCP, "some-mcp-types", true),
            ("the vocabulary", "palisade-audit-log", "tower-service", true),
            ("a name that begins alike", "palisade-audit-log", "tokiota", true),
            ("a server", SERVER, "hyper-util", true),
            ("the layer for preflights", CORS, "tower-http", true),
            ("the same in another", "palisade-audit-log", "tower-http", false),
            ("a runtime even there", CORS, "tokio", false),
        ];
        for (name, crate_name, compiled, welcome) in rows {
            let found = messages(crate_name, Vec::new(), &[crate_name, compiled]);
            assert_eq!(found.is_empty(), welcome, "{name}: {found:?}");
        }
    }

    #[test]
    fn the_finding_is_at_the_line_of_the_manifest() {
        let mut repo = Repo::of(&[("crates/a/Cargo.toml", "[dependencies]\n\naxum = \"1\"\n")]);
        let folder = "crates/a".to_owned();
        repo.workspace.members.push(Member { name: "a".to_owned(), folder, ..Member::default() });
        repo.compiled.insert("a".to_owned(), vec!["axum".to_owned()]);
        assert_eq!(places(&check(&repo)), [("crates/a/Cargo.toml", 3)]);
    }
}
