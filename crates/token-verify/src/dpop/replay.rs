//! Which proofs were used already (RFC 9449 §11.1).

use std::{fmt, time::Duration};

use sha2::{Digest, Sha256};

/// Remembers which proofs were used, so that none is used twice.
///
/// It is asked last, once token and proof are known to be good: who cannot get in cannot fill it.
///
/// # For implementors
///
/// One step must both look and remember, as `SET key "" NX PX ms` does; two requests with the same proof
/// may come at the same moment to two instances. [`ProofUse::First`] is believed. Whatever you cannot find
/// out is a [`ReplayStoreError`], which is answered with 503: to let the request pass instead is to let an
/// attacker switch the check off by filling or cutting off the store. So never evict what is not expired.
///
/// Wrong answers are tolerable in one way: to call a first use a repeated one.
pub trait ReplayStore {
    /// Resolves to whether this is the first use.
    type Remembering: Future<Output = Result<ProofUse, ReplayStoreError>>;

    /// Remembers the proof for at least [`keep_for`](UsedProof::keep_for), and says whether it was there.
    fn remember(&self, proof: UsedProof) -> Self::Remembering;
}

/// What a [`ReplayStore`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores answer with it, and there is no third way")]
pub enum ProofUse {
    /// Nobody used the proof before.
    First,
    /// Somebody did.
    Repeated,
}

/// A good proof that is about to be used.
///
/// Everything of variable length that a client chose is hashed, so a proof takes the same small place
/// whatever its `jti` is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UsedProof {
    digest: [u8; 32],
    holder: [u8; 32],
    keep_for: Duration,
}

impl UsedProof {
    /// The proof: a SHA-256 digest of its key, its target URI and its `jti`.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Who used it: a SHA-256 digest of the token's issuer and subject. For fair shares of bounded memory.
    /// Not of the key: one account can get tokens for as many keys as it likes.
    #[must_use]
    pub const fn holder(&self) -> &[u8; 32] {
        &self.holder
    }

    /// How long the proof could be used again otherwise, and a margin for slow stores and corrected clocks.
    #[must_use]
    pub const fn keep_for(&self) -> Duration {
        self.keep_for
    }

    pub(super) fn new(
        [key, target, jti]: [&[u8]; 3],
        [issuer, subject]: [&str; 2],
        keep_for: Duration,
    ) -> Self {
        let digest = digest(&[key, target, jti]);
        let holder = digest_of_texts(issuer, subject);
        Self { digest, holder, keep_for }
    }
}

fn digest_of_texts(issuer: &str, subject: &str) -> [u8; 32] {
    digest(&[issuer.as_bytes(), subject.as_bytes()])
}

/// With lengths in front, so that no two lists of parts are the same bytes.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl fmt::Debug for UsedProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsedProof").field("keep_for", &self.keep_for).finish_non_exhaustive()
    }
}

/// A [`ReplayStore`] cannot tell: it is full, or out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayStoreError {
    /// When it makes sense to ask again.
    pub retry_after: Option<Duration>,
}

impl ReplayStoreError {
    /// It cannot tell, and does not know for how long.
    #[must_use]
    pub const fn new() -> Self {
        Self { retry_after: None }
    }

    /// When it makes sense to ask again.
    #[must_use]
    pub const fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait) }
    }
}

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the replay store cannot tell whether a proof was used before")
    }
}

impl std::error::Error for ReplayStoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(parts: [&[u8]; 3], holder: [&str; 2]) -> UsedProof {
        UsedProof::new(parts, holder, Duration::from_secs(1))
    }

    #[test]
    fn pop_03_key_target_and_jti_tell_proofs_apart() {
        let one = used([b"key", b"target", b"jti"], ["i", "s"]);
        assert_eq!(one, used([b"key", b"target", b"jti"], ["i", "s"]));
        let huge = vec![b'x'; 1_000_000];
        for parts in [
            [b"kez".as_slice(), b"target", b"jti"],
            [b"key", b"targes", b"jti"],
            [b"key", b"target", b"jtj"],
            [b"keyt", b"arget", b"jti"],
            [b"key", b"targetj", b"ti"],
            [b"key", b"target", &huge],
        ] {
            assert_ne!(used(parts, ["i", "s"]).digest(), one.digest());
        }
        let other = used([b"key", b"target", b"jti"], ["is", ""]);
        assert_eq!(other.digest(), one.digest(), "who it was does not matter");
        assert_ne!(other.holder(), one.holder());
    }
}
