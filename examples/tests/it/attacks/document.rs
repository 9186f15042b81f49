//! `docs/attacks.md` says what was done, all of it and nothing else. That each test in it exists, and each row has
//! one, is a rule of `cargo xtask tidy`.

use std::{collections::BTreeMap, fs, path::Path};

use super::{Row, SECTIONS};

/// The catalogue: so many attacks of each kind.
const CATALOGUE: &[(&str, usize)] = &[
    ("ALG", 11),
    ("HDR", 11),
    ("ENC", 9),
    ("CLM", 10),
    ("AUD", 12),
    ("JWK", 13),
    ("HTTP", 13),
    ("POP", 10),
    ("SCP", 10),
    ("MCP", 15),
    ("PTH", 6),
    ("BDY", 4),
    ("RL", 12),
    ("LOG", 12),
    ("PRM", 5),
    ("CCH", 8),
    ("REV", 5),
    ("IDN", 1),
];

/// A line of one of the document's tables.
struct Listed {
    attack: String,
    answer: String,
    tests: String,
}

impl Row {
    fn answer(&self) -> String {
        let answers: Vec<_> = self.answers.iter().map(|answer| format!("`{answer}`")).collect();
        answers.join(", ")
    }
}

impl Listed {
    /// A remark may follow the answer, after a semicolon.
    fn says(&self, row: &Row) -> bool {
        let remark = self.answer.strip_prefix(&row.answer());
        let is_open = row.answers.contains(&"200");
        self.attack == row.attack
            && (!is_open || self.answer.contains("; open: "))
            && remark.is_some_and(|remark| remark.is_empty() || remark.starts_with("; "))
            && self.tests.contains(&format!("`{}`", row.test))
    }
}

#[test]
fn the_document_lists_what_was_done() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut listed = read(&repository.join("docs/attacks.md"));
    let mut wrong = Vec::new();

    for (kind, count) in CATALOGUE {
        for number in 1..=*count {
            let id = format!("{kind}-{number:02}");
            if !listed.contains_key(&id) {
                wrong.push(format!("{id} is not listed"));
            }
        }
    }
    for row in SECTIONS.iter().copied().flatten() {
        if !listed.remove(row.id).is_some_and(|line| line.says(row)) {
            let Row { id, attack, test, .. } = row;
            wrong.push(format!("not listed as: | {id} | {attack} | {} | `{test}` |", row.answer()));
        }
    }
    for (id, line) in &listed {
        // What is left was not done here, so there is no answer that anybody saw.
        if line.answer.starts_with('`') {
            wrong.push(format!("{id} claims an answer, and no row of the code backs it"));
        }
    }
    assert!(wrong.is_empty(), "docs/attacks.md:\n{}", wrong.join("\n"));
}

fn read(document: &Path) -> BTreeMap<String, Listed> {
    let text = fs::read_to_string(document).unwrap();
    let mut listed = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, attack, answer, tests] = cells.as_slice() else { panic!("four cells: {line}") };
        let is_id = id.split_once('-').is_some_and(|(kind, number)| {
            number.parse::<usize>().is_ok() && CATALOGUE.iter().any(|(other, _)| *other == kind)
        });
        if is_id {
            let [attack, answer, tests] = [attack, answer, tests].map(|cell| (*cell).to_owned());
            let earlier = listed.insert((*id).to_owned(), Listed { attack, answer, tests });
            assert!(earlier.is_none(), "{id} is listed twice");
        } else {
            assert_eq!(*id, "id", "not in the catalogue: {line}");
        }
    }
    listed
}
