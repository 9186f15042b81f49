//! What an answer says about how long it is good (RFC 9111). Nothing of it is trusted beyond the bounds of `RemoteKeys`.

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, ETAG};

use crate::http_client::HttpAnswer;

/// RFC 9111 §1.2.2: greater than anybody means, and no sum overflows.
const MAX_SECONDS: u64 = 1 << 31;
const MAX_TAG_BYTES: usize = 256;

/// `max-age` less the time in caches; nothing if the answer does not say.
pub(super) fn max_age(answer: &HttpAnswer) -> Option<Duration> {
    let allowed = answer.header_lines(&CACHE_CONTROL).filter_map(lifetime).min()?;
    Some(Duration::from_secs(allowed).saturating_sub(age(answer)))
}

/// How long the answer lay in caches. RFC 9111 §5.1: what is no number is ignored.
pub(super) fn age(answer: &HttpAnswer) -> Duration {
    let age = answer.header(&AGE).and_then(|age| age.to_str().ok()).and_then(seconds);
    Duration::from_secs(age.unwrap_or_default())
}

/// The entity tag, if it is one (RFC 9110 §8.8.3), to be sent back as it is.
pub(super) fn entity_tag(answer: &HttpAnswer) -> Option<&str> {
    let tag = answer.header(&ETAG)?.to_str().ok()?;
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    let inner = opaque.strip_prefix('"')?.strip_suffix('"')?;
    let fits = tag.len() <= MAX_TAG_BYTES
        && inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    fits.then_some(tag)
}

/// The shortest lifetime in one line of `Cache-Control`. A directive that cannot be read is one that was meant to
/// limit (RFC 9111 §4.2.1).
fn lifetime(line: &str) -> Option<u64> {
    directives(line)
        .filter_map(|directive| {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim().to_ascii_lowercase();
            match name.as_str() {
                "max-age" => {
                    let value = value.trim();
                    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                    Some(seconds(quoted.unwrap_or(value)).unwrap_or(0))
                }
                "no-cache" | "no-store" => Some(0),
                _ => None,
            }
        })
        .min()
}

/// Between commas that are not in quotes.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    line.split(move |letter| {
        let is_end = letter == ',' && !quoted;
        match letter {
            '"' if !escaped => quoted = !quoted,
            '\\' if quoted && !escaped => {
                escaped = true;
                return is_end;
            }
            _ => {}
        }
        escaped = false;
        is_end
    })
}

/// `1*DIGIT`, of any length.
fn seconds(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(MAX_SECONDS).min(MAX_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jwk_13_lifetimes_are_read_strictly_and_the_shortest_counts() {
        for (line, expected) in [
            ("max-age=300", Some(300)),
            ("public, MAX-AGE=300 , immutable", Some(300)),
            ("max-age=\"300\"", Some(300)),
            ("max-age=31536000", Some(31_536_000)),
            ("max-age=99999999999999999999999", Some(MAX_SECONDS)),
            ("max-age=300, max-age=20", Some(20)),
            ("max-age=0, no-store, must-revalidate", Some(0)),
            ("max-age=300, no-cache", Some(0)),
            ("private=\"a, max-age=5\", max-age=300", Some(300)),
            ("x=\"a\\\", max-age=5\", max-age=300", Some(300)),
            ("no-store", Some(0)),
            ("no-cache=\"set-cookie\"", Some(0)),
            ("max-age", Some(0)),
            ("max-age=", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age=1e9", Some(0)),
            ("max-age=\u{665}", Some(0)),
            ("s-maxage=5, public", None),
            ("xmax-age=5", None),
            ("", None),
            (",,,", None),
        ] {
            assert_eq!(lifetime(line), expected, "{line}");
        }
    }
}
