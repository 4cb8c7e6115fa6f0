//! The accounts and groups of this machine, as the name service knows them: what signing in and starting servers both ask.
//! Everything here blocks, for the name service may be a remote one.

use std::collections::BTreeSet;
use std::ffi::CString;

use log::warn;
use nix::errno::Errno;
use nix::unistd::{Gid, Group, User, getgrouplist};

/// The account of this name.
///
/// # Errors
/// If the name service does not answer.
pub fn find(name: &str) -> Result<Option<User>, Errno> {
    // no account has such a name, and NUL would end it
    if name.is_empty() || name.contains(['\0', ':', '\n']) {
        return Ok(None);
    }
    User::from_name(name)
}

/// All groups of the account with this name, the primary one (`gid`) among them.
///
/// # Errors
/// If the name service does not answer.
pub fn groups_of(name: &str, gid: Gid) -> Result<BTreeSet<u32>, Errno> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    Ok(getgrouplist(&name, gid)?.into_iter().map(Gid::as_raw).collect())
}

/// Whether one of the groups that the key of the configuration names is among these. Unknown ones are left out, with a
/// warning if all are: a list may name the groups of several systems (`sudo` and `wheel`).
///
/// # Errors
/// If the name service does not answer.
pub fn is_in(key: &'static str, names: &BTreeSet<String>, gids: &BTreeSet<u32>) -> Result<bool, Errno> {
    let mut known = Vec::new();
    for name in names {
        known.extend(Group::from_name(name)?.map(|group| group.gid.as_raw()));
    }
    if known.is_empty() && !names.is_empty() {
        let groups = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        warn!(key, groups; "there is no such group on this machine");
    }
    Ok(known.iter().any(|gid| gids.contains(gid)))
}
