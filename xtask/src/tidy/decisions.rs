//! Decision records are numbered, complete and listed.

use crate::tidy::{Finding, repo::Repo};

const FOLDER: &str = "docs/decisions/";
const INDEX: &str = "docs/decisions/README.md";
const HEADINGS: &[&str] = &["Context", "Options", "Decision", "Consequences"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let Some(index) = repo.file(INDEX) else {
        return vec![Finding::in_file(INDEX, "write the list of decisions, one link each")];
    };
    let mut findings = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for file in &repo.files {
        let Some(name) = file.path.strip_prefix(FOLDER).filter(|_| file.path != INDEX) else {
            continue;
        };
        names.push(name);
        for heading in HEADINGS {
            if !has_heading(&file.text, heading) {
                let message = format!("write a section `## {heading}`");
                findings.push(Finding::in_file(&file.path, message));
            }
        }
    }

    names.sort_unstable();
    for (index, name) in names.iter().enumerate() {
        let expected = format!("{:04}-", index + 1);
        let is_named = name.starts_with(&expected) && name.ends_with(".md");
        if !is_named {
            let message = format!("numbers have no gaps: name it `{expected}title.md`");
            findings.push(Finding::in_file(&format!("{FOLDER}{name}"), message));
        }
    }

    let listed: Vec<(usize, &str)> = links(&index.text).collect();
    for name in &names {
        if !listed.iter().any(|(_, link)| link == name) {
            findings.push(Finding::in_file(INDEX, format!("list `{name}`")));
        }
    }
    for (line, link) in listed {
        if !names.contains(&link) {
            let message = format!("`{link}` does not exist: write it, or take it off the list");
            findings.push(Finding::at(INDEX, line, message));
        }
    }
    findings
}

fn has_heading(text: &str, heading: &str) -> bool {
    text.lines().any(|line| line.strip_prefix("## ").is_some_and(|title| title.trim() == heading))
}

/// Links to files in the same folder whose name starts with a digit, each with its line.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets
            .map(|target| target.trim_start_matches("./"))
            .filter(|target| target.starts_with(|c: char| c.is_ascii_digit()))
            .map(move |target| (index + 1, target))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    const RECORD: &str = "# X\n## Context\n## Options\n## Decision\n## Consequences\n";

    fn findings(index: &str, names: &[&str], text: &str) -> Vec<Finding> {
        let records = names.iter().map(|name| (format!("{FOLDER}{name}"), text.to_owned()));
        check(&Repo::of_files(records.chain([(INDEX.to_owned(), index.to_owned())])))
    }

    #[test]
    fn numbered_complete_and_listed_records_are_fine() {
        let index = "- [One](0001-one.md)\n- [Two](./0002-two.md), see [RFC](https://x)\n";
        assert_eq!(findings(index, &["0002-two.md", "0001-one.md"], RECORD), []);
    }

    #[test]
    fn gaps_and_unlisted_records_are_found() {
        let a = "0001-a.md";
        let rows = [
            ("a gap", vec![a, "0003-b.md"], vec![a, "0003-b.md"], "0003-b.md", 0),
            ("a number twice", vec![a, "0001-b.md"], vec![a, "0001-b.md"], "0001-b.md", 0),
            ("not Markdown", vec!["0001-a.txt"], vec!["0001-a.txt"], "0001-a.txt", 0),
            ("not listed", vec![a], vec![], "README.md", 0),
            ("listed, not written", vec![a], vec![a, "0002-b.md"], "README.md", 2),
        ];
        for (name, records, listed, file, line) in rows {
            let links: Vec<String> = listed.iter().map(|name| format!("[x]({name})")).collect();
            let found = findings(&links.join("\n"), &records, RECORD);
            assert_eq!(places(&found), [(format!("{FOLDER}{file}").as_str(), line)], "{name}");
        }
    }

    #[test]
    fn each_section_is_missed() {
        for heading in HEADINGS {
            let text = RECORD.replace(&format!("## {heading}\n"), "");
            let found = findings("[x](0001-a.md)", &["0001-a.md"], &text);
            assert_eq!(places(&found), [("docs/decisions/0001-a.md", 0)], "{heading}");
        }
    }

    #[test]
    fn the_list_itself_must_exist() {
        assert_eq!(places(&check(&Repo::of(&[]))), [(INDEX, 0)]);
    }
}
