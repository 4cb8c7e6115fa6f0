//! Opening a database: creating, upgrading, refusing; files, folders and modes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use tempfile::TempDir;

use crate::store::migrate::names;
use crate::store::testing::{Scratch, each_lasting_scratch, name, user};
use crate::store::{Db, Migrated, OpenMode, Store, StoreConfig, StoreError, users};

pub(super) const MIGRATIONS: [&str; 9] =
    ["0001", "0002", "0003", "0004", "0005", "0006", "0008", "0009", "0010"];
pub(super) const LAST: &str = MIGRATIONS[MIGRATIONS.len() - 1];

fn open(scratch: &Scratch, mode: OpenMode) -> Result<Store, StoreError> {
    Store::open(&scratch.config, mode)
}

pub(super) fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub(super) fn files_in(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Takes a database back to the schema before the last migration.
pub(super) fn outdate(scratch: &Scratch) {
    drop(scratch.store());
    let sql = format!("DROP TABLE logins; DELETE FROM __diesel_schema_migrations WHERE version = '{LAST}'");
    scratch.connection().batch_execute(&sql).unwrap();
}

#[test]
fn db_001_an_empty_database_gets_its_tables_and_a_second_start_changes_nothing() {
    each_lasting_scratch(|scratch| {
        let first = open(scratch, OpenMode::CreateOrCurrent).unwrap();
        assert_eq!(first.migrated().applied, MIGRATIONS);
        assert_eq!(first.migrated().backup, None);
        for mode in [OpenMode::CreateOrCurrent, OpenMode::Upgrade] {
            assert_eq!(*open(scratch, mode).unwrap().migrated(), Migrated::default());
        }
    });
}

#[test]
fn looking_at_the_schema_changes_nothing() {
    each_lasting_scratch(|scratch| {
        let state = Store::schema_state(&scratch.config).unwrap();
        assert_eq!((state.applied, state.pending), (vec![], MIGRATIONS.map(str::to_owned).to_vec()));
        if let Some(folder) = &scratch.folder {
            assert!(files_in(folder).is_empty());
        }
        outdate(scratch);
        for _ in 0..2 {
            let state = Store::schema_state(&scratch.config).unwrap();
            assert_eq!(
                (state.applied.join(" "), state.pending.join(" ")),
                (MIGRATIONS[..MIGRATIONS.len() - 1].join(" "), LAST.to_owned())
            );
        }
    });
}

#[test]
fn db_009_an_older_schema_is_refused_with_advice_unless_an_upgrade_is_asked_for() {
    each_lasting_scratch(|scratch| {
        outdate(scratch);
        let refused = open(scratch, OpenMode::CreateOrCurrent).unwrap_err();
        assert!(
            matches!(&refused, StoreError::SchemaOutdated { pending } if pending == &[LAST]),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("orrery db migrate"), "{refused}");
        assert_eq!(open(scratch, OpenMode::Upgrade).unwrap().migrated().applied, [LAST]);
        assert_eq!(Store::schema_state(&scratch.config).unwrap().pending, [""; 0]);
    });
}

#[test]
fn db_009_an_upgrade_of_a_file_makes_a_private_copy_first() {
    let scratch = Scratch::file();
    outdate(&scratch);
    user(&mut scratch.connection(), "ada");
    let backup = open(&scratch, OpenMode::Upgrade).unwrap().migrated().backup.clone().unwrap();
    let suffix = backup.to_str().unwrap().strip_prefix(&format!("{}.", scratch.config.url)).unwrap();
    let shape: String = suffix.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!((shape.as_str(), mode_of(&backup)), ("schema-9999.9999-99-99-999999", 0o600));
    assert!(suffix.starts_with(&format!("schema-{}.", MIGRATIONS[MIGRATIONS.len() - 2])), "{suffix}");

    let copy = StoreConfig { url: backup.to_str().unwrap().to_owned(), ..scratch.config.clone() };
    assert_eq!(Store::schema_state(&copy).unwrap().pending, [LAST]);
    let mut copy = crate::store::db::open(&copy).unwrap();
    assert_eq!(users::count(&mut copy).unwrap(), 1);
}

#[test]
fn a_newer_schema_is_refused_even_for_an_upgrade() {
    each_lasting_scratch(|scratch| {
        drop(scratch.store());
        let sql = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
        scratch.connection().batch_execute(sql).unwrap();
        for mode in [OpenMode::CreateOrCurrent, OpenMode::Upgrade] {
            let refused = open(scratch, mode).unwrap_err();
            let StoreError::NewerSchema { found, known, .. } = &refused else { panic!("{refused:?}") };
            assert_eq!((found.as_str(), known.as_str()), ("9999", LAST));
        }
    });
}

#[test]
fn a_database_of_another_program_is_refused() {
    each_lasting_scratch(|scratch| {
        let sql = "CREATE TABLE users (id INTEGER); CREATE TABLE alembic_version (version_num TEXT)";
        scratch.connection().batch_execute(sql).unwrap();
        let refused = open(scratch, OpenMode::Upgrade).unwrap_err();
        assert!(matches!(&refused, StoreError::ForeignTables { table } if table == "users"), "{refused:?}");
        assert!(refused.to_string().contains("import-jupyterhub"));
    });
}

#[test]
fn sec_113_a_new_file_and_its_side_files_are_private() {
    let scratch = Scratch::file();
    let store = scratch.store();
    for file in files_in(scratch.folder.as_ref().unwrap()) {
        assert_eq!(mode_of(&scratch.folder.as_ref().unwrap().path().join(&file)), 0o600, "{file}");
    }
    drop(store);
}

#[test]
fn db_010_a_file_that_cannot_be_made_is_explained() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("file"), "").unwrap();
    let table = [
        (path("missing/orrery.sqlite"), "make it"),
        (path("file/orrery.sqlite"), "is not a folder"),
        (folder.path().to_str().unwrap().to_owned(), "this is a folder"),
        // no folder of our own keeps out root, who may run the tests; the kernel's does
        ("/sys/orrery.sqlite".to_owned(), "must be able to write"),
    ];
    for (url, advice) in table {
        let config = StoreConfig { url: url.clone(), ..Scratch::file().config.clone() };
        let refused = Store::open(&config, OpenMode::CreateOrCurrent).unwrap_err();
        assert!(matches!(refused, StoreError::UnusableFile { .. }), "{refused:?}");
        let message = refused.to_string();
        assert!(message.contains(advice) && message.contains(&url), "{message}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let scratch = Scratch::file();
    fs::write(&scratch.config.url, "just some text, long enough to be looked at as a header").unwrap();
    let refused = open(&scratch, OpenMode::CreateOrCurrent).unwrap_err();
    assert!(refused.to_string().contains("not a database"), "{refused}");
}

#[test]
fn cfg_036_an_unreachable_server_is_named_without_its_password() {
    let config = StoreConfig {
        url: "postgresql://hub:s3cret@127.0.0.1:1/hub".into(),
        ..Scratch::file().config.clone()
    };
    let refused = Store::open(&config, OpenMode::CreateOrCurrent).unwrap_err();
    let StoreError::Unreachable { url, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(url, "postgresql://hub:***@127.0.0.1:1/hub");
    assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{refused:?}");
}

/// Column names by table.
fn columns(db: &mut Db) -> BTreeMap<String, Vec<String>> {
    let tables = crate::store::migrate::tables(db).unwrap();
    let ours = tables.into_iter().filter(|table| !table.starts_with("sqlite_") && !table.starts_with("__"));
    ours.map(|table| {
        let sql = match db {
            Db::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
            Db::Postgres(_) => format!(
                "SELECT column_name::text AS name FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = '{table}'"
            ),
        };
        let mut columns = names(db, &sql).unwrap();
        columns.sort();
        (table, columns)
    })
    .collect()
}

/// The same as written in schema.rs.
fn declared_columns() -> BTreeMap<String, Vec<String>> {
    let source = include_str!("../schema.rs");
    let tables = source.split("diesel::table! {").skip(1);
    tables
        .map(|block| {
            let block = block.split("\n}").next().unwrap();
            let name = block.split_whitespace().next().unwrap().to_owned();
            let lines = block.lines().filter_map(|line| line.split_once(" -> "));
            let mut columns: Vec<String> = lines.map(|(column, _)| column.trim().to_owned()).collect();
            columns.sort();
            (name, columns)
        })
        .collect()
}

#[test]
fn the_tables_match_the_migrations_of_every_backend() {
    each_lasting_scratch(|scratch| {
        drop(scratch.store());
        let declared = declared_columns();
        assert!(declared.len() >= 15);
        assert_eq!(columns(&mut scratch.connection()), declared);
    });
}

#[test]
fn a_reset_leaves_no_table_of_ours_and_all_of_others() {
    each_lasting_scratch(|scratch| {
        let store = scratch.store();
        drop(store);
        let mut db = scratch.connection();
        user(&mut db, "ada");
        db.batch_execute("CREATE TABLE alembic_version (version_num TEXT)").unwrap();
        drop(db);
        Store::reset(&scratch.config).unwrap();
        let left = crate::store::migrate::tables(&mut scratch.connection()).unwrap();
        let left: Vec<_> = left.into_iter().filter(|table| !table.starts_with("sqlite_")).collect();
        assert_eq!(left, ["alembic_version"], "a table is missing in src/store/reset.rs");
        drop(open(scratch, OpenMode::CreateOrCurrent).unwrap());
        assert!(users::find(&mut scratch.connection(), &name("ada")).unwrap().is_none());
        scratch.connection().batch_execute("DROP TABLE alembic_version").unwrap();
    });
}

#[test]
fn a_database_that_is_not_ours_is_not_reset() {
    let scratch = Scratch::file();
    let mut db = scratch.connection();
    db.batch_execute("CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (1)").unwrap();
    drop(db);
    Store::reset(&scratch.config).unwrap();
    assert_eq!(names(&mut scratch.connection(), "SELECT 'x' AS name FROM users").unwrap(), ["x"]);
}

#[test]
fn connections_are_replaced_where_that_is_asked_for_and_statements_logged() {
    each_lasting_scratch(|scratch| {
        let recycle = std::time::Duration::from_millis(1);
        let config = StoreConfig { recycle, log_statements: true, ..scratch.config.clone() };
        let store = Store::open(&config, OpenMode::CreateOrCurrent).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..20 {
            let found = runtime.block_on(store.read(|db| users::find(db, &name("ada"))));
            assert!(found.unwrap().is_none());
        }
    });
}
