//! What somebody may have meant.

const MAX_BYTES: usize = 64;

/// The one of `known` that is most like `written`, if it is like it at all: cut short, or misspelled.
pub(super) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    if written.len() > MAX_BYTES {
        return None;
    }
    let written = written.to_ascii_lowercase();
    let is_cut_short = |known: &&&str| written.len() > 2 && known.starts_with(&written);
    if let Some(known) = known.iter().find(is_cut_short) {
        return Some(known);
    }
    known
        .iter()
        .map(|known| (distance(&written, &known.to_ascii_lowercase()), *known))
        .filter(|(distance, known)| distance.saturating_mul(3) <= known.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many characters to insert, delete or replace (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut beside = index.saturating_add(1);
        let mut next = vec![beside];
        for (to, above) in right.chars().zip(row.windows(2)) {
            let [diagonal, above] = above else { continue };
            let replaced = diagonal.saturating_add(usize::from(from != to));
            beside = replaced.min(above.saturating_add(1)).min(beside.saturating_add(1));
            next.push(beside);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognized_and_a_different_word_is_not() {
        let known = ["issuer", "leeway_seconds", "roles", "scopes", "ES256"];
        let rows = [
            ("leeway_second", Some("leeway_seconds")),
            ("leeway-seconds", Some("leeway_seconds")),
            ("Issuer", Some("issuer")),
            ("role", Some("roles")),
            ("leeway", Some("leeway_seconds")),
            ("scope", Some("scopes")),
            ("es256", Some("ES256")),
            ("audience", None),
            ("", None),
        ];
        for (written, expected) in rows {
            assert_eq!(nearest(written, &known), expected, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
    }

    #[test]
    fn a_distance_is_the_number_of_slips() {
        for (left, right, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }
}
