//! Keys made of a verified principal.

use std::hash::{Hash, Hasher};

use http::request::Parts;
use palisade_core::{Operation, Principal};

use super::ExtractKey;

/// One bucket for each principal: issuer *and* subject, because a subject is unique within one issuer
/// only (RFC 9068 §5).
///
/// Needs a layer that verifies credentials outside.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PerPrincipal;

impl PerPrincipal {
    /// One bucket for each principal.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl ExtractKey for PerPrincipal {
    type Key = PrincipalKey;

    fn key(&self, request: &Parts) -> Option<PrincipalKey> {
        request.extensions.get().cloned().map(PrincipalKey)
    }
}

/// Issuer and subject.
// The principal itself, which is an `Arc`: two copied strings per request would say no more.
#[derive(Clone, Debug)]
pub struct PrincipalKey(Principal);

impl PrincipalKey {
    fn parts(&self) -> (&str, &str) {
        (self.0.issuer(), self.0.subject())
    }
}

impl PartialEq for PrincipalKey {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for PrincipalKey {}

impl Hash for PrincipalKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

/// One bucket for each OAuth client: issuer and client id. All users of one application share it.
///
/// Needs a layer that verifies credentials outside, and an issuer that names the client in its tokens, as
/// RFC 9068 §2.2 demands. A token that does not is answered like a missing principal: with 500.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PerClient;

impl PerClient {
    /// One bucket for each OAuth client.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl ExtractKey for PerClient {
    type Key = ClientKey;

    fn key(&self, request: &Parts) -> Option<ClientKey> {
        let principal = request.extensions.get::<Principal>()?;
        principal.client_id().map(|_| ClientKey(principal.clone()))
    }
}

/// Issuer and client id.
#[derive(Clone, Debug)]
pub struct ClientKey(Principal);

impl ClientKey {
    fn parts(&self) -> (&str, Option<&str>) {
        (self.0.issuer(), self.0.client_id())
    }
}

impl PartialEq for ClientKey {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for ClientKey {}

impl Hash for ClientKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

/// One bucket for each principal and operation: a quota of each tool for each user.
///
/// Needs a layer that verifies credentials outside. Use it only inside a layer that lets a closed set of
/// operations pass, such as a scope policy: a caller who can make up operations, paths among them, has as
/// many buckets. A [`PerPrincipal`] limit around it bounds the sum.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PerPrincipalAndOperation;

impl PerPrincipalAndOperation {
    /// One bucket for each principal and operation.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl ExtractKey for PerPrincipalAndOperation {
    type Key = (PrincipalKey, Operation);

    fn key(&self, request: &Parts) -> Option<Self::Key> {
        let principal = PerPrincipal.key(request)?;
        Some((principal, Operation::of(request).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use http::Request;

    use super::*;

    fn request_of(issuer: &str, subject: &str, client: Option<&str>) -> Parts {
        let principal = Principal::assert_verified(issuer, subject);
        let principal = match client {
            Some(client) => principal.client_id(client),
            None => principal,
        };
        let mut request = Request::new(());
        request.extensions_mut().insert(principal.build());
        request.into_parts().0
    }

    /// Equal, and of equal hash. The limit looks at the hash alone.
    fn same<K: Eq + Hash>(one: &K, other: &K) -> bool {
        let hash = RandomState::new();
        assert_eq!(one == other, hash.hash_one(one) == hash.hash_one(other));
        one == other
    }

    #[test]
    fn rl_04_all_parts_of_a_key_count_and_do_not_run_together() {
        for (name, one, other, expected) in [
            ("the same", ("i", "a"), ("i", "a"), true),
            ("another name", ("i", "a"), ("i", "b"), false),
            ("another issuer", ("i", "a"), ("j", "a"), false),
            ("a separator moved", ("a:b", "c"), ("a", "b:c"), false),
            ("a letter moved", ("ab", "c"), ("a", "bc"), false),
            ("an empty part", ("ab", ""), ("", "ab"), false),
        ] {
            let principal =
                |(issuer, subject)| PerPrincipal.key(&request_of(issuer, subject, None));
            assert_eq!(same(&principal(one), &principal(other)), expected, "principal: {name}");
            let client = |(issuer, id)| PerClient.key(&request_of(issuer, "alice", Some(id)));
            assert_eq!(same(&client(one), &client(other)), expected, "client: {name}");
        }
    }

    #[test]
    fn each_operation_of_a_principal_counts_apart() {
        let key = |subject, name: &'static str| {
            let mut request = request_of("https://as.example", subject, None);
            Operation::new("rpc", name).leave_in(&mut request);
            PerPrincipalAndOperation.key(&request)
        };
        assert!(same(&key("alice", "a"), &key("alice", "a")));
        assert!(!same(&key("alice", "a"), &key("alice", "b")));
        assert!(!same(&key("alice", "a"), &key("bob", "a")));
    }

    #[test]
    fn the_users_of_a_client_share_its_bucket_and_only_its_bucket() {
        let app = |subject| request_of("https://as.example", subject, Some("app"));
        assert_eq!(PerClient.key(&app("alice")), PerClient.key(&app("bob")));
        assert_ne!(PerPrincipal.key(&app("alice")), PerPrincipal.key(&app("bob")));
        assert!(PerClient.key(&request_of("https://as.example", "alice", None)).is_none());
    }

    #[test]
    fn no_principal_is_no_key() {
        let (parts, ()) = Request::new(()).into_parts();
        assert!(PerPrincipal.key(&parts).is_none());
        assert!(PerClient.key(&parts).is_none());
        assert!(PerPrincipalAndOperation.key(&parts).is_none());
    }
}
