//! Just enough TOML for manifests and `deny.toml`: which key stands in which table.

/// `key = value` inside a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From 1.
    pub(crate) line: usize,
    /// `package`, `target.'cfg(unix)'.dependencies`; empty before the first header.
    pub(crate) table: String,
    pub(crate) key: String,
    /// As written, an array on several lines joined into one.
    pub(crate) value: String,
}

impl Entry {
    /// Whether the workspace decides: `x.workspace = true` or `x = { workspace = true, … }`.
    /// For the first form `key` is already without its `.workspace`.
    pub(crate) fn is_inherited(&self) -> bool {
        let value = self.value.replace(char::is_whitespace, "");
        value.starts_with("{workspace=true") || value.contains(",workspace=true")
    }

    /// What stands in double quotes in the value.
    pub(crate) fn strings(&self) -> impl Iterator<Item = &str> {
        self.value.split('"').skip(1).step_by(2)
    }
}

pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut table = String::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        if open {
            if let Some(entry) = entries.last_mut() {
                entry.value.push_str(line);
                open = is_open(&entry.value);
            }
        } else if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).trim().to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            let entry = entry(index + 1, &table, key.trim(), value.trim());
            open = is_open(&entry.value);
            entries.push(entry);
        }
    }
    entries
}

/// The two ways to inherit look the same afterwards.
fn entry(line: usize, table: &str, key: &str, value: &str) -> Entry {
    let (key, value) = match key.strip_suffix(".workspace") {
        Some(key) => (key, format!("{{ workspace = {value} }}")),
        None => (key, value.to_owned()),
    };
    Entry { line, table: table.to_owned(), key: key.to_owned(), value }
}

fn is_open(value: &str) -> bool {
    let outside: String = value.split('"').step_by(2).collect();
    outside.matches('[').count() > outside.matches(']').count()
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (index, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return line.get(..index).unwrap_or(line),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_know_their_table_and_their_line() {
        let text = "a = 1\n\n[package]\nname = \"x\" # why\n[[bin]]\nname = \"y#z\"\n";
        let found: Vec<(usize, String, String, String)> =
            entries(text).into_iter().map(|e| (e.line, e.table, e.key, e.value)).collect();
        let row = |line, table: &str, key: &str, value: &str| {
            (line, table.to_owned(), key.to_owned(), value.to_owned())
        };
        assert_eq!(
            found,
            [
                row(1, "", "a", "1"),
                row(4, "package", "name", "\"x\""),
                row(6, "bin", "name", "\"y#z\""),
            ]
        );
    }

    #[test]
    fn an_array_may_span_lines() {
        let found = entries("allow = [\n  \"A\", # one\n  \"B [\",\n]\nnext = 1\n");
        assert_eq!(found[0].strings().collect::<Vec<_>>(), ["A", "B ["]);
        assert_eq!(found[1].key, "next");
    }

    #[test]
    fn both_ways_to_inherit_are_seen() {
        let rows = [
            ("http.workspace = true", true),
            ("http = { workspace = true, features = [\"x\"] }", true),
            ("http = { features = [\"x\"], workspace = true }", true),
            ("http.workspace = false", false),
            ("http = \"1.5\"", false),
        ];
        for (text, inherited) in rows {
            let found = entries(text);
            assert_eq!(
                (found[0].key.as_str(), found[0].is_inherited()),
                ("http", inherited),
                "{text}"
            );
        }
    }
}
