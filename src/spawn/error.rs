//! Why a server could not be started, in words for its owner.

use std::io;
use std::path::PathBuf;

use crate::privileged::LaunchError;

/// Why a server could not be started or taken over. The text is shown to the owner of the server.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The request has no command.
    #[error("There is no command to start the server with: set spawner.cmd")]
    NoCommand,
    /// The program of `spawner.cmd` does not exist.
    #[error(
        "{command} was not found {place}: No such file or directory. Install it{}, or set spawner.cmd to its full path",
        builder(command)
    )]
    NotFound {
        /// The program as configured.
        command: String,
        /// Where it was looked for: `on PATH (...)` or `at /...`.
        place: String,
    },
    /// The program is a script whose `#!` line names a program that does not exist.
    #[error(
        "{} cannot be started: the interpreter in its first line, {}, does not exist. Install the script again, or \
         set spawner.cmd to one that works", script.display(), interpreter.display()
    )]
    NoInterpreter {
        /// The script.
        script: PathBuf,
        /// What its first line asks for.
        interpreter: PathBuf,
    },
    /// The program exists, but the hub's user may not execute it.
    #[error(
        "{} cannot be started: Permission denied. Make it an executable file that the hub's user may read and run, or \
         set spawner.cmd to one", path.display()
    )]
    PermissionDenied {
        /// The program.
        path: PathBuf,
    },
    /// Every free port that the system offered had just been given to another server.
    #[error("There is no free port on {ip} for the server. Try again in a minute")]
    NoFreePort {
        /// The address to bind to, as a person reads it.
        ip: String,
    },
    /// The address of `spawner.ip` cannot be bound to.
    #[error("No server can listen on {ip}: {source}. Set spawner.ip to an address of this machine")]
    Bind {
        /// The address to bind to, as a person reads it.
        ip: String,
        /// What the system says.
        source: io::Error,
    },
    /// The home folder must not be used.
    #[error(
        "The home folder {home} of user {user} cannot be used: {problem}. Check spawner.simple.home_dir_template"
    )]
    Home {
        /// The hub user.
        user: String,
        /// The folder, or the template if it cannot be filled in.
        home: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The server's log file cannot be created.
    #[error("The log file {} cannot be created: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The hub's user is nobody here.
    #[error("There is no account {user} on this machine, so no server can run as {user}")]
    NoAccount {
        /// The hub user.
        user: String,
    },
    /// The account is in none of the groups that let it in.
    #[error(
        "{user} is in none of the groups whose members may have servers here (auth.local.allowed_groups)"
    )]
    NotMember {
        /// The hub user.
        user: String,
    },
    /// Only a new login helps, or another policy.
    #[error("{user} must sign in again before this server can start: {reason}")]
    SignIn {
        /// The hub user.
        user: String,
        /// What is wrong with the ticket, and which key of `launch.policy` decides.
        reason: &'static str,
    },
    /// The policy does not permit it.
    #[error(
        "{what} is not permitted by /etc/orrery/launch.policy on this machine: its key `{key}` does not name it. That is for \
         the operator to change"
    )]
    Policy {
        /// What, as the beginning of a sentence.
        what: String,
        /// The key of `launch.policy`.
        key: &'static str,
    },
    /// The program that the policy names is not there.
    #[error(
        "There is nothing to start on this machine yet: {problem}. Its administrator installs it{}",
        builder(problem)
    )]
    NotInstalled {
        /// The program, and what the system says.
        problem: String,
    },
    /// The privileged program failed.
    #[error("The server could not be started: {0}")]
    Launcher(#[source] LaunchError),
    /// The operating system refused something else.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, as the beginning of a sentence.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

/// How the usual program of a server is installed.
fn builder(command: &str) -> &'static str {
    if command.contains("jupyterhub-singleuser") {
        " with the command `sudo orrery user-env create`"
    } else {
        ""
    }
}

impl SpawnError {
    /// Whether nothing is broken: the owner may not have a server, now or at all (403), or this machine is not set up for
    /// servers yet (503). The HTTP status, and a word for metrics.
    #[must_use]
    pub fn is_no(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::SignIn { .. } => Some((403, "sign-in")),
            Self::NotMember { .. } => Some((403, "not-allowed")),
            Self::NotInstalled { .. } => Some((503, "not-installed")),
            _ => None,
        }
    }

    /// For `map_err`: the operating system refused `what`.
    pub(crate) fn io<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { what, source: source.into() }
    }
}
