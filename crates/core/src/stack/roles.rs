//! What a layer is for.
//!
//! A role is a promise about a layer that types cannot see. Implement one for a layer of your own to use
//! it in an [`AccessStack`](super::AccessStack); a [`GuardLayer`] has the roles of its check.

use crate::GuardLayer;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident: $message:literal;)*) => {$(
        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "this layer has another role in the access stack",
            note = "each method of `AccessStack` takes layers of one role only, so that no protection ends up in the wrong place"
        )]
        pub trait $role {}

        // The message is about the layer at hand, not about a check that it might be made of.
        #[diagnostic::do_not_recommend]
        impl<C: $role, R> $role for GuardLayer<C, R> {}
    )*};
}

roles! {
    /// Answers preflights (Fetch, "CORS protocol") and lets scripts of allowed origins read answers.
    AnswersPreflights: "`{Self}` is not a layer that answers preflights";
    /// Keeps a [`Trail`](crate::Trail) of each request and records how it ended.
    Audits: "`{Self}` is not a layer that records requests";
    /// Publishes resource metadata and leaves a [`ProtectedResource`](crate::ProtectedResource).
    PublishesMetadata: "`{Self}` is not a layer that publishes resource metadata";
    /// Remembers the credentials of requests, so that they are recognised where they must not be sent.
    WatchesCredentials: "`{Self}` is not a layer that remembers credentials";
    /// Limits how many requests pass.
    Limits: "`{Self}` is not a layer that limits requests";
    /// Verifies a credential and leaves a [`Principal`](crate::Principal), or refuses.
    Authenticates: "`{Self}` is not a layer that verifies a credential";
    /// Refuses principals whose credential was meant for another resource, and marks the others.
    ChecksAudience: "`{Self}` is not a layer that checks the audience";
    /// Reads a protocol and leaves an [`Operation`](crate::Operation), or refuses.
    NamesOperation: "`{Self}` is not a layer that reads a protocol";
    /// Decides whether the principal may do what it asks for.
    Authorizes: "`{Self}` is not a layer that decides whether the operation is allowed";
}
