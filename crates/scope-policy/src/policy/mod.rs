//! Policies as tables of rules.

mod builder;
mod hierarchy;
mod needs;

use std::collections::HashMap;

use palisade_core::{Operation, ScopeSet, ScopeToken};

use self::hierarchy::Hierarchy;
pub use self::{
    builder::{InvalidPolicyError, ScopePolicyBuilder},
    needs::Needs,
};
use crate::{RequireScopes, Requirement, path::PathTree};

/// Which scopes each operation needs. What no rule allows is denied.
///
/// A rule for exactly this operation wins over one for a path pattern, and both win over one for
/// [every](ScopePolicyBuilder::allow_every) operation of the name. Of several path patterns the most
/// specific one wins: from left to right, a literal segment before `{one}` before `{*rest}`. The order
/// in which rules are written has no meaning.
///
/// ```
/// use http::Method;
/// use palisade_core::Operation;
/// use palisade_scope_policy::{Needs, ScopePolicy};
///
/// let policy = ScopePolicy::deny_all()
///     // HTTP
///     .allow(Operation::http("GET", "/health"), Needs::without_scopes())?
///     .allow(Operation::http("GET", "/files"), "files:read")?
///     .allow_path(Method::DELETE, "/files/{id}", "files:read files:write")?
///     .allow_path(Method::GET, "/public/{*rest}", Needs::any_of(["files:read", "public:read"]))?
///     // gRPC
///     .allow_path(Method::POST, "/files.v1.Files/Get", "files:read")?
///     .allow_path(Method::POST, "/files.v1.Admin/{method}", "admin")?
///     // a protocol that a layer outside this one reads
///     .allow_every("mcp", "tools/call", "tools:call")?
///     .allow(Operation::new("mcp", "tools/call").with_target("delete_file"), "files:write")?
///     // Whoever may write may read.
///     .implies("files:write", "files:read")?
///     .build()?;
/// # let _ = policy;
/// # Ok::<_, palisade_scope_policy::InvalidPolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ScopePolicy {
    rules: Rules,
    hierarchy: Hierarchy,
}

impl ScopePolicy {
    /// Begins a policy that denies everything, to which rules are added.
    pub fn deny_all() -> ScopePolicyBuilder {
        ScopePolicyBuilder::default()
    }
}

impl RequireScopes for ScopePolicy {
    fn requirement(&self, operation: &Operation) -> Requirement<'_> {
        self.rules.find(operation).map_or(Requirement::Deny, Requirement::borrowed)
    }

    fn is_granted(&self, scope: &ScopeToken, granted: &ScopeSet) -> bool {
        granted.contains(scope.as_str()) || self.hierarchy.is_implied(scope, granted)
    }
}

type Rule = Requirement<'static>;

#[derive(Clone, Debug, Default)]
struct Rules {
    /// By method.
    http: HashMap<Box<str>, HttpRules>,
    /// Of all other protocols: by protocol, then by name.
    named: HashMap<&'static str, HashMap<Box<str>, NamedRules>>,
}

#[derive(Clone, Debug)]
struct HttpRules {
    every: Option<Rule>,
    paths: PathTree<Rule>,
}

#[derive(Clone, Debug, Default)]
struct NamedRules {
    every: Option<Rule>,
    without_target: Option<Rule>,
    by_target: HashMap<Box<str>, Rule>,
}

impl Rules {
    fn find(&self, operation: &Operation) -> Option<&Rule> {
        if operation.protocol() == Operation::HTTP {
            let rules = self.http.get(operation.name())?;
            return rules.paths.find(operation.target()?, rules.every.as_ref());
        }
        let rules = self.named.get(operation.protocol())?.get(operation.name())?;
        let exact = match operation.target() {
            Some(target) => rules.by_target.get(target),
            None => rules.without_target.as_ref(),
        };
        exact.or(rules.every.as_ref())
    }

    fn is_empty(&self) -> bool {
        self.http.is_empty() && self.named.is_empty()
    }

    fn http(&mut self, method: &str) -> &mut HttpRules {
        let new = || HttpRules { every: None, paths: PathTree::new() };
        self.http.entry(method.into()).or_insert_with(new)
    }

    fn named(&mut self, protocol: &'static str, name: &str) -> &mut NamedRules {
        self.named.entry(protocol).or_default().entry(name.into()).or_default()
    }
}

#[cfg(test)]
mod tests;
