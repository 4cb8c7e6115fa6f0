//! What the hub does for all running servers, and what it keeps from them.

use std::fs::{self, File};
use std::io::Write;

use crate::support::hub::{Hub, SOFT_LIMIT, eventually};

/// The limits of open files of a process: soft, hard.
fn open_files(pid: u64) -> (String, String) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap().to_owned();
    let mut words = line.split_whitespace().skip(3).map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

#[test]
fn a_log_that_grew_too_large_is_cut_in_the_next_round() {
    let hub = Hub::with("spawner.poll_interval = 0.05");
    hub.create_user("ada");
    hub.spawn("ada");
    let mut logs = fs::read_dir(hub.folder.path().join("server-logs")).unwrap();
    let log = logs.next().unwrap().unwrap().path();
    File::options().append(true).open(&log).unwrap().write_all(&vec![b'\n'; 5 << 20]).unwrap();
    eventually("a shorter log", || (fs::metadata(&log).unwrap().len() < 1 << 20).then_some(()));
    assert_eq!(hub.get("/user/ada/whoami").status, 200, "the server goes on");
}

#[test]
fn the_hub_may_open_as_many_files_as_the_system_allows_and_its_servers_as_many_as_before() {
    let hub = Hub::start();
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let (soft, hard) = open_files(hub.pid().into());
    assert_eq!(soft, hard);
    let (soft, _) = open_files(server["state"]["pid"].as_u64().unwrap());
    assert_eq!(soft, SOFT_LIMIT);
}
