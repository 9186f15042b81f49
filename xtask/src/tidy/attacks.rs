//! `docs/attacks.md` and the tests name each other: no attack without a test, no test of an attack that nobody
//! finds.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::{
    Finding,
    repo::Repo,
    rust::{self, Source},
};

const DOCUMENT: &str = "docs/attacks.md";

/// How a row without a test says why.
const EXCUSES: &[&str] = &["not applicable: ", "open: "];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let Some(document) = repo.file(DOCUMENT) else {
        return vec![Finding::in_file(DOCUMENT, "write the table of attacks and their tests")];
    };
    let tests: Vec<Test<'_>> = repo
        .sources()
        .flat_map(|(file, source)| {
            tests(source).into_iter().map(|(line, name)| Test { path: &file.path, line, name })
        })
        .collect();
    let names: BTreeSet<&str> = tests.iter().map(|test| test.name).collect();

    let mut findings = Vec::new();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for row in
        document.text.lines().enumerate().filter_map(|(index, line)| Row::read(index + 1, line))
    {
        let mut found = |message: String| findings.push(Finding::at(DOCUMENT, row.line, message));
        if let Some(first) = listed.insert(row.id, row.line) {
            found(format!("{} is also in line {first}: one row for each attack", row.id));
        }
        if row.tests.is_empty() && !EXCUSES.iter().any(|excuse| row.text.contains(excuse)) {
            found(format!("{} names no test: write one, or say why there is none", row.id));
        }
        for name in row.tests.iter().filter(|name| !names.contains(*name)) {
            found(format!("{} names the test `{name}`, which does not exist", row.id));
        }
    }
    for test in tests {
        if let Some(id) = attack_of(test.name).filter(|id| !listed.contains_key(id.as_str())) {
            let message = format!("`{}` tests {id}: write its row in {DOCUMENT}", test.name);
            findings.push(Finding::at(test.path, test.line, message));
        }
    }
    findings
}

struct Test<'a> {
    path: &'a str,
    line: usize,
    name: &'a str,
}

/// A row of one of the document's tables.
struct Row<'a> {
    line: usize,
    id: &'a str,
    text: &'a str,
    tests: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// The id is in the first cell, tests are in the last.
    fn read(line: usize, text: &'a str) -> Option<Self> {
        let cells = text.trim().strip_prefix('|')?.trim_end_matches('|');
        let id = cells.split('|').next()?.trim();
        let (kind, number) = id.split_once('-')?;
        let last = cells.rsplit(" | ").next()?;
        let tests = last.split('`').skip(1).step_by(2).collect();
        is_id(kind, number, |c| c.is_ascii_uppercase()).then_some(Self { line, id, text, tests })
    }
}

/// `ALG-01`, of `alg_01_no_algorithm`.
fn attack_of(test: &str) -> Option<String> {
    let (kind, rest) = test.split_once('_')?;
    let (number, _) = rest.split_once('_')?;
    is_id(kind, number, |c| c.is_ascii_lowercase())
        .then(|| format!("{}-{number}", kind.to_ascii_uppercase()))
}

fn is_id(kind: &str, number: &str, is_letter: fn(char) -> bool) -> bool {
    (2..=4).contains(&kind.len())
        && kind.chars().all(is_letter)
        && number.len() == 2
        && number.chars().all(|c| c.is_ascii_digit())
}

/// The functions that the test harness runs, each with its line.
fn tests(source: &Source) -> Vec<(usize, &str)> {
    let mut tests = Vec::new();
    let mut is_test = false;
    for (index, line) in source.lines.iter().enumerate() {
        is_test = is_test || is_test_attribute(&line.bare);
        let mut words = rust::words(&line.bare);
        if words.any(|word| word.text == "fn")
            && let Some(name) = words.next()
            && std::mem::take(&mut is_test)
        {
            tests.push((index + 1, name.text));
        }
    }
    tests
}

/// `#[test]`, and what a runtime has in its place: `#[tokio::test(start_paused = true)]`.
fn is_test_attribute(code: &str) -> bool {
    let Some(attribute) = code.trim_start().strip_prefix("#[") else { return false };
    let path = attribute.split([']', '(']).next().unwrap_or(attribute);
    path.rsplit("::").next().is_some_and(|name| name.trim() == "test")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    const CODE: &str = "crates/a/src/tests.rs";
    const TESTS: &str = "#[test]\nfn alg_01_no_algorithm() {}\n\n#[tokio::test(start_paused = true)]\n\
                         #[expect(clippy::x, reason = \"fn y\")]\nasync fn refuses() {}\n";
    const ROWS: &str = "| id | attack | answer | test |\n|---|---|---|---|\n\
                        | ALG-01 | `none` | `401 x` | `alg_01_no_algorithm`, `refuses` |\n\
                        | ALG-02 | all | not applicable: we have none | none |\n";

    fn found(rows: &str, code: &str) -> Vec<(String, usize)> {
        let findings = check(&Repo::of(&[(DOCUMENT, rows), (CODE, code)]));
        places(&findings).into_iter().map(|(path, line)| (path.to_owned(), line)).collect()
    }

    #[test]
    fn rows_and_tests_that_name_each_other_are_fine() {
        assert_eq!(found(ROWS, TESTS), []);
    }

    #[test]
    fn rows_without_a_test_are_found() {
        let rows = [
            ("none named", "| ALG-03 | x | `401 x` | none |\n"),
            ("one that is gone", "| ALG-03 | x | `401 x` | `alg_03_gone` |\n"),
            ("one of two gone", "| ALG-03 | x | `401 x` | `refuses`, `gone` |\n"),
            ("a function that is no test", "| ALG-03 | x | `401 x` | `helper` |\n"),
            ("only in a comment", "| ALG-03 | x | `401 x` | `commented` |\n"),
            ("an id twice", "| ALG-02 | x | `401 x` | `refuses` |\n"),
        ];
        let code = format!("{TESTS}fn helper() {{}}\n// #[test]\n// fn commented() {{}}\n");
        for (name, row) in rows {
            assert_eq!(found(&format!("{ROWS}{row}"), &code), [(DOCUMENT.to_owned(), 5)], "{name}");
        }
    }

    #[test]
    fn a_test_of_an_attack_without_a_row_is_found_wherever_it_is() {
        for name in ["alg_03_x", "pop_03_a_proof_is_taken_once", "http_99_x", "rl_01_x"] {
            let code = format!("{TESTS}#[test]\nfn {name}() {{}}\n");
            assert_eq!(found(ROWS, &code), [(CODE.to_owned(), 8)], "{name}");
        }
    }

    #[test]
    fn names_that_only_look_like_ids_need_no_row() {
        for name in ["aes_128_x", "sha_1_x", "three_04_words", "x_01_x", "alg_01", "an_attack"] {
            let code = format!("{TESTS}#[test]\nfn {name}() {{}}\n");
            assert_eq!(found(ROWS, &code), [], "{name}");
        }
        let helper = format!("{TESTS}fn alg_09_helper() {{}}\n");
        assert_eq!(found(ROWS, &helper), [], "not a test");
    }

    #[test]
    fn the_document_must_exist() {
        assert_eq!(places(&check(&Repo::of(&[]))), [(DOCUMENT, 0)]);
    }
}
