//! The database: users, servers, tokens, groups, roles, services, OAuth, shares and the journal, on SQLite or PostgreSQL.
//!
//! Query functions are free, synchronous, take `&mut Db` and compose in one [`Store::write`] closure, which is one
//! transaction. [`Store::read`] and [`Store::write`] are the only doors: each takes a permit of a semaphore as wide as
//! its pool before it moves to the blocking threads, so waiting never occupies a thread. Rows stay private; functions
//! return the structs of their file. The store decides nothing: hashing, permissions and policies are elsewhere.

pub mod accounts;
pub mod ended_logins;
pub mod error;
pub mod groups;
pub mod journal;
pub mod logins;
pub mod messages;
pub mod migrate;
pub mod notices;
pub mod oauth;
pub mod oauth_codes;
pub mod roles;
pub mod servers;
pub mod service_processes;
pub mod services;
pub mod share_codes;
pub mod shares;
pub mod tokens;
pub mod url;
pub mod users;

mod columns;
mod connection;
mod copies;
mod db;
mod pool;
mod reset;
mod schema;
mod statements;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use self::connection::Db;
pub use self::copies::Restored;
pub use self::error::{ConnectError, StoreError};
pub use self::migrate::{Migrated, OpenMode, SchemaState};
use self::pool::Lane;
pub use self::pool::Usage;

/// How to reach the database and how much of it to use.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `postgresql://…`, the path of an SQLite file, or `:memory:`.
    pub url: String,
    /// Reading connections of SQLite (which has one more for writing), all connections of PostgreSQL; at least 1.
    pub pool_size: u32,
    /// How long a write waits for another one to finish.
    pub busy_timeout: Duration,
    /// How long to wait for a new connection.
    pub connect_timeout: Duration,
    /// The age at which a connection is replaced; zero for never. One to a database in memory never is.
    pub recycle: Duration,
    /// Logs each statement, without the values in it.
    pub log_statements: bool,
    /// How many copies made before upgrades are kept; at least 1.
    pub backups: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        let patience = Duration::from_secs(30);
        Self {
            url: ":memory:".to_owned(),
            pool_size: 1,
            busy_timeout: patience,
            connect_timeout: patience,
            recycle: Duration::ZERO,
            log_statements: false,
            backups: 5,
        }
    }
}

/// The open database. Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Store {
    reading: Lane,
    writing: Lane,
    migrated: Arc<Migrated>,
    generation: Arc<AtomicU64>,
}

/// One page of a longer list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// How many rows there are on all pages.
    pub total: i64,
}

impl Store {
    /// Connects, creates the tables in an empty database, and brings older tables up to date if `mode` asks for it.
    /// Blocks; meant for the start of the process.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::UnusableFile`], [`StoreError::SchemaOutdated`],
    /// [`StoreError::NewerSchema`] or [`StoreError::ForeignTables`], each with advice.
    pub fn open(config: &StoreConfig, mode: OpenMode) -> Result<Self, StoreError> {
        let mut first = db::open(config)?;
        let migrated = migrate::bring_up_to_date(&mut first, config, mode)?;
        let (reading, writing) = pool::lanes(config, first)?;
        Ok(Self { reading, writing, migrated: Arc::new(migrated), generation: Arc::default() })
    }

    /// What [`Store::open`] did to the tables.
    #[must_use]
    pub fn migrated(&self) -> &Migrated {
        &self.migrated
    }

    /// Runs queries that change nothing.
    ///
    /// # Errors
    /// What `f` returns, or a [`StoreError`] if no connection can be had.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.reading.run(f).await
    }

    /// Runs `f` in one transaction, which is rolled back if `f` fails or panics.
    ///
    /// # Errors
    /// What `f` returns, or a [`StoreError`] if no connection can be had or the transaction cannot be committed.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let outcome = self.write_quietly(f).await;
        // after the commit: whoever counted before it has read what was true then
        self.generation.fetch_add(1, Ordering::Release);
        outcome
    }

    /// A [`Store::write`] that does not count: for last-activity times, which nobody's rights depend on.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_quietly<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writing.run(move |db| db::transaction(db, f)).await
    }

    /// How much of the pools is in use: for reading, for writing. The same pool does both on PostgreSQL.
    #[must_use]
    pub fn usage(&self) -> [(&'static str, Usage); 2] {
        [("read", self.reading.usage()), ("write", self.writing.usage())]
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|db| Ok(diesel::RunQueryDsl::execute(diesel::sql_query("SELECT 1"), db).map(drop)?)).await
    }

    /// Counts the writes. What was read and kept at one count is true as long as the count stays.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}
