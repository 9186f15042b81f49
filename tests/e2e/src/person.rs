//! The person at the browser of a client in Rust.

use tower::BoxError;
use url::Url;

/// Where clients say that they are. Nothing listens there.
pub const REDIRECT: &str = "http://127.0.0.1:3999/callback";

const MAX_HOPS: usize = 10;

/// Follows redirects, with cookies, until one leads back to the client. Signing in asks for nothing.
///
/// # Errors
///
/// If they end anywhere else.
pub async fn visit(start: &str) -> Result<String, BoxError> {
    let http = reqwest::Client::builder()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut here = Url::parse(start)?;
    for _ in 0..MAX_HOPS {
        let answer = http.get(here.clone()).send().await?;
        let Some(location) = answer.headers().get("location") else {
            return Err(format!("{} leads nowhere: {}", here.path(), answer.status()).into());
        };
        here = here.join(location.to_str()?)?;
        if here.as_str().starts_with(REDIRECT) {
            return Ok(here.into());
        }
    }
    Err("too many redirects".into())
}
