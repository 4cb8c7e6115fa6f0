//! Runs a test on every database: SQLite always, PostgreSQL when `ORRERY_TEST_POSTGRES` names one. Set
//! `ORRERY_REQUIRE_POSTGRES=1` where leaving PostgreSQL out must be a failure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use tempfile::TempDir;

use super::users::{NewUser, User};
use super::{Db, OpenMode, Store, StoreConfig, StoreError, db, migrate, users};
use crate::domain::ids::UserId;
use crate::domain::names::Username;

/// A database for one test, gone when dropped.
pub(super) struct Scratch {
    pub(super) config: StoreConfig,
    pub(super) folder: Option<TempDir>,
    schema: Option<String>,
}

impl Scratch {
    /// An SQLite file in a folder of its own.
    pub(super) fn file() -> Self {
        let folder = TempDir::new().unwrap();
        let config = config(folder.path().join("orrery.sqlite").to_str().unwrap());
        Self { config, folder: Some(folder), schema: None }
    }

    fn memory() -> Self {
        Self { config: config(":memory:"), folder: None, schema: None }
    }

    /// A new schema in the PostgreSQL database of the environment.
    fn postgres() -> Option<Self> {
        let url = postgres_url()?;
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        execute(&url, &format!("CREATE SCHEMA {name}"));
        let separator = if url.contains('?') { '&' } else { '?' };
        let config = config(&format!("{url}{separator}options=-csearch_path%3D{name}"));
        Some(Self { config, folder: None, schema: Some(name) })
    }

    pub(super) fn store(&self) -> Store {
        Store::open(&self.config, OpenMode::CreateOrCurrent).unwrap()
    }

    pub(super) fn connection(&self) -> Db {
        db::open(&self.config).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(name) = &self.schema else { return };
        if let Some(url) = postgres_url() {
            execute(&url, &format!("DROP SCHEMA {name} CASCADE"));
        }
    }
}

fn config(url: &str) -> StoreConfig {
    StoreConfig {
        url: url.to_owned(),
        pool_size: 2,
        busy_timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(5),
        ..StoreConfig::default()
    }
}

fn postgres_url() -> Option<String> {
    let url = std::env::var("ORRERY_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    let required = std::env::var("ORRERY_REQUIRE_POSTGRES").is_ok_and(|flag| flag == "1");
    assert!(
        url.is_some() || !required,
        "ORRERY_REQUIRE_POSTGRES=1 but ORRERY_TEST_POSTGRES is not set: see tests/support/postgres.sh"
    );
    url
}

fn execute(url: &str, sql: &str) {
    db::open(&config(url)).unwrap().batch_execute(sql).unwrap();
}

/// Runs `test` on an empty database of each kind; SQLite in memory.
pub(super) fn each_database(test: impl Fn(&mut Db)) {
    for scratch in [Some(Scratch::memory()), Scratch::postgres()].into_iter().flatten() {
        let mut db = scratch.connection();
        migrate::bring_up_to_date(&mut db, &scratch.config, OpenMode::CreateOrCurrent).unwrap();
        test(&mut db);
    }
}

/// Runs `test` on an untouched database of each kind; SQLite both in a file and in memory.
pub(super) fn each_scratch(test: impl Fn(&Scratch)) {
    for scratch in [Some(Scratch::file()), Some(Scratch::memory()), Scratch::postgres()].into_iter().flatten()
    {
        test(&scratch);
    }
}

/// Runs `test` on an untouched database of each kind that outlives its connections: not in memory.
pub(super) fn each_lasting_scratch(test: impl Fn(&Scratch)) {
    each_scratch(|scratch| {
        if scratch.config.url != ":memory:" {
            test(scratch);
        }
    });
}

/// A fixed time and seconds after it.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub(super) fn name(name: &str) -> Username {
    Username::from_stored(name)
}

/// A user created at [`at`]`(0)`, whose cookie id is `cookie-<name>`.
pub(super) fn user(db: &mut Db, text: &str) -> User {
    let new = NewUser { name: name(text), admin: false, created: at(0), cookie_id: format!("cookie-{text}") };
    users::create(db, &new).unwrap()
}

pub(super) fn user_id(db: &mut Db, text: &str) -> UserId {
    user(db, text).id
}

pub(super) fn is_conflict<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict(_)))
}

/// The names of the tables in which a row was left behind.
pub(super) fn filled_tables(db: &mut Db) -> Vec<String> {
    let tables = migrate::tables(db).unwrap();
    let ours = tables.into_iter().filter(|table| !table.starts_with("sqlite_") && !table.starts_with("__"));
    ours.filter(|table| {
        !migrate::names(db, &format!("SELECT 'row' AS name FROM {table}")).unwrap().is_empty()
    })
    .collect()
}
