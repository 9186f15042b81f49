//! Looks for credentials in the head of an outgoing request.

use std::{borrow::Cow, collections::BTreeSet};

use base64::Engine;
use http::{Method, request::Parts};
use palisade_core::Trail;

use crate::{
    credentials::{self, BASE64, Kind},
    key::WINDOW,
    outbound::Part,
    watched::{View, Watched},
};

/// Larger heads are not searched, and not sent. Servers refuse them, too.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// So many places of one head may end as a credential does.
const MAX_DIGESTS: usize = 64;
/// What base64 makes of the shortest credential, without padding.
const MIN_ENCODED: usize = 22;

/// What is in a head that must not be sent.
pub(crate) struct Found {
    pub(crate) part: Part,
    /// Of all requests in the works that brought one of the credentials.
    pub(crate) trails: Vec<Trail>,
}

/// The head is too large, or too much like a credential in too many places, to say what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// The first part of a head that has a credential in it.
pub(crate) fn search(watched: &Watched, head: &Parts) -> Result<Option<Found>, TooLarge> {
    let parts = parts(head);
    let bytes = parts.iter().map(|(_, text)| text.len());
    if bytes.fold(0_usize, usize::saturating_add) > MAX_HEAD_BYTES {
        return Err(TooLarge);
    }
    let mut search = Search { view: watched.view(), ids: BTreeSet::new(), digests: 0 };
    if search.view.is_empty() {
        return Ok(None);
    }
    let mut first = None;
    for (part, text) in parts {
        if search.is_in(text)? {
            first = first.or(Some(part));
        }
    }
    if search.is_carried(head)? {
        first = first.or(Some(Part::HeaderValue));
    }
    Ok(first.map(|part| Found { part, trails: search.view.trails(&search.ids) }))
}

fn parts(head: &Parts) -> Vec<(Part, &[u8])> {
    let uri = &head.uri;
    let mut parts = Vec::new();
    // First: a host with a credential in it is not told to anybody.
    if let Some(authority) = uri.authority() {
        parts.push((Part::Authority, authority.as_str().as_bytes()));
    }
    if !is_standard(&head.method) {
        parts.push((Part::Method, head.method.as_str().as_bytes()));
    }
    parts.push((Part::Path, uri.path().as_bytes()));
    if let Some(query) = uri.query() {
        parts.push((Part::Query, query.as_bytes()));
    }
    for (name, value) in &head.headers {
        parts.push((Part::HeaderName, name.as_str().as_bytes()));
        parts.push((Part::HeaderValue, value.as_bytes()));
    }
    parts
}

/// Short enough that no credential fits.
fn is_standard(method: &Method) -> bool {
    method.as_str().len() < WINDOW
}

struct Search<'a> {
    view: View<'a>,
    ids: BTreeSet<u64>,
    digests: usize,
}

impl Search<'_> {
    /// Whether a credential that was verified is in the text: as it is, percent-encoded, in base64, or
    /// percent-encoded base64.
    fn is_in(&mut self, text: &[u8]) -> Result<bool, TooLarge> {
        let mut is_in = self.is_plain_or_base64(text)?;
        if let Some(decoded) = percent_decode(text) {
            is_in |= self.is_plain_or_base64(&decoded)?;
        }
        Ok(is_in)
    }

    fn is_plain_or_base64(&mut self, text: &[u8]) -> Result<bool, TooLarge> {
        let mut is_in = self.is_plain(text)?;
        // base64url is base64 with two other characters.
        let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
        for run in text.split(|byte| !is_encoded(*byte)).filter(|run| run.len() >= MIN_ENCODED) {
            let run: Vec<u8> = run.iter().map(|byte| standard(*byte)).collect();
            // What stands before it, such as a path or a prefix, may be of the same characters.
            for start in 0..4 {
                let encoded = run.get(start..).unwrap_or_default();
                // One character alone is no byte.
                let whole = encoded.len().saturating_sub(usize::from(encoded.len() % 4 == 1));
                let encoded = encoded.get(..whole).unwrap_or_default();
                if let Ok(decoded) = BASE64.decode(encoded) {
                    is_in |= self.is_plain(&decoded)?;
                }
            }
        }
        Ok(is_in)
    }

    fn is_plain(&mut self, text: &[u8]) -> Result<bool, TooLarge> {
        let mut is_in = false;
        for (end, tail) in self.view.watched.key.windows(text) {
            for length in self.view.lengths(tail) {
                let Some(candidate) = end.checked_sub(length).and_then(|at| text.get(at..end))
                else {
                    continue;
                };
                self.digests = self.digests.saturating_add(1);
                if self.digests > MAX_DIGESTS {
                    return Err(TooLarge);
                }
                let digest = self.view.watched.key.digest(candidate);
                is_in |= self.view.knows(&digest, Kind::Presented, &mut self.ids);
            }
        }
        Ok(is_in)
    }

    /// Whether the request carries as a credential what was one before, verified or not.
    fn is_carried(&mut self, head: &Parts) -> Result<bool, TooLarge> {
        let fields = &self.view.watched.fields;
        let carried = credentials::read(&head.headers, fields).map_err(|_| TooLarge)?;
        let mut is_carried = false;
        for credential in carried {
            let digest = self.view.watched.key.digest(&credential.bytes);
            is_carried |= self.view.knows(&digest, Kind::Claimed, &mut self.ids);
        }
        Ok(is_carried)
    }
}

const fn standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// `None` if nothing is encoded. What is no encoding stays as it is.
fn percent_decode(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !text.contains(&b'%') {
        return None;
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%'
            && let Some((&[high, low], after)) = after.split_first_chunk()
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(byte);
        }
    }
    Some(Cow::Owned(decoded))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}
