//! What is done to the database and the secrets while no hub is asked: `orrery db …`, `orrery rotate-secret`.

use std::fs::File;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use std::os::unix::fs::MetadataExt;

use super::{AppError, parts};
use crate::config::Config;
use crate::config::cookie_secret::{self, CookieSecretError};
use crate::config::database::Database;
use crate::store::{Migrated, OpenMode, Restored, SchemaState, Store};

/// Upgrades the tables, for `orrery db migrate`.
///
/// # Errors
/// [`AppError`] if the database cannot be reached or is newer than this program.
pub fn migrate(config: &Config) -> Result<Migrated, AppError> {
    as_owner_of_database(config)?;
    let store = Store::open(&parts::store(config)?, OpenMode::Upgrade)?;
    Ok(store.migrated().clone())
}

/// What a migration would do, for `orrery db migrate --check`.
///
/// # Errors
/// As [`migrate`].
pub fn schema_state(config: &Config) -> Result<SchemaState, AppError> {
    Ok(Store::schema_state(&parts::store(config)?)?)
}

/// The latest copy that this program could go back to.
#[must_use]
pub fn way_back(config: &Config, state: &SchemaState) -> Option<PathBuf> {
    let known = state.pending.last().max(state.applied.last())?;
    Store::way_back(&parts::store(config).ok()?, known)
}

/// Copies the database, for `orrery db backup`.
///
/// # Errors
/// [`AppError`]; nothing was made then.
pub fn back_up(config: &Config) -> Result<PathBuf, AppError> {
    as_owner_of_database(config)?;
    Ok(Store::back_up(&parts::store(config)?)?)
}

/// Puts a copy back, for `orrery db restore`. The file is opened with the rights of whoever gives the command.
///
/// # Errors
/// [`AppError`]; nothing was changed then.
pub fn restore(config: &Config, copy: &Path) -> Result<Restored, AppError> {
    let mut file = File::open(copy).map_err(|source| AppError::File { path: copy.to_owned(), source })?;
    as_owner_of_database(config)?;
    Ok(Store::restore(&parts::store(config)?, &mut file)?)
}

/// Makes a new key for cookies and keeps this many of the old ones, which then only verify. How many there are now.
///
/// # Errors
/// [`CookieSecretError`]; nothing was changed then.
pub fn rotate_secret(config: &Config, keep: usize) -> Result<usize, AppError> {
    if config.hub.cookie_secret.is_empty() {
        as_owner_of(&config.hub.cookie_secret_file)?;
    }
    cookie_secret::rotate(&config.hub, keep).map_err(|error: CookieSecretError| error.into())
}

pub(super) fn as_owner_of_database(config: &Config) -> Result<(), AppError> {
    match config.database.target() {
        Ok(Database::Sqlite(path)) => as_owner_of(&path),
        _ => Ok(()),
    }
}

/// Root becomes the account that the file's folder belongs to: whatever that account has put there, links above all, leads
/// to nothing that it could not do itself (SEC-112), and what is made is its own.
fn as_owner_of(path: &Path) -> Result<(), AppError> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // a folder that is not there is told by who wants to use it
    let Ok(found) = folder.metadata() else { return Ok(()) };
    if found.uid() == 0 {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    let become_it = || setgroups(&[gid]).and_then(|()| setgid(gid)).and_then(|()| setuid(uid));
    become_it().map_err(|errno| AppError::System(errno.into()))
}
