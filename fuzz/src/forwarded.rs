//! What a `Forwarded` header says about the scheme, by cutting it to pieces and copying all of them.

/// The lines of the header, and the answer: a scheme, or why there is none.
pub fn forwarded(header: &[u8], trusted_hops: u8) -> &'static str {
    // All lines are one list.
    let list = header.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b',');
    let text: String = list.iter().map(|byte| char::from(*byte)).collect();
    let mut elements: Vec<&str> = text.split(',').map(|e| e.trim_matches([' ', '\t'])).collect();
    elements.reverse();
    elements.truncate(usize::from(trusted_hops));
    // What stands in front of a gap in the list is seen first.
    let pairs: Vec<_> = elements.iter().map(|element| pairs(element)).collect();
    if pairs.contains(&None) {
        return "forwarded_scheme_invalid";
    }
    if pairs.len() < usize::from(trusted_hops) {
        return "forwarded_scheme_missing";
    }
    let last = pairs.into_iter().flatten().last().unwrap_or_default();
    let proto = last.iter().find(|(name, _)| name == "proto");
    match proto.map(|(_, value)| value.to_ascii_lowercase()).as_deref() {
        Some("https" | "wss") => "https",
        Some("http" | "ws") => "http",
        None | Some("") => "forwarded_scheme_missing",
        Some(_) => "forwarded_scheme_invalid",
    }
}

/// Names in lower case and values, or nothing if anything is wrong.
fn pairs(element: &str) -> Option<Vec<(String, String)>> {
    if element.chars().count() > 4096 {
        return None;
    }
    let mut pieces = vec![String::new()];
    let (mut in_quotes, mut escaped) = (false, false);
    for c in element.chars() {
        if c == ';' && !in_quotes {
            pieces.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            in_quotes = !in_quotes;
        }
        escaped = in_quotes && c == '\\' && !escaped;
        pieces.last_mut()?.push(c);
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(inside) => unquote(inside)?,
            None => Some(value.to_owned()).filter(|value| is_token(value))?,
        };
        let name = Some(name.to_ascii_lowercase()).filter(|name| is_token(name))?;
        if name == "proto" && pairs.iter().any(|(other, _)| *other == name) {
            return None;
        }
        pairs.push((name, value));
    }
    Some(pairs)
}

/// The value, up to a quote that has to be the end.
fn unquote(inside: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = inside.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

fn is_token(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_allowed)
}
