//! Text from outside, made safe to stand in a line.

use std::{borrow::Cow, fmt::Write};

/// Writes text from outside so that it can neither break a line nor mislead who reads it, and so that it
/// is not too long. All sinks of this crate use it; a sink of your own should, for every text that it
/// does not take from [`AuditRecord::to_json`](crate::AuditRecord::to_json).
///
/// - Control characters (`CR`, `LF`, `ESC`, C1), line and paragraph separators and everything that shows
///   nothing or turns the direction of writing become `\u{…}`.
/// - A backslash becomes `\\`, so that nobody can write what looks like an escape.
/// - What would take more than `limit` bytes in a JSON string is cut at a character. `\…{4096}` follows:
///   the original had 4096 bytes. No text can pose as a cut one.
///
/// ```
/// use palisade_audit_log::escape;
///
/// assert_eq!(escape("files:read", 64), "files:read");
/// assert_eq!(escape("a\nb\u{202e}c", 64), r"a\u{a}b\u{202e}c");
/// assert_eq!(escape("0123456789", 4), r"0123\…{10}");
/// ```
#[must_use]
pub fn escape(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit && text.chars().all(|c| stands_for_itself(c) && c != '"') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(limit));
    let mut room = limit;
    for c in text.chars() {
        let start = out.len();
        let extra = push(&mut out, c);
        let cost = out.len().saturating_sub(start).saturating_add(extra);
        match room.checked_sub(cost) {
            Some(left) => room = left,
            None => {
                out.truncate(start);
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\…{{{}}}", text.len());
                break;
            }
        }
    }
    Cow::Owned(out)
}

/// Appends one character, and tells how many bytes JSON will add.
fn push(out: &mut String, c: char) -> usize {
    match c {
        '"' => {
            out.push(c);
            1
        }
        '\\' => {
            out.push_str("\\\\");
            2
        }
        _ if stands_for_itself(c) => {
            out.push(c);
            0
        }
        _ => {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            1
        }
    }
}

fn stands_for_itself(c: char) -> bool {
    !c.is_control() && c != '\\' && !is_deceptive(c)
}

/// Unicode's `Default_Ignorable_Code_Point`, which holds all bidirectional controls and zero-width
/// characters, and the separators and annotation marks beside it.
const fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn log_01_to_03_what_breaks_or_misleads_is_escaped() {
        for (name, text, expected) in [
            ("line break", "a\r\nb", r"a\u{d}\u{a}b"),
            ("NUL", "a\0b", r"a\u{0}b"),
            ("ANSI escape", "\x1b[2Jx", r"\u{1b}[2Jx"),
            ("C1 escape", "\u{9b}2J", r"\u{9b}2J"),
            ("delete", "\x7f", r"\u{7f}"),
            ("right-to-left override", "\u{202e}", r"\u{202e}"),
            ("isolate", "\u{2066}", r"\u{2066}"),
            ("zero width space", "\u{200b}", r"\u{200b}"),
            ("byte order mark", "\u{feff}", r"\u{feff}"),
            ("line separator", "\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
            ("tag character", "\u{e0041}", r"\u{e0041}"),
            ("soft hyphen", "\u{ad}", r"\u{ad}"),
            ("hangul filler", "\u{3164}", r"\u{3164}"),
            ("what looks escaped", r"\u{a}", r"\\u{a}"),
            ("quotes are left to the format", "\"", "\""),
            ("other scripts are left alone", "Ωmega 名前 🦀", "Ωmega 名前 🦀"),
        ] {
            assert_eq!(escape(text, 100), expected, "{name}");
        }
    }

    #[test]
    fn log_06_long_text_is_cut_at_a_character_and_says_so() {
        for (name, text, limit, expected) in [
            ("fits exactly", "12345", 5, "12345"),
            ("ascii", "123456", 5, r"12345\…{6}"),
            ("no half characters", "ééé", 5, r"éé\…{6}"),
            ("no half escapes", "abc\n", 5, r"abc\…{4}"),
            ("nothing fits", "a", 0, r"\…{1}"),
            ("quotes cost two in JSON", "\"\"\"", 5, r#"""\…{3}"#),
            ("one cannot pose as cut", r"a\…{9}", 100, r"a\\…{9}"),
        ] {
            assert_eq!(escape(text, limit), expected, "{name}");
        }
    }

    /// What [`escape`] did, undone by hand.
    fn unescape(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match (c, (c == '\\').then(|| rest.next().unwrap())) {
                (_, Some('u')) => {
                    let hex: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(hex.strip_prefix('{').unwrap(), 16).unwrap();
                    out.push(char::from_u32(code).unwrap());
                }
                (_, Some(escaped)) => out.push(escaped),
                (c, None) => out.push(c),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_ambiguous(text in any::<String>()) {
            prop_assert_eq!(unescape(&escape(&text, usize::MAX)), text);
        }

        #[test]
        fn what_comes_out_is_clean_and_short(text in any::<String>(), limit in 0_usize..64) {
            let escaped = escape(&text, limit);
            prop_assert!(!escaped.chars().any(|c| c.is_control() || is_deceptive(c)));
            let in_json = serde_json::to_string(&escaped).unwrap().len().saturating_sub(2);
            let marker = r"\\…{18446744073709551615}".len();
            prop_assert!(in_json <= limit.saturating_add(marker));
        }
    }
}
