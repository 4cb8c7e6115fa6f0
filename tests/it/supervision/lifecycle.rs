//! Assertions of lifecycle.md and singleuser-contract.md about the whole of a life, seen from outside.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::hub::{ADMIN_TOKEN, Hub, agent, eventually, kill};

/// A server exits at once if its owner's home has a file `broken`.
const BREAKABLE: &str = r#"hub.timeouts.slow_spawn = 60
spawner.cmd = ["sh", "-c", "test -e \"$HOME/broken\" && exit 3; exec python3 \"$0\"", "FAKE"]"#;

fn breakable(more: &str) -> Hub {
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/fake_server.py");
    let hub = Hub::with(&format!("{}\n{more}", BREAKABLE.replace("FAKE", fake)));
    hub.create_user("ada");
    hub
}

fn broken(hub: &Hub) -> PathBuf {
    let home = hub.path("home/ada");
    std::fs::create_dir_all(&home).unwrap();
    home.join("broken")
}

fn token_of_the_server(hub: &Hub) -> String {
    hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned()
}

fn pid(hub: &Hub) -> u64 {
    hub.server("ada", "")["state"]["pid"].as_u64().unwrap()
}

/// The events of a start, as they come.
fn follow(hub: &Hub) -> impl BufRead {
    let url = format!("{}/hub/api/users/ada/server/progress", hub.url);
    let request = agent().get(url).header("authorization", format!("token {ADMIN_TOKEN}"));
    BufReader::new(request.call().unwrap().into_body().into_reader())
}

fn running_servers(hub: &Hub) -> String {
    let reply = hub.admin("GET", "/../metrics", None);
    let line = reply.body.lines().find(|line| line.starts_with("jupyterhub_running_servers"));
    line.unwrap_or_else(|| panic!("{}", reply.body)).rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn life_001_who_is_blocked_is_nobody_however_else_the_configuration_names_them() {
    let hub = Hub::with(
        "auth.blocked_users = [\"mallory\"]\nauth.admin_users = [\"ada\", \"mallory\"]\n\
         groups.staff.users = [\"ada\", \"mallory\"]\nroles.reader.scopes = [\"list:users\"]\n\
         roles.reader.users = [\"mallory\"]\nroles.reader.groups = [\"staff\"]\n\
         roles.reader.services = [\"reads\"]\nservices.reads.api_token = \"reads-secret-0123456789\"",
    );
    // roles, services and tokens were there before the assignments, all before the first answer
    assert_eq!(hub.api("GET", "/users", Some("reads-secret-0123456789"), None).status, 200);
    let ada = hub.admin("GET", "/users/ada", None).json();
    assert_eq!((&ada["admin"], &ada["groups"]), (&json!(true), &json!(["staff"])));
    let mallory = hub.admin("GET", "/users/mallory", None);
    if mallory.status == 200 {
        let mallory = mallory.json();
        assert_eq!(
            (&mallory["admin"], &mallory["groups"], &mallory["roles"]),
            (&json!(false), &json!([]), &json!([]))
        );
    }
}

#[test]
fn life_003_and_su_021_a_silent_external_service_delays_nothing() {
    // accepts, because the system does so for it, and never says a word
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    // waited for until the hub answers
    let hub = Hub::with(&format!(
        "services.deaf.url = \"http://127.0.0.1:{port}\"\nservices.deaf.api_token = \"deaf-secret-0123456789\""
    ));
    assert_eq!(hub.get("/hub/login").status, 200);
    let routes = hub.admin("GET", "/proxy", None).json();
    assert!(routes.get("/services/deaf/").is_some(), "{routes}");
    hub.create_user("ada");
    hub.spawn("ada");
}

#[test]
fn life_009_sigusr1_tells_what_goes_on_and_stops_nothing() {
    let hub = Hub::start();
    hub.create_user("ada");
    let before = hub.spawn("ada");
    let said = hub.log().len();
    kill(hub.pid(), "USR1");
    eventually("the report", || hub.log().get(said..)?.contains("running").then_some(()));
    assert_eq!(hub.server("ada", "")["state"]["pid"], before["state"]["pid"]);
}

#[test]
fn life_011_a_start_is_answered_when_it_is_done_or_when_the_patience_ends() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 60");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 201);
    assert_eq!(hub.server("ada", "")["ready"], true);
    let hub = Hub::with("hub.timeouts.slow_spawn = 0.1\nspawner.environment = { FAKE_DELAY = \"600\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    assert_eq!(hub.server("ada", "")["pending"], "spawn");
}

#[test]
fn life_019_a_failed_server_is_started_by_who_asks_for_it_and_not_by_a_visit() {
    let hub = breakable("hub.implicit_spawn_after = 0.1");
    let broken = broken(&hub);
    std::fs::write(&broken, "").unwrap();
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 500);
    std::fs::remove_file(&broken).unwrap();
    let mut browser = Browser::signed_in(&hub, "ada");
    for path in ["/hub/user/ada/lab", "/hub/user/ada/", "/hub/spawn-pending/ada"] {
        let page = browser.get(path);
        assert!(matches!(page.status, 303 | 500), "{path}: {}", page.status);
        assert!(!page.body.contains("data-implicit-spawn-seconds"), "{path}: {}", page.body);
    }
    assert!(hub.server("ada", "").is_null(), "looking starts nothing");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 201);
    assert_eq!(hub.server("ada", "")["ready"], true);
}

#[test]
fn life_027_a_server_may_always_report_activity_and_never_more_than_its_owner() {
    let hub = Hub::with("spawner.server_token_scopes = [\"read:users!user\", \"list:users\"]");
    hub.create_user("ada");
    hub.spawn("ada");
    let token = token_of_the_server(&hub);
    let scopes = hub.api("GET", "/user", Some(&token), None).json()["scopes"].clone();
    let scopes: Vec<&str> = scopes.as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    assert!(scopes.iter().any(|scope| scope.starts_with("users:activity!")), "added: {scopes:?}");
    assert!(scopes.iter().any(|scope| scope.starts_with("read:users")), "{scopes:?}");
    assert!(!scopes.iter().any(|scope| scope.starts_with("list:users")), "ada may not: {scopes:?}");
    let body = json!({ "last_activity": chrono::Utc::now().to_rfc3339() });
    assert_eq!(hub.api("POST", "/users/ada/activity", Some(&token), Some(body)).status, 200);
}

#[test]
fn su_031_a_servers_token_neither_acts_on_others_nor_reads_tokens() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    hub.spawn("ada");
    let token = token_of_the_server(&hub);
    let now = json!({ "last_activity": chrono::Utc::now().to_rfc3339() });
    for (method, path, body) in [
        ("GET", "/users", None),
        ("GET", "/users/grace", None),
        ("POST", "/users/grace/activity", Some(now)),
        ("POST", "/users/grace/server", None),
        ("DELETE", "/users/ada/server", None),
        ("POST", "/users/ada/servers/lab", None),
        ("GET", "/users/ada/tokens", None),
        ("POST", "/users/ada/tokens", Some(json!({}))),
        ("GET", "/proxy", None),
        ("POST", "/shutdown", None),
    ] {
        let status = hub.api(method, path, Some(&token), body).status;
        assert!(matches!(status, 403 | 404), "{method} {path}: {status}");
    }
    assert_eq!(hub.server("ada", "")["ready"], true);
}

#[test]
fn life_032_a_start_that_is_cancelled_says_so_to_who_follows_it() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"600\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let mut events = follow(&hub);
    let mut lines = String::new();
    while !lines.contains("Spawning server") {
        assert_ne!(events.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    hub.admin("DELETE", "/users/ada/server", None);
    events.read_to_string(&mut lines).unwrap();
    let last = lines.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!((&last["failed"], &last["progress"]), (&json!(true), &json!(100)), "{lines}");
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
}

#[test]
fn life_033_a_stream_that_has_nothing_to_tell_shows_at_once_and_again_that_it_lives() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"600\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let mut events = follow(&hub);
    let mut first = String::new();
    events.read_line(&mut first).unwrap();
    assert_eq!(first.trim(), "", "something before the first event: {first:?}");
    // events are `data: …` and an empty line; more empty lines are what keeps the connection alive
    let (mut after_event, mut alive) = (true, 0);
    while alive < 2 {
        let mut line = String::new();
        assert_ne!(events.read_line(&mut line).unwrap(), 0, "the stream ended");
        let empty = line.trim().is_empty();
        alive += u32::from(empty && !after_event);
        after_event = !empty;
    }
    hub.admin("DELETE", "/users/ada/server", None);
}

#[test]
fn life_039_running_servers_is_the_true_number_whatever_failed() {
    let hub = breakable(
        "roles.tests.scopes = [\"admin:users\", \"admin:servers\", \"read:metrics\", \"access:servers\"]",
    );
    let broken = broken(&hub);
    std::fs::write(&broken, "").unwrap();
    for _ in 0..2 {
        assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 500);
    }
    assert_eq!(running_servers(&hub), "0.0");
    std::fs::remove_file(&broken).unwrap();
    hub.spawn("ada");
    hub.create_user("grace");
    hub.spawn("grace");
    assert_eq!(running_servers(&hub), "2.0");
    kill(u32::try_from(pid(&hub)).unwrap(), "KILL");
    eventually("the crash", || (running_servers(&hub) == "1.0").then_some(()));
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204, "it does not run any more");
    assert_eq!(running_servers(&hub), "1.0");
    assert_eq!(hub.admin("DELETE", "/users/grace/server", None).status, 204);
    assert_eq!(running_servers(&hub), "0.0");
}

#[test]
fn life_040_a_server_inherits_no_descriptor_of_the_hub() {
    let hub = Hub::start();
    hub.create_user("ada");
    let server = hub.spawn("ada")["state"]["pid"].as_u64().unwrap();
    let open = |pid: u64| -> HashSet<PathBuf> {
        let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        folder.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).collect()
    };
    let own = open(server);
    // what whoever runs these tests has left open is handed on to everybody
    let foreign = open(std::process::id().into());
    let of_the_hub: Vec<_> = open(hub.pid().into()).difference(&foreign).cloned().collect();
    let shared: Vec<_> = of_the_hub.iter().filter(|file| own.contains(*file)).collect();
    assert!(shared.iter().all(|file| file.to_str() == Some("/dev/null")), "{shared:?}");
    // its input, its log, its listening socket, and what Python opens for itself
    let mut files = own.difference(&foreign).filter(|file| file.is_absolute());
    assert!(
        files.all(|file| file.starts_with("/dev") || file.extension() == Some("log".as_ref())),
        "{own:?}"
    );
}

#[test]
fn life_043_a_server_of_a_hub_that_was_started_with_sigint_ignored_can_be_interrupted() {
    let hub = Hub::with_variables("", &["BEFORE_HUB=trap '' INT"]);
    hub.create_user("ada");
    let server = hub.spawn("ada")["state"]["pid"].as_u64().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    assert_eq!(mask("SigIgn:") & 0b10, 0, "SIGINT is not ignored: {status}");
    assert_eq!(mask("SigBlk:"), 0, "nothing is blocked: {status}");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
}

#[test]
fn life_044_activity_only_moves_forward_and_a_servers_requests_are_not_its_owners() {
    let hub = Hub::with("spawner.server_token_scopes = [\"users:activity!user\", \"read:users!user\"]");
    hub.create_user("ada");
    hub.spawn("ada");
    let token = token_of_the_server(&hub);
    let last = || hub.admin("GET", "/users/ada", None).json()["last_activity"].as_str().unwrap().to_owned();
    let before = last();
    assert_eq!(hub.api("GET", "/users/ada", Some(&token), None).status, 200);
    assert_eq!(last(), before, "a server's question is not its owner's activity");
    let report = |at: &str| {
        let body = json!({ "last_activity": at });
        assert_eq!(hub.api("POST", "/users/ada/activity", Some(&token), Some(body)).status, 200);
    };
    report("2020-01-01T00:00:00Z");
    assert_eq!(last(), before, "never back");
    let soon = (chrono::Utc::now() + chrono::TimeDelta::minutes(10)).to_rfc3339();
    report(&soon);
    let after = last();
    assert!(after > before, "{after} {before}");
    let late = json!({ "last_activity": (chrono::Utc::now() + chrono::TimeDelta::minutes(70)).to_rfc3339() });
    assert_eq!(hub.api("POST", "/users/ada/activity", Some(&token), Some(late)).status, 400);
    assert_eq!(last(), after);
}

/// Does something in the database beside the hub; what the last statement gave.
fn sql(hub: &Hub, statements: &str) -> String {
    let program = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
        for statement in sys.argv[2].split(';'): rows = db.execute(statement).fetchall()\n\
        print(*[row[0] for row in rows])";
    let mut python = std::process::Command::new("python3");
    let output =
        python.args(["-c", program]).arg(hub.path("orrery.sqlite")).arg(statements).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn life_010_what_has_expired_disappears_within_an_interval() {
    let hub = Hub::with("hub.tokens.purge_interval = 0.2");
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    let created = |path: &str, body: Value| hub.admin("POST", path, Some(body)).status;
    assert_eq!(created("/users/ada/tokens", json!({"note": "old"})), 201);
    assert_eq!(created("/users/ada/tokens", json!({"note": "new", "expires_in": 3600})), 201);
    assert_eq!(created("/share-codes/ada/", json!({})), 200);
    assert_eq!(created("/shares/ada/", json!({"user": "grace"})), 200);
    let left = "SELECT (SELECT count(*) FROM api_tokens WHERE note = 'old') + (SELECT count(*) FROM oauth_codes)\
        + (SELECT count(*) FROM shares) + (SELECT count(*) FROM share_codes)";
    let code = "INSERT INTO oauth_codes (client_id, user_id, code_hash, expires_at, redirect_uri) \
        SELECT 'jupyterhub', id, 'x', '2999-01-01 00:00:00', '/' FROM users WHERE name = 'ada'";
    assert_eq!(sql(&hub, &format!("{code};{left}")), "4");
    let old = "SET expires_at = '2020-01-01 00:00:00'";
    sql(
        &hub,
        &format!(
            "UPDATE api_tokens {old} WHERE note = 'old';UPDATE oauth_codes {old};UPDATE shares {old};\
             UPDATE share_codes {old}"
        ),
    );
    eventually("everything that has expired to be gone", || (sql(&hub, left) == "0").then_some(()));
    assert_eq!(sql(&hub, "SELECT count(*) FROM api_tokens WHERE note = 'new'"), "1");
}
