//! Answers as signed JWTs (RFC 9701).

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{
    answer::{BOUNDS, unreadable},
    failure::Failure,
};
use crate::{
    Issuer,
    crypto::SignatureAlgorithm,
    json::read_object,
    keys::{KeyAnswer, KeyHint, KeyLookup, KeySource},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How old an answer may be, beside the leeway. Ours are made while we wait for them; an older one is a replay.
const MAX_AGE: Duration = Duration::from_secs(60);
const MAX_KID_BYTES: usize = 256;

/// Each of them changes what the signature covers or what the payload is.
const REFUSED: [&str; 4] = ["b64", "crit", "cty", "zip"];

/// Whether answers must be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedAnswers {
    /// Signed ones are verified. Plain ones are believed because of TLS.
    Accepted,
    /// A plain answer is an outage, whatever it says.
    Required,
}

/// Who must have signed for whom.
#[derive(Clone, Debug)]
pub(super) struct Expected<K> {
    pub(super) keys: K,
    pub(super) how: SignedAnswers,
    /// Our name as a client or as a resource, in `aud`.
    pub(super) recipient: Box<str>,
}

impl<K: KeySource> Expected<K> {
    /// The `token_introspection` of a JWT that the issuer signed for us just now.
    pub(super) async fn read(
        &self,
        body: &[u8],
        issuer: &Issuer,
        leeway: Duration,
        now: SystemTime,
    ) -> Result<Map<String, Value>, Failure> {
        let jwt = str::from_utf8(body)
            .map_err(|_| unreadable("the signed answer is not a JWT of three parts"))?
            .trim_ascii();
        let parts = Parts::split(jwt)?;
        let header = Header::read(parts.header)?;
        let payload = decode_object(parts.payload)?;
        let signature = decode(parts.signature)?;
        // A key is looked for only for answers of our issuer.
        if payload.get("iss").and_then(Value::as_str) != Some(issuer.as_str()) {
            return Err(unreadable("the signed answer is another issuer's"));
        }
        let hint = KeyHint { kid: header.kid.as_deref(), algorithm: header.algorithm };
        let answer = match self.keys.find(&hint) {
            KeyLookup::Ready(answer) => answer,
            KeyLookup::Wait(wait) => wait.await,
        };
        let key = match answer {
            KeyAnswer::Found(key) => key,
            KeyAnswer::NotYetKnown { retry_after } => {
                return Err(Failure::AnswerKeys { retry_after: Some(retry_after) });
            }
            KeyAnswer::Unavailable { retry_after } => {
                return Err(Failure::AnswerKeys { retry_after });
            }
            KeyAnswer::Unknown => return Err(unreadable("no key for the signed answer")),
        };
        key.verify(header.algorithm, parts.signed.as_bytes(), &signature)
            .ok_or(unreadable("the signature of the answer is wrong"))?;
        self.check_claims(payload, leeway, now)
    }

    fn check_claims(
        &self,
        mut payload: Map<String, Value>,
        leeway: Duration,
        now: SystemTime,
    ) -> Result<Map<String, Value>, Failure> {
        let is_ours = match payload.get("aud") {
            Some(Value::String(audience)) => **audience == *self.recipient,
            Some(Value::Array(audiences)) => {
                audiences.iter().any(|audience| audience.as_str() == Some(&*self.recipient))
            }
            _ => false,
        };
        if !is_ours {
            return Err(unreadable("the signed answer is meant for somebody else"));
        }
        // RFC 9701 §5 keeps them out of the top level, so that nobody takes an answer for an access token. With them
        // it is some other JWT.
        if payload.contains_key("sub") || payload.contains_key("exp") {
            return Err(unreadable("the signed answer looks like an access token"));
        }
        let issued = payload
            .get("iat")
            .and_then(Value::as_u64)
            .ok_or(unreadable("the signed answer does not say when it was made"))?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let issued = Duration::from_secs(issued);
        if issued > now.saturating_add(leeway)
            || now > issued.saturating_add(MAX_AGE).saturating_add(leeway)
        {
            return Err(unreadable("the signed answer was not made just now"));
        }
        match payload.remove("token_introspection") {
            Some(Value::Object(members)) => Ok(members),
            _ => Err(unreadable("the signed answer has no object `token_introspection`")),
        }
    }
}

struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn split(jwt: &'a str) -> Result<Self, Failure> {
        let complaint = unreadable("the signed answer is not a JWT of three parts");
        let Some((signed, signature)) = jwt.rsplit_once('.') else { return Err(complaint) };
        match signed.split_once('.') {
            Some((header, payload)) if !payload.contains('.') => {
                Ok(Self { header, payload, signature, signed })
            }
            _ => Err(complaint),
        }
    }
}

struct Header {
    algorithm: SignatureAlgorithm,
    kid: Option<String>,
}

impl Header {
    fn read(part: &str) -> Result<Self, Failure> {
        let mut members = decode_object(part)?;
        if REFUSED.iter().any(|name| members.contains_key(*name)) {
            return Err(unreadable("the header of the signed answer is not supported"));
        }
        let algorithm = members
            .get("alg")
            .and_then(Value::as_str)
            .and_then(SignatureAlgorithm::from_name)
            .ok_or(unreadable("the algorithm of the signed answer is not accepted"))?;
        // RFC 8725bis §3.12: each kind of JWT has its own rules, and this name keeps them apart.
        let is_answer = members.get("typ").and_then(Value::as_str).is_some_and(|typ| {
            let subtype = match typ.split_once('/') {
                Some((tree, subtype)) if tree.eq_ignore_ascii_case("application") => subtype,
                _ => typ,
            };
            subtype.eq_ignore_ascii_case("token-introspection+jwt")
        });
        if !is_answer {
            return Err(unreadable("the signed answer is a JWT of another type"));
        }
        let kid = match members.remove("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAX_KID_BYTES => Some(kid),
            Some(_) => return Err(unreadable("the header of the signed answer is not supported")),
        };
        Ok(Self { algorithm, kid })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Failure> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| unreadable("the signed answer is not base64url"))
}

fn decode_object(part: &str) -> Result<Map<String, Value>, Failure> {
    read_object(&decode(part)?, BOUNDS)
        .ok_or_else(|| unreadable("the signed answer holds something else than JSON objects"))
}
