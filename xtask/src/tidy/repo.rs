//! The repository as the rules see it: read once, then only looked at.

use std::{collections::BTreeMap, fs};

use crate::{
    run::{self, Call, Failure},
    tidy::rust::{Line, Source},
    workspace::Workspace,
};

/// All that a rule may ask about.
#[derive(Debug, Default)]
pub(crate) struct Repo {
    /// Where it lies on this machine, which nothing in it may say.
    pub(crate) root: String,
    pub(crate) files: Vec<File>,
    pub(crate) workspace: Workspace,
    /// For each crate, the name of everything it compiles in its default form: normal
    /// dependencies, and theirs.
    pub(crate) compiled: BTreeMap<String, Vec<String>>,
}

/// A text file that git tracks, or would.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Of a `.rs` file.
    pub(crate) source: Option<Source>,
}

/// A line of a crate under `crates/`.
pub(crate) struct CrateLine<'a> {
    pub(crate) path: &'a str,
    /// `core`, for `crates/core/src/lib.rs`.
    pub(crate) folder: &'a str,
    /// From 1.
    pub(crate) number: usize,
    pub(crate) line: &'a Line,
}

impl Repo {
    pub(crate) fn load() -> Result<Self, Failure> {
        let workspace = Workspace::load()?;
        let mut compiled = BTreeMap::new();
        for member in workspace.crates() {
            let package = format!("--package={}", member.name);
            let tree =
                Call::cargo(&["tree", &package, "--edges=normal", "--prefix=none", "--locked"]);
            compiled.insert(member.name.clone(), first_words(&tree.capture()?));
        }
        let root = run::root().to_string_lossy().into_owned();
        Ok(Self { root, workspace, compiled, ..Self::of_files(tracked_files()?) })
    }

    /// A repository of these files alone: `(path, text)`.
    pub(crate) fn of_files(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<File> = files.into_iter().map(File::from).collect();
        let test_modules: Vec<String> = files.iter().flat_map(File::test_modules).collect();
        for file in &mut files {
            let listed = test_modules.iter().any(|module| {
                file.path
                    .strip_prefix(module)
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
            if let Some(source) = &mut file.source
                && (listed || file.path.ends_with("/tests.rs") || file.path.contains("/tests/"))
            {
                source.mark_all_as_test();
            }
        }
        Self { files, ..Self::default() }
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Rust files, wherever they are.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.source.as_ref()?)))
    }

    /// Every line under `crates/*/src`, tests included.
    pub(crate) fn crate_lines(&self) -> impl Iterator<Item = CrateLine<'_>> {
        self.sources()
            .filter_map(|(file, source)| Some((file, crate_folder(&file.path)?, source)))
            .flat_map(|(file, folder, source)| {
                source.lines.iter().enumerate().map(move |(index, line)| CrateLine {
                    path: &file.path,
                    folder,
                    number: index + 1,
                    line,
                })
            })
    }

    /// What of [`Self::crate_lines`] is shipped.
    pub(crate) fn shipped_lines(&self) -> impl Iterator<Item = CrateLine<'_>> {
        self.crate_lines().filter(|at| !at.line.test)
    }

    /// The folders under `crates/`: `core`, `rate-limit`.
    pub(crate) fn crate_folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> = self
            .files
            .iter()
            .filter_map(|file| Some(file.path.strip_prefix("crates/")?.split_once('/')?.0))
            .collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }
}

impl File {
    /// The path without `.rs` of each module that this file declares for tests only.
    fn test_modules(&self) -> Vec<String> {
        let Some(source) = &self.source else { return Vec::new() };
        let Some((folder, name)) = self.path.rsplit_once('/') else { return Vec::new() };
        let inside = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => self.path.trim_end_matches(".rs").to_owned(),
        };
        source.test_modules.iter().map(|module| format!("{inside}/{module}")).collect()
    }

    /// The number, from 1, of the first line that contains `text`; 1 if none does.
    pub(crate) fn line_of(&self, text: &str) -> usize {
        self.text.lines().position(|line| line.contains(text)).map_or(1, |index| index + 1)
    }
}

impl From<(String, String)> for File {
    fn from((path, text): (String, String)) -> Self {
        let source = path.ends_with(".rs").then(|| Source::parse(&text));
        Self { path, text, source }
    }
}

fn crate_folder(path: &str) -> Option<&str> {
    let (folder, rest) = path.strip_prefix("crates/")?.split_once('/')?;
    rest.starts_with("src/").then_some(folder)
}

/// Asks git, so that new files count before they are committed and build output never does.
fn tracked_files() -> Result<Vec<(String, String)>, Failure> {
    let list = Call::new("git", &["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .capture()?;
    let mut files = Vec::new();
    for path in list.split_terminator('\0') {
        // A file may be deleted and still listed, and what is not text has no rules.
        if let Ok(text) = fs::read_to_string(run::root().join(path)) {
            files.push((path.to_owned(), text));
        }
    }
    Ok(files)
}

fn first_words(lines: &str) -> Vec<String> {
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
impl Repo {
    /// For the tests of rules: a repository of these files alone.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self::of_files(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(repo: &Repo) -> Vec<&str> {
        repo.shipped_lines().map(|at| at.path).collect()
    }

    #[test]
    fn only_the_sources_of_crates_ship() {
        let repo = Repo::of(&[
            ("crates/a/src/lib.rs", "a"),
            ("crates/a/benches/b.rs", "a"),
            ("crates/a/README.md", "a"),
            ("examples/src/bin/demo.rs", "a"),
        ]);
        assert_eq!(shipped(&repo), ["crates/a/src/lib.rs"]);
        assert_eq!(repo.crate_folders(), ["a"]);
    }

    #[test]
    fn files_that_belong_to_a_test_do_not_ship() {
        let rows = [
            ("by name", "crates/a/src/x/tests.rs", ""),
            ("in a folder of that name", "crates/a/src/x/tests/table.rs", ""),
            ("declared in lib.rs", "crates/a/src/fixtures.rs", "#[cfg(test)]\nmod fixtures;"),
            ("its children", "crates/a/src/fixtures/keys.rs", "#[cfg(test)]\nmod fixtures;"),
        ];
        for (name, path, root) in rows {
            let repo = Repo::of(&[("crates/a/src/lib.rs", root), (path, "a")]);
            assert!(!shipped(&repo).contains(&path), "{name}");
        }

        let declared_elsewhere = Repo::of(&[
            ("crates/a/src/x.rs", "#[cfg(test)]\nmod fixtures;"),
            ("crates/a/src/fixtures.rs", "a"),
        ]);
        assert!(shipped(&declared_elsewhere).contains(&"crates/a/src/fixtures.rs"));
    }

    #[test]
    fn reads_the_names_in_a_dependency_tree() {
        let tree = "palisade-a v0.1.0 (/repo/crates/a)\nhttp v1.5.0\nbytes v1.0.0 (*)\n";
        assert_eq!(first_words(tree), ["palisade-a", "http", "bytes"]);
    }
}
