//! The fourth step: root, wholly. From here on the caller can send no signal, and no id of it is left to go back to.

use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid};
use orrery_wire::{Refusal, Refused};

use crate::admit::Admitted;
use crate::listen::Asked;
use crate::refused::system;
use crate::sys;

/// All ids are 0, and there are no supplementary groups.
#[derive(Debug)]
pub struct Rooted(Admitted, Asked);

impl Rooted {
    pub(crate) fn into_parts(self) -> (Admitted, Asked) {
        (self.0, self.1)
    }
}

/// Leaves the caller's ids and groups behind, and looks whether they are gone.
///
/// # Errors
/// [`Refusal::System`].
pub fn become_root((admitted, asked): (Admitted, Asked)) -> Result<Rooted, Refused> {
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    setgroups(&[]).map_err(system("setgroups"))?;
    setresgid(group, group, group).map_err(system("setresgid"))?;
    setresuid(user, user, user).map_err(system("setresuid"))?;
    prctl::set_dumpable(false).map_err(system("prctl"))?; // a change of ids resets it
    let users = getresuid().map_err(system("getresuid"))?;
    let groups = getresgid().map_err(system("getresgid"))?;
    let wholly = [users.real, users.effective, users.saved] == [user; 3]
        && [groups.real, groups.effective, groups.saved] == [group; 3]
        && getgroups().is_ok_and(|others| others.is_empty());
    match sys::new_keyring() {
        Ok(()) | Err(Errno::ENOSYS | Errno::EPERM) => {} // nobody has one then
        Err(errno) => return Err(system("keyring")(errno)),
    }
    if wholly {
        Ok(Rooted(admitted, asked))
    } else {
        Err(Refused::new(Refusal::System, "ids or groups of the caller are left"))
    }
}
