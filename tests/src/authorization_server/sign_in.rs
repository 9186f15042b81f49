use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, header};
use http_body_util::Full;
use tower::BoxError;
use url::{Url, form_urlencoded};

use super::{AuthorizationServer, text};

const CLIENT: &str = "site";
const REDIRECT: &str = "https://site.example/callback";
/// RFC 7636 §4.1: at least 43 characters. A test has nobody to hide it from.
const VERIFIER: &str = "a-verifier-that-everybody-may-know-0123456789";
/// To the form, to its end, and back to the client; one to spare.
const MAX_HOPS: usize = 4;

/// What a client has after a person signed in.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedIn {
    /// For the resource.
    pub access_token: String,
    /// For the client, and for nobody else.
    pub id_token: String,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").finish_non_exhaustive()
    }
}

impl AuthorizationServer {
    /// Lets `alice` sign in at the client `site`: the authorization code flow with PKCE, as a browser goes it.
    ///
    /// # Errors
    ///
    /// If the flow ends anywhere else.
    pub async fn sign_in(&self, resource: &str, scope: &str) -> Result<SignedIn, BoxError> {
        let scope = format!("openid {scope}");
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", CLIENT)
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("response_type", "code")
            .append_pair("scope", &scope)
            .append_pair("resource", resource)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256")
            .finish();
        let code = self.code(&format!("{}?{query}", self.endpoint("/auth"))).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("resource", resource),
        ];
        let answer = self.http.post(&self.endpoint("/token"), CLIENT, &form, &[]).await?;
        let answer = answer.into_json()?;
        let access_token = text(&answer, "access_token")?;
        Ok(SignedIn { access_token, id_token: text(&answer, "id_token")? })
    }

    /// Follows redirects, with cookies, until one leads back to the client.
    async fn code(&self, start: &str) -> Result<String, BoxError> {
        let mut url = Url::parse(start)?;
        let mut cookies = BTreeMap::new();
        for _ in 0..MAX_HOPS {
            let jar: Vec<_> =
                cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = Request::get(url.as_str()).header(header::COOKIE, jar.join("; "));
            let answer = self.http.send(request.body(Full::default())?).await?;
            keep_cookies(&answer.headers, &mut cookies);
            let Some(location) = answer.headers.get(header::LOCATION) else {
                return Err(format!("{url} leads nowhere: {}", answer.status).into());
            };
            url = url.join(location.to_str()?)?;
            if url.as_str().starts_with(REDIRECT) {
                let code = url.query_pairs().find(|(name, _)| name == "code");
                return Ok(code.ok_or_else(|| format!("no code: {url}"))?.1.into_owned());
            }
        }
        Err("too many redirects".into())
    }
}

/// All of them go everywhere: there is one server, and it sees no harm in it.
fn keep_cookies(headers: &HeaderMap, cookies: &mut BTreeMap<String, String>) {
    for line in headers.get_all(header::SET_COOKIE) {
        let pair = line.to_str().ok().and_then(|line| line.split(';').next()?.split_once('='));
        if let Some((name, value)) = pair {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
