//! A hub that ends and begins in the middle of things, and a database that is away meanwhile.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::hub::{Hub, eventually, kill};

fn pid(server: &Value) -> u32 {
    u32::try_from(server["state"]["pid"].as_u64().unwrap()).unwrap()
}

fn gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

fn token_of(hub: &Hub) -> String {
    hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned()
}

/// Another program that holds the database's only write lock until it is killed.
struct Locked(Child);

impl Locked {
    fn by_another(hub: &Hub) -> Self {
        let path = hub.path("orrery.sqlite");
        let program = "import sqlite3, sys, time\n\
            db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
            db.execute('BEGIN EXCLUSIVE')\nopen(sys.argv[1] + '.held', 'w').close()\ntime.sleep(600)";
        let child = Command::new("python3").arg("-c").arg(program).arg(&path).stdin(Stdio::null()).spawn();
        let held = hub.path("orrery.sqlite.held");
        let locked = Self(child.unwrap());
        eventually("the lock", || held.exists().then_some(()));
        locked
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn no_request_right_behind_a_restart_takes_a_running_server_for_a_stopped_one() {
    let mut hub = Hub::start();
    hub.create_user("ada");
    let before = pid(&hub.spawn("ada"));
    hub.crash_and_restart();
    let early = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(early.status, 400, "it is being verified, or runs: {}", early.body);
    let renamed = hub.admin("PATCH", "/users/ada", Some(json!({"name": "eva"})));
    assert_eq!(renamed.status, 400, "{}", renamed.body);
    let after =
        eventually("the adoption", || Some(hub.server("ada", "")).filter(|server| server["ready"] == true));
    assert_eq!(pid(&after), before);
    hub.crash_and_restart();
    let stopped = hub.admin("DELETE", "/users/ada/server", None);
    assert!(matches!(stopped.status, 202 | 204), "{stopped:?}");
    eventually("its end", || gone(before).then_some(()));
    eventually("the stop", || hub.server("ada", "").is_null().then_some(()));
}

#[test]
fn a_server_that_was_starting_when_the_hub_died_becomes_ready() {
    let mut hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"2\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let before = eventually("the process", || {
        Some(hub.server("ada", "")).filter(|server| server["state"]["pid"].is_u64())
    });
    hub.crash_and_restart();
    let after =
        eventually("the adoption", || Some(hub.server("ada", "")).filter(|server| server["ready"] == true));
    assert_eq!(pid(&after), pid(&before));
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], pid(&before));
    assert_eq!(hub.api("GET", "/user", Some(&token_of(&hub)), None).status, 200);
}

#[test]
fn a_server_that_was_stopping_when_the_hub_died_is_stopped_by_the_next_one() {
    let extra = "hub.timeouts.slow_stop = 0\nspawner.local.interrupt_timeout = 600\n\
                 spawner.environment = { FAKE_STUBBORN = \"1\" }";
    let mut hub = Hub::with(extra);
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let token = token_of(&hub);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 202);
    let marked = || {
        let found = Command::new("python3")
            .args(["-c", "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT state FROM servers').fetchall())"])
            .arg(hub.path("orrery.sqlite"))
            .output()
            .unwrap();
        String::from_utf8(found.stdout).unwrap().contains("ending").then_some(())
    };
    eventually("the mark", marked);
    let settings = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    let quick = "interrupt_timeout = 0.1\nspawner.local.term_timeout = 0.1";
    let settings = settings.replace("interrupt_timeout = 600", quick);
    std::fs::write(hub.path("orrery.toml"), settings).unwrap();
    hub.crash_and_restart();
    eventually("the end of the process", || gone(pid(&server)).then_some(()));
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403);
    assert_eq!(hub.admin("GET", "/users/ada/servers/", None).json()["last_failure"], Value::Null);
}

#[test]
fn a_process_that_the_hub_never_recorded_is_ended_by_the_next_one() {
    let mut hub = Hub::with("hub.cleanup_servers = false");
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let token = token_of(&hub);
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    let forget = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                  db.execute(\"UPDATE servers SET state='{}', proto=NULL, ip=NULL, port=NULL, base_url=NULL\"); db.commit()";
    let done = Command::new("python3").args(["-c", forget]).arg(hub.path("orrery.sqlite")).status().unwrap();
    assert!(done.success());
    hub.start_again();
    eventually("the end of the process", || gone(pid(&server)).then_some(()));
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403);
    hub.spawn("ada");
}

#[test]
fn life_005_and_su_033_a_hub_that_leaves_its_servers_finds_them_again() {
    let mut hub = Hub::with("hub.cleanup_servers = false");
    hub.create_user("ada");
    let before = pid(&hub.spawn("ada"));
    let token = token_of(&hub);
    assert_eq!(hub.terminate().code(), Some(0));
    assert!(!gone(before));
    hub.start_again();
    eventually("the adoption", || (hub.server("ada", "")["ready"] == true).then_some(()));
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], before);
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 200);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
}

#[test]
fn life_045_the_server_of_a_user_who_is_blocked_now_is_stopped_at_the_start() {
    let mut hub = Hub::with("hub.cleanup_servers = false");
    hub.create_user("ada");
    let before = pid(&hub.spawn("ada"));
    assert_eq!(hub.terminate().code(), Some(0));
    let settings = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    std::fs::write(hub.path("orrery.toml"), format!("{settings}\nauth.blocked_users = [\"ada\"]")).unwrap();
    hub.start_again();
    eventually("the end of the process", || gone(before).then_some(()));
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
    assert_eq!(hub.admin("GET", "/users/ada", None).json()["roles"], json!([]));
}

#[test]
fn a_database_that_is_away_stops_no_server_loses_nothing_and_refuses_starts_clearly() {
    let hub =
        Hub::with("database.busy_timeout = 1\nhub.timeouts.slow_stop = 0\nhub.timeouts.slow_spawn = 60");
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    let server = hub.spawn("ada");
    let token = token_of(&hub);
    let locked = Locked::by_another(&hub);
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], pid(&server), "proxying goes on");
    let refused = hub.admin("POST", "/users/grace/server", None);
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 200, "sessions and reading go on");
    kill(pid(&server), "KILL");
    eventually("the route to be gone", || (hub.get("/user/ada/whoami").status != 200).then_some(()));
    eventually("a try", || hub.log().contains("the database keeps a server waiting").then_some(()));
    drop(locked);
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403);
    assert_eq!(hub.admin("GET", "/users/ada/servers/", None).json()["last_failure"]["signal"], 9);
    hub.spawn("grace");
}
