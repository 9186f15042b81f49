use http::Method;
use palisade_core::{InvalidScopeError, Operation, ScopeToken, UnreadableValueError};

use super::{
    Needs, Rule, Rules, ScopePolicy,
    hierarchy::{Cycle, Hierarchy},
    needs::Problem,
};
use crate::path::{InvalidPathError, Pattern};

/// Builds a [`ScopePolicy`]. See [`ScopePolicy::deny_all`].
#[derive(Clone, Debug, Default)]
#[must_use = "call `build` to get the policy"]
pub struct ScopePolicyBuilder {
    rules: Rules,
    hierarchy: Hierarchy,
}

impl ScopePolicyBuilder {
    /// Allows exactly this operation to whoever has these scopes.
    ///
    /// The path of an HTTP operation is compared byte for byte: a trailing slash and another case make
    /// another path. `HEAD` is not `GET`: allow both if you mean both.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicyError`] if `needs` are no scopes, none, `offline_access` or unreadable ones, if there is a rule for
    /// the operation, or if it is an HTTP operation with a path that requests are refused for anyway.
    #[expect(clippy::needless_pass_by_value, reason = "operations are written where they are used")]
    pub fn allow<'a>(
        mut self,
        operation: Operation,
        needs: impl Into<Needs<'a>>,
    ) -> Result<Self, InvalidPolicyError> {
        let label = operation.to_string();
        let rule = parse_needs(&label, needs.into())?;
        let is_taken = if operation.protocol() == Operation::HTTP {
            let path = Pattern::exact(operation.target().unwrap_or_default());
            let path = path.map_err(|source| bad_path(&label, source))?;
            self.rules.http(operation.name()).paths.insert(&path, rule).is_err()
        } else {
            let rules = self.rules.named(operation.protocol(), operation.name());
            match operation.target() {
                Some(target) => rules.by_target.insert(target.into(), rule).is_some(),
                None => rules.without_target.replace(rule).is_some(),
            }
        };
        unless_taken(is_taken, label)?;
        Ok(self)
    }

    /// Allows all operations of this name, whatever their target, for which there is no other rule.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicyError`] if `needs` are no scopes, none, `offline_access` or unreadable ones, or if there is such a rule.
    pub fn allow_every<'a>(
        mut self,
        protocol: &'static str,
        name: &str,
        needs: impl Into<Needs<'a>>,
    ) -> Result<Self, InvalidPolicyError> {
        let label = format!("every {name}");
        let rule = parse_needs(&label, needs.into())?;
        let every = match protocol {
            Operation::HTTP => &mut self.rules.http(name).every,
            _ => &mut self.rules.named(protocol, name).every,
        };
        unless_taken(every.replace(rule).is_some(), label)?;
        Ok(self)
    }

    /// Allows HTTP requests by this method for all paths of a pattern.
    ///
    /// In a pattern, `{name}` stands for one segment and `{*name}`, at the end, for one or more. Neither
    /// stands for nothing: `/files/{*rest}` matches neither `/files` nor `/files/`. All else is compared
    /// byte for byte. Names are for readers and have no meaning.
    ///
    /// A gRPC method is `POST` and `/package.Service/Method`.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicyError`] if `needs` are no scopes, none, `offline_access` or unreadable ones, if `pattern` is none, or
    /// if there is a rule for the same paths.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "`Method::GET` reads better than `&Method::GET`"
    )]
    pub fn allow_path<'a>(
        mut self,
        method: Method,
        pattern: &str,
        needs: impl Into<Needs<'a>>,
    ) -> Result<Self, InvalidPolicyError> {
        let label = format!("{method} {pattern}");
        let rule = parse_needs(&label, needs.into())?;
        let pattern = Pattern::parse(pattern).map_err(|source| bad_path(&label, source))?;
        let is_taken = self.rules.http(method.as_str()).paths.insert(&pattern, rule).is_err();
        unless_taken(is_taken, label)?;
        Ok(self)
    }

    /// Whoever has `broad` counts as having `narrow`, and all that `narrow` implies.
    ///
    /// Challenges still name the narrow scope, which is what the operation needs.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicyError`] if one of the two is no scope, or if `narrow` implies `broad` already:
    /// then both would mean the same, and most likely the two are the wrong way round.
    pub fn implies(mut self, broad: &str, narrow: &str) -> Result<Self, InvalidPolicyError> {
        let parse = |scope: &str| {
            ScopeToken::parse(scope).map_err(|source| InvalidPolicyError::Scopes {
                rule: format!("{broad} implies {narrow}"),
                source,
            })
        };
        self.hierarchy.add(parse(broad)?, parse(narrow)?).map_err(|Cycle| {
            InvalidPolicyError::Cycle { broad: broad.to_owned(), narrow: narrow.to_owned() }
        })?;
        Ok(self)
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicyError::NoRules`] if nothing is allowed: whoever meant to load rules and loaded
    /// none should learn it from the service that does not start, not from its users.
    pub fn build(self) -> Result<ScopePolicy, InvalidPolicyError> {
        if self.rules.is_empty() {
            return Err(InvalidPolicyError::NoRules);
        }
        Ok(ScopePolicy { rules: self.rules, hierarchy: self.hierarchy })
    }
}

fn parse_needs(rule: &str, needs: Needs<'_>) -> Result<Rule, InvalidPolicyError> {
    needs.parse().map_err(|problem| match problem {
        Problem::Empty => InvalidPolicyError::NoScopes { rule: rule.to_owned() },
        Problem::OfflineAccess => InvalidPolicyError::OfflineAccess { rule: rule.to_owned() },
        Problem::Scopes(source) => InvalidPolicyError::Scopes { rule: rule.to_owned(), source },
        Problem::Unreadable(source) => {
            InvalidPolicyError::UnreadableScopes { rule: rule.to_owned(), source }
        }
    })
}

fn bad_path(rule: &str, source: InvalidPathError) -> InvalidPolicyError {
    InvalidPolicyError::Path { rule: rule.to_owned(), source }
}

/// Two rules for one operation: which of them counts must not depend on their order.
fn unless_taken(is_taken: bool, rule: String) -> Result<(), InvalidPolicyError> {
    if is_taken { Err(InvalidPolicyError::Duplicate { rule }) } else { Ok(()) }
}

/// A policy, or a rule of one, is no good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicyError {
    /// Two scopes would imply each other.
    #[error("`{narrow}` implies `{broad}` already: swap the two, or remove one of the lines")]
    #[non_exhaustive]
    Cycle {
        /// What was to imply the other.
        broad: String,
        /// What was to be implied.
        narrow: String,
    },
    /// There is a rule for the same operations.
    #[error("there are two rules for `{rule}`: keep one, with `Needs::any_of` if both are right")]
    #[non_exhaustive]
    Duplicate {
        /// The rule.
        rule: String,
    },
    /// Nothing is allowed.
    #[error("the policy has no rule and would deny everything: allow an operation")]
    NoRules,
    /// A rule without scopes.
    #[error(
        "the rule for `{rule}` names no scopes: if none are needed, say `Needs::without_scopes()`"
    )]
    #[non_exhaustive]
    NoScopes {
        /// The rule.
        rule: String,
    },
    /// A rule demands `offline_access`, which its refusals would tell clients to ask for.
    #[error(
        "the rule for `{rule}` demands `offline_access`, which is no scope of a resource: remove it"
    )]
    #[non_exhaustive]
    OfflineAccess {
        /// The rule.
        rule: String,
    },
    /// The path of a rule is no good.
    #[error("the rule for `{rule}` has a bad path")]
    #[non_exhaustive]
    Path {
        /// The rule.
        rule: String,
        /// What is wrong with the path.
        source: InvalidPathError,
    },
    /// The scopes of a rule are no scopes.
    #[error("the rule `{rule}` has bad scopes")]
    #[non_exhaustive]
    Scopes {
        /// The rule.
        rule: String,
        /// What is wrong with the scopes.
        source: InvalidScopeError,
    },
    /// The scopes of a rule cannot be told to clients: some would ask for others.
    #[error("the rule `{rule}` has scopes that clients misread")]
    #[non_exhaustive]
    UnreadableScopes {
        /// The rule.
        rule: String,
        /// What they would misread.
        source: UnreadableValueError,
    },
}
