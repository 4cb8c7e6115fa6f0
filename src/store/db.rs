//! One connection: how it is opened for each backend, and transactions.
//!
//! The derived `establish` is never used: it tries the backends in order and drops their errors.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection, ConnectionError, PgConnection, SqliteConnection};
use nix::unistd::{AccessFlags, access};

use super::url::{self, Target};
use super::{ConnectError, Db, StoreConfig, StoreError};

/// Runs a query that [`Db`] cannot express (`ON CONFLICT`, many rows at once) on the connection inside.
macro_rules! on_backend {
    ($db:expr, $connection:ident => $query:expr) => {
        match $db {
            $crate::store::Db::Sqlite($connection) => $query,
            $crate::store::Db::Postgres($connection) => $query,
        }
    };
}
pub(super) use on_backend;

/// Opens a connection for reading and writing; makes the SQLite file (mode 0600) if there is none.
pub(super) fn open(config: &StoreConfig) -> Result<Db, StoreError> {
    let target = url::target(&config.url)?;
    if let Target::File(path) = &target {
        prepare_file(path)?;
    }
    connect(&target, config).map_err(|source| unreachable_database(config, source))
}

/// Opens a connection without preparing the file; `Target::File` must exist.
pub(super) fn connect(target: &Target, config: &StoreConfig) -> Result<Db, ConnectError> {
    match target {
        Target::Memory => connect_sqlite(":memory:", config),
        Target::File(path) => connect_sqlite(&file_name(path), config),
        Target::Postgres(url) => connect_postgres(url, config),
    }
}

/// Opens a connection that leaves the database as it is: no file is made and no mode is set.
pub(super) fn look_at(target: &Target, config: &StoreConfig) -> Result<Db, ConnectError> {
    match target {
        Target::Postgres(url) => connect_postgres(url, config),
        Target::File(path) => {
            let mut connection = SqliteConnection::establish(&file_name(path))?;
            // the last connection of a pool that was just closed may still be folding its log into the file
            connection
                .batch_execute(&format!("PRAGMA busy_timeout = {}", config.busy_timeout.as_millis()))?;
            Ok(Db::Sqlite(connection))
        }
        Target::Memory => Ok(Db::Sqlite(SqliteConnection::establish(":memory:")?)),
    }
}

/// The error of a connection that could not be made, naming the URL without its password.
pub(super) fn unreachable_database(config: &StoreConfig, source: ConnectError) -> StoreError {
    StoreError::Unreachable { url: url::without_password(&config.url), source }
}

/// A path that SQLite cannot take for a `file:` URI.
fn file_name(path: &Path) -> String {
    let path = if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) };
    path.to_string_lossy().into_owned()
}

fn connect_sqlite(name: &str, config: &StoreConfig) -> Result<Db, ConnectError> {
    let mut connection = SqliteConnection::establish(name)?;
    let busy = config.busy_timeout.as_millis();
    // busy_timeout comes first: the others may meet a lock. 1 MiB of page cache for each connection.
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {busy}; PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; \
         PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024;"
    ))?;
    Ok(Db::Sqlite(connection))
}

fn connect_postgres(url: &str, config: &StoreConfig) -> Result<Db, ConnectError> {
    let with_timeout = if url.contains("connect_timeout=") {
        url.to_owned()
    } else {
        let separator = if url.contains('?') { '&' } else { '?' };
        // libpq takes 1 for 2, and 0 for never
        format!("{url}{separator}connect_timeout={}", config.connect_timeout.as_secs().max(2))
    };
    let mut connection = PgConnection::establish(&with_timeout).map_err(|error| scrubbed(&error, url))?;
    connection.batch_execute(&format!("SET lock_timeout = {}", config.busy_timeout.as_millis()))?;
    Ok(Db::Postgres(connection))
}

/// libpq's messages name host and user; nothing promises that they leave out the password (CFG-036).
fn scrubbed(error: &ConnectionError, url: &str) -> ConnectError {
    ConnectError::Refused(ConnectionError::BadConnection(url::scrub(error.to_string().trim(), url)))
}

/// Makes the file if it is missing, and checks that SQLite will be able to write it and its side files.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let checked = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().read(true).write(true).open(path).map(drop)
        }
        other => other.map(drop),
    };
    checked.map_err(|source| unusable(path, &folder, source))?;
    access(&folder, AccessFlags::W_OK | AccessFlags::X_OK)
        .map_err(|errno| unusable(path, &folder, errno.into()))
}

fn unusable(path: &Path, folder: &Path, source: io::Error) -> StoreError {
    let shown = folder.display();
    let advice = match source.kind() {
        io::ErrorKind::NotFound if !folder.exists() => {
            format!("the folder {shown} does not exist: make it, or change `database.url`")
        }
        io::ErrorKind::NotADirectory => format!("{shown} is not a folder: change `database.url`"),
        io::ErrorKind::IsADirectory => "this is a folder: `database.url` must name a file in it".to_owned(),
        _ => format!("the user that runs orrery must be able to write the file and the folder {shown}"),
    };
    StoreError::UnusableFile { path: path.to_owned(), advice, source }
}

/// Runs `f` in a transaction that is rolled back if `f` fails or panics. On SQLite it takes the write lock at once: a
/// deferred transaction that starts by reading cannot wait for another writer.
pub(super) fn transaction<T, E>(db: &mut Db, f: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E>
where
    E: From<StoreError>,
{
    match db {
        Db::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        Db::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN"),
    }
    .map_err(StoreError::from)?;
    let mut open = OpenTransaction { db, finished: false };
    let value = f(open.db)?;
    Db::commit_transaction(open.db).map_err(StoreError::from)?;
    open.finished = true;
    Ok(value)
}

struct OpenTransaction<'a> {
    db: &'a mut Db,
    finished: bool,
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // a connection that cannot even roll back is marked as broken and leaves the pool
            let _ = Db::rollback_transaction(self.db);
        }
    }
}
