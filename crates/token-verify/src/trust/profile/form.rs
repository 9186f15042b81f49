//! The forms of issuer identifiers.

/// Reads `text` by a form such as `https://{host}/oauth2/{name}`, and tells what stands in each place.
///
/// - `{host}` and `{name}`: something without `/`. `{region}`: lower-case letters, digits, `-`.
/// - `{origin}`: scheme and host. `{base}`: those, and perhaps a path.
/// - `{tenant}`: a GUID in lower case.
/// - `{issuer}`: anything.
///
/// The same name twice stands for the same text.
pub(super) fn read<'a>(form: &'static str, text: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let mut found = Vec::new();
    is_of_form(form, text, &mut found).then_some(found)
}

/// Puts what was found into another form.
pub(super) fn write(form: &str, found: &[(&'static str, &str)]) -> String {
    found
        .iter()
        .fold(form.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn is_of_form<'a>(
    form: &'static str,
    text: &'a str,
    found: &mut Vec<(&'static str, &'a str)>,
) -> bool {
    let Some((literal, rest)) = form.split_once('{') else { return form == text };
    let Some((text, (name, form))) = text.strip_prefix(literal).zip(rest.split_once('}')) else {
        return false;
    };
    if let Some((_, value)) = found.iter().find(|(known, _)| *known == name) {
        return text.strip_prefix(value).is_some_and(|text| is_of_form(form, text, found));
    }
    let ends = text.char_indices().map(|(start, _)| start).skip(1).chain([text.len()]);
    for (value, rest) in ends.filter_map(|end| text.split_at_checked(end)) {
        if fits(name, value) {
            found.push((name, value));
            if is_of_form(form, rest, found) {
                return true;
            }
            found.pop();
        }
    }
    false
}

fn fits(name: &str, value: &str) -> bool {
    match name {
        "base" => !value.ends_with('/'),
        "issuer" => true,
        "origin" => value.split_once("://").is_some_and(|(_, host)| fits("host", host)),
        "region" => value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
        "tenant" => is_guid(value),
        _ => !value.is_empty() && !value.contains('/'),
    }
}

fn is_guid(value: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    value.len() == 36
        && value.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && value.bytes().all(|byte| byte == b'-' || is_hex(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    #[test]
    fn a_form_is_read_whole_and_not_in_part() {
        let tenant = |rest: &str| format!("https://x.example/{TENANT}{rest}");
        let rows = [
            ("https://{host}/", "https://a.example/", true),
            ("https://{host}/", "https://a.example", false),
            ("https://{host}/", "https://a.example/b/", false),
            ("https://{host}/", "https:///", false),
            ("https://{host}/oauth2/{name}", "https://a.example/oauth2/default", true),
            ("https://{host}/oauth2/{name}", "https://a.example/oauth2/", false),
            ("https://{host}/oauth2/{name}", "https://a.example/oauth2/a/b", false),
            ("{origin}", "https://a.example", true),
            ("{origin}", "https://a.example/", false),
            ("{base}/realms/{name}", "https://a.example/realms/x", true),
            ("{base}/realms/{name}", "https://a.example/auth/realms/x", true),
            ("{base}/realms/{name}", "https://a.example/realms/x/", false),
            ("{base}/realms/{name}", "https://a.example/realms/realms/x", true),
            ("{issuer}", "https://a.example/whatever/", true),
            ("https://x.{region}.y/{region}_{name}", "https://x.eu-west-1.y/eu-west-1_Ab", true),
            ("https://x.{region}.y/{region}_{name}", "https://x.eu-west-1.y/us-west-1_Ab", false),
            ("https://x.example/{tenant}/", &tenant("/"), true),
            ("https://x.example/{tenant}/", &tenant(""), false),
            ("https://x.example/{tenant}/", &tenant("/v2.0"), false),
            ("https://x.example/{tenant}/", &tenant("/").replace('b', "B"), false),
            ("https://x.example/{tenant}/", &tenant("/").replace("86f1-", "-86f1"), false),
            ("https://x.example/{tenant}/", "https://x.example/common/", false),
        ];
        for (form, text, expected) in rows {
            assert_eq!(read(form, text).is_some(), expected, "{form} {text}");
        }
    }

    #[test]
    fn what_was_found_fits_into_another_form() {
        let text = format!("https://x.example/{TENANT}/");
        let found = read("https://x.example/{tenant}/", &text).unwrap();
        assert_eq!(found, [("tenant", TENANT)]);
        assert_eq!(write("k/{tenant}/{other}", &found), format!("k/{TENANT}/{{other}}"));
    }
}
