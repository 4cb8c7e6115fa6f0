//! What a wrong start says: exit status 1, what was wrong, what to do.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use super::support::hub::{Hub, eventually, free_port, run, settings};

/// Starts a hub that cannot start; what it said.
fn refused(folder: &Path, port: u16, extra: &str) -> String {
    let file = folder.join("orrery.toml");
    std::fs::write(&file, settings(folder, port, extra)).unwrap();
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], folder);
    assert_eq!(status, Some(1), "{said}");
    said
}

#[test]
fn cfg_001_a_missing_configuration_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (status, _, said) = run(&["--config", "/nowhere/orrery.toml"], folder.path());
    assert_eq!(status, Some(1));
    assert!(said.contains("/nowhere/orrery.toml"), "{said}");
}

#[test]
fn cfg_003_an_unknown_key_is_named_with_its_file_and_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), free_port(), "hub.limits.concurrent_spwans = 3");
    assert!(said.contains("concurrent_spwans") && said.contains("concurrent_spawns"), "{said}");
    assert!(said.contains("orrery.toml"), "{said}");
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), free_port(), "spawner.start_timeout = \"soon\"");
    assert!(said.contains("spawner.start_timeout") && said.contains("orrery.toml"), "{said}");
}

#[test]
fn a_feature_that_is_not_built_yet_is_refused_not_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), free_port(), "hub.http_client.timeout = 5");
    assert!(said.contains("hub.http_client.timeout") && said.contains("not supported yet"), "{said}");
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = refused(folder.path(), port, "");
    assert!(said.contains(&port.to_string()) && said.contains("proxy.bind_url"), "{said}");
}

#[test]
fn a_taken_hub_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = refused(folder.path(), free_port(), &format!("hub.bind_url = \"http://127.0.0.1:{port}\""));
    assert!(said.contains(&port.to_string()) && said.contains("hub.bind_url"), "{said}");
}

#[test]
fn db_010_an_unusable_database_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), free_port(), "database.url = \"sqlite:////nowhere/orrery.sqlite\"");
    assert!(said.contains("/nowhere"), "{said}");
}

#[test]
fn cfg_036_an_unreachable_database_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let url = format!("database.url = \"postgresql://orrery:hunter2@127.0.0.1:{port}/orrery\"");
    let said = refused(folder.path(), free_port(), &url);
    assert!(said.contains("database.url") && said.contains(&port.to_string()), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn cfg_015_a_cookie_secret_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("cookie_secret");
    std::fs::write(&secret, "ab".repeat(32)).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = refused(folder.path(), free_port(), "");
    assert!(said.contains("cookie_secret") && said.contains("chmod"), "{said}");
}

#[test]
fn cook_095_a_generated_cookie_secret_is_for_the_hub_alone() {
    let hub = Hub::start();
    let secret = std::fs::metadata(hub.path("cookie_secret")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    assert_eq!(secret.len(), 65);
    let database = std::fs::metadata(hub.path("orrery.sqlite")).unwrap();
    assert_eq!(database.permissions().mode() & 0o777, 0o600);
}

#[test]
fn life_005_a_terminated_hub_exits_0_and_stops_its_servers() {
    let mut hub = Hub::start();
    hub.create_user("ada");
    hub.spawn("ada");
    let pid = hub.admin("GET", "/users/ada", None).json()["servers"][""]["state"]["pid"].as_i64().unwrap();
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn the_schema_can_be_checked_and_migrated_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    std::fs::write(&file, settings(folder.path(), free_port(), "")).unwrap();
    let config = file.to_str().unwrap();
    let (status, said, _) = run(&["--config", config, "db", "migrate", "--check"], folder.path());
    assert_eq!(status, Some(1), "{said}");
    let (status, _, said) = run(&["--config", config, "db", "migrate"], folder.path());
    assert_eq!(status, Some(0), "{said}");
    let (status, said, _) = run(&["--config", config, "db", "migrate", "--check"], folder.path());
    assert_eq!(status, Some(0), "{said}");
}

/// What the hub tells systemd's stand-in next.
fn next_news(systemd: &UnixDatagram) -> String {
    let mut buffer = [0; 64];
    let length = systemd.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[test]
fn systemd_hears_that_the_hub_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let socket = format!("NOTIFY_SOCKET={}", path.display());
    let mut hub = Hub::with_variables("", &[&socket, "WATCHDOG_USEC=100000"]);
    assert_eq!(next_news(&systemd), "READY=1");
    assert_eq!(next_news(&systemd), "WATCHDOG=1");
    assert_eq!(next_news(&systemd), "WATCHDOG=1");
    assert_eq!(hub.terminate().code(), Some(0));
    let mut told = Vec::new();
    while told.last().is_none_or(|news| news != "STOPPING=1") {
        told.push(next_news(&systemd));
    }
}

/// A hub that has begun to start and waits for what does not come.
fn starting(folder: tempfile::TempDir, extra: &str) -> Hub {
    let pid_file = folder.path().join("hub.pid");
    let extra = format!("hub.pid_file = \"{}\"\n{extra}", pid_file.display());
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), free_port(), &extra)).unwrap();
    Hub::launched(folder)
}

#[test]
fn life_005_a_stop_while_the_start_waits_for_a_hook_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, hook) = (folder.path().join("begun"), folder.path().join("hook"));
    let program = format!("#!/bin/sh\necho $$ > {0}.new; mv {0}.new {0}\nexec sleep 600\n", begun.display());
    std::fs::write(&hook, program).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o700)).unwrap();
    let extra = format!(
        "auth.manage_roles = true\nauth.hooks.load_roles = {{ command = [\"{}\"], timeout = 600 }}",
        hook.display()
    );
    let mut hub = starting(folder, &extra);
    let hook = eventually("the hook", || std::fs::read_to_string(&begun).ok());
    assert!(hub.path("hub.pid").exists());
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(!hub.path("hub.pid").exists(), "nothing is left");
    let hook = Path::new("/proc").join(hook.trim());
    eventually("the end of the hook", || (!hook.exists()).then_some(()));
}

#[test]
fn life_005_a_stop_while_the_start_waits_for_a_database_that_does_not_answer_is_clean() {
    // accepts, because the system does so for it, and never says a word
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let extra = format!(
        "database.url = \"postgresql://orrery@127.0.0.1:{port}/orrery\"\ndatabase.connect_timeout = 600"
    );
    let mut hub = starting(tempfile::tempdir().unwrap(), &extra);
    let (_connection, _) = silent.accept().unwrap();
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(!hub.path("hub.pid").exists(), "nothing is left");
}

#[test]
fn a_database_that_is_to_be_reset_is_empty_after_each_start_and_says_so() {
    let mut hub =
        Hub::with("database.reset = true\ndatabase.log_statements = true\ndatabase.pool_recycle = 60");
    assert_eq!(hub.admin("POST", "/users/ada", None).status, 201);
    assert_eq!(hub.admin("POST", "/users/ada/tokens", None).status, 201);
    assert!(hub.log().contains("database.reset: everything in the database is deleted"));
    assert!(hub.log().contains("INSERT INTO"), "statements are logged");
    for line in hub.log().lines().filter(|line| line.contains("statement=")) {
        assert!(!line.contains("ada") && !line.contains("sha512"), "without their values: {line}");
    }
    hub.crash_and_restart();
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404);
}

#[test]
fn a_hub_that_waits_for_its_servers_lets_nobody_in_before_they_are_verified() {
    let extra = "hub.cleanup_servers = false\nhub.timeouts.init_servers = 600\nspawner.poll_interval = 1\n\
                 spawner.poll_jitter = 0.5";
    let mut hub = Hub::with(extra);
    hub.create_user("ada");
    hub.spawn("ada");
    // the first answer comes when the server is routed already
    hub.crash_and_restart();
    assert_eq!(hub.server("ada", "")["ready"], true);
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
    hub.admin("DELETE", "/users/ada/server", None);
}

#[test]
fn pages_and_files_of_the_site_replace_the_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("share");
    for (name, text) in [
        (
            "templates/login.html",
            "{% extends \"templates/login.html\" %}{% block title %}Our own{% endblock %}",
        ),
        ("static/style.css", "body { color: teal }"),
        ("static/images/own.svg", "<svg/>"),
    ] {
        std::fs::create_dir_all(data.join(name).parent().unwrap()).unwrap();
        std::fs::write(data.join(name), text).unwrap();
    }
    let hub = Hub::with(&format!("hub.data_dir = \"{}\"", data.display()));
    let page = hub.get("/hub/login").body;
    assert!(page.contains("<title>Our own"), "{page}");
    let (_, version) = page.split_once("static/style.css?v=").unwrap();
    let version = version.split('"').next().unwrap();
    assert_eq!(hub.get(&format!("/hub/static/style.css?v={version}")).body, "body { color: teal }");
    assert_eq!(hub.get("/hub/static/images/own.svg").header("content-type"), Some("image/svg+xml"));
    assert_eq!(hub.get("/hub/static/../templates/login.html").status, 404);
    assert_eq!(hub.get("/hub/static/home.js").status, 200, "the others are as before");
    let said = refused(folder.path(), free_port(), "hub.data_dir = \"/nowhere/share\"");
    assert!(said.contains("/nowhere/share"), "{said}");
}
