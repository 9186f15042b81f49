//! Who is not let in, whatever the token says: revocation that works from the next request on.
//!
//! A token is good until it expires, and so is a cached verdict about it. The deny list is asked about every
//! request after the token was verified, by the layer, so it works on every kind of token, and on cached ones.
//!
//! | denied | by | answer |
//! |---|---|---|
//! | an address or a network | [`DenyEntry::address`] | 403 `address_denied`, before the token is looked at |
//! | a subject, also as current actor | [`DenyEntry::subject`], [`DenyEntry::subject_of_any_issuer`] | 401 `token_revoked` |
//! | a client | [`DenyEntry::client`], [`DenyEntry::client_of_any_issuer`] | 401 `token_revoked` |
//! | a token, an API key | [`DenyEntry::token`] | 401 `token_revoked` |
//! | an issuer | [`DenyEntry::issuer`] | 401 `token_revoked` |
//! | what was issued before a moment | [`DenyEntry::issued_before`] on a subject, client or issuer | 401 `token_revoked` |
//!
//! 401 is what RFC 6750 §3.1 has for a token that is "expired, revoked, malformed, or invalid for other
//! reasons". The client is told no more than that; the record has the code, what was found, and the label of
//! the entry. If there are addresses on the list and a request has no
//! [`ClientAddr`](palisade_core::ClientAddr), it is refused with 500: to pass over the entry would be to let
//! everybody in.
//!
//! # Where entries come from
//!
//! - From code: [`DenyList::deny`], [`DenyList::lift`].
//! - From a file: [`DenyList::from_file`], and then `FileWatcher` (feature `reload`).
//! - From a store that several services share: `SharedDenyList` (feature `reload`).
//! - From anywhere else: [`DenyList::feed`].
//!
//! Requests never wait for any of these. They see what is in memory.
//!
//! # The file
//!
//! One JSON object a line; empty lines and lines that begin with `#` are passed over. A file of which one line
//! is wrong is not used at all, and the entries before it stay.
//!
//! ```text
//! # Lost laptop, until its tokens are over anyway.
//! {"subject":"alice","issuer":"https://as.example","issued_before":"2027-01-31T08:00:00Z","label":"laptop"}
//! {"token_id":"7Wk0vT3mQ2xYb9Lc","issuer":"https://api.example/keys","label":"leaked"}
//! {"address":"192.0.2.0/24","until":"2027-02-01T00:00:00Z"}
//! ```
//!
//! | key | what |
//! |---|---|
//! | `subject`, `client_id`, `token_id`, `address` | what is denied, one of them; or only the issuer |
//! | `issuer` | whose; without it, a subject or client of any issuer |
//! | `issued_before` | a date: only what was issued before |
//! | `until` | a date: from then on the line says nothing |
//! | `label` | why, for the record |
//!
//! Replace the file by renaming another one over it. A file that is written in place can be seen half written.
//!
//! # What it does not protect against
//!
//! - **Answers that are under way.** A stream that has begun is not cut off.
//! - **A restart**, for entries from code: they are in memory. Keep them where a feed finds them.
//! - **Tokens without the name that is denied**, such as a `jti` that the issuer does not set.
//! - **Clients that change their address.**

mod entry;
mod list;
mod network;
#[cfg(feature = "reload")]
mod shared;
mod tables;
#[cfg(test)]
mod tests;

#[cfg(feature = "reload")]
pub use self::shared::{DenyListStore, PulledEntries, SharedDenyList, SharedDenyListError};
pub use self::{
    entry::{DenyEntry, InvalidDenyEntryError},
    list::{DenyList, DenyListFeed, DenyListFullError, WhenStale},
    network::{InvalidNetworkError, Network},
};
