use palisade_core::Principal;

use crate::{BearerToken, Rejection};

/// Turns an access token into a [`Principal`], or rejects it.
///
/// The crate's own verifiers implement it; so does any closure that takes a [`BearerToken`] and returns a
/// future.
///
/// ```
/// use palisade_core::Principal;
/// use palisade_token_verify::{BearerToken, Rejection, TokenVerifyLayer};
///
/// let layer = TokenVerifyLayer::new(async |token: BearerToken| match token.expose() {
///     "demo" => Ok(Principal::assert_verified("https://as.example", "alice").build()),
///     _ => Err(Rejection::Inactive),
/// });
/// # let _ = layer;
/// ```
///
/// # For implementors
///
/// An `Ok` is believed: every layer inside acts on it. If the token is bound to a key, say so with
/// [`confirmation`](palisade_core::PrincipalBuilder::confirmation): the layer then lets nobody pass who
/// does not prove to have the key. Everything else may be wrong in one way only, and
/// that is to refuse too much. Whatever you cannot find out now is
/// [`Rejection::KeysUnavailable`] or [`Rejection::IntrospectionUnavailable`], never another variant and never an `Ok`: a
/// client that is told that its good token is invalid throws it away and sends its user to log in again.
///
/// The future must be cancel safe: it is dropped when the client hangs up.
pub trait VerifyToken {
    /// Resolves to the verdict.
    type Future: Future<Output = Result<Principal, Rejection>>;

    /// Verifies one token.
    fn verify(&self, token: BearerToken) -> Self::Future;
}

impl<F, Fut> VerifyToken for F
where
    F: Fn(BearerToken) -> Fut,
    Fut: Future<Output = Result<Principal, Rejection>>,
{
    type Future = Fut;

    fn verify(&self, token: BearerToken) -> Fut {
        self(token)
    }
}
