//! Where the keys of an issuer come from.
//!
//! | source | keys |
//! |---|---|
//! | [`StaticKeys`] | given once |
//! | `RemoteKeys` (feature `remote-keys`) | fetched and kept fresh, from anything that is `FetchKeys` |
//! | `HttpSource` (feature `http-source`) | what `RemoteKeys` fetches over HTTPS |
//! | `JwksClientSource` (feature `jwks-client-rs`) | what `RemoteKeys` fetches through `jwks_client_rs` |
//! | [`danger::HmacKeys`] | secrets, given once: read what you give up |
//! | your own [`KeySource`] | |
//!
//! The other way round, `JwksSnapshot` (feature `jwks-client-rs`) gives what `RemoteKeys` has to a `JwksClient`.
//!
//! # Which keys of a JWK Set are used
//!
//! A key that cannot be used is left out, with an event that says why, and the others are used: one odd
//! key must not take the service down (RFC 7517 §5). What is used is held to all of this:
//!
//! - `kty` is `RSA`, `EC` (P-256, P-384, P-521) or `OKP` (Ed25519); symmetric keys do not verify anything;
//! - there is no private member, and no other entry of the set holds the private members of the same key: a key
//!   whose secret was published is no longer anybody's, and a set of nothing else withdraws all keys;
//! - `use` is absent or `sig`; `key_ops` is absent or has `verify`;
//! - `alg` is absent or fits the key. Each key verifies exactly one algorithm: a key on a curve has
//!   only one, and an RSA key without `alg` is an RS256 key unless the source is told otherwise;
//! - RSA: 2048 to 8192 bits (4096 with the `rust-crypto` backend), an odd exponent from 65537 to 2³³, and not
//!   made by the generator that CVE-2017-15361 (ROCA) broke;
//! - elliptic curves: coordinates at full length, and a point that is on the curve; for Ed25519, none of the
//!   few points for which anybody can forge;
//! - `kid`: up to 256 bytes, and no other usable key has the same. A key without `kid` is used only if
//!   it is alone.
//!
//! A set of more than 512 KiB or 100 keys, with a duplicate JSON name anywhere, or without any usable key
//! is an error.

mod any;
pub mod danger;
mod ed25519;
#[cfg(feature = "remote-keys")]
mod fetch;
mod fixed;
#[cfg(feature = "http-source")]
mod http;
mod import;
#[cfg(feature = "jwks-client-rs")]
mod jwks_client_rs;
mod located;
#[cfg(feature = "remote-keys")]
mod remote;
mod roca;
mod set;
#[cfg(test)]
mod vectors;

use std::{fmt, sync::Arc, time::Duration};

#[cfg(feature = "http-source")]
pub use self::http::{HttpSource, HttpSourceError, HttpSourceSetupError};
#[cfg(feature = "toml")]
pub(crate) use self::import::holds_private_members;
pub(crate) use self::import::import_embedded;
#[cfg(feature = "jwks-client-rs")]
pub use self::jwks_client_rs::{JwksClientSource, JwksClientSourceError, JwksSnapshot};
pub(crate) use self::{
    any::{AnyKeySource, KeyWait},
    located::located,
};
#[cfg(feature = "remote-keys")]
pub use self::{
    fetch::{FetchKeys, KeyDocument, KeyValidator},
    remote::{
        FetchFailure, KeyEvent, KeyHealth, KeyObserver, RemoteKeys, RemoteKeysBuilder,
        RemoteKeysError, RemoteKeysWait,
    },
};
pub use self::{fixed::StaticKeys, import::InvalidKeySetError};
use crate::crypto::{HmacKey, PublicKey, SignatureAlgorithm, SignatureVerified};

/// Finds the keys of one issuer.
///
/// Keys of two issuers never live in one source: names of keys mean nothing outside their issuer, and a
/// shared map would let one issuer speak for another (RFC 8725bis §3.8).
///
/// # For implementors
///
/// Hold a [`StaticKeys`] and replace it whole when the keys change. Answer
/// [`KeyAnswer::Unavailable`] or [`KeyAnswer::NotYetKnown`] where you do not know; [`KeyAnswer::Unknown`] is
/// believed and becomes a 401. The name in the hint is a stranger's text: compare it, and use it for nothing else.
pub trait KeySource {
    /// Resolves to the answer, where [`find`](Self::find) has none at once.
    type Wait: Future<Output = KeyAnswer>;

    /// Finds a key. A key that is known is answered without a future.
    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<Self::Wait>;

    /// Whether the keys are secrets that are shared with the issuer. Only what holds [`danger::HmacKeys`]
    /// says yes. A wrong answer costs refusals, and never an acceptance.
    fn is_symmetric(&self) -> bool {
        false
    }
}

/// What the header of a token says about its key. All of it is a stranger's word.
#[derive(Clone, Copy, Debug)]
pub struct KeyHint<'a> {
    pub(crate) kid: Option<&'a str>,
    pub(crate) algorithm: SignatureAlgorithm,
}

impl<'a> KeyHint<'a> {
    /// The name of the key, at most 256 bytes of any content.
    #[must_use]
    pub const fn kid(&self) -> Option<&'a str> {
        self.kid
    }

    /// The algorithm, one that the verifier accepts.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// What a [`KeySource`] answers.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "sources answer with it, and there is no third way")]
pub enum KeyLookup<W> {
    /// At once.
    Ready(KeyAnswer),
    /// Soon.
    Wait(W),
}

/// What is known about a key.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "sources answer with it, and verifiers act on all of it"
)]
pub enum KeyAnswer {
    /// The key.
    Found(Arc<VerificationKey>),
    /// The issuer was not asked since somebody first asked for such a key, and will not be asked now: it may have it.
    NotYetKnown {
        /// When it will be possible to ask.
        retry_after: Duration,
    },
    /// The keys cannot be had.
    Unavailable {
        /// When it makes sense to ask again.
        retry_after: Option<Duration>,
    },
    /// The issuer has no such key.
    Unknown,
}

/// A key of an issuer, parsed, and bound to one algorithm. Public, unless it comes from [`danger`].
#[derive(Clone)]
pub struct VerificationKey {
    kid: Option<Box<str>>,
    material: AnyKey,
}

#[derive(Clone)]
enum AnyKey {
    Public(PublicKey),
    Secret(HmacKey),
}

impl VerificationKey {
    /// The name, if the key has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm that the key verifies.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        match &self.material {
            AnyKey::Public(key) => key.algorithm(),
            AnyKey::Secret(key) => key.algorithm(),
        }
    }

    /// Whether this is that key, for that algorithm, also if it was fetched another time.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.material, &other.material) {
            (AnyKey::Public(key), AnyKey::Public(other)) => key.is_same(other),
            (AnyKey::Secret(key), AnyKey::Secret(other)) => key.is_same(other),
            (AnyKey::Public(_), AnyKey::Secret(_)) | (AnyKey::Secret(_), AnyKey::Public(_)) => {
                false
            }
        }
    }

    pub(crate) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<SignatureVerified> {
        // INVARIANT: the algorithm of the header is the key's (RFC 8725bis §3.1), whatever the source
        // did.
        if algorithm != self.algorithm() {
            return None;
        }
        match &self.material {
            AnyKey::Public(key) => key.verify(message, signature),
            AnyKey::Secret(key) => key.verify(message, signature),
        }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
