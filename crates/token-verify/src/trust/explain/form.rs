//! What somebody has in hands that is no token of the form that we read.

use crate::jwt::{DEFAULT_MAX_TOKEN_BYTES, decode_object};

const OPAQUE: &str = "This is no JWT but an opaque token, or an API key: nothing can be read from it. If the \
     issuer was meant to send JWTs, have the client ask for the right `resource`, or set the format of \
     access tokens at the issuer; if it was not, these rules are the wrong ones: use introspection.";

/// What to do about it. Tells nothing of the token but where the first odd character is.
pub(super) fn advice(token: &str) -> String {
    if token.len() > DEFAULT_MAX_TOKEN_BYTES {
        return format!(
            "The token has {} bytes, and a verifier reads {DEFAULT_MAX_TOKEN_BYTES} unless it is told otherwise. \
             If this is one token: have the issuer leave something out, such as groups.",
            token.len()
        );
    }
    let trimmed = token.trim();
    if trimmed.is_empty() {
        return "There is no token: give the access token, all of it.".to_owned();
    }
    for scheme in ["bearer ", "dpop ", "authorization:"] {
        if starts_with(trimmed, scheme) {
            return "Give the token alone, without the word `Bearer` or whatever else is in front of it. If \
                    the client sends the word twice, that is the mistake."
                .to_owned();
        }
    }
    if trimmed.len() < token.len() && !trimmed.contains(char::is_whitespace) {
        return "There is white space before or after the token: have the client trim what it reads \
                from a file or a variable."
            .to_owned();
    }
    let is_part_of_jwt =
        |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    match token.char_indices().find(|(_, char)| !is_part_of_jwt(*char)) {
        Some((at, odd)) => odd_character(trimmed, at, odd),
        None => wrong_number_of_parts(token),
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn odd_character(token: &str, at: usize, odd: char) -> String {
    if token.starts_with('{') {
        return "This is JSON around a token: give the value of `access_token`, without quotes."
            .to_owned();
    }
    match odd {
        '\r' | '\n' => format!(
            "There is a line break at byte {at}: the token was copied from where lines are wrapped. Join \
             the lines."
        ),
        '"' | '\'' => format!("There is a quote at byte {at}: give the token without quotes."),
        '%' => format!(
            "There is a `%` at byte {at}: the token is percent-encoded. A header takes it as the issuer gave \
             it: decode it."
        ),
        '+' | '/' | '=' => format!(
            "There is a `{odd}` at byte {at}, which base64url without padding does not have. If the token has \
             three parts, something encoded it once more: send it as the issuer gave it. If not: {OPAQUE}"
        ),
        _ if odd.is_whitespace() => {
            format!("There is white space at byte {at}, inside the token: send it in one piece.")
        }
        _ => format!(
            "There is a character at byte {at} that no JWT holds: send the token as the issuer gave it."
        ),
    }
}

fn wrong_number_of_parts(token: &str) -> String {
    let mut parts = token.split('.');
    let header = parts.next().unwrap_or_default();
    let is_header = decode_object(header, "").is_ok();
    match parts.count().saturating_add(1) {
        2 if is_header => "The token has two parts of three: it was cut off, or somebody took the signature \
             away. Copy all of it."
            .to_owned(),
        1 if is_header => "This is the first part of a token and no more: copy all of it.".to_owned(),
        5 => "The token is encrypted (a JWE, five parts), and only the one it was encrypted for can read it. \
             Set the issuer to send signed access tokens to this service, not encrypted ones."
            .to_owned(),
        1 | 2 => OPAQUE.to_owned(),
        parts => format!("The token has {parts} parts, and a JWT has three: copy one token, all of it."),
    }
}
