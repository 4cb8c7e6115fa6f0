//! Removing and renaming what may start at any moment.
//!
//! A server's address bears its owner's name and its own, and its row is all that a restarted hub knows of its process. So
//! neither may change under a server that runs or is about to. Whoever starts a server shows it in the directory first,
//! then locks its owner and compares the names (`server/prepare.rs`); whoever removes or renames locks the owner first,
//! then looks into the directory. Whichever comes second sees the other.

use super::directory::Directory;
use crate::domain::ids::{ServerId, UserId};
use crate::domain::names::ServerKey;
use crate::store::servers::{self, Server};
use crate::store::{Db, StoreError, users};

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone, or has another name by now.
    Done,
    /// It runs, or somebody starts it: stop it first.
    Busy,
}

/// Removes a server unless it may run.
///
/// # Errors
/// If a query fails.
pub fn server(
    db: &mut Db,
    directory: &Directory,
    key: &ServerKey,
    id: ServerId,
) -> Result<Removal, StoreError> {
    let Some(row) = servers::find_by_id(db, id)? else { return Ok(Removal::Done) };
    users::lock(db, row.user_id)?;
    match servers::find_by_id(db, id)? {
        Some(row) if row.name == key.server && directory.may_run(key, &row) => Ok(Removal::Busy),
        Some(row) if row.name == key.server => servers::delete(db, id).map(|_| Removal::Done),
        Some(_) | None => Ok(Removal::Done),
    }
}

/// All servers of a user, held still until the transaction ends; `None` if one of them may run, or if there is no such
/// user any more.
///
/// # Errors
/// If a query fails.
pub fn still(db: &mut Db, directory: &Directory, user: UserId) -> Result<Option<Vec<Server>>, StoreError> {
    users::lock(db, user)?;
    let Some(owner) = users::find_by_id(db, user)? else { return Ok(None) };
    let rows = servers::of_user(db, user)?;
    let runs = |row: &Server| directory.may_run(&ServerKey::new(owner.name.clone(), row.name.clone()), row);
    Ok((!rows.iter().any(runs)).then_some(rows))
}

/// Removes a user with everything that is theirs; the servers that went along, `None` if one of them may run.
///
/// # Errors
/// If a query fails.
pub fn user(db: &mut Db, directory: &Directory, user: UserId) -> Result<Option<Vec<Server>>, StoreError> {
    let Some(rows) = still(db, directory, user)? else { return Ok(None) };
    Ok(users::delete(db, user)?.then_some(rows))
}
