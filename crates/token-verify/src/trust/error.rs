/// A rule cannot be set like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A limit or a rule for a claim that the verification itself depends on.
    #[error("this claim belongs to the protocol: it has rules of its own")]
    ClaimOfTheProtocol,
    /// A list without entries.
    #[error("the list is empty: name at least one entry, or leave it out")]
    EmptyList,
    /// More than five minutes.
    #[error("the leeway is longer than 300 seconds: set the clocks instead")]
    LeewayTooLong,
    /// A limit for something inside a claim, or for no claim.
    #[error("limits are for whole claims: give the name of a claim, and no JSON pointer")]
    LimitInsideClaim,
    /// HMAC beside asymmetric algorithms.
    #[error("HMAC and asymmetric algorithms are accepted together: name one kind only")]
    MixedAlgorithms,
    /// No algorithm.
    #[error("no algorithm is accepted: name at least one")]
    NoAlgorithm,
    /// More than 8, or none.
    #[error("the number of actors must be from 1 to 8: to refuse all of them is a rule of its own")]
    NumberOfActors,
    /// Neither the name of a claim nor a JSON pointer.
    #[error("not a claim: give its name, or a JSON pointer that begins with `/`")]
    NotAClaim,
    /// Not the domain of an e-mail address.
    #[error("not a domain: give what is behind the `@`, such as `example.com`")]
    NotADomain,
    /// Not a scope by RFC 6749 §3.3.
    #[error("not a scope: printable ASCII without space, `\"` and `\\`")]
    NotAScope,
    /// A type that is no media type, or that of a JWT that never grants access.
    #[error("not a type of access tokens: name the `typ` that the issuer writes, such as `JWT`")]
    NotAnAccessTokenType,
    /// Two entries of a map say the same.
    #[error("two scopes of the issuer have the same meaning, or one has two")]
    ScopeMappedTwice,
}
