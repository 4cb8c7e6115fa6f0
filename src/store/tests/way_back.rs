//! An upgrade that fails leaves everything as it was; one that succeeds leaves a copy, which leads back.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;

use super::opening::{LAST, MIGRATIONS, files_in, mode_of, outdate};
use crate::store::migrate::names;
use crate::store::testing::{Scratch, each_lasting_scratch, name, user};
use crate::store::{Db, OpenMode, Store, StoreConfig, StoreError, users};

/// What the database is: all its tables as they were declared, and all users.
fn picture(db: &mut Db) -> Vec<String> {
    let tables = match db {
        Db::Sqlite(_) => "SELECT sql AS name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name",
        Db::Postgres(_) => {
            "SELECT (table_name || '.' || column_name)::text AS name FROM information_schema.columns \
             WHERE table_schema = current_schema() ORDER BY 1"
        }
    };
    let mut picture = names(db, tables).unwrap();
    picture.extend(names(db, "SELECT name FROM users ORDER BY name").unwrap());
    picture.extend(names(db, "SELECT version AS name FROM __diesel_schema_migrations ORDER BY 1").unwrap());
    picture
}

/// Two migrations back, with something in the way of the last one: the one before it works, and then it fails.
fn obstruct(scratch: &Scratch) -> Vec<String> {
    outdate(scratch);
    let before = MIGRATIONS[MIGRATIONS.len() - 2];
    let mut db = scratch.connection();
    user(&mut db, "ada");
    let sql = format!(
        "DROP TABLE messages; CREATE TABLE logins (something_else INTEGER); \
         DELETE FROM __diesel_schema_migrations WHERE version = '{before}'"
    );
    db.batch_execute(&sql).unwrap();
    picture(&mut db)
}

#[test]
fn a_migration_that_fails_half_way_leaves_the_old_database_and_says_so() {
    each_lasting_scratch(|scratch| {
        let before = obstruct(scratch);
        // a hub that is started over and over
        for _ in 0..3 {
            let failed = Store::open(&scratch.config, OpenMode::Upgrade).unwrap_err();
            assert!(matches!(&failed, StoreError::Migration { .. }), "{failed:?}");
            let said = failed.to_string();
            for part in ["schema 0008 to 0010", "left as it was", "install its package again", "logins"] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
        assert_eq!(picture(&mut scratch.connection()), before);
        if let Some(folder) = &scratch.folder {
            let files = files_in(folder);
            assert!(
                files.iter().all(|file| !file.contains("schema-")),
                "no copy tells anything new: {files:?}"
            );
        }
        // the obstacle is gone: nothing of the failure is left
        scratch.connection().batch_execute("DROP TABLE logins").unwrap();
        let done = Store::open(&scratch.config, OpenMode::Upgrade).unwrap();
        assert_eq!(done.migrated().applied, MIGRATIONS[MIGRATIONS.len() - 2..]);
        drop(done);
        assert!(users::find(&mut scratch.connection(), &name("ada")).unwrap().is_some());
    });
}

fn upgrade(config: &StoreConfig) -> PathBuf {
    Store::open(config, OpenMode::Upgrade).unwrap().migrated().backup.clone().unwrap()
}

fn restore(config: &StoreConfig, copy: &Path) -> Result<crate::store::Restored, StoreError> {
    Store::restore(config, &mut File::open(copy).unwrap())
}

#[test]
fn an_upgrade_can_be_gone_back_from() {
    let scratch = Scratch::file();
    outdate(&scratch);
    let before = picture(&mut scratch.connection());
    let copy = upgrade(&scratch.config);
    user(&mut scratch.connection(), "grace");

    let restored = restore(&scratch.config, &copy).unwrap();
    assert_eq!(restored.schema, MIGRATIONS[MIGRATIONS.len() - 2]);
    assert_eq!(picture(&mut scratch.connection()), before, "as the older program left it");
    assert_eq!(mode_of(Path::new(&scratch.config.url)), 0o600);
    let replaced = restored.replaced.unwrap();
    assert!(replaced.to_str().unwrap().contains(&format!(".replaced-{LAST}.")), "{replaced:?}");

    // and forward again, to what was there before the way back
    assert_eq!(restore(&scratch.config, &replaced).unwrap().schema, LAST);
    assert!(users::find(&mut scratch.connection(), &name("grace")).unwrap().is_some());
}

#[test]
fn a_newer_database_names_the_copy_that_leads_back_and_the_program_that_made_it() {
    let scratch = Scratch::file();
    outdate(&scratch);
    let copy = upgrade(&scratch.config);
    let mut db = scratch.connection();
    db.batch_execute(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999'); \
         INSERT INTO journal (at, actor, action, target, detail) \
         VALUES ('2030-01-01 00:00:00', 'hub', 'hub.start', 'hub', '{\"version\": \"7.1.0\", \"pid\": 1}')",
    )
    .unwrap();
    drop(db);
    let refused = Store::open(&scratch.config, OpenMode::Upgrade).unwrap_err().to_string();
    let way_back = format!("orrery db restore {}", copy.display());
    for part in ["schema 9999", "Orrery 7.1.0", env!("CARGO_PKG_VERSION"), LAST, &way_back] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    restore(&scratch.config, &copy).unwrap();
    Store::open(&scratch.config, OpenMode::Upgrade).unwrap();
}

#[test]
fn a_database_in_use_is_not_replaced() {
    let scratch = Scratch::file();
    let store = scratch.store();
    let copy = Store::back_up(&scratch.config).unwrap();
    let before = files_in(scratch.folder.as_ref().unwrap());
    let refused = restore(&scratch.config, &copy).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().contains("stop the hub"), "{refused}");
    assert_eq!(files_in(scratch.folder.as_ref().unwrap()), before);
    drop(store);
    restore(&scratch.config, &copy).unwrap();
}

#[test]
fn what_is_no_whole_copy_of_ours_is_not_put_back() {
    let scratch = Scratch::file();
    drop(scratch.store());
    user(&mut scratch.connection(), "ada");
    let folder = scratch.folder.as_ref().unwrap();
    let other = folder.path().join("other");
    let copy = Store::back_up(&scratch.config).unwrap();
    let good = fs::read(&copy).unwrap();
    let mut torn = good.clone();
    torn.truncate(good.len() / 2);
    for (content, why) in
        [(&b"some text that is no database at all, but long"[..], "cannot be read"), (&torn, "")]
    {
        fs::write(&other, content).unwrap();
        let refused = restore(&scratch.config, &other).unwrap_err();
        assert!(matches!(refused, StoreError::Restore { .. }), "{refused:?}");
        assert!(refused.to_string().contains(why), "{refused}");
    }
    fs::write(&other, "").unwrap();
    let refused = restore(&scratch.config, &other).unwrap_err();
    assert!(refused.to_string().contains("no tables of Orrery"), "{refused}");
    fs::remove_file(&other).unwrap();
    assert!(users::find(&mut scratch.connection(), &name("ada")).unwrap().is_some(), "it is as it was");
    assert!(files_in(folder).iter().all(|file| !file.contains("restoring") && !file.contains("replaced")));
}

#[test]
fn a_damaged_database_can_be_replaced_too() {
    let scratch = Scratch::file();
    drop(scratch.store());
    let copy = Store::back_up(&scratch.config).unwrap();
    fs::write(&scratch.config.url, "a disk has written here whatever it wanted, so this is no database")
        .unwrap();
    let restored = restore(&scratch.config, &copy).unwrap();
    assert!(restored.replaced.unwrap().to_str().unwrap().contains(".replaced-none."));
    assert_eq!(Store::schema_state(&scratch.config).unwrap().pending, [""; 0]);
}

#[test]
fn sec_113_copies_are_private_however_open_the_original_is() {
    let scratch = Scratch::file();
    outdate(&scratch);
    fs::set_permissions(&scratch.config.url, fs::Permissions::from_mode(0o644)).unwrap();
    let copies = [upgrade(&scratch.config), Store::back_up(&scratch.config).unwrap()];
    assert_eq!(copies.each_ref().map(|copy| mode_of(copy)), [0o600, 0o600]);
}

#[test]
fn old_copies_of_upgrades_are_deleted_and_others_are_not() {
    let scratch = Scratch::file();
    let config = StoreConfig { backups: 1, ..scratch.config.clone() };
    outdate(&scratch);
    let older = format!("{}.schema-0003.2020-01-01-000000", config.url);
    let asked = format!("{}.copy-0003.2020-01-01-000000", config.url);
    for path in [&older, &asked] {
        fs::write(path, "").unwrap();
    }
    let copy = upgrade(&config);
    assert!(copy.exists() && Path::new(&asked).exists() && !Path::new(&older).exists());
}

#[test]
fn only_a_file_is_copied_and_put_back() {
    for url in [":memory:", "postgresql://hub@127.0.0.1:1/hub"] {
        let config = StoreConfig { url: url.to_owned(), ..StoreConfig::default() };
        let refused = Store::back_up(&config).unwrap_err();
        assert!(matches!(refused, StoreError::NoFile { .. }), "{refused:?}");
        assert!(url == ":memory:" || refused.to_string().contains("pg_dump"), "{refused}");
    }
    let nothing = Store::back_up(&Scratch::file().config).unwrap_err();
    assert!(matches!(nothing, StoreError::UnusableFile { .. }), "{nothing:?}");
}
