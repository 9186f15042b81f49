//! Where an issuer's tokens say what we need.

use super::{ClaimSource, TrustError, TrustedIssuer};

impl TrustedIssuer {
    /// Where the audience is; `aud` if not set. Of several places the first that is there counts.
    ///
    /// # What you give up
    ///
    /// `aud` is the only claim that says whom a token is for. With `client_id` instead, for issuers that
    /// write no `aud`, the audience check compares whom the token was issued *to*: whatever those clients may
    /// call, they may call here, and any other service that they call may pass their tokens on to this one.
    /// Never do it where clients choose their own ids, such as URLs: one would choose the identifier of your resource.
    ///
    /// List the client ids in the audience check one by one, for the tokens of this issuer only:
    /// `AudienceGuardLayer::add_audience_of_issuer` in palisade-audience-guard. Without that, such a token stays
    /// refused.
    ///
    /// # Errors
    ///
    /// [`TrustError::EmptyList`].
    pub fn audiences_from(
        mut self,
        places: impl IntoIterator<Item = ClaimSource>,
    ) -> Result<Self, TrustError> {
        self.audiences = at_least_one(places)?;
        Ok(self)
    }

    /// Where the subject is; `sub` if not set. Of several places the first that is there counts.
    ///
    /// # What you give up
    ///
    /// Only `sub` is unique and never given to somebody else. An e-mail address is neither.
    ///
    /// # Errors
    ///
    /// [`TrustError::EmptyList`].
    pub fn subjects_from(
        mut self,
        places: impl IntoIterator<Item = ClaimSource>,
    ) -> Result<Self, TrustError> {
        self.subjects = at_least_one(places)?;
        Ok(self)
    }

    /// Where the client is; `client_id` if not set. Of several places the first that is there counts.
    ///
    /// # Errors
    ///
    /// [`TrustError::EmptyList`].
    pub fn clients_from(
        mut self,
        places: impl IntoIterator<Item = ClaimSource>,
    ) -> Result<Self, TrustError> {
        self.clients = at_least_one(places)?;
        Ok(self)
    }

    /// Where the scopes are; `scope` if not set. Of several places the first that is there counts, but
    /// `scope` and `scp` must agree if both are listed and both are there.
    ///
    /// # Errors
    ///
    /// [`TrustError::EmptyList`].
    pub fn scopes_from(
        mut self,
        places: impl IntoIterator<Item = ClaimSource>,
    ) -> Result<Self, TrustError> {
        self.scopes = at_least_one(places)?;
        Ok(self)
    }

    /// Where roles or groups are; nowhere if not set. All places count.
    ///
    /// # Errors
    ///
    /// [`TrustError::EmptyList`].
    pub fn roles_from(
        mut self,
        places: impl IntoIterator<Item = ClaimSource>,
    ) -> Result<Self, TrustError> {
        self.roles = at_least_one(places)?;
        Ok(self)
    }
}

pub(super) fn at_least_one(
    places: impl IntoIterator<Item = ClaimSource>,
) -> Result<Vec<ClaimSource>, TrustError> {
    let places: Vec<_> = places.into_iter().collect();
    if places.is_empty() { Err(TrustError::EmptyList) } else { Ok(places) }
}
