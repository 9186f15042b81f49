//! API keys, for services without an authorization server.
//!
//! A key is a bearer token that this service gave out itself. It travels in `Authorization: Bearer`, becomes a
//! [`Principal`](palisade_core::Principal) with owner, audiences and scopes like any access token, and every
//! layer inside treats it as one.
//!
//! # What a key looks like
//!
//! ```text
//! acme_live_7Wk0vT3mQ2xYb9Lc_<43 characters of secret><6 characters of checksum>
//! prefix    public id
//! ```
//!
//! All letters and digits, so that a double click selects it and a scanner finds it:
//! `acme_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}`. The checksum (CRC-32 of everything before it, in base 62) tells
//! a real key from a look-alike without asking anybody, and costs whoever mistypes one no lookup. It protects
//! nothing.
//!
//! # How it is verified
//!
//! 1. Prefix, length, alphabet and checksum.
//! 2. The record is looked up by the public id.
//! 3. SHA-256 of the whole key is compared with the record, in constant time. For an unknown id the same is
//!    done with a dummy, and the answer is the same.
//! 4. Only then: not disabled, not expired, not before its time. Without the secret nobody learns the state of
//!    a key.
//!
//! # Why a fast hash is right here
//!
//! Slow hashes (Argon2, bcrypt) exist for secrets that people choose: they make each of a few billion guesses
//! expensive. The secret of a key is drawn from the operating system's random source with 256 bits, and to go
//! through 2^256 of them is hopeless at any speed. What a slow hash would add is a way to keep the server busy
//! with wrong keys. For the same reason there is no way to bring along a key of your own: only what
//! [`ApiKey::generate`] drew has those 256 bits, and a shorter secret has not the form of a key.
//!
//! # What it does not protect against
//!
//! - **A stolen key.** Whoever has it is its owner, until it expires, is disabled, or stands on a
//!   [`DenyList`](crate::deny_list::DenyList). Keys are not bound to a sender.
//! - **A stolen or writable store.** Records give no key away, but whoever can write one can make a key.
//! - **Too many requests.** Throttle by principal with `palisade-rate-limit`.

mod grant;
mod key;
mod record;
mod store;
#[cfg(test)]
mod tests;
mod verifier;

pub use self::{
    grant::{ApiKeyGrant, InvalidApiKeyGrantError},
    key::{ApiKey, ApiKeyId, ApiKeyPrefix, InvalidApiKeyPrefixError},
    record::ApiKeyRecord,
    store::{AddApiKeyError, ApiKeyStore, ApiKeyStoreError, MemoryApiKeys},
    verifier::{ApiKeys, ApiKeysFuture, InvalidApiKeyIssuerError},
};
