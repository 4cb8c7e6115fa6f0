//! The fourth step: root, wholly. From here on the caller can send no signal, and no id of it is left to go back to.

use std::os::fd::OwnedFd;

use nix::sys::prctl;
use nix::unistd::{Gid, Uid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid};
use orrery_wire::{Policy, Refusal, Request};

use crate::listen::Asked;
use crate::refused::Refused;

/// All ids are 0, and there are no supplementary groups.
#[derive(Debug)]
pub struct Rooted {
    pub(crate) parcel: OwnedFd,
    pub(crate) policy: Policy,
    pub(crate) text: String,
    pub(crate) request: Request,
    pub(crate) bytes: Vec<u8>,
}

/// Leaves the caller's ids and groups behind, and looks whether they are gone.
///
/// # Errors
/// [`Refusal::System`].
pub fn become_root(asked: Asked) -> Result<Rooted, Refused> {
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    setgroups(&[]).map_err(Refused::system("setgroups"))?;
    setresgid(group, group, group).map_err(Refused::system("setresgid"))?;
    setresuid(user, user, user).map_err(Refused::system("setresuid"))?;
    prctl::set_dumpable(false).map_err(Refused::system("prctl"))?; // a change of ids resets it
    let users = getresuid().map_err(Refused::system("getresuid"))?;
    let groups = getresgid().map_err(Refused::system("getresgid"))?;
    let others = getgroups().map_err(Refused::system("getgroups"))?;
    let wholly = [users.real, users.effective, users.saved] == [user; 3]
        && [groups.real, groups.effective, groups.saved] == [group; 3]
        && others.is_empty();
    if !wholly {
        return Err(Refused::new(Refusal::System, "ids or groups of the caller are left"));
    }
    let Asked { parcel, policy, text, request, bytes } = asked;
    Ok(Rooted { parcel, policy, text, request, bytes })
}
