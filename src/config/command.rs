//! What `orrery config` does: show the effective configuration, and write a file to start from.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::Value as Json;

use super::Config;
use super::setting::Setting;

/// The file that `orrery config init` writes: all keys with their defaults, commented out.
pub const DEFAULT_FILE: &str = include_str!("../../etc/orrery.toml");

/// How the configuration is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML, as the file is written; keys without a value are left out.
    Toml,
    /// JSON; keys without a value are null.
    Json,
}

/// Why a configuration could not be shown or written.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A value has no form in the format.
    #[error("the configuration cannot be shown: {0}")]
    Show(String),
    /// The file exists and nobody agreed to overwrite it.
    #[error("{0} exists; use --yes to overwrite it")]
    Exists(String),
    /// The file cannot be written, or the question cannot be asked.
    #[error("{file} cannot be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

/// The effective configuration as text. Secrets are `***`.
///
/// # Errors
/// [`CommandError::Show`] if a value of `hub.ui.template_vars` or the like has no TOML form.
pub fn show(config: &Config, format: Format) -> Result<String, CommandError> {
    let mut shown = Config::show(config);
    let unshown = |error: &dyn std::fmt::Display| CommandError::Show(error.to_string());
    match format {
        Format::Json => serde_json::to_string_pretty(&shown).map_err(|e| unshown(&e)),
        Format::Toml => {
            drop_nulls(&mut shown);
            toml::to_string(&shown).map_err(|e| unshown(&e))
        }
    }
}

fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(table) => {
            table.retain(|_, value| !value.is_null());
            table.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// What to do when the file exists.
pub enum Existing<'a> {
    /// Overwrite it.
    Overwrite,
    /// Leave it and fail.
    Keep,
    /// Ask this, which gives one line of an answer; none at the end of the input.
    Ask(&'a mut dyn FnMut(&str) -> io::Result<Option<String>>),
}

/// Whether a file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was.
    Yes,
    /// The answer was no, and nothing changed.
    Declined,
}

/// Writes the commented default file. It is readable by its owner alone, since it is a place for secrets.
///
/// # Errors
/// [`CommandError::Exists`] or [`CommandError::Write`].
pub fn init(file: &Path, existing: Existing<'_>) -> Result<Written, CommandError> {
    let unwritten = |source| CommandError::Write { file: file.display().to_string(), source };
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if std::fs::symlink_metadata(file).is_err() {
        // create_new: a file that appears meanwhile is not overwritten
        options.create_new(true);
    } else {
        match existing {
            Existing::Overwrite => {}
            Existing::Keep => return Err(CommandError::Exists(file.display().to_string())),
            Existing::Ask(ask) => {
                if !agreed(file, ask).map_err(unwritten)? {
                    return Ok(Written::Declined);
                }
            }
        }
        options.truncate(true);
    }
    let written = options.open(file).and_then(|mut file| file.write_all(DEFAULT_FILE.as_bytes()));
    written.map(|()| Written::Yes).map_err(unwritten)
}

/// Asks until the answer starts with y or n; an empty answer is no (config.md 1.2).
fn agreed(file: &Path, ask: &mut dyn FnMut(&str) -> io::Result<Option<String>>) -> io::Result<bool> {
    let mut question = format!("Overwrite {}? [y/N] ", file.display());
    loop {
        let answer = ask(&question)?.unwrap_or_default();
        match answer.trim_start().chars().next().map(|letter| letter.to_ascii_lowercase()) {
            Some('y') => return Ok(true),
            Some('n') | None => return Ok(false),
            Some(_) => question = "Please answer y or n: ".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn answering(answers: &[&str]) -> impl FnMut(&str) -> io::Result<Option<String>> {
        let mut answers: Vec<String> = answers.iter().rev().map(|a| (*a).to_owned()).collect();
        move |_| Ok(answers.pop())
    }

    #[test]
    fn cfg_006_an_existing_file_is_overwritten_only_after_yes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orrery.toml");
        std::fs::write(&file, "mine").unwrap();
        let content = || std::fs::read_to_string(&file).unwrap();

        assert!(matches!(init(&file, Existing::Keep), Err(CommandError::Exists(_))));
        assert_eq!(init(&file, Existing::Ask(&mut answering(&["maybe", "no"]))).unwrap(), Written::Declined);
        assert_eq!(init(&file, Existing::Ask(&mut answering(&[]))).unwrap(), Written::Declined);
        assert_eq!(content(), "mine");
        assert_eq!(init(&file, Existing::Ask(&mut answering(&["what", "Yes"]))).unwrap(), Written::Yes);
        assert_eq!(content(), DEFAULT_FILE);
    }

    #[test]
    fn a_new_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orrery.toml");
        assert_eq!(init(&file, Existing::Keep).unwrap(), Written::Yes);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(init(&dir.path().join("no/x"), Existing::Keep), Err(CommandError::Write { .. })));
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut config = Config::default();
        config.auth.dummy.password = Secret::new("hunter2");
        config.database.url = Secret::new("postgresql://u:hunter2@db/x");
        for format in [Format::Toml, Format::Json] {
            let shown = show(&config, format).unwrap();
            assert!(
                !shown.contains("hunter2") && shown.contains("***") && shown.contains("u:***@db"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_is_shown_as_json_is_json() {
        let shown: Json = serde_json::from_str(&show(&Config::default(), Format::Json).unwrap()).unwrap();
        assert_eq!(shown["logging"]["level"], "info");
    }
}
