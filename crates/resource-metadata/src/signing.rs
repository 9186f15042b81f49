//! Metadata with a signature (RFC 9728 §2.2).

use std::{error::Error, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::Resource;
use serde_json::json;

use crate::{MetadataError, algorithm, members::Members};

const MAX_KEY_ID_BYTES: usize = 256;

/// A key of yours that signs metadata: in this process, in an HSM, or behind the API of a key management
/// service.
///
/// It is asked once, when a layer is made of the metadata, and may block then.
///
/// A wrong signature is tolerable: clients that verify signatures will not use the document, and others do not
/// look at it.
///
/// ```
/// use palisade_core::Resource;
/// use palisade_resource_metadata::{Metadata, SignMetadata, SigningError};
///
/// struct Kms;
///
/// impl SignMetadata for Kms {
///     fn algorithm(&self) -> &str {
///         "ES256"
///     }
///
///     fn key_id(&self) -> Option<&str> {
///         Some("2026-11")
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
///         # fn ask_the_service(_: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![0; 64]) }
///         ask_the_service(message).map_err(SigningError::new)
///     }
/// }
///
/// let metadata = Metadata::new(Resource::parse("https://api.example.com/files")?)
///     .add_authorization_server("https://as.example.com")?
///     .signed_by("https://api.example.com", Kms)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait SignMetadata: Send + Sync {
    /// The name of the algorithm in JWS (RFC 7518 §3.1), such as `ES256`.
    fn algorithm(&self) -> &str;

    /// The name of the key in the key set where clients find its public half, if it has one.
    fn key_id(&self) -> Option<&str>;

    /// The signature of `message`, in the form that JWS wants: ECDSA as r‖s and not as DER (RFC 7518 §3.4).
    ///
    /// # Errors
    ///
    /// [`SigningError`], whatever went wrong. No layer is made then.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

/// Metadata could not be signed.
#[derive(Clone, Debug)]
pub struct SigningError(Arc<dyn Error + Send + Sync>);

impl SigningError {
    /// With what the signer says. It must not say anything of the key.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signer did not sign")
    }
}

impl Error for SigningError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

impl PartialEq for SigningError {
    /// Whether it is the same event.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SigningError {}

/// Who signs, and in whose name.
#[derive(Clone)]
pub(crate) struct Attestation {
    issuer: Box<str>,
    signer: Arc<dyn SignMetadata>,
}

impl Attestation {
    pub(crate) fn new(
        issuer: &str,
        signer: impl SignMetadata + 'static,
    ) -> Result<Self, MetadataError> {
        Resource::parse(issuer)
            .map_err(|source| MetadataError::InvalidUrl { member: "iss", source })?;
        // RFC 9728 §2.2 allows MACs. Whoever could check one could make it.
        if !algorithm::is_asymmetric(signer.algorithm()) {
            return Err(MetadataError::InvalidAlgorithm { member: "alg" });
        }
        let is_id =
            |id: &str| (1..=MAX_KEY_ID_BYTES).contains(&id.len()) && !id.contains(char::is_control);
        if !signer.key_id().is_none_or(is_id) {
            return Err(MetadataError::InvalidKeyId);
        }
        Ok(Self { issuer: issuer.into(), signer: Arc::new(signer) })
    }

    /// A JWS (RFC 7515 §3.1) "with metadata values about the protected resource as claims", all of them.
    pub(crate) fn sign(&self, members: &Members) -> Result<String, MetadataError> {
        let mut header = json!({ "alg": self.signer.algorithm() });
        if let (Some(id), Some(header)) = (self.signer.key_id(), header.as_object_mut()) {
            header.insert("kid".to_owned(), id.into());
        }
        // "MUST contain an `iss` (issuer) claim denoting the party attesting to the claims".
        let claims = serde_json::to_string(&members.after("iss", &self.issuer)).unwrap_or_default();
        let encode = |part: String| URL_SAFE_NO_PAD.encode(part);
        let message = format!("{}.{}", encode(header.to_string()), encode(claims));
        let signature = self
            .signer
            .sign(message.as_bytes())
            .and_then(|signature| {
                if signature.is_empty() {
                    Err(SigningError::new("no signature"))
                } else {
                    Ok(signature)
                }
            })
            .map_err(|source| MetadataError::Signing { source })?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attestation")
            .field("issuer", &self.issuer)
            .field("algorithm", &self.signer.algorithm())
            .field("key_id", &self.signer.key_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
