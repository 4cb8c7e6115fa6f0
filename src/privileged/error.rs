//! What can go wrong with the privileged programs, in sentences for people.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use orrery_wire::{Refusal, StartFailure};

use super::tickets::TicketsError;

/// Why the privileged program did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It cannot be executed.
    #[error("{} cannot be run: {source}; {}", program.display(), advice(source))]
    Program {
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The socket on which systemd starts it cannot be connected to.
    #[error("{} cannot be connected to: {source}; {}", socket.display(), advice_on_socket(source))]
    Socket {
        /// The socket.
        socket: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody else would get the passwords.
    #[error(
        "{} is not root's: uid {uid} listens there. Nothing was sent; find out who that is, then `systemctl restart \
         orrery-launch.socket`",
        socket.display()
    )]
    Impostor {
        /// The socket.
        socket: PathBuf,
        /// Who listens.
        uid: u32,
    },
    /// It refused, by its policy or because of how it is installed.
    #[error("orrery-launch refused: {0}")]
    Refused(Refusal),
    /// The server's process could not be made.
    #[error("{text}")]
    NotStarted {
        /// Why.
        reason: StartFailure,
        /// In the words of `orrery-session`.
        text: String,
    },
    /// It gave no answer in time.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// Too many wait for their turn.
    #[error("too many people sign in at this moment; try again in a minute")]
    Busy,
    /// It ended without an answer.
    #[error("orrery-launch ended without an answer ({0}); the system's log (facility auth) may say why")]
    Died(String),
    /// It said what this hub does not understand.
    #[error(
        "orrery-launch or orrery-session answered nonsense; are they of the same version as the hub? Install the \
         package again"
    )]
    Malformed,
    /// The connection to it failed.
    #[error("the connection to the privileged program failed: {0}")]
    Connection(#[source] io::Error),
    /// The tickets cannot be kept.
    #[error(transparent)]
    Tickets(#[from] TicketsError),
}

impl LaunchError {
    /// What it refused, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(*refusal),
            _ => None,
        }
    }
}

/// What to do about a socket that cannot be connected to.
fn advice_on_socket(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            "`systemctl start orrery-launch.socket`, or set hub.launch_socket to where it listens (to \"\" without systemd)"
        }
        ErrorKind::PermissionDenied => {
            "it must belong to the hub's account (SocketUser= of orrery-launch.socket), and the folders above let it through"
        }
        _ => "look at `systemctl status orrery-launch.socket`",
    }
}

/// What to do about a program that cannot be executed.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::NotFound => {
            "install the package, or set hub.launch_program to where it is (owner root, the hub's group, mode 4750)"
        }
        ErrorKind::PermissionDenied => {
            "it must belong to root and to the group of the hub's account, with mode 4750 (root:orrery)"
        }
        _ => "install the package again",
    }
}
