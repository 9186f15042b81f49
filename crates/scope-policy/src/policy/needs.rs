//! What a rule of a policy demands, as it is written down.

use palisade_core::{Challenge, InvalidScopeError, ScopeSet, UnreadableValueError};

use super::Rule;

/// The scopes that a rule demands.
///
/// A text or a [`ScopeSet`] means *all of these scopes*. It must not be empty: who forgot to write the
/// scopes is not taken for who wants none. Nor must it hold what clients misread in a challenge, such as a comma.
///
/// ```
/// use palisade_core::Operation;
/// use palisade_scope_policy::{Needs, ScopePolicy};
///
/// let operation = |path: &'static str| Operation::http("GET", path);
/// let policy = ScopePolicy::deny_all()
///     .allow(operation("/all"), "files:read mail:read")?
///     .allow(operation("/any"), Needs::any_of(["admin", "files:read mail:read"]))?
///     .allow(operation("/health"), Needs::without_scopes())?;
/// assert!(policy.allow(operation("/forgotten"), "").is_err());
/// # Ok::<_, palisade_scope_policy::InvalidPolicyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it has an effect in a rule only"]
pub struct Needs<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    All(Text<'a>),
    AnyOf(Vec<Text<'a>>),
    WithoutScopes,
}

#[derive(Clone, Debug)]
enum Text<'a> {
    Parsed(ScopeSet),
    Raw(&'a str),
}

/// What is wrong with the needs of a rule.
#[derive(Debug)]
pub(super) enum Problem {
    Empty,
    OfflineAccess,
    Scopes(InvalidScopeError),
    Unreadable(UnreadableValueError),
}

impl<'a> Needs<'a> {
    /// All scopes of any one of these texts, each with scopes separated by one space.
    ///
    /// Write the narrowest first. A client that is equally far from several is told the first, and will
    /// ask its user for that.
    pub fn any_of(alternatives: impl IntoIterator<Item = &'a str>) -> Self {
        Self(Kind::AnyOf(alternatives.into_iter().map(Text::Raw).collect()))
    }

    /// Nothing: whoever has a good token may do it, whatever the token grants.
    pub const fn without_scopes() -> Self {
        Self(Kind::WithoutScopes)
    }

    pub(super) fn parse(self) -> Result<Rule, Problem> {
        Ok(match self.0 {
            Kind::All(text) => Rule::from(text.parse()?),
            Kind::AnyOf(texts) if texts.is_empty() => return Err(Problem::Empty),
            Kind::AnyOf(texts) => {
                let sets: Result<Vec<_>, _> = texts.into_iter().map(Text::parse).collect();
                Rule::AnyOf(sets?.into())
            }
            Kind::WithoutScopes => Rule::WithoutScopes,
        })
    }
}

impl Text<'_> {
    fn parse(self) -> Result<ScopeSet, Problem> {
        let scopes = match self {
            Self::Parsed(scopes) => scopes,
            Self::Raw(text) => ScopeSet::parse(text).map_err(Problem::Scopes)?,
        };
        if scopes.is_empty() {
            return Err(Problem::Empty);
        }
        // What a rule demands, a refusal has to say. This one is between a client and its authorization server.
        if scopes.contains("offline_access") {
            return Err(Problem::OfflineAccess);
        }
        Challenge::check_scope(&scopes).map_err(Problem::Unreadable)?;
        Ok(scopes)
    }
}

impl<'a> From<&'a str> for Needs<'a> {
    fn from(scopes: &'a str) -> Self {
        Self(Kind::All(Text::Raw(scopes)))
    }
}

impl<'a> From<&'a String> for Needs<'a> {
    fn from(scopes: &'a String) -> Self {
        scopes.as_str().into()
    }
}

impl From<ScopeSet> for Needs<'_> {
    fn from(scopes: ScopeSet) -> Self {
        Self(Kind::All(Text::Parsed(scopes)))
    }
}
