//! The schema: creating it, bringing it up to date, and refusing one that this program does not know.
//!
//! Diesel keeps the list of applied migrations in its own table; JupyterHub's `alembic_version` is never touched. There
//! is no way back down: the copy made before an upgrade is the way back.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::db::{self, on_backend};
use super::url::{self, Target};
use super::{Db, Store, StoreConfig, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Where diesel lists the applied migrations.
pub(super) const MIGRATIONS_TABLE: &str = "__diesel_schema_migrations";

/// Tables that make a database without [`MIGRATIONS_TABLE`] somebody else's.
const OUR_TABLES: [&str; 7] =
    ["users", "groups", "roles", "services", "servers", "api_tokens", "oauth_clients"];

/// What may be done to tables that are older than this program. Empty databases are always filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Refuse them.
    CreateOrCurrent,
    /// Copy the file (SQLite) and bring them up to date.
    Upgrade,
}

/// What was done to the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that ran, oldest first.
    pub applied: Vec<String>,
    /// The copy made before an upgrade of an SQLite file.
    pub backup: Option<PathBuf>,
}

/// How the tables compare with this program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// Migrations that the database has had, oldest first.
    pub applied: Vec<String>,
    /// Migrations to run, oldest first; all of them for an empty database.
    pub pending: Vec<String>,
    /// Migrations of a newer program.
    pub unknown: Vec<String>,
}

impl Store {
    /// What [`Store::open`] would find, without changing or creating anything.
    ///
    /// # Errors
    /// As [`Store::open`], except that outdated and newer schemas are answers, not errors.
    pub fn schema_state(config: &StoreConfig) -> Result<SchemaState, StoreError> {
        let target = url::target(&config.url)?;
        let nothing_there = match &target {
            Target::Memory => true,
            Target::File(path) => !path.exists(),
            Target::Postgres(_) => false,
        };
        if nothing_there {
            let pending = all_of(&SQLITE)?;
            return Ok(SchemaState { pending, ..SchemaState::default() });
        }
        let mut db = db::look_at(&target, config).map_err(|e| db::unreachable_database(config, e))?;
        inspect(&mut db)
    }
}

/// Creates the tables in an empty database, or upgrades older ones if `mode` allows it.
pub(super) fn bring_up_to_date(
    db: &mut Db,
    config: &StoreConfig,
    mode: OpenMode,
) -> Result<Migrated, StoreError> {
    let state = inspect(db)?;
    if let Some(found) = state.unknown.last() {
        let known = state.pending.last().or(state.applied.last()).cloned().unwrap_or_default();
        return Err(StoreError::NewerSchema { found: found.clone(), known });
    }
    if state.pending.is_empty() {
        return Ok(Migrated::default());
    }
    if state.applied.is_empty() {
        return Ok(Migrated { applied: run(db)?, backup: None });
    }
    match mode {
        OpenMode::CreateOrCurrent => Err(StoreError::SchemaOutdated { pending: state.pending }),
        OpenMode::Upgrade => {
            let backup = back_up(db, config, Utc::now())?;
            Ok(Migrated { applied: run(db)?, backup })
        }
    }
}

/// Compares the database with this program's migrations; changes nothing.
fn inspect(db: &mut Db) -> Result<SchemaState, StoreError> {
    let known = match db {
        Db::Sqlite(_) => all_of(&SQLITE)?,
        Db::Postgres(_) => all_of(&POSTGRES)?,
    };
    let tables = tables(db)?;
    let applied: BTreeSet<String> = if tables.iter().any(|t| t == MIGRATIONS_TABLE) {
        names(db, &format!("SELECT version AS name FROM {MIGRATIONS_TABLE} ORDER BY version"))?
            .into_iter()
            .collect()
    } else {
        BTreeSet::new()
    };
    if let (true, Some(table)) =
        (applied.is_empty(), tables.iter().find(|t| OUR_TABLES.contains(&t.as_str())))
    {
        return Err(StoreError::ForeignTables { table: table.clone() });
    }
    let pending = known.iter().filter(|version| !applied.contains(*version)).cloned().collect();
    let (applied, unknown) = applied.into_iter().partition(|version| known.contains(version));
    Ok(SchemaState { applied, pending, unknown })
}

fn all_of<S: MigrationSource<diesel::sqlite::Sqlite>>(source: &S) -> Result<Vec<String>, StoreError> {
    let migrations = source.migrations().map_err(|e| StoreError::Migration(e.to_string()))?;
    let mut versions: Vec<_> = migrations.iter().map(|m| m.name().version().to_string()).collect();
    versions.sort_unstable();
    Ok(versions)
}

/// All tables of the database, or of PostgreSQL's current schema.
pub(super) fn tables(db: &mut Db) -> Result<Vec<String>, StoreError> {
    let sql = match db {
        Db::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        Db::Postgres(_) => {
            "SELECT table_name::text AS name FROM information_schema.tables \
             WHERE table_schema = current_schema() ORDER BY table_name"
        }
    };
    names(db, sql)
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The column `name` of a query.
pub(super) fn names(db: &mut Db, sql: &str) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Name> = on_backend!(db, c => diesel::sql_query(sql).load(c))?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Runs all pending migrations in one transaction; a second process waits for the first and finds nothing to do.
fn run(db: &mut Db) -> Result<Vec<String>, StoreError> {
    db::transaction(db, |db| {
        let versions = match db {
            Db::Sqlite(c) => c.run_pending_migrations(SQLITE),
            Db::Postgres(c) => {
                c.batch_execute("SELECT pg_advisory_xact_lock(7090117)")?;
                c.run_pending_migrations(POSTGRES)
            }
        };
        let versions = versions.map_err(|e| StoreError::Migration(e.to_string()))?;
        Ok(versions.iter().map(ToString::to_string).collect())
    })
}

/// Copies an SQLite file to `<file>.YYYY-MM-DD-HHMMSS` (UTC, mode 0600), with what is still in its write-ahead log.
fn back_up(db: &mut Db, config: &StoreConfig, now: DateTime<Utc>) -> Result<Option<PathBuf>, StoreError> {
    let (Db::Sqlite(connection), Target::File(path)) = (db, url::target(&config.url)?) else {
        return Ok(None);
    };
    let copy = PathBuf::from(format!("{}.{}", path.display(), now.format("%Y-%m-%d-%H%M%S")));
    let failed = |reason: String| StoreError::Backup { path: copy.clone(), reason };
    // SQLite fills an empty file, and keeps its mode
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
    made.map_err(|e| failed(e.to_string()))?;
    copy_into(connection, &copy).map_err(|e| failed(e.to_string()))?;
    Ok(Some(copy))
}

fn copy_into(connection: &mut SqliteConnection, copy: &Path) -> QueryResult<()> {
    let query = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(copy.to_string_lossy().into_owned());
    query.execute(connection).map(drop)
}
