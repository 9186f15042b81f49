//! Words for people, made of what strangers wrote.

use std::{fmt::Write, time::Duration};

use serde_json::Value;

const MAX_CHARS: usize = 80;
const MAX_LISTED: usize = 12;

/// A stranger's text in backticks. Whatever is no printable ASCII is written as an escape: a terminal obeys
/// control characters, a reader is fooled by those that turn the direction of writing, and a Cyrillic letter
/// looks like a Latin one.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::from("`");
    for char in text.chars().take(MAX_CHARS) {
        match char {
            '`' | '\\' => out.extend(['\\', char]),
            ' '..='~' => out.push(char),
            _ => out.extend(char.escape_default()),
        }
    }
    out.push('`');
    if text.chars().nth(MAX_CHARS).is_some() {
        // A `String` does not fail.
        let _ = write!(out, "... ({} bytes)", text.len());
    }
    out
}

/// Some of many.
pub(super) fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let mut texts = texts.into_iter();
    let mut out: Vec<_> =
        texts.by_ref().take(MAX_LISTED).map(|text| shown(text.as_ref())).collect();
    let more = texts.count();
    if more > 0 {
        out.push(format!("{more} more"));
    }
    if out.is_empty() { "none".to_owned() } else { out.join(", ") }
}

/// What kind of value it is. For claims whose value is nobody's business.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A string, or what is there instead.
pub(super) fn string_or_kind(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_owned(),
        Some(Value::String(text)) => shown(text),
        Some(other) => kind(other).to_owned(),
    }
}

/// `3 h 12 min`: two units are as exact as anybody needs.
pub(super) fn span(span: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = span.as_secs();
    let mut parts = Vec::new();
    for (name, seconds) in UNITS {
        let count = rest.checked_div(seconds).unwrap_or_default();
        rest = rest.checked_rem(seconds).unwrap_or_default();
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read_at_a_glance() {
        let rows = [
            (0, "0 s"),
            (59, "59 s"),
            (11_520, "3 h 12 min"),
            (11_521, "3 h 12 min"),
            (86_400, "1 d"),
            (u64::MAX, "213503982334601 d 7 h"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn letters_that_look_alike_are_told_apart() {
        assert_eq!(shown("https://\u{430}s.example"), "`https://\\u{430}s.example`");
        assert_eq!(shown("a`\u{202e}\n\u{1b}["), "`a\\`\\u{202e}\\n\\u{1b}[`");
        assert_eq!(shown(&"x".repeat(81)), format!("`{}`... (81 bytes)", "x".repeat(80)));
    }

    proptest! {
        #[test]
        fn nothing_but_a_bounded_line_of_printable_ascii_comes_out(text: String) {
            let shown = shown(&text);
            prop_assert!(shown.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert!(shown.len() < 12 * MAX_CHARS);
        }
    }
}
