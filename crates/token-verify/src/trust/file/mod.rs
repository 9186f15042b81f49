//! Trust that is written in a file.
//!
//! A file has one `[[issuer]]` table for each issuer. All that [`TrustedIssuer`] can be told, it can be told
//! here; the same rules have the same digest, wherever they were written.
//!
//! ```
//! use palisade_token_verify::trust::Trust;
//!
//! let trust = Trust::from_toml(r#"
//!     [[issuer]]
//!     issuer = "https://sso.example/realms/acme"
//!     profile = "keycloak"
//!     max_lifetime_seconds = 3600
//!
//!     [issuer.require]
//!     acr = { one_of = ["2", "3"] }
//!
//!     [[issuer]]
//!     issuer = "https://login.partner.example"
//!     jwks_uri = "https://login.partner.example/keys"
//!
//!     [issuer.limits]
//!     email = { domains = ["partner.example"] }
//!     groups = "nothing"
//! "#)?;
//! assert_eq!(trust.issuers().len(), 2);
//!
//! let error = Trust::from_toml("[[issuer]]\nissuer = \"https://as.example\"\nleeway = 5").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "line 3, column 1, `issuer[0].leeway`: unknown key: did you mean `leeway_seconds`?",
//! );
//! # Ok::<_, palisade_token_verify::trust::file::TrustFileError>(())
//! ```
//!
//! # Keys
//!
//! | key | value | what for |
//! |---|---|---|
//! | `issuer` | string | the issuer, byte for byte; the only key that must be there |
//! | `profile` | name, or `{ name, client_id }` for `google` | start from a [`Profile`](super::Profile), not from RFC 9068 |
//! | `keys` | `"discovery"`, `"supplied"` | where the keys are; |
//! | `jwks_uri` | URL | one of these three |
//! | `jwks` | a JWK Set as a string | |
//! | `algorithms` | array | [`algorithms`](TrustedIssuer::algorithms) |
//! | `types` | array | [`accept_type`](TrustedIssuer::accept_type), each |
//! | `accept_missing_type` | `true` | [`accept_missing_type`](TrustedIssuer::accept_missing_type) |
//! | `require_rfc9068` | `true` | [`require_rfc9068`](TrustedIssuer::require_rfc9068) |
//! | `[issuer.require]` | claim = value, `{ one_of = [..] }`, `{ present = true }`, `{ absent = true }` | [`require_claim`](TrustedIssuer::require_claim), each |
//! | `require_any` | array of arrays of places | [`require_any_claim`](TrustedIssuer::require_any_claim), each |
//! | `leeway_seconds` | number | [`leeway`](TrustedIssuer::leeway) |
//! | `max_lifetime_seconds` | number | [`max_lifetime`](TrustedIssuer::max_lifetime) |
//! | `max_age_seconds` | number | [`max_age`](TrustedIssuer::max_age) |
//! | `audiences`, `subjects`, `clients`, `scopes`, `roles` | arrays of places | where they are |
//! | `[issuer.scope_map]` | requested = in the token | [`map_scope`](TrustedIssuer::map_scope), each |
//! | `scope_prefix` | string | [`scope_prefix`](TrustedIssuer::scope_prefix) |
//! | `actors` | `"none"`, or `{ max_depth, one_of = [{ subject, issuer }] }` | [`actors`](TrustedIssuer::actors) |
//! | `addresses` | `"public"`, `"private"` | [`addresses`](TrustedIssuer::addresses) |
//! | `sender_constraint` | `"optional"`, `"required"` | [`sender_constraint`](TrustedIssuer::sender_constraint) |
//! | `[issuer.limits]` | claim = `"nothing"`, `{ values = [..] }`, `{ domains = [..] }` | [`limit_claim`](TrustedIssuer::limit_claim), each |
//!
//! A place is the name of a claim, a JSON pointer, or `{ member_names = place }`, see
//! [`ClaimSource`](super::ClaimSource). Rules of a profile stay, and those of the file are added; lists of places and of
//! algorithms take the place of the profile's.
//!
//! A key that is not in this table is an error, never ignored. There is no place for secrets.

mod error;
mod issuer;
mod nearest;
mod node;
#[cfg(test)]
mod tests;

use toml::de::DeTable;

pub use self::error::TrustFileError;
use self::node::Table;
use super::{Trust, TrustedIssuer};

const MAX_BYTES: usize = 256 * 1024;

impl Trust {
    /// Reads a file, see [the module](crate::trust::file).
    ///
    /// # Errors
    ///
    /// [`TrustFileError`], with the line, for the first thing in it that cannot be used. A file of more than
    /// 256 KiB is refused.
    pub fn from_toml(text: &str) -> Result<Self, TrustFileError> {
        if text.len() > MAX_BYTES {
            return Err(TrustFileError::new("", 0, "", "the file is larger than 256 KiB"));
        }
        let document =
            DeTable::parse(text).map_err(|error| TrustFileError::syntax(text, &error))?;
        let document = Table::document(text, document.get_ref()).only(&["issuer"])?;
        let Some(tables) = document.get("issuer") else {
            return Err(document.error("no issuer is trusted: add a table `[[issuer]]`"));
        };
        if tables.is_table() {
            return Err(tables.error("write `[[issuer]]`, with two brackets: there can be several"));
        }
        let mut issuers: Vec<TrustedIssuer> = Vec::new();
        for node in tables.list()? {
            let table = node.table()?.only(&issuer::KEYS)?;
            let issuer = issuer::read(&table)?;
            if issuers.iter().any(|known| known.issuer() == issuer.issuer()) {
                let again = table.required("issuer")?;
                return Err(again.error("there are two sets of rules for this issuer: keep one"));
            }
            if let (Some(limits), Some(_)) = (table.get("limits"), issuer.evaded_limit()) {
                return Err(limits.error(
                    "the issuer could say it in another place of the same list: limit all of them, or list one",
                ));
            }
            issuers.push(issuer);
        }
        Self::of(issuers).map_err(|error| tables.refuse(&error))
    }
}
