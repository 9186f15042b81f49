//! OAuth scopes (RFC 6749 §3.3).

use std::{borrow::Borrow, error::Error, fmt, str::FromStr, sync::Arc};

/// One scope, such as `files:read`: printable ASCII without space, `"` and `\` (RFC 6749 §3.3).
///
/// Compared byte by byte. No scope is a prefix or a pattern of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(Arc<str>);

impl ScopeToken {
    /// Reads one scope.
    ///
    /// # Errors
    ///
    /// [`InvalidScopeError`] if `text` is empty or holds a byte outside the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidScopeError> {
        if text.is_empty() {
            return Err(InvalidScopeError { position: 0 });
        }
        match text.bytes().position(|byte| !is_scope_byte(byte)) {
            Some(position) => Err(InvalidScopeError { position }),
            None => Ok(Self(text.into())),
        }
    }

    /// The scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ScopeToken {
    type Err = InvalidScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Borrow<str> for ScopeToken {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A set of scopes. Cheap to clone; written in byte order, so that the same set always looks the same.
///
/// ```
/// use palisade_core::ScopeSet;
///
/// let granted = ScopeSet::parse("files:write files:read")?;
/// assert!(granted.contains_all(&ScopeSet::parse("files:read")?));
/// assert!(!granted.contains("files"), "a scope is no prefix of another");
/// assert_eq!(granted.to_string(), "files:read files:write");
/// # Ok::<_, palisade_core::InvalidScopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScopeSet(Arc<[ScopeToken]>);

impl ScopeSet {
    /// No scope at all.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::new([]))
    }

    /// Reads scopes separated by exactly one space each. An empty text is the empty set.
    ///
    /// # Errors
    ///
    /// [`InvalidScopeError`] if there is another separator, a space too many, or a byte outside the
    /// grammar. Splitting on anything but one space would let `admin\tread` be one scope here and two
    /// elsewhere.
    pub fn parse(text: &str) -> Result<Self, InvalidScopeError> {
        if text.is_empty() {
            return Ok(Self::empty());
        }
        let mut position = 0_usize;
        let mut tokens = Vec::new();
        for part in text.split(' ') {
            let token = ScopeToken::parse(part).map_err(|error| InvalidScopeError {
                position: position.saturating_add(error.position),
            })?;
            position = position.saturating_add(part.len()).saturating_add(1);
            tokens.push(token);
        }
        Ok(tokens.into_iter().collect())
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many scopes are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this very scope is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|token| token.as_str().cmp(scope)).is_ok()
    }

    /// Whether every scope of `other` is in this set.
    #[must_use]
    pub fn contains_all(&self, other: &Self) -> bool {
        other.iter().all(|token| self.contains(token.as_str()))
    }

    /// The scopes of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).cloned().collect()
    }

    /// The scopes in byte order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl Default for ScopeSet {
    fn default() -> Self {
        Self::empty()
    }
}

impl FromIterator<ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        let mut tokens: Vec<_> = tokens.into_iter().collect();
        tokens.sort_unstable();
        tokens.dedup();
        Self(tokens.into())
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

/// A text is not a scope, or not a list of scopes separated by one space each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidScopeError {
    position: usize,
}

impl InvalidScopeError {
    /// The byte at which the text stops being a scope.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Display for InvalidScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not a scope at byte {}: use printable ASCII without quotes and backslashes and one space between scopes",
            self.position
        )
    }
}

impl Error for InvalidScopeError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scp_02_separators_other_than_one_space_are_refused() {
        for text in
            ["a\tb", "a,b\u{a0}", "a  b", " a", "a ", "a\nb", "a\u{a0}b", "a\"b", "a\\b", " "]
        {
            assert!(ScopeSet::parse(text).is_err(), "{text:?}");
        }
        // A comma is a legal scope character, so this is one scope and not two.
        assert!(!ScopeSet::parse("a,b").is_ok_and(|set| set.contains("a")));
    }

    #[test]
    fn scp_01_and_03_scopes_are_compared_whole_and_with_case() {
        let granted = ScopeSet::parse("read:all files").unwrap();
        for wanted in ["read", "read:", "READ:ALL", "file", "files:write", ""] {
            assert!(!granted.contains(wanted), "{wanted:?}");
        }
    }

    #[test]
    fn an_error_names_the_byte() {
        assert_eq!(ScopeSet::parse("ab c\"d").unwrap_err().position(), 4);
    }

    proptest! {
        #[test]
        fn a_set_reads_back_what_it_writes(tokens in prop::collection::vec("[!#-\\[\\]-~]{1,8}", 0..8)) {
            let set: ScopeSet = tokens.iter().map(|token| ScopeToken::parse(token).unwrap()).collect();
            prop_assert_eq!(&ScopeSet::parse(&set.to_string()).unwrap(), &set);
            prop_assert!(tokens.iter().all(|token| set.contains(token)));
        }

        #[test]
        fn contains_all_is_the_subset_relation(a in "[a-c]( [a-c]){0,3}", b in "[a-c]( [a-c]){0,3}") {
            let (left, right) = (ScopeSet::parse(&a).unwrap(), ScopeSet::parse(&b).unwrap());
            let naive = b.split(' ').all(|wanted| a.split(' ').any(|have| have == wanted));
            prop_assert_eq!(left.contains_all(&right), naive);
            prop_assert!(left.union(&right).contains_all(&right));
        }
    }
}
