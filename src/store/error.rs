//! What can go wrong with the database, named for what the caller can do about it. No message holds a password.

use std::io;
use std::path::PathBuf;

use diesel::result::{DatabaseErrorKind, Error as QueryError};

/// Why a connection could not be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server or the file refused.
    #[error(transparent)]
    Refused(#[from] diesel::ConnectionError),
    /// The connection came up but could not be prepared for use.
    #[error(transparent)]
    Setup(#[from] QueryError),
    /// No connection became free or could be made in time; the text names the last reason.
    #[error(transparent)]
    Pool(#[from] r2d2::Error),
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The configured URL is not one that the store understands.
    #[error(
        "the database URL {url} {problem}; expected postgresql://user@host:port/name or the path of an SQLite file"
    )]
    BadUrl {
        /// The URL without its password.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No connection to the database.
    #[error(
        "the database {url} cannot be reached: {source}; check `database.url` and that the database is running"
    )]
    Unreachable {
        /// The URL without its password.
        url: String,
        /// What the connection attempt said.
        source: ConnectError,
    },
    /// The SQLite file, or the folder it lives in, cannot be used (DB-010).
    #[error("the database file {} cannot be used: {source}; {advice}", path.display())]
    UnusableFile {
        /// The configured file.
        path: PathBuf,
        /// What to change.
        advice: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The copy that precedes an upgrade could not be made; nothing was changed.
    #[error("the backup {} cannot be made, so the database was not upgraded: {reason}", path.display())]
    Backup {
        /// The file that was to be written.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Too little room for the copy, or for the upgrade after it; nothing was changed.
    #[error(
        "{} has {free} MB free, and {needed} MB are needed for a copy of the database: make room (the database was left as \
         it was)", folder.display()
    )]
    NoRoom {
        /// Where the copy was to be.
        folder: PathBuf,
        /// Megabytes.
        free: u64,
        /// Megabytes.
        needed: u64,
    },
    /// A database that is no file of ours to copy.
    #[error("there is no file to copy: {advice}")]
    NoFile {
        /// What to do instead.
        advice: &'static str,
    },
    /// Somebody has the file open that is to be replaced.
    #[error("{} is in use: stop the hub first (`systemctl stop orrery.socket orrery`)", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A copy cannot be put back; the database is as it was.
    #[error("nothing was restored to {}: {reason}", path.display())]
    Restore {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A later version of Orrery has upgraded this database.
    #[error(
        "the database is at schema {found}{by}, but this program ({}) knows none later than {known}: install that Orrery \
         again, or go back with {way_back} (what happened since the upgrade is lost then)", env!("CARGO_PKG_VERSION")
    )]
    NewerSchema {
        /// The latest migration in the database.
        found: String,
        /// The latest migration of this program.
        known: String,
        /// Which program that was, if it is known.
        by: String,
        /// The command or the copy that leads back.
        way_back: String,
    },
    /// The tables are older than this program (DB-009).
    #[error(
        "the database lacks the schema changes {}: run `orrery db migrate`, which copies an SQLite file first (of \
         PostgreSQL, make a dump before), or set `database.upgrade_on_start = true`", pending.join(", ")
    )]
    SchemaOutdated {
        /// The migrations to run, oldest first.
        pending: Vec<String>,
    },
    /// The tables belong to another program.
    #[error(
        "the database holds a table `{table}` that Orrery did not make: use an empty database and, if this one is \
         JupyterHub's, run `orrery db import-jupyterhub` to copy it"
    )]
    ForeignTables {
        /// The first table found.
        table: String,
    },
    /// Running the migrations failed; none of them was applied.
    #[error(
        "the database could not be brought from schema {from} to {to}, and was left as it was: {reason}. The Orrery that \
         was here before runs on it as ever: install its package again, start it, and report this"
    )]
    Migration {
        /// The schema that it had and has.
        from: String,
        /// The schema that it was to get.
        to: String,
        /// What the database said.
        reason: String,
    },
    /// This program's own migrations cannot be read: a defect.
    #[error("the migrations of this program cannot be read: {0}")]
    Migrations(String),
    /// What was to be stored exists already.
    #[error("it exists already: {0}")]
    Conflict(#[source] QueryError),
    /// What was to be stored refers to a row that no longer exists.
    #[error("it refers to something that no longer exists: {0}")]
    Gone(#[source] QueryError),
    /// Another write held the database for too long, or crossed this one: trying again may help.
    #[error("the database is busy with another change: {0}")]
    Busy(#[source] QueryError),
    /// The connection broke while it was used: trying again makes a new one.
    #[error("the connection to the database was lost: {0}")]
    Lost(#[source] QueryError),
    /// A text holds a NUL character, which PostgreSQL cannot store: nothing of that name exists.
    #[error("a text holds a NUL character, which cannot be stored")]
    NulCharacter,
    /// The blocking task ended without an answer: it panicked, or the process is shutting down.
    #[error("the database task was interrupted: {0}")]
    Interrupted(String),
    /// Any other failure of a query.
    #[error("the database refused a query: {0}")]
    Query(#[source] QueryError),
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        let QueryError::DatabaseError(kind, info) = &error else {
            return Self::Query(error);
        };
        let message = info.message();
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Conflict(error),
            DatabaseErrorKind::ForeignKeyViolation => Self::Gone(error),
            DatabaseErrorKind::SerializationFailure => Self::Busy(error),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Self::Lost(error),
            _ if is_lock_failure(message) => Self::Busy(error),
            _ if is_lost_connection(message) => Self::Lost(error),
            // PostgreSQL ends this message with the byte in every language
            _ if message.ends_with(": 0x00") => Self::NulCharacter,
            _ => Self::Query(error),
        }
    }
}

impl StoreError {
    /// Whether the same may succeed later without anybody changing what was asked for.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Busy(_)
                | Self::Lost(_)
                | Self::Unreachable { .. }
                | Self::UnusableFile { .. }
                | Self::Interrupted(_)
                | Self::Query(_)
        )
    }

    /// Whether the database is away, rather than unwilling.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Lost(_) | Self::Unreachable { .. })
    }
}

/// What PostgreSQL and libpq say when a server ends or restarts; diesel passes on only the text.
fn is_lost_connection(message: &str) -> bool {
    [
        "server closed the connection",
        "terminating connection",
        "no connection to the server",
        "connection to server was lost",
        "could not receive data from server",
        "SSL connection has been closed",
        "the database system is",
    ]
    .iter()
    .any(|text| message.contains(text))
}

/// Neither driver passes on the code of a lock time-out, only its text.
fn is_lock_failure(message: &str) -> bool {
    ["database is locked", "database table is locked", "lock timeout", "deadlock detected"]
        .iter()
        .any(|text| message.contains(text))
}
