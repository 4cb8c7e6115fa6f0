//! PostgreSQL that is stopped and started again, while the hub runs and while it starts.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::hub::{Hub, eventually, free_port, kill, run, settings};

/// A cluster of its own, removed with this value.
struct Postgres {
    folder: tempfile::TempDir,
    url: String,
}

impl Postgres {
    /// `None`, with a word about it, where there is no PostgreSQL and nobody requires one.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // the account of the cluster has to get through
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let mut postgres = Self { folder, url: String::new() };
        let Some(url) = postgres.told("start") else {
            assert!(std::env::var_os("ORRERY_REQUIRE_POSTGRES").is_none(), "PostgreSQL is required");
            eprintln!("skipped: no PostgreSQL here");
            return None;
        };
        postgres.url = url.trim().to_owned();
        Some(postgres)
    }

    fn cluster(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    /// What the script says if all is well. Its output goes to a file: a server that it starts would keep a pipe open.
    fn told(&self, what: &str) -> Option<String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/postgres.sh");
        let said = self.folder.path().join("said");
        let file = std::fs::File::create(&said).unwrap();
        let mut command = Command::new(script);
        let command = command.arg(what).arg(self.cluster()).stdin(Stdio::null()).stdout(file);
        command.status().unwrap().success().then(|| std::fs::read_to_string(said).unwrap())
    }

    fn halt(&self) {
        self.told("halt").unwrap();
    }

    fn resume(&self) {
        self.told("resume").unwrap();
    }

    fn setting(&self) -> String {
        format!("database.url = \"{}\"", self.url)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.told("stop");
    }
}

fn pid(server: &Value) -> u32 {
    u32::try_from(server["state"]["pid"].as_u64().unwrap()).unwrap()
}

#[test]
fn a_postgresql_that_is_stopped_and_started_again_costs_no_server_and_no_cleaning_up() {
    let Some(postgres) = Postgres::start() else { return };
    let more = "database.connect_timeout = 2\nhub.timeouts.slow_stop = 0\nhub.timeouts.slow_spawn = 60";
    let hub = Hub::with(&format!("{}\n{more}", postgres.setting()));
    for user in ["ada", "grace", "mary"] {
        hub.create_user(user);
    }
    let (ada, grace) = (hub.spawn("ada"), hub.spawn("grace"));
    let token = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    postgres.halt();
    for (user, server) in [("ada", &ada), ("grace", &grace)] {
        assert_eq!(hub.get(&format!("/user/{user}/whoami")).json()["pid"], pid(server), "proxying goes on");
    }
    assert_eq!(hub.get("/hub/health").status, 200);
    let refused = hub.admin("POST", "/users/mary/server", None);
    assert_eq!(refused.status, 503, "{}", refused.body);
    kill(pid(&ada), "KILL");
    eventually("the route to be gone", || (hub.get("/user/ada/whoami").status != 200).then_some(()));
    eventually("a try", || hub.log().contains("the database keeps a server waiting").then_some(()));
    postgres.resume();
    eventually("the database to be used again", || {
        (hub.admin("GET", "/users/ada", None).status == 200).then_some(())
    });
    eventually("the cleaning up", || hub.server("ada", "").is_null().then_some(()));
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403, "its token is gone");
    assert_eq!(hub.admin("GET", "/users/ada/servers/", None).json()["last_failure"]["signal"], 9);
    assert_eq!(pid(&hub.server("grace", "")), pid(&grace), "who runs, runs on");
    hub.spawn("mary");
    // what happened meanwhile is written down
    eventually("the journal", || {
        hub.admin("GET", "/journal?action=server.state", None).body.contains("SIGKILL").then_some(())
    });
}

#[test]
fn a_hub_whose_postgresql_is_away_says_so_and_ends_and_the_next_one_adopts() {
    let Some(postgres) = Postgres::start() else { return };
    let more = "hub.cleanup_servers = false\ndatabase.connect_timeout = 2";
    let mut hub = Hub::with(&format!("{}\n{more}", postgres.setting()));
    hub.create_user("ada");
    let before = pid(&hub.spawn("ada"));
    postgres.halt();
    assert_eq!(hub.terminate().code(), Some(0), "a hub ends also while its database is away");
    let file = hub.path("orrery.toml");
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], hub.folder.path());
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("database.url"), "{said}");
    postgres.resume();
    hub.start_again();
    let server =
        eventually("the adoption", || Some(hub.server("ada", "")).filter(|server| server["ready"] == true));
    assert_eq!(pid(&server), before);
    hub.admin("DELETE", "/users/ada/server", None);
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
}

#[test]
fn an_sqlite_file_that_another_program_keeps_locked_is_named_by_a_hub_that_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    let extra = "database.busy_timeout = 1";
    std::fs::write(&file, settings(folder.path(), free_port(), extra)).unwrap();
    let config = file.to_str().unwrap();
    let (status, _, said) = run(&["--config", config, "db", "migrate"], folder.path());
    assert_eq!(status, Some(0), "{said}");
    let program = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
        db.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.read()";
    let mut holder = Command::new("python3")
        .args(["-c", program])
        .arg(folder.path().join("orrery.sqlite"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    let stdout = holder.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut held).unwrap();
    let (status, _, said) = run(&["--config", config], folder.path());
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("locked"), "{said}");
}
