//! Which paths everyone reads in the same way.

/// Whether everyone reads the path in the same way. `path` is as it was sent, with nothing decoded.
///
/// Between a layer and the handler are routers, proxies and file systems, each with its own idea of which
/// paths are the same: some resolve `..`, some decode `%2F`, some cut at `;`, some take `\` for a slash, some decode
/// what is no UTF-8.
/// Layers do not guess. A path that any of them might read differently is ambiguous, whatever it is, and
/// nothing may be decided by it but a refusal.
///
/// ```
/// use palisade_core::is_unambiguous_path;
///
/// assert!(is_unambiguous_path("/files/caf%C3%A9"));
/// assert!(!is_unambiguous_path("/files/../admin"));
/// assert!(!is_unambiguous_path("/files/%2e%2e/admin"));
/// ```
#[must_use]
pub fn is_unambiguous_path(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        // `//` is `/` to some. A slash at the end is fine: it makes another path.
        if segment.is_empty() && segments.peek().is_some() || !is_plain(segment) {
            return false;
        }
    }
    true
}

/// Whether everyone reads the segment in the same way.
fn is_plain(segment: &str) -> bool {
    if matches!(segment, "." | "..") {
        return false;
    }
    let mut character = Utf8::default();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let plain = match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => {
                    let byte = high << 4 | low;
                    may_be_encoded(byte) && character.goes_on_with(byte)
                }
                _ => false,
            },
            byte => may_stand_for_itself(byte) && character.goes_on_with(byte),
        };
        if !plain {
            return false;
        }
    }
    character.is_whole()
}

/// A character of which some bytes were read. What is no UTF-8 is one of several characters, by the decoder: a lenient
/// one takes `%C0%AF` for a slash and `%C0%AE` for a dot.
#[derive(Default)]
struct Utf8 {
    bytes: [u8; 4],
    read: usize,
}

impl Utf8 {
    fn goes_on_with(&mut self, byte: u8) -> bool {
        if byte.is_ascii() {
            return self.is_whole();
        }
        let Some(place) = self.bytes.get_mut(self.read) else { return false };
        *place = byte;
        self.read = self.read.saturating_add(1);
        match str::from_utf8(self.bytes.get(..self.read).unwrap_or_default()) {
            Ok(_) => {
                self.read = 0;
                true
            }
            // The end came too soon.
            Err(error) => error.error_len().is_none(),
        }
    }

    const fn is_whole(&self) -> bool {
        self.read == 0
    }
}

/// `pchar` of RFC 3986 without `;`, which cuts off a parameter for some servers. Leaves out `\`, which
/// is a slash to some, control characters, and bytes outside ASCII, which some fold.
const fn may_stand_for_itself(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
        )
}

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Leaves out what routers decode into something else (`%2F`, `%5C`, `%3B`, `%00`), what is the same
/// path undecoded (`%61`, `%2e`), and `%25`, which a second decoder would take for an escape.
const fn may_be_encoded(byte: u8) -> bool {
    !is_unreserved(byte) && !byte.is_ascii_control() && !matches!(byte, b'/' | b'\\' | b';' | b'%')
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
