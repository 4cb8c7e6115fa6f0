//! Asks the name service who somebody is. Nothing here is cached, and every failure is an error, never "nobody".

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::unistd::{Gid, Uid, User, getgrouplist};

use crate::sys::{self, Ages};

/// An account whose name and uid lead to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: PathBuf,
    pub(crate) shell: PathBuf,
}

/// Why somebody has no account that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAccount {
    /// The name service knows nobody of this name or uid.
    Unknown,
    /// Name and uid do not lead to each other: two accounts share one of them (SEC-038).
    Ambiguous,
    /// The name service could not be asked.
    Unavailable,
}

impl std::fmt::Display for NoAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such account on this machine",
            Self::Ambiguous => "several accounts of this machine share this name or uid",
            Self::Unavailable => "the name service of this machine could not be asked",
        })
    }
}

impl Account {
    /// Finds an account by a name in any spelling that the name service takes; the result has its own spelling (SEC-032).
    pub(crate) fn by_name(name: &str) -> Result<Self, NoAccount> {
        let user = found(User::from_name(name))?;
        Self::by_uid(user.uid.as_raw()).and_then(|account| {
            if account.name == user.name { Ok(account) } else { Err(NoAccount::Ambiguous) }
        })
    }

    /// Finds an account by its uid.
    pub(crate) fn by_uid(uid: u32) -> Result<Self, NoAccount> {
        let user = found(User::from_uid(Uid::from_raw(uid)))?;
        let back = found(User::from_name(&user.name))?;
        if (back.uid, back.gid) != (Uid::from_raw(uid), user.gid) || back.name != user.name {
            return Err(NoAccount::Ambiguous);
        }
        Ok(Self { name: user.name, uid, gid: user.gid.as_raw(), home: user.dir, shell: user.shell })
    }

    /// All its groups, the primary one among them, as `initgroups` finds them.
    pub(crate) fn groups(&self) -> nix::Result<Vec<u32>> {
        let name = CString::new(OsStr::new(&self.name).as_bytes()).map_err(|_| nix::errno::Errno::EINVAL)?;
        let groups = getgrouplist(&name, Gid::from_raw(self.gid))?;
        Ok(groups.into_iter().map(Gid::as_raw).collect())
    }
}

/// What has expired of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    /// The account itself.
    Account,
    /// Its password, beyond the time in which it could be changed.
    Password,
}

impl Account {
    /// What has expired, `today` being the days since 1970. PAM has decided already; this only finds the reason, which
    /// stacks such as Debian's hide behind `pam_deny`.
    pub(crate) fn expired(&self, today: i64) -> Option<Expired> {
        let name = CString::new(self.name.as_str()).ok()?;
        sys::ages(&name).and_then(|ages| expired(ages, today))
    }
}

fn expired(ages: Ages, today: i64) -> Option<Expired> {
    if ages.expires >= 0 && today >= ages.expires {
        return Some(Expired::Account);
    }
    let counts = ages.changed > 0 && ages.good_for >= 0 && ages.inactive >= 0;
    let last_day = ages.changed.saturating_add(ages.good_for).saturating_add(ages.inactive);
    (counts && today > last_day).then_some(Expired::Password)
}

fn found(answer: nix::Result<Option<User>>) -> Result<User, NoAccount> {
    answer.map_err(|_| NoAccount::Unavailable)?.ok_or(NoAccount::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_040_what_has_expired_is_found() {
        let fine = Ages { changed: 20_000, good_for: 99_999, inactive: -1, expires: -1 };
        assert_eq!(expired(fine, 20_500), None);
        assert_eq!(expired(Ages { expires: 20_500, ..fine }, 20_500), Some(Expired::Account));
        assert_eq!(expired(Ages { expires: 20_501, ..fine }, 20_500), None);
        let aged = Ages { good_for: 90, inactive: 10, ..fine };
        assert_eq!((expired(aged, 20_100), expired(aged, 20_101)), (None, Some(Expired::Password)));
        assert_eq!(expired(Ages { inactive: -1, ..aged }, 20_101), None);
        assert_eq!(expired(Ages { changed: 0, ..aged }, 20_101), None);
    }

    #[test]
    fn sec_032_an_account_is_found_by_name_and_by_uid() {
        let root = Account::by_name("root").unwrap();
        assert_eq!((root.uid, root.name.as_str()), (0, "root"));
        assert_eq!(Account::by_uid(0).unwrap(), root);
        assert!(root.groups().unwrap().contains(&0));
        assert_eq!(Account::by_name("no-such-account"), Err(NoAccount::Unknown));
        assert_eq!(Account::by_uid(3_999_999_999), Err(NoAccount::Unknown));
    }
}
