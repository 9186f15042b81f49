use std::sync::{Arc, Mutex, PoisonError};

use palisade_audit_log::{AuditRecord, AuditSink};
use palisade_core::{Resource, ScopeSet};
use palisade_test_issuer::{TestIssuer, TokenBuilder};
use palisade_token_verify::{Issuer, JwtVerifier, keys::StaticKeys};
use tower::BoxError;

/// The resource that is protected.
pub const RESOURCE: &str = "https://rs.example/mcp";
/// One that is not ours.
pub const OTHER_RESOURCE: &str = "https://other.example/mcp";
/// The scope that all operations need.
pub const SCOPE: &str = "use";

const ISSUER: &str = "https://as.example";

/// An issuer in this process, and what trusts it.
#[derive(Clone, Debug)]
pub struct World {
    issuer: TestIssuer,
}

impl World {
    /// An issuer with one key.
    ///
    /// # Errors
    ///
    /// If there is no randomness to make a key from.
    pub fn new() -> Result<Self, BoxError> {
        Ok(Self { issuer: TestIssuer::builder().in_process(ISSUER)? })
    }

    /// A good token, to be spoilt as you like.
    pub fn token(&self) -> TokenBuilder {
        self.issuer.mint().subject("alice").client_id("app").audience(RESOURCE).scope(SCOPE)
    }

    /// Verifies the issuer's tokens.
    ///
    /// # Errors
    ///
    /// If the issuer's own key set is not accepted.
    pub fn verifier(&self) -> Result<JwtVerifier, BoxError> {
        let keys = StaticKeys::from_jwks_json(&self.issuer.jwks().to_string())?;
        Ok(JwtVerifier::new(Issuer::parse(ISSUER)?, keys)?)
    }

    /// Who the issuer is.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.issuer()
    }

    /// The protected resource.
    ///
    /// # Errors
    ///
    /// None: the constant is a resource.
    pub fn resource() -> Result<Resource, BoxError> {
        Ok(Resource::parse(RESOURCE)?)
    }

    /// What a good token grants.
    ///
    /// # Errors
    ///
    /// None: the constant is a scope.
    pub fn scopes() -> Result<ScopeSet, BoxError> {
        Ok(ScopeSet::parse(SCOPE)?)
    }
}

/// Keeps records for the test to look at.
#[derive(Clone, Debug, Default)]
pub struct CaptureSink(Arc<Mutex<Vec<AuditRecord>>>);

impl CaptureSink {
    /// Takes what has been recorded so far.
    #[must_use]
    pub fn take(&self) -> Vec<AuditRecord> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AuditSink for CaptureSink {
    fn record(&self, record: &AuditRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}
