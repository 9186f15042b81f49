//! What cargo says about the workspace.

use std::path::Path;

use serde_json::Value;

use crate::run::{Call, Failure};

/// The workspace and everything it is resolved against, on every platform, with every feature.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) members: Vec<Member>,
    pub(crate) packages: Vec<Package>,
}

/// A package of this repository.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// From the workspace root, with `/`: `crates/core`.
    pub(crate) folder: String,
    /// Without `default`.
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// The programs below `tests`.
    pub(crate) tests: Vec<String>,
}

/// An edge as the manifest has it.
#[derive(Debug, Default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
    /// The folder of a dependency that lives in this repository.
    pub(crate) folder: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    #[default]
    Normal,
    Build,
    Dev,
}

/// Any package of the lock file.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) license: Option<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Failure> {
        let call =
            Call::cargo(&["metadata", "--format-version", "1", "--all-features", "--locked"]);
        let json: Value = serde_json::from_str(&call.capture()?)
            .map_err(|error| Failure::because(format!("`{call}`: {error}")))?;
        Self::read(&json).ok_or_else(|| Failure::because(format!("`{call}`: unknown format")))
    }

    fn read(json: &Value) -> Option<Self> {
        let root = Path::new(json.get("workspace_root")?.as_str()?);
        let ids = json.get("workspace_members")?.as_array()?;
        let mut workspace = Self::default();
        for package in json.get("packages")?.as_array()? {
            workspace
                .packages
                .push(Package { name: text(package, "name")?, license: text(package, "license") });
            if ids.contains(package.get("id")?) {
                workspace.members.push(Member::read(package, root)?);
            }
        }
        Some(workspace)
    }

    /// The members under `crates/`: what is published.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.folder.starts_with("crates/"))
    }
}

impl Member {
    pub(crate) fn tests(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().map(String::as_str)
    }

    fn read(package: &Value, root: &Path) -> Option<Self> {
        let manifest = text(package, "manifest_path")?;
        let features = package.get("features")?.as_object()?.keys();
        let dependencies = package.get("dependencies")?.as_array()?.iter();
        let targets = package.get("targets").and_then(Value::as_array).into_iter().flatten();
        let is_test = |target: &&Value| {
            let kinds = target.get("kind").and_then(Value::as_array);
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "test"))
        };
        Some(Self {
            name: text(package, "name")?,
            folder: within(root, Path::new(&manifest).parent()?)?,
            features: features.filter(|name| *name != "default").cloned().collect(),
            dependencies: dependencies
                .map(|dependency| Dependency::read(dependency, root))
                .collect::<Option<_>>()?,
            tests: targets.filter(is_test).filter_map(|target| text(target, "name")).collect(),
        })
    }
}

impl Dependency {
    fn read(json: &Value, root: &Path) -> Option<Self> {
        let kind = match json.get("kind")?.as_str() {
            None => DependencyKind::Normal,
            Some("build") => DependencyKind::Build,
            Some("dev") => DependencyKind::Dev,
            Some(_) => return None,
        };
        let folder = text(json, "path").and_then(|path| within(root, Path::new(&path)));
        Some(Self { name: text(json, "name")?, kind, folder })
    }
}

fn text(json: &Value, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(ToOwned::to_owned)
}

fn within(root: &Path, path: &Path) -> Option<String> {
    Some(path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_members_and_packages() {
        let json = json!({
            "workspace_root": "/repo",
            "workspace_members": ["path+file:///repo/crates/a#0.1.0"],
            "packages": [
                {
                    "id": "path+file:///repo/crates/a#0.1.0",
                    "name": "palisade-a",
                    "license": "MIT",
                    "manifest_path": "/repo/crates/a/Cargo.toml",
                    "features": { "default": ["x"], "x": [] },
                    "dependencies": [
                        { "name": "http", "kind": null },
                        { "name": "palisade-core", "kind": "dev", "path": "/repo/crates/core" },
                    ],
                    "targets": [
                        { "name": "palisade_a", "kind": ["lib"] },
                        { "name": "it", "kind": ["test"] },
                    ],
                },
                { "id": "registry+x#http@1.0.0", "name": "http", "license": null },
            ],
        });

        let workspace = Workspace::read(&json).expect("the format is known");

        let [member] = workspace.members.as_slice() else { panic!("one member") };
        assert_eq!(member.folder, "crates/a");
        assert_eq!(member.features, ["x"]);
        assert_eq!(member.tests, ["it"]);
        assert_eq!(member.dependencies[0].kind, DependencyKind::Normal);
        assert_eq!(member.dependencies[0].folder, None);
        assert_eq!(member.dependencies[1].kind, DependencyKind::Dev);
        assert_eq!(member.dependencies[1].folder.as_deref(), Some("crates/core"));
        assert_eq!(workspace.packages.len(), 2);
        assert_eq!(workspace.packages[1].license, None);
    }

    #[test]
    fn an_unknown_kind_of_dependency_is_not_guessed_at() {
        assert!(Dependency::read(&json!({ "name": "x", "kind": "new" }), Path::new("/")).is_none());
    }
}
