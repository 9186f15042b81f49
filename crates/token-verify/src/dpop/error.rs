use palisade_core::EndpointsError;

/// [`DpopProofs`](super::DpopProofs) cannot be made like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopProofsError {
    /// The cryptographic library that was linked gives wrong answers to known questions.
    #[error("the cryptographic library fails its self-test: do not use this build")]
    BrokenBackend,
    /// No path tells the resources apart.
    #[error("the resources cannot be told apart: give each a path of its own")]
    Endpoints {
        /// What is wrong with them.
        source: EndpointsError,
    },
    /// No algorithm.
    #[error("no algorithm is accepted: name at least one")]
    NoAlgorithm,
    /// The origin of the resource is nothing that proofs can name.
    #[error("the resource has no origin that a proof can name: write `https://host/path`")]
    NoOrigin,
    /// HMAC: who could check such a proof could make it.
    #[error("an algorithm is symmetric: proofs are signed with public keys, leave out HMAC")]
    SymmetricAlgorithm,
    /// More than five minutes.
    #[error("the window for proofs is longer than 300 seconds: set the clocks, or require nonces")]
    WindowTooLong,
}
