//! Debian's glewlwyd, behind a proxy that records.

use std::fmt;

use serde_json::{Value, json};
use tower::BoxError;

use crate::{Client, Proxy, Running, Wire, artifacts, node24, places};

/// A second authorization server, which has nothing in common with [`Issuer`](crate::Issuer): its issuer has a path, it
/// publishes the OpenID discovery document alone, and it introspects JWTs. See `glewlwyd/serve.mjs` for its clients.
///
/// It ends with this value.
pub struct Glewlwyd {
    issuer: String,
    process: Client,
    _proxy: Running,
}

impl Glewlwyd {
    /// Starts one from an empty database, kept with its log in the artifacts of `test`.
    ///
    /// # Errors
    ///
    /// If it is not installed, or does not start.
    pub async fn start(wire: &Wire, test: &str) -> Result<Self, BoxError> {
        places::installed("/usr/bin/glewlwyd".into(), "glewlwyd")?;
        let proxy = Proxy::bind().await?;
        let mut process = Client::program(node24()?)
            .arg(places::here().join("glewlwyd/serve.mjs"))
            .arg(artifacts(test)?)
            .arg(proxy.url())
            .start()?;
        let serving = process.step("serving").await?;
        let text = |name: &str| serving.get(name).and_then(Value::as_str).unwrap_or_default();
        let (issuer, address) = (text("issuer").to_owned(), text("address").parse()?);
        Ok(Self { issuer, process, _proxy: proxy.forward(wire, address) })
    }

    /// Issues tokens for these resources from now on.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub async fn serve(&mut self, resources: &[&str]) -> Result<(), BoxError> {
        self.process.tell(&json!(resources)).await?;
        self.process.step("told").await.map(drop)
    }

    /// Who it is: a URL with a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.issuer
    }
}

impl fmt::Debug for Glewlwyd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glewlwyd").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
