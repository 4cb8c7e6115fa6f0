//! `orrery doctor`: looks at everything that a hub needs, and says what to do about what is wrong.
//!
//! Changes nothing, and shows no secret. Blocks; what asks programs or the network has a deadline.

mod ask;
mod database;
mod files;
mod hub;
mod machine;
mod network;
mod privileged;
mod program;
mod sign_in;
mod units;

use serde::Serialize;

use crate::config::auth::AuthType;
use crate::config::{Config, Sources, SpawnerType, load};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warning,
    /// The hub or its servers will not work like this.
    Wrong,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub check: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it; nothing if it is as it should be.
    pub advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { level: Level::Ok, check, found: found.into(), advice: None }
    }

    fn warning(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warning, check, found: found.into(), advice: Some(advice.into()) }
    }

    fn wrong(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Wrong, check, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything.
#[must_use]
pub fn examine(sources: &Sources) -> Vec<Finding> {
    let loaded = match load(sources) {
        Ok(loaded) => loaded,
        Err(wrong) => {
            let advice = "correct it; `orrery config check` looks at this alone";
            let problems = wrong.problems.iter();
            let findings =
                problems.map(|problem| Finding::wrong("configuration", problem.to_string(), advice));
            return findings.chain(machine::examine(None, None)).collect();
        }
    };
    let config = &loaded.config;
    let mut findings = vec![read_from(&loaded.files)];
    let doubtful = loaded.warnings.iter();
    findings.extend(doubtful.map(|warning| {
        Finding::warning("configuration", warning.clone(), "see docs/configuration.md for this key")
    }));
    findings.extend(for_tests_only(config));
    findings.extend(sign_in::examine(config));
    let (running, told) = hub::examine(config);
    findings.extend(told);
    findings.extend(network::examine(config, running.is_some()));
    findings.extend(files::examine(config, &loaded.files));
    findings.extend(privileged::examine(config));
    findings.push(database::examine(config));
    findings.push(program::examine(&config.spawner, &sources.environment));
    findings.extend(machine::examine(Some(config), running));
    findings
}

fn read_from(files: &[std::path::PathBuf]) -> Finding {
    if files.is_empty() {
        let advice = "write one with `orrery config init`, or name it with --config";
        return Finding::warning("configuration", "no file was found; all keys have their defaults", advice);
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Finding::ok("configuration", format!("read from {}", names.join(", ")))
}

fn for_tests_only(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.auth.r#type == AuthType::Dummy {
        let found = "auth.type = \"dummy\" lets anybody be anybody";
        findings.push(Finding::warning(
            "sign-in",
            found,
            "choose another auth.type before others use the hub",
        ));
    }
    if config.spawner.r#type == SpawnerType::Simple {
        let found = "spawner.type = \"simple\" runs all servers as the hub's own account";
        let advice = "users can read each other's files and the hub's: for tests only";
        findings.push(Finding::warning("servers", found, advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_configuration_is_told_and_the_machine_is_looked_at_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orrery.toml");
        std::fs::write(&file, "hub.prot = 1\n").unwrap();
        let sources = Sources { file: Some(file), ..Sources::default() };
        let findings = examine(&sources);
        assert!(
            findings.iter().any(|found| found.level == Level::Wrong && found.found.contains("prot")),
            "{findings:?}"
        );
        assert!(findings.iter().any(|found| found.check == "clock"), "{findings:?}");
    }

    #[test]
    fn whatever_is_not_ok_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources { directory: folder.path().to_owned(), ..Sources::default() };
        for finding in examine(&sources) {
            assert_eq!(finding.level == Level::Ok, finding.advice.is_none(), "{finding:?}");
        }
        assert!(Level::Ok < Level::Warning && Level::Warning < Level::Wrong);
    }
}
