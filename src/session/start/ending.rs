//! The end: everything that the server started is killed, how it ended is kept and told, and nothing is left behind.

use std::time::Duration;

use orrery_wire::control::News;
use orrery_wire::{ExitRecord, Policy};

use super::child::remove_as;
use super::exit_record;
use super::identity::Identity;
use super::keeper::{Keeper, end_children};
use super::preparation::Ground;
use super::session::Session;
use crate::deadline::Deadline;
use crate::log;

/// Cleans up after a server. When the hub is told, everything is gone but the PAM session: the next server of that id may
/// start at once.
pub(crate) fn end(keeper: Keeper, ground: Ground, identity: &Identity, record: ExitRecord) {
    let Keeper { group, output, control, .. } = keeper;
    if let Some(group) = &group {
        group.kill();
    }
    end_children();
    output.finish();
    if let Some(group) = &group {
        group.clear();
    }
    let Ground { places, hub_gid, socket, server_lock, user_lock, .. } = ground;
    if let Some(socket) = &socket {
        remove_as(identity, socket);
    }
    if let Err(error) = exit_record::write(&places, hub_gid, &record) {
        log::warning(&format!("the end of a server could not be recorded: {error}"));
    }
    control.stop_listening();
    server_lock.discard();
    control.tell_all(News::Ended(record));
    if user_lock.is_last() {
        places.remove_socket_folder();
        user_lock.discard();
    }
    log::info(&format!("server of uid {} ended, pid {}", identity.uid, record.pid));
}

/// Closes the PAM session. A module that hangs is ended with this process by the kernel.
pub(crate) fn close(session: Session, policy: &Policy) {
    let deadline = Deadline::after(Duration::from_secs(u64::from(policy.session_timeout)));
    if let Err(error) = session.close() {
        log::warning(&format!("a PAM session could not be closed: {error}"));
    }
    drop(deadline);
}
