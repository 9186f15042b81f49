use palisade_core::{
    EndpointsError, InvalidResourceError, Resource, ScopeSet, UnreadableValueError,
};
use thiserror::Error;

use crate::SigningError;

/// Something cannot be published as metadata of a resource.
// Values are shown only once they are known to hold no user information.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The same authorization server twice.
    #[error("the authorization server `{issuer}` is listed twice: remove one of the two")]
    DuplicateAuthorizationServer {
        /// Its issuer identifier.
        issuer: Box<str>,
    },
    /// The same member twice, in the same language.
    #[error("`{name}` is there twice: remove one of the two")]
    DuplicateName {
        /// The name of the first.
        name: Box<str>,
    },
    /// A member that says nothing (RFC 9728 §3.2: "parameters with zero elements MUST be omitted").
    #[error("`{name}` says nothing: leave it out, or give it a value")]
    Empty {
        /// The name.
        name: Box<str>,
    },
    /// Several resources cannot be told apart.
    #[error("the resources cannot be told apart: give each a path of its own")]
    Endpoints {
        /// Why not.
        source: EndpointsError,
    },
    /// `none`, a MAC where a signature is needed, or no name at all.
    #[error(
        "`{member}` names no algorithm that may be there: write names such as `ES256` or `EdDSA`"
    )]
    InvalidAlgorithm {
        /// The member, or the header parameter.
        member: &'static str,
    },
    /// Not an issuer identifier.
    #[error("the authorization server cannot be listed: write its `issuer` as it publishes it")]
    InvalidAuthorizationServer {
        /// What is wrong with it.
        source: InvalidResourceError,
    },
    /// The id of a key is empty, longer than 256 bytes or not clean text.
    #[error("the signer's key has no usable id: give one of at most 256 bytes, or none")]
    InvalidKeyId,
    /// Not a language tag.
    #[error("`{tag}` is no language tag: write one as in BCP 47, such as `en` or `pt-BR`")]
    InvalidLanguage {
        /// What was given.
        tag: Box<str>,
    },
    /// The name of an extension is empty, longer than 128 bytes or not clean text.
    #[error(
        "an extension has no usable name: give it one of at most 128 bytes without white space"
    )]
    InvalidName,
    /// Not a URL that may be published.
    #[error("`{member}` cannot be published: write an absolute `https` URL")]
    InvalidUrl {
        /// The member of the document.
        member: &'static str,
        /// What is wrong with it.
        source: InvalidResourceError,
    },
    /// Nobody to get a token from.
    #[error("the metadata names no authorization server: add at least one")]
    NoAuthorizationServer,
    /// `offline_access` is between a client and its authorization server. Asking for it here makes every
    /// client ask for refresh tokens.
    #[error("`offline_access` is no scope of a resource: remove it")]
    OfflineAccess,
    /// An issuer identifier with a query (RFC 8414 §2: "no query or fragment components").
    #[error("the issuer of an authorization server has a query: remove the `?` and what follows")]
    QueryInAuthorizationServer,
    /// An extension by a name that has a meaning already.
    #[error("`{name}` has a meaning of its own: use its method, or choose another name")]
    RegisteredName {
        /// The name.
        name: Box<str>,
    },
    /// Two resources own the root of the host.
    #[error("`{owner}` is at the root of the host, so its document is there: name no other owner")]
    RootTaken {
        /// Who owns it.
        owner: Resource,
    },
    /// The signer did not sign.
    #[error("the metadata cannot be signed: see to the signer, or leave the signature out")]
    Signing {
        /// Why not.
        source: SigningError,
    },
    /// More than 64 KiB, the signed form included.
    #[error("the document has {bytes} bytes, and clients may read no more than 65536: say less")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// A resource that is not published here.
    #[error("`{resource}` is not published by this layer: name one of its resources")]
    UnknownResource {
        /// The resource.
        resource: Resource,
    },
    /// Scopes that some client in use would misread in a challenge.
    #[error(
        "the scopes `{scopes}` cannot stand in challenges: name others, or other ones by `challenge_scope`"
    )]
    UnreadableScopes {
        /// Those that challenges are to name.
        scopes: ScopeSet,
        /// What clients would misread.
        source: UnreadableValueError,
    },
    /// A URL of the document that some client in use would misread in a challenge.
    #[error("`{url}` cannot stand in challenges: give the resource another path or query")]
    UnreadableUrl {
        /// The URL of the document.
        url: Box<str>,
        /// What clients would misread.
        source: UnreadableValueError,
    },
}
