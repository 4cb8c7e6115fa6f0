//! The schema: creating it, bringing it up to date, and refusing one that this program does not know.
//!
//! Diesel keeps the list of applied migrations in its own table; JupyterHub's `alembic_version` is never touched. There
//! is no way back down: the copy made before an upgrade is the way back (`copies`).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::copies::{self, Occasion};
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
    if !state.unknown.is_empty() {
        return Err(newer(db, config, &state));
    }
    if state.pending.is_empty() {
        return Ok(Migrated::default());
    }
    if state.applied.is_empty() {
        return Ok(Migrated { applied: run(db, &state)?, backup: None });
    }
    match mode {
        OpenMode::CreateOrCurrent => Err(StoreError::SchemaOutdated { pending: state.pending }),
        OpenMode::Upgrade => upgrade(db, config, &state),
    }
}

/// Copies an SQLite file, and brings its tables up to date. A migration that fails leaves them as they were, so the copy
/// has nothing to tell then: without it, a hub that is started over and over fills no disk.
fn upgrade(db: &mut Db, config: &StoreConfig, state: &SchemaState) -> Result<Migrated, StoreError> {
    let path = match url::target(&config.url)? {
        Target::File(path) => path,
        Target::Memory | Target::Postgres(_) => {
            return Ok(Migrated { applied: run(db, state)?, backup: None });
        }
    };
    let from = state.applied.last().cloned().unwrap_or_default();
    let backup = copies::make(db, &path, Occasion::Upgrade, &from, Utc::now())?;
    match run(db, state) {
        Ok(applied) => {
            copies::prune(&path, config.backups.max(1));
            Ok(Migrated { applied, backup: Some(backup) })
        }
        Err(failed) => {
            let _ = fs::remove_file(&backup);
            Err(failed)
        }
    }
}

/// The error of a database that a later program has used.
pub(super) fn newer(db: &mut Db, config: &StoreConfig, state: &SchemaState) -> StoreError {
    let known = state.pending.last().max(state.applied.last()).cloned().unwrap_or_default();
    let found = state.unknown.last().cloned().unwrap_or_default();
    let by = last_program(db).map(|version| format!(" (the last hub on it was Orrery {version})"));
    let copy = match (Store::way_back(config, &known), &db) {
        (Some(copy), _) => format!("`orrery db restore {}`", copy.display()),
        (None, Db::Sqlite(_)) => "`orrery db restore` and a copy made before the upgrade".to_owned(),
        (None, Db::Postgres(_)) => "the dump made before the upgrade (pg_restore)".to_owned(),
    };
    StoreError::NewerSchema { found, known, by: by.unwrap_or_default(), way_back: copy }
}

/// The version of the hub that was started last, if the journal tells.
fn last_program(db: &mut Db) -> Option<String> {
    let sql = "SELECT detail AS name FROM journal WHERE action = 'hub.start' AND detail IS NOT NULL \
               ORDER BY id DESC LIMIT 1";
    let detail: serde_json::Value = serde_json::from_str(names(db, sql).ok()?.first()?).ok()?;
    Some(detail.get("version")?.as_str()?.to_owned())
}

/// Compares the database with this program's migrations; changes nothing.
pub(super) fn inspect(db: &mut Db) -> Result<SchemaState, StoreError> {
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
    let migrations = source.migrations().map_err(|e| StoreError::Migrations(e.to_string()))?;
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
fn run(db: &mut Db, state: &SchemaState) -> Result<Vec<String>, StoreError> {
    let last = |versions: &[String]| versions.last().cloned().unwrap_or_else(|| "none".to_owned());
    db::transaction(db, |db| {
        let versions = match db {
            Db::Sqlite(c) => c.run_pending_migrations(SQLITE),
            Db::Postgres(c) => {
                c.batch_execute("SELECT pg_advisory_xact_lock(7090117)")?;
                c.run_pending_migrations(POSTGRES)
            }
        };
        let failed = |reason: String| StoreError::Migration {
            from: last(&state.applied),
            to: last(&state.pending),
            reason,
        };
        let versions = versions.map_err(|e| failed(e.to_string()))?;
        Ok(versions.iter().map(ToString::to_string).collect())
    })
}
