//! What unit tests of a start share.

use orrery_wire::{Listen, Start};

use crate::account::Account;

/// A plain request.
pub(crate) fn start() -> Start {
    Start {
        uid: 1000,
        ticket: Vec::new(),
        server_id: "s1".to_owned(),
        command: vec!["/usr/bin/server".to_owned(), "--sock={socket}".to_owned()],
        environment: Vec::new(),
        service_prefix: "/user/ada/".to_owned(),
        listen: Listen::Unix,
        folder: String::new(),
        login_shell: false,
        umask: None,
        memory: 0,
        cpu: 0,
        processes: 0,
        log_limit: 0,
    }
}

/// An account that has no shell of its own.
pub(crate) fn account() -> Account {
    Account { name: "ada".to_owned(), uid: 1000, gid: 1000, home: "/home/ada".into(), shell: "".into() }
}
