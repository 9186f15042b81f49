use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use url::form_urlencoded;

use super::Refusal;
use super::form::Form;
use crate::builder::Client;

/// Authenticates by `client_secret_basic` or `client_secret_post` (RFC 6749 section 2.3.1).
pub(in crate::endpoints) fn authenticate<'a>(
    clients: &'a [Client],
    headers: &HeaderMap,
    form: &Form,
) -> Result<&'a Client, Refusal> {
    let mut authorization = headers.get_all(AUTHORIZATION).iter();
    let basic = match (authorization.next(), authorization.next()) {
        (value, None) => value.map(basic_credentials).transpose()?,
        (_, Some(_)) => return Err(Refusal::InvalidRequest("more than one `Authorization`")),
    };
    let (id, secret) = match (basic, form.one("client_id")?, form.one("client_secret")?) {
        // Section 2.3: "The client MUST NOT use more than one authentication method".
        (Some(_), _, Some(_)) => {
            return Err(Refusal::InvalidRequest("two ways of client authentication"));
        }
        (Some((id, _)), Some(named), None) if id != named => {
            return Err(Refusal::InvalidRequest("`client_id` is not the authenticated client"));
        }
        (Some(credentials), _, None) => credentials,
        (None, Some(id), Some(secret)) => (id.to_owned(), secret.to_owned()),
        (None, _, None) | (None, None, Some(_)) => return Err(Refusal::InvalidClient),
    };
    clients
        .iter()
        .find(|client| client.id == id)
        .filter(|client| {
            verify_slices_are_equal(client.secret.as_bytes(), secret.as_bytes()).is_ok()
        })
        .ok_or(Refusal::InvalidClient)
}

fn basic_credentials(value: &HeaderValue) -> Result<(String, String), Refusal> {
    decode_basic(value).ok_or(Refusal::InvalidClient)
}

fn decode_basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id), form_decode(secret)))
}

/// Section 2.3.1 form-encodes id and secret before they are joined. Many clients do not, so `&`
/// and `=`, which never occur in the encoding, stand for themselves.
fn form_decode(part: &str) -> String {
    let part = part.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(part.as_bytes())
        .next()
        .map_or_else(String::new, |(decoded, _)| decoded.into_owned())
}
