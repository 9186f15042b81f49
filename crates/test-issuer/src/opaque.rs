use std::collections::HashMap;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::error::TestIssuerError;

/// What the token endpoint issues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TokenFormat {
    #[default]
    Jwt,
    Opaque,
}

/// The tokens that mean nothing to anybody else, and what they mean.
#[derive(Debug, Default)]
pub(crate) struct OpaqueTokens(HashMap<String, Map<String, Value>>);

impl OpaqueTokens {
    pub(crate) fn issue(&mut self, claims: Map<String, Value>) -> Result<String, TestIssuerError> {
        let mut random = [0; 24];
        rand::fill(&mut random).map_err(|_| TestIssuerError::Randomness)?;
        let token = format!("opaque_{}", URL_SAFE_NO_PAD.encode(random));
        self.0.insert(token.clone(), claims);
        Ok(token)
    }

    pub(crate) fn find(&self, token: &str) -> Option<&Map<String, Value>> {
        self.0.get(token)
    }

    pub(crate) fn revoke(&mut self, token: &str) -> Result<(), TestIssuerError> {
        self.0.remove(token).map(drop).ok_or(TestIssuerError::UnknownToken)
    }
}
