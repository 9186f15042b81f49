/// Whether tokens must be bound to a key that their sender proves to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SenderConstraint {
    /// Bearer tokens are accepted. Bound tokens need their proof all the same.
    Optional,
    /// A token that is not bound is refused.
    Required,
}
