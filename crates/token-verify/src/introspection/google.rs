//! Google's `tokeninfo`, which is introspection by another name.
//!
//! It differs from RFC 7662 in four things: the parameter is `access_token`; nobody has to authenticate; there is no
//! `active`, an unknown token is a 400; numbers and booleans come as strings. And in one that matters: Google issues
//! tokens to *clients*, not for *resources*. Any application that a user ever allowed to read their name has tokens
//! that this endpoint calls good. So the client must be one of ours, or every such application could log in here as
//! its users.

use palisade_core::Resource;
use serde_json::{Map, Value};

use super::{
    IntrospectionRequest, IntrospectionResponse,
    answer::{Answer, Body, JSON, body, object, unreadable},
    failure::Failure,
};
use crate::{BearerToken, http_client::form};

/// Where Google answers.
pub(super) const TOKEN_INFO: &str = "https://oauth2.googleapis.com/tokeninfo";
/// What Google calls itself in its metadata.
pub(super) const ISSUER: &str = "https://accounts.google.com";

/// Whose tokens are taken, and for what.
#[derive(Clone, Debug)]
pub(super) struct Google {
    pub(super) client_ids: Vec<Box<str>>,
    pub(super) resource: Resource,
}

impl Google {
    /// In the body: an address with a token in it ends in the logs of whoever sees it.
    pub(super) fn request(token: &BearerToken) -> IntrospectionRequest {
        let body = form::encode(&[("access_token", token.expose())]);
        IntrospectionRequest { accept: JSON, authorization: None, body }
    }

    pub(super) fn read(&self, response: IntrospectionResponse) -> Result<Answer, Failure> {
        // Our request is well-formed, so what is bad about it is the token.
        if response.status == 400 {
            return Ok(Answer::Inactive);
        }
        match body(response)? {
            Body::Json(json) => self.translate(object(&json)?),
            Body::Signed(_) => Err(unreadable("its content type is that of something else")),
        }
    }

    /// Into the claims that RFC 7662 would have.
    fn translate(&self, mut members: Map<String, Value>) -> Result<Answer, Failure> {
        let is_ours = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|client| self.client_ids.iter().any(|ours| **ours == *client))
        };
        // `aud` is the client that the token was issued to, and `azp` the one that asked for it.
        if !is_ours("aud") || (members.contains_key("azp") && !is_ours("azp")) {
            tracing::debug!("a Google token of another client");
            return Ok(Answer::Inactive);
        }
        let expires: u64 = match members.get("exp") {
            Some(Value::String(digits)) if is_number(digits) => digits.parse().ok(),
            Some(Value::Number(number)) => number.as_u64(),
            _ => None,
        }
        .ok_or(unreadable("it does not say when the token expires"))?;
        members.insert("exp".to_owned(), expires.into());
        if let Some(client) = members.remove("aud") {
            members.insert("client_id".to_owned(), client);
        }
        if members.get("email_verified").is_some_and(|verified| verified == "true") {
            members.insert("email_verified".to_owned(), true.into());
        }
        // Stated by the operator, who named the clients: Google knows no resources of others.
        members.insert("aud".to_owned(), self.resource.as_str().into());
        Ok(Answer::Active(members))
    }
}

/// `parse` would take a sign, too.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
