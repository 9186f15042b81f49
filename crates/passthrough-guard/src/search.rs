//! Looks for credentials in the head of an outgoing request.

use std::{borrow::Cow, collections::BTreeSet};

use base64::Engine;
use http::{HeaderMap, Method, Uri};
use palisade_core::Trail;

use crate::{
    credentials::{self, BASE64, Kind},
    outbound::Part,
    watched::Watched,
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

/// What can be searched of a request.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

/// The first part of a head that has a credential in it.
pub(crate) fn search(watched: &Watched, head: Head<'_>) -> Result<Option<Found>, TooLarge> {
    let bytes = head.parts().map(|(_, text)| text.len());
    if bytes.fold(0_usize, usize::saturating_add) > MAX_HEAD_BYTES {
        return Err(TooLarge);
    }
    if watched.view().is_empty() {
        return Ok(None);
    }
    let mut search = Search { watched, ids: BTreeSet::new(), digests: 0 };
    let mut first = None;
    for (part, text) in head.parts() {
        if search.is_in(text)? {
            first = first.or(Some(part));
        }
    }
    if search.is_carried(head.headers)? {
        first = first.or(Some(Part::HeaderValue));
    }
    Ok(first.map(|part| Found { part, trails: watched.view().trails(&search.ids) }))
}

impl<'a> Head<'a> {
    fn parts(self) -> impl Iterator<Item = (Part, &'a [u8])> {
        let Self { method, uri, headers } = self;
        // First: a host with a credential in it is not told to anybody.
        let authority = uri.authority().map(|it| (Part::Authority, it.as_str().as_bytes()));
        let method = (Part::Method, method.as_str().as_bytes());
        let path = (Part::Path, uri.path().as_bytes());
        let query = uri.query().map(|it| (Part::Query, it.as_bytes()));
        let headers = headers.iter().flat_map(|(name, value)| {
            [(Part::HeaderName, name.as_str().as_bytes()), (Part::HeaderValue, value.as_bytes())]
        });
        authority.into_iter().chain([method, path]).chain(query).chain(headers)
    }
}

struct Search<'a> {
    watched: &'a Watched,
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
        let (mut standard, mut decoded) = (Vec::new(), Vec::new());
        for run in text.split(|byte| !is_encoded(*byte)).filter(|run| run.len() >= MIN_ENCODED) {
            standard.clear();
            standard.extend(run.iter().map(|byte| in_standard_alphabet(*byte)));
            // What stands before it, such as a path or a prefix, may be of the same characters.
            for start in 0..4 {
                let encoded = standard.get(start..).unwrap_or_default();
                // One character alone is no byte.
                let whole = encoded.len().saturating_sub(usize::from(encoded.len() % 4 == 1));
                let encoded = encoded.get(..whole).unwrap_or_default();
                decoded.clear();
                if BASE64.decode_vec(encoded, &mut decoded).is_ok() {
                    is_in |= self.is_plain(&decoded)?;
                }
            }
        }
        Ok(is_in)
    }

    fn is_plain(&mut self, text: &[u8]) -> Result<bool, TooLarge> {
        let mut is_in = false;
        // Held for one walk over one text, however large the head is: whoever comes in waits for it.
        let view = self.watched.view();
        for (end, tail) in self.watched.key.windows(text) {
            for length in view.lengths(tail) {
                let Some(candidate) = end.checked_sub(length).and_then(|at| text.get(at..end))
                else {
                    continue;
                };
                self.digests = self.digests.saturating_add(1);
                if self.digests > MAX_DIGESTS {
                    return Err(TooLarge);
                }
                let digest = self.watched.key.digest(candidate);
                is_in |= view.knows(&digest, Kind::Presented, &mut self.ids);
            }
        }
        Ok(is_in)
    }

    /// Whether the request carries as a credential what was one before, verified or not.
    fn is_carried(&mut self, headers: &HeaderMap) -> Result<bool, TooLarge> {
        let carried = credentials::read(headers, &self.watched.fields).map_err(|_| TooLarge)?;
        let mut is_carried = false;
        for credential in carried {
            let digest = self.watched.key.digest(&credential.bytes);
            is_carried |= self.watched.view().knows(&digest, Kind::Claimed, &mut self.ids);
        }
        Ok(is_carried)
    }
}

const fn in_standard_alphabet(byte: u8) -> u8 {
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
