//! Reads configurations that tests write.

use std::collections::BTreeMap;

use super::{ConfigError, Loaded, Sources, load, read};

/// A directory with an `orrery.toml`, and what else a configuration comes from.
pub(crate) struct Case {
    pub(super) dir: tempfile::TempDir,
    pub(super) sources: Sources,
}

impl Case {
    /// A configuration with one file.
    pub(super) fn file(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sources = Sources { directory: dir.path().to_owned(), ..Sources::default() };
        let case = Self { dir, sources };
        case.write("orrery.toml", text);
        case
    }

    /// Writes a further file.
    pub(super) fn write(&self, name: &str, text: &str) {
        let file = self.dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// Adds an environment variable.
    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds a key on the command line.
    pub(super) fn option(mut self, key: &str, value: &str) -> Self {
        self.sources.command_line.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The configuration; what is not supported yet does not matter.
    pub(super) fn read(&self) -> Result<Loaded, ConfigError> {
        read(&self.sources)
    }

    /// All problems as text.
    pub(super) fn problems(&self) -> String {
        self.read().unwrap_err().to_string()
    }

    /// All warnings as text.
    pub(super) fn warnings(&self) -> String {
        self.read().unwrap().warnings.join("\n")
    }
}

/// What one file means.
pub(crate) fn reading(text: &str) -> Loaded {
    Case::file(text).read().unwrap()
}

/// What is wrong with one file.
pub(crate) fn problems(text: &str) -> String {
    Case::file(text).problems()
}

/// What is doubtful in one file.
pub(crate) fn warnings(text: &str) -> String {
    Case::file(text).warnings()
}

/// What this build does not support of one file.
pub(crate) fn not_yet(text: &str) -> BTreeMap<String, String> {
    let error = load(&Case::file(text).sources).unwrap_err();
    error.problems.into_iter().map(|problem| (problem.key.to_string(), problem.to_string())).collect()
}
