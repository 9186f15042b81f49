//! `application/x-www-form-urlencoded`, the writing half.

use zeroize::Zeroizing;

/// Names and values, as HTML forms write them (RFC 6749 appendix B).
///
/// Among them are tokens and secrets: the text is overwritten when it is dropped, and has its full size from the
/// start, so that growing leaves no copies behind.
pub(crate) fn encode(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let bytes = fields.iter().fold(0_usize, |sum, (name, value)| {
        sum.saturating_add(encoded_len(name)).saturating_add(encoded_len(value)).saturating_add(2)
    });
    let mut out = Zeroizing::new(String::with_capacity(bytes));
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        push(&mut out, name);
        out.push('=');
        push(&mut out, value);
    }
    out
}

/// The most bytes that a text becomes.
pub(crate) const fn encoded_len(text: &str) -> usize {
    text.len().saturating_mul(3)
}

/// Appends one name or value.
pub(crate) fn push(out: &mut String, text: &str) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or('0');
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'*' => {
                out.push(char::from(byte))
            }
            b' ' => out.push('+'),
            _ => out.extend(['%', hex(byte >> 4), hex(byte & 0xf)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use reqwest::Url;

    use super::*;

    #[test]
    fn fields_are_written_as_forms_write_them() {
        let form = encode(&[("token", "a.b-c_d*~"), ("x y", "1&2=3+4%\u{e9}\r\n"), ("", "")]);
        assert_eq!(*form, "token=a.b-c_d*%7E&x+y=1%262%3D3%2B4%25%C3%A9%0D%0A&=");
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_others_read(fields in vec((".*", ".*"), 0..4)) {
            let borrowed: Vec<_> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let mut url = Url::parse("https://as.example/").unwrap();
            url.set_query(Some(&encode(&borrowed)));
            let read: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(read, fields);
        }
    }
}
