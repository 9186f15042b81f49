//! Keys from where a trust says they are.

use std::{error::Error, sync::Arc};

use super::{AnyKeySource, StaticKeys};
use crate::trust::{KeyLocation, TrustedIssuer};

type BoxError = Box<dyn Error + Send + Sync>;

pub(crate) fn located(issuer: &TrustedIssuer) -> Result<Arc<dyn AnyKeySource>, BoxError> {
    match issuer.key_location() {
        KeyLocation::Discovery | KeyLocation::JwksUri(_) => remote(issuer),
        KeyLocation::Inline(set) => Ok(Arc::new(StaticKeys::from_jwks_json(set)?)),
        KeyLocation::Supplied => {
            Err("they are supplied in the code: use `JwtVerifier::new`".into())
        }
    }
}

#[cfg(feature = "http-source")]
fn remote(issuer: &TrustedIssuer) -> Result<Arc<dyn AnyKeySource>, BoxError> {
    use super::{HttpSource, RemoteKeys};

    let source = match issuer.key_location() {
        KeyLocation::JwksUri(url) => HttpSource::new(url.as_str())?,
        KeyLocation::Discovery | KeyLocation::Inline(_) | KeyLocation::Supplied => {
            HttpSource::discover(issuer.issuer())?
        }
    };
    let source = source.address_policy(issuer.allowed_addresses())?;
    Ok(Arc::new(RemoteKeys::spawn(source)?))
}

#[cfg(not(feature = "http-source"))]
fn remote(_: &TrustedIssuer) -> Result<Arc<dyn AnyKeySource>, BoxError> {
    Err("they are to be fetched: switch on the feature `http-source`".into())
}
