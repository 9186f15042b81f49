//! Whether a token is in a header field, by undoing all that may have been done to it, and looking.

const SHORTEST: usize = 16;

/// A value that would go out, after this `Authorization` came in and was found good.
pub fn is_refused(authorization: &[u8], is_credential: bool, value: &[u8]) -> bool {
    let (token, others) = credentials(authorization);
    let tokens: Vec<_> =
        token.iter().flat_map(|it| [it.clone(), it.to_ascii_lowercase()]).collect();
    let is_token_inside = readings(value)
        .iter()
        .any(|text| tokens.iter().any(|token| text.windows(token.len()).any(|it| it == token)));
    let (again, more) = credentials(value);
    let is_again = again.iter().chain(&more).any(|it| tokens.contains(it) || others.contains(it));
    is_token_inside || is_credential && is_again
}

/// What is behind the scheme, and what is in it if the scheme is `Basic`.
fn credentials(value: &[u8]) -> (Option<Vec<u8>>, Vec<Vec<u8>>) {
    let value = value.trim_ascii();
    let Some(space) = value.iter().position(|byte| *byte == b' ') else {
        return (long_enough(bare(value)), Vec::new());
    };
    let (scheme, text) = (&value[..space], &value[space + 1..]);
    let mut inside = Vec::new();
    if scheme.to_ascii_lowercase() == b"basic"
        && let Some(pair) = decode_padded(text.trim_ascii())
    {
        if let Some(colon) = pair.iter().position(|byte| *byte == b':') {
            inside.extend(long_enough(bare(&pair[colon + 1..])));
        }
        inside.extend(long_enough(pair));
    }
    (long_enough(bare(text)), inside)
}

fn long_enough(text: Vec<u8>) -> Option<Vec<u8>> {
    Some(text).filter(|text| text.len() >= SHORTEST)
}

fn bare(text: &[u8]) -> Vec<u8> {
    let mut text = text.trim_ascii().to_vec();
    if text.len() >= 2 && text.first() == Some(&b'"') && text.last() == Some(&b'"') {
        text.pop();
        text.remove(0);
    }
    while text.last() == Some(&b'=') {
        text.pop();
    }
    text
}

/// The text in every way that it could be meant.
fn readings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut readings = Vec::new();
    for text in [value.to_vec(), percent_decoded(value)] {
        // `~` is in neither alphabet.
        let is_in = |byte: u8| sextet(byte).is_some() || byte == b'-' || byte == b'_';
        for run in text.split(|byte| !is_in(*byte)) {
            let run: Vec<u8> = run
                .iter()
                .map(|byte| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    it => *it,
                })
                .collect();
            for start in 0..run.len().min(4) {
                readings.extend(decode(&run[start..]));
            }
        }
        readings.push(text);
    }
    readings
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|it| std::str::from_utf8(it).ok());
        // `from_str_radix` takes a sign as well.
        let digits = digits.filter(|it| it.chars().all(|c| c.is_ascii_hexdigit()));
        match digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) if text[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(text[at]);
                at += 1;
            }
        }
    }
    decoded
}

/// With all of its padding, or a part of it.
fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1);
    let (text, padding) = text.split_at(end);
    let most = match text.len() % 4 {
        0 => 0,
        1 => return None,
        2 => 2,
        _ => 1,
    };
    if padding.len() > most { None } else { decode(text) }
}

/// Six bits of each character, eight to a byte. What is left over says nothing.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bits = Vec::new();
    for byte in text {
        let sextet = sextet(*byte)?;
        bits.extend((0..6).rev().map(|bit| sextet >> bit & 1));
    }
    Some(bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect())
}

fn sextet(byte: u8) -> Option<u8> {
    let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain("+/".chars());
    alphabet.zip(0..).find(|(c, _)| *c == char::from(byte)).map(|(_, value)| value)
}
