//! Copies of an SQLite file, beside it: one before each upgrade, others when asked for. Putting one back is the way back
//! to an older program. PostgreSQL has `pg_dump` for both.
//!
//! `<file>.schema-<version>.<time>` was made before an upgrade from that schema; `.copy-` when somebody asked for it;
//! `.replaced-` is what was in the place of a copy that was put back. Only those made before upgrades are ever deleted.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use nix::sys::statvfs::statvfs;

use super::migrate::{MIGRATIONS_TABLE, inspect, names, newer};
use super::url::{self, Target};
use super::{Db, Store, StoreConfig, StoreError, db};

/// What else may need room while a copy is made.
const SPARE: u64 = 16 << 20;
/// How long somebody else may hold the file that is to be replaced.
const PATIENCE_MS: u32 = 1000;

/// Why a copy was made; a word of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// An upgrade follows.
    Upgrade,
    /// Somebody asked.
    Asked,
    /// Another copy has taken its place.
    Replaced,
}

impl Occasion {
    const fn word(self) -> &'static str {
        match self {
            Self::Upgrade => "schema",
            Self::Asked => "copy",
            Self::Replaced => "replaced",
        }
    }
}

/// What [`Store::restore`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The schema that the database has now.
    pub schema: String,
    /// Where the database is that was there before.
    pub replaced: Option<PathBuf>,
}

impl Store {
    /// Copies the SQLite file while it may be in use, and says where to.
    ///
    /// # Errors
    /// [`StoreError::NoFile`] for PostgreSQL, [`StoreError::NoRoom`], [`StoreError::Backup`], or if the database cannot be
    /// read.
    pub fn back_up(config: &StoreConfig) -> Result<PathBuf, StoreError> {
        let (target, path) = file(config)?;
        if !path.exists() {
            let source = io::Error::from(io::ErrorKind::NotFound);
            let advice = "there is nothing to copy".to_owned();
            return Err(StoreError::UnusableFile { path, advice, source });
        }
        let mut db = db::look_at(&target, config).map_err(|e| db::unreachable_database(config, e))?;
        let version = version(&mut db)?;
        make(&mut db, &path, Occasion::Asked, &version, Utc::now())
    }

    /// Puts a copy in the place of the SQLite file, which nobody may be using, and keeps what was there. A copy that is
    /// damaged, is not ours, or is of a newer program changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NoFile`] for PostgreSQL, [`StoreError::InUse`] while a hub runs, [`StoreError::Restore`], or what
    /// [`Store::open`] would say of the copy.
    pub fn restore(config: &StoreConfig, copy: &mut File) -> Result<Restored, StoreError> {
        let (_, path) = file(config)?;
        let fresh = with_suffix(&path, ".restoring");
        let failed =
            |source: io::Error| StoreError::Restore { path: path.clone(), reason: source.to_string() };
        let _ = fs::remove_file(&fresh);
        let mut put = || -> Result<Restored, StoreError> {
            let mut made =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
            io::copy(copy, &mut made).and_then(|_| made.sync_all()).map_err(failed)?;
            let schema = vouch_for(&fresh, config)?;
            let replaced = set_aside(&path, config)?;
            fs::rename(&fresh, &path).and_then(|()| sync_folder(&path)).map_err(failed)?;
            Ok(Restored { schema, replaced })
        };
        put().inspect_err(|_| {
            let _ = fs::remove_file(&fresh);
        })
    }

    /// The latest copy of the SQLite file that this program can run on, for who finds the file too new.
    #[must_use]
    pub fn way_back(config: &StoreConfig, known: &str) -> Option<PathBuf> {
        let (_, path) = file(config).ok()?;
        let fits = list(&path, &[Occasion::Upgrade, Occasion::Asked]).into_iter();
        fits.filter(|copy| copy.version.as_str() <= known)
            .max_by(|a, b| a.time.cmp(&b.time))
            .map(|copy| copy.path)
    }
}

fn file(config: &StoreConfig) -> Result<(Target, PathBuf), StoreError> {
    let target = url::target(&config.url)?;
    match &target {
        Target::File(path) => {
            let path = path.clone();
            Ok((target, path))
        }
        Target::Memory => {
            Err(StoreError::NoFile { advice: "the database is in memory, and gone when the hub ends" })
        }
        Target::Postgres(_) => Err(StoreError::NoFile {
            advice: "the database is PostgreSQL's: `pg_dump --format=custom --file=orrery.dump NAME` copies it, \
                     `pg_restore --clean --if-exists --single-transaction --dbname=NAME orrery.dump` puts it back",
        }),
    }
}

/// The last migration that a database has had.
fn version(db: &mut Db) -> Result<String, StoreError> {
    let sql = format!("SELECT version AS name FROM {MIGRATIONS_TABLE} ORDER BY version DESC LIMIT 1");
    Ok(names(db, &sql).ok().and_then(|found| found.into_iter().next()).unwrap_or_else(|| "none".to_owned()))
}

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    size: i64,
}

/// Copies the file with what is still in its write-ahead log; mode 0600. The time is UTC.
pub(super) fn make(
    db: &mut Db,
    path: &Path,
    occasion: Occasion,
    version: &str,
    now: DateTime<Utc>,
) -> Result<PathBuf, StoreError> {
    let copy = name(path, occasion, version, now);
    let Db::Sqlite(connection) = db else { return Err(StoreError::NoFile { advice: "use pg_dump" }) };
    let failed = |reason: String| StoreError::Backup { path: copy.clone(), reason };
    let sql = "SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size";
    let size: Size = diesel::sql_query(sql).get_result(connection)?;
    has_room(folder(path), u64::try_from(size.size).unwrap_or_default(), occasion)?;
    // SQLite fills an empty file, and keeps its mode
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
    let made = made.map_err(|e| failed(e.to_string()))?;
    let query = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(copy.to_string_lossy().into_owned());
    let filled = query.execute(connection).map_err(|e| e.to_string());
    filled.and_then(|_| made.sync_all().map_err(|e| e.to_string())).map_err(|reason| {
        // half a copy is worse than none
        let _ = fs::remove_file(&copy);
        failed(reason)
    })?;
    Ok(copy)
}

/// Deletes the oldest copies made before upgrades, so that `keep` are left. What cannot be deleted stays.
pub(super) fn prune(path: &Path, keep: usize) {
    let mut made = list(path, &[Occasion::Upgrade]);
    made.sort_by(|a, b| b.time.cmp(&a.time));
    for copy in made.iter().skip(keep) {
        let _ = fs::remove_file(&copy.path);
    }
}

/// An upgrade may write everything once more.
fn needed(size: u64, occasion: Occasion) -> u64 {
    let times = if occasion == Occasion::Upgrade { 2 } else { 1 };
    size.saturating_mul(times).saturating_add(SPARE)
}

fn has_room(folder: &Path, size: u64, occasion: Occasion) -> Result<(), StoreError> {
    // a file system that does not say is tried
    let Ok(found) = statvfs(folder) else { return Ok(()) };
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    let needed = needed(size, occasion);
    if free < needed {
        return Err(StoreError::NoRoom {
            folder: folder.to_owned(),
            free: free >> 20,
            needed: (needed >> 20) + 1,
        });
    }
    Ok(())
}

/// Whether a file is whole, and a database that this program can bring up to date; its schema.
fn vouch_for(path: &Path, config: &StoreConfig) -> Result<String, StoreError> {
    let refuse = |reason: &str| StoreError::Restore { path: path.to_owned(), reason: reason.to_owned() };
    let target = Target::File(path.to_owned());
    let mut db = db::look_at(&target, config).map_err(|e| refuse(&e.to_string()))?;
    let said = names(&mut db, "SELECT quick_check AS name FROM pragma_quick_check");
    match said {
        Ok(said) if said == ["ok"] => {}
        Ok(said) => return Err(refuse(&format!("the copy is damaged: {}", said.join(", ")))),
        Err(error) => return Err(refuse(&format!("the copy cannot be read: {error}"))),
    }
    let state = inspect(&mut db)?;
    if state.applied.is_empty() {
        return Err(refuse("the copy holds no tables of Orrery"));
    }
    if !state.unknown.is_empty() {
        return Err(newer(&mut db, config, &state));
    }
    version(&mut db)
}

/// Gives the file, which nobody may have open, a second name, and leaves nothing beside it that SQLite would take for
/// the log of the one that comes. A file that is damaged has nothing to be waited for.
fn set_aside(path: &Path, config: &StoreConfig) -> Result<Option<PathBuf>, StoreError> {
    let failed =
        |source: io::Error| StoreError::Restore { path: path.to_owned(), reason: source.to_string() };
    if !path.exists() {
        return Ok(None);
    }
    let mut db = db::look_at(&Target::File(path.to_owned()), config)
        .map_err(|e| StoreError::Restore { path: path.to_owned(), reason: e.to_string() })?;
    let version = version(&mut db)?;
    alone(&mut db, path)?;
    let replaced = name(path, Occasion::Replaced, &version, Utc::now());
    fs::hard_link(path, &replaced).map_err(failed)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&replaced, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(Some(replaced))
}

/// Takes the file for this connection alone, which SQLite refuses while any other has it open, and folds its log in.
fn alone(db: &mut Db, path: &Path) -> Result<(), StoreError> {
    let Db::Sqlite(connection) = db else { return Ok(()) };
    let is_locked = |error: &StoreError| matches!(error, StoreError::Busy(_));
    connection.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS}"))?;
    for sql in ["PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"] {
        let done = connection.batch_execute(sql).map_err(StoreError::from);
        if done.as_ref().is_err_and(is_locked) {
            return Err(StoreError::InUse { path: path.to_owned() });
        }
    }
    Ok(())
}

/// A copy, by its name.
struct Copy {
    path: PathBuf,
    version: String,
    time: String,
}

/// A name that is free; two in one second get the time of the next one.
fn name(path: &Path, occasion: Occasion, version: &str, mut now: DateTime<Utc>) -> PathBuf {
    loop {
        let time = now.format("%Y-%m-%d-%H%M%S");
        let name = with_suffix(path, &format!(".{}-{version}.{time}", occasion.word()));
        if name.symlink_metadata().is_err() {
            return name;
        }
        now += TimeDelta::seconds(1);
    }
}

fn list(path: &Path, occasions: &[Occasion]) -> Vec<Copy> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let entries = fs::read_dir(folder(path)).into_iter().flatten().flatten();
    let copies = entries.filter_map(|entry| {
        let file = entry.file_name().into_string().ok()?;
        let (kind, time) = file.strip_prefix(name)?.strip_prefix('.')?.split_once('.')?;
        let (word, version) = kind.split_once('-')?;
        let is_one = occasions.iter().any(|occasion| occasion.word() == word)
            && time.len() == 17
            && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        is_one.then(|| Copy { path: entry.path(), version: version.to_owned(), time: time.to_owned() })
    });
    copies.collect()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_is_too_full_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        has_room(folder.path(), 0, Occasion::Asked).unwrap();
        let refused = has_room(folder.path(), 1 << 60, Occasion::Upgrade).unwrap_err().to_string();
        assert!(refused.contains("MB") && refused.contains("database was left as it was"), "{refused}");
        assert_eq!(needed(10, Occasion::Upgrade) - needed(10, Occasion::Asked), 10);
    }

    #[test]
    fn only_names_that_this_program_gives_are_copies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o.sqlite");
        for name in [
            "o.sqlite",
            "o.sqlite-wal",
            "o.sqlite.schema-0008",
            "o.sqlite.schema-0008.old",
            "o.sqlite.mine-0008.2026-01-02-030405",
            "p.sqlite.schema-0008.2026-01-02-030405",
            "o.sqlite.replaced-0008.2026-01-02-030405",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(list(&path, &[Occasion::Upgrade, Occasion::Asked]).is_empty());
        for second in 1..=4 {
            let now = DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap();
            fs::write(name(&path, Occasion::Upgrade, "0008", now), second.to_string()).unwrap();
        }
        prune(&path, 2);
        let mut kept: Vec<_> = list(&path, &[Occasion::Upgrade]).into_iter().map(|copy| copy.path).collect();
        kept.sort();
        let kept: Vec<_> = kept.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert_eq!(kept, ["3", "4"]);
    }
}
