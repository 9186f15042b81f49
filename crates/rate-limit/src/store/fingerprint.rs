//! What is stored of a key.

use std::hash::{BuildHasher, Hash, RandomState};

use crate::gcra::Moment;

/// What is stored of a key: 128 bits of keyed hash.
///
/// A key may be as long as a token's subject or a path. Its fingerprint is as long as every other, and
/// says nothing about it in a core dump.
///
/// Two keys with one fingerprint would share a bucket. By chance that takes 2^64 keys; by intent it takes
/// the hash key, which is random, lives in this process only, and shows in no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint {
    high: u64,
    low: u64,
}

impl Fingerprint {
    /// A number below `count`, the same for each key.
    pub(super) fn below(self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let number = self.high.checked_rem(count).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    }
}

/// Makes fingerprints.
#[derive(Debug)]
pub(super) struct Fingerprints(RandomState);

/// What a hash is for. Hashed before the key, so that the three are independent of each other.
#[derive(Hash)]
enum Use {
    High,
    Low,
    Jitter,
}

impl Fingerprints {
    pub(super) fn new() -> Self {
        Self(RandomState::new())
    }

    pub(super) fn of<K: Hash>(&self, key: &K) -> Fingerprint {
        Fingerprint {
            high: self.0.hash_one((Use::High, key)),
            low: self.0.hash_one((Use::Low, key)),
        }
    }

    pub(super) fn jitter<K: Hash>(&self, key: &K, now: Moment) -> u64 {
        self.0.hash_one((Use::Jitter, now, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl_05_fingerprints_of_two_limits_have_nothing_in_common() {
        let (one, other) = (Fingerprints::new(), Fingerprints::new());
        assert_eq!(one.of(&"alice"), one.of(&"alice"));
        assert_ne!(one.of(&"alice"), one.of(&"bob"));
        assert_ne!(one.of(&"alice"), other.of(&"alice"), "the hash key is not a constant");
        let Fingerprint { high, low } = one.of(&"alice");
        assert_ne!(high, low, "the halves are independent");
    }

    #[test]
    fn rl_04_fingerprints_of_several_parts_do_not_run_together() {
        let fingerprints = Fingerprints::new();
        assert_ne!(fingerprints.of(&("a:b", "c")), fingerprints.of(&("a", "b:c")));
        assert_ne!(fingerprints.of(&("ab", "")), fingerprints.of(&("a", "b")));
        assert_ne!(fingerprints.of(&("", "ab")), fingerprints.of(&("a", "b")));
    }
}
