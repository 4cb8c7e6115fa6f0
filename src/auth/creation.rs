//! Makes accounts of this machine for users who have none (`auth.local.create_system_users`).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use log::info;
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::auth::LocalAuthConfig;
use crate::domain::allow::harmless;
use crate::domain::names::Username;

/// How long the command may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How much of its output is shown.
const MOST_SHOWN: usize = 2000;

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum CreationError {
    /// The name is none for an account.
    #[error("{0} cannot be the name of an account of this machine")]
    Name(Username),
    /// The command does not exist, or cannot be run.
    #[error("auth.local.add_user_command: {program} cannot be run: {source}")]
    Program {
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// It failed.
    #[error("auth.local.add_user_command failed for {user} ({status}): {output}")]
    Failed {
        /// For whom.
        user: Username,
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
}

/// The command, and the uids of some.
#[derive(Debug)]
pub(super) struct Creation {
    command: Vec<String>,
    uids: BTreeMap<String, u32>,
}

impl Creation {
    pub(super) fn new(config: &LocalAuthConfig) -> Self {
        let command =
            if config.add_user_command.is_empty() { usual() } else { config.add_user_command.clone() };
        Self { command, uids: config.uids.clone() }
    }

    /// The words with the name in place of `USERNAME`, the uid if one is set, and the name (AUTH-026).
    fn words(&self, name: &str) -> Vec<String> {
        let mut words: Vec<String> = self.command.iter().map(|word| word.replace("USERNAME", name)).collect();
        if let Some(uid) = self.uids.get(name) {
            words.extend(["--uid".to_owned(), uid.to_string()]);
        }
        words.push(name.to_owned());
        words
    }

    pub(super) async fn create(&self, name: &Username) -> Result<(), CreationError> {
        if !is_account_name(name.as_str()) {
            return Err(CreationError::Name(name.clone()));
        }
        let words = self.words(name.as_str());
        let mut words = words.iter();
        let program = words.next().cloned().unwrap_or_default();
        let run = Command::new(&program).args(words).stdin(Stdio::null()).kill_on_drop(true).output();
        let failed =
            |status: String, output: String| CreationError::Failed { user: name.clone(), status, output };
        let output = match timeout(LONGEST, run).await {
            Ok(Ok(output)) => output,
            Ok(Err(source)) => return Err(CreationError::Program { program, source }),
            Err(_) => return Err(failed(format!("no end within {} s", LONGEST.as_secs()), String::new())),
        };
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said: String = String::from_utf8_lossy(&said).trim().chars().take(MOST_SHOWN).collect();
            return Err(failed(output.status.to_string(), harmless(&said)));
        }
        info!(user = name.as_str(); "made an account of this machine");
        Ok(())
    }
}

/// What this system makes accounts with.
fn usual() -> Vec<String> {
    let is_there =
        |name: &str| ["/usr/sbin", "/sbin"].iter().any(|folder| Path::new(folder).join(name).exists());
    let words: &[&str] = if is_there("pw") {
        &["pw", "useradd", "-m", "-n"]
    } else if is_there("adduser") && Path::new("/etc/debian_version").exists() {
        &["adduser", "-q", "--gecos", "", "--disabled-password"]
    } else {
        &["useradd", "--create-home"]
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What `useradd` takes: nothing that is an option, a path, or a field of `/etc/passwd`.
fn is_account_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() <= 255 && name.starts_with(first) && name.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creation(command: &[&str]) -> Creation {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        Creation { command, uids: BTreeMap::from([("ada".to_owned(), 4321)]) }
    }

    fn create(command: &[&str], name: &str) -> Result<(), CreationError> {
        let name = Username::from_stored(name);
        actix::System::new().block_on(creation(command).create(&name))
    }

    #[test]
    fn auth_026_the_name_stands_for_username_and_at_the_end_with_the_uid_before_it() {
        let creation = creation(&["add", "--home=/home/USERNAME"]);
        assert_eq!(creation.words("ada"), ["add", "--home=/home/ada", "--uid", "4321", "ada"]);
        assert_eq!(creation.words("bob"), ["add", "--home=/home/bob", "bob"]);
    }

    #[test]
    fn auth_026_a_failure_tells_what_the_command_said() {
        let failed =
            create(&["/bin/sh", "-c", "echo no room; echo left >&2; exit 3", "-"], "ada").unwrap_err();
        let told = failed.to_string();
        assert!(
            told.contains("exit status: 3") && told.contains("no room") && told.contains("left"),
            "{told}"
        );
        assert!(create(&["/bin/true"], "ada").is_ok());
        assert!(matches!(create(&["/nowhere/add"], "ada"), Err(CreationError::Program { .. })));
    }

    #[test]
    fn sec_030_no_name_is_an_option_or_a_path() {
        for name in ["-x", ".x", "a:b", "a b", "ä", "a$(id)"] {
            assert!(matches!(create(&["/bin/true"], name), Err(CreationError::Name(_))), "{name}");
        }
    }
}
