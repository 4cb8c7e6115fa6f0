//! Becoming the user for good: every call is checked, and then it is looked whether it worked (SEC-060).

use std::io;

use nix::errno::Errno;
use nix::unistd::{self, Gid, Uid};

use crate::sys::process;

/// As whom a server runs.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    /// All of them, with what PAM modules added.
    pub(crate) groups: Vec<Gid>,
}

impl Identity {
    /// Gives up what root can do, for ever.
    ///
    /// With `no_new_privs` nothing that this process ever starts can gain privileges again. Then the bounding set is
    /// emptied as well, where the kernel lets us; without, `sudo` shall work, and needs it.
    ///
    /// # Errors
    /// What the first call that failed said; EPERM if one lied.
    pub(crate) fn assume(&self, no_new_privs: bool) -> io::Result<()> {
        process::clear_ambient_set()?;
        if no_new_privs {
            empty_bounding_set();
        }
        unistd::setgroups(&self.groups)?;
        unistd::setresgid(self.gid, self.gid, self.gid)?;
        unistd::setresuid(self.uid, self.uid, self.uid)?;
        process::clear_capabilities()?;
        if no_new_privs {
            nix::sys::prctl::set_no_new_privs()?;
        }
        if self.is_assumed(no_new_privs)? { Ok(()) } else { Err(Errno::EPERM.into()) }
    }

    fn is_assumed(&self, no_new_privs: bool) -> io::Result<bool> {
        let users = unistd::getresuid()?;
        let groups = unistd::getresgid()?;
        let nobody_else = [users.real, users.effective, users.saved].iter().all(|uid| *uid == self.uid);
        let no_other_group = [groups.real, groups.effective, groups.saved].iter().all(|gid| *gid == self.gid);
        // An impossible id changes nothing and tells the present one.
        let files = unistd::setfsuid(Uid::from_raw(u32::MAX)) == self.uid
            && unistd::setfsgid(Gid::from_raw(u32::MAX)) == self.gid;
        let same_groups = sorted(unistd::getgroups()?) == sorted(self.groups.clone());
        let no_capability = process::capabilities()?.iter().all(|word| *word == 0);
        let no_way_back =
            unistd::setuid(Uid::from_raw(0)).is_err() && unistd::setresgid(root(), root(), root()).is_err();
        let sealed = !no_new_privs || nix::sys::prctl::get_no_new_privs()?;
        Ok(nobody_else && no_other_group && files && same_groups && no_capability && no_way_back && sealed)
    }
}

fn root() -> Gid {
    Gid::from_raw(0)
}

fn empty_bounding_set() {
    for capability in 0..process::MOST_CAPABILITIES {
        match process::in_bounding_set(capability) {
            // Without CAP_SETPCAP (containers) it stays; `no_new_privs` holds all the same.
            Some(true) => drop(process::leave_bounding_set(capability)),
            Some(false) => {}
            None => break,
        }
    }
}

fn sorted(mut groups: Vec<Gid>) -> Vec<u32> {
    groups.sort_unstable_by_key(|gid| gid.as_raw());
    groups.into_iter().map(Gid::as_raw).collect()
}
