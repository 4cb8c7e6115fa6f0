//! Services that the hub starts: real processes.

use std::path::Path;

use serde_json::json;

use super::super::support::hub::{Hub, eventually, free_port, kill, run, settings};
use super::{Fake, answers, exists, gone, hub, model, pid, reconfigure, with};

/// Starts a hub that cannot start; what it said.
fn refused(folder: &Path, extra: &str) -> String {
    let file = folder.join("orrery.toml");
    std::fs::write(&file, settings(folder, free_port(), &with(extra))).unwrap();
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], folder);
    assert_eq!(status, Some(1), "{said}");
    said
}

#[test]
fn svc_003_and_su_007_a_managed_service_is_reached_under_its_prefix_and_sees_its_environment() {
    let fake = Fake::new("web");
    let allowed = ("oauth_client_allowed_scopes", r#"["self"]"#);
    let hub = hub(&fake.lines(&[("environment", r#"{ MINE = "yes" }"#), allowed]));
    let environment = eventually("the service", || answers(&hub, "web")).json();
    let access = r#"["access:services","access:services!service=web"]"#;
    let url = format!("http://127.0.0.1:{}", fake.port);
    for (name, value) in [
        ("JUPYTERHUB_SERVICE_NAME", "web"),
        ("JUPYTERHUB_SERVICE_PREFIX", "/services/web/"),
        ("JUPYTERHUB_SERVICE_URL", url.as_str()),
        ("JUPYTERHUB_BASE_URL", "/"),
        ("JUPYTERHUB_CLIENT_ID", "service-web"),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", "/services/web/oauth_callback"),
        ("JUPYTERHUB_OAUTH_SCOPES", access),
        ("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", r#"["self"]"#),
        ("MINE", "yes"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert!(environment.get("JUPYTERHUB_ACTIVITY_URL").is_none() && environment.get("HOME").is_none());
    let token = environment["JUPYTERHUB_API_TOKEN"].as_str().unwrap();
    let itself = hub.api("GET", "/user", Some(token), None).json();
    assert_eq!((&itself["kind"], &itself["name"]), (&json!("service"), &json!("web")));

    let model = model(&hub, "web");
    assert_eq!((&model["prefix"], &model["url"]), (&json!("/services/web/"), &json!(url)));
    let said = hub.get("/services/web/whoami").json();
    assert_eq!((&said["pid"], &said["sid"]), (&model["pid"], &model["pid"]), "a session of its own");
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", model["pid"])).unwrap();
    assert!(!command.contains(token), "no token in argv");
    assert!(!hub.log().contains(token), "no token in the log");
}

#[test]
fn svc_004_a_killed_service_comes_back_with_a_new_pid_and_the_same_token() {
    let fake = Fake::new("web");
    let hub = hub(&fake.lines(&[("restart_backoff", "0.05")]));
    let token = |hub: &Hub| answers(hub, "web").map(|reply| reply.json()["JUPYTERHUB_API_TOKEN"].clone());
    let before = (eventually("the service", || token(&hub)), pid(&hub, "web"));
    kill(before.1, "KILL");
    let after =
        eventually("the new process", || Some(pid(&hub, "web")).filter(|pid| *pid != 0 && *pid != before.1));
    assert_eq!(eventually("its answer", || token(&hub)), before.0);
    assert_eq!(pid(&hub, "web"), after);
    assert!(gone(before.1));
}

#[test]
fn the_policy_says_whether_a_service_comes_back() {
    let lines = |name: &str, status: u8, restart: &str| {
        format!(
            "services.{name}.command = [\"sh\", \"-c\", \"echo x >> {name}.starts; exit {status}\"]\n\
             services.{name}.restart = \"{restart}\"\nservices.{name}.restart_backoff = 0.01\n"
        )
    };
    let extra = [
        lines("fine-on-failure", 0, "on-failure"),
        lines("bad-on-failure", 1, "on-failure"),
        lines("bad-never", 1, "never"),
        lines("fine-always", 0, "always"),
    ];
    let hub = hub(&extra.concat());
    let starts = |name: &str| {
        std::fs::read_to_string(hub.path(&format!("{name}.starts"))).unwrap_or_default().len() / 2
    };
    for name in ["bad-on-failure", "fine-always"] {
        eventually(name, || (starts(name) >= 3).then_some(()));
    }
    for name in ["fine-on-failure", "bad-never"] {
        assert_eq!((starts(name), pid(&hub, name)), (1, 0), "{name}");
    }
}

#[test]
fn svc_005_and_life_002_a_service_that_ends_during_the_start_ends_the_hub_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::new("web");
    let said = refused(folder.path(), &fake.lines(&[("environment", r#"{ FAKE_FAIL = "1" }"#)]));
    assert!(said.contains("services.web: it cannot be started: it ended: exit status 7"), "{said}");
    assert!(said.contains("the disk quota of this user"), "its own words are in the log: {said}");

    let said = refused(folder.path(), "services.web.command = \"no-such-program\"");
    assert!(said.contains("services.web") && said.contains("no-such-program was not found"), "{said}");
    let said =
        refused(folder.path(), "services.web.command = \"true\"\nservices.web.cwd = \"/no/such/folder\"");
    assert!(said.contains("/no/such/folder"), "{said}");
}

#[test]
fn svc_005_a_service_that_ends_later_does_not_end_the_hub() {
    let fake = Fake::new("web");
    let hub = hub(&fake.lines(&[("restart", "\"never\"")]));
    eventually("the service", || answers(&hub, "web"));
    kill(pid(&hub, "web"), "KILL");
    eventually("the end to be shown", || (pid(&hub, "web") == 0).then_some(()));
    assert_eq!(hub.get("/hub/health").status, 200);
    eventually("the reason in the log", || hub.log().contains("SIGKILL").then_some(()));
}

#[test]
fn svc_006_the_account_of_a_service_is_given_or_the_start_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said =
        refused(folder.path(), "services.web.command = \"true\"\nservices.web.user = \"no-such-account\"");
    assert!(said.contains("services.web.user") && said.contains("no-such-account"), "{said}");
    if !nix::unistd::geteuid().is_root() {
        let said = refused(folder.path(), "services.web.command = \"true\"\nservices.web.user = \"root\"");
        assert!(said.contains("services.web.user") && said.contains("does not run as root"), "{said}");
        return;
    }
    let script = "{ id -un; id -G; pwd; echo $HOME; } > out.new; mv out.new out; exec tail -f /dev/null";
    let work = tempfile::tempdir().unwrap();
    std::fs::set_permissions(work.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let cwd = work.path().display().to_string();
    let hub = hub(&format!(
        "services.web.command = [\"sh\", \"-c\", \"{script}\"]\nservices.web.user = \"nobody\"\nservices.web.cwd = \"{cwd}\""
    ));
    let said = eventually("the service's words", || std::fs::read_to_string(work.path().join("out")).ok());
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines[2], lines[3]), ("nobody", cwd.as_str(), nobody.dir.to_str().unwrap()));
    assert!(!lines[1].split(' ').any(|group| group == "0"), "not the hub's groups: {said}");
    assert!(pid(&hub, "web") > 0);
}

#[test]
fn svc_007_services_are_stopped_before_servers() {
    // notes at its end whether the server whose number is in a file still runs
    let script = r"trap 'kill -0 $(cat server.pid) && touch server.alive; exit 0' INT TERM; touch trapped; while :; do sleep 0.05; done";
    let mut hub = hub(&format!("services.last.command = [\"sh\", \"-c\", '''{script}''']"));
    eventually("the trap", || exists(&hub.path("trapped")).then_some(()));
    hub.create_user("ada");
    let server = hub.spawn("ada");
    std::fs::write(hub.path("server.pid"), server["state"]["pid"].to_string()).unwrap();
    let service = pid(&hub, "last");
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(exists(&hub.path("server.alive")), "{}", hub.log());
    assert!(gone(service));
}

#[test]
fn a_stubborn_service_is_killed_in_the_end() {
    let fake = Fake::new("web");
    let patience = "spawner.local = { interrupt_timeout = 0.2, term_timeout = 0.2, kill_timeout = 5 }\n";
    let stubborn = fake.lines(&[("environment", r#"{ FAKE_STUBBORN = "1" }"#)]);
    let mut hub = hub(&format!("{patience}{stubborn}"));
    eventually("the service", || answers(&hub, "web"));
    let service = pid(&hub, "web");
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(gone(service));
}

#[test]
fn a_killed_hub_leaves_no_process_behind() {
    let (kept, dropped) = (Fake::new("kept"), Fake::new("dropped"));
    let lines = kept.lines(&[]) + &dropped.lines(&[]);
    let mut hub = hub(&lines);
    for name in ["kept", "dropped"] {
        eventually(name, || answers(&hub, name));
    }
    let before = [pid(&hub, "kept"), pid(&hub, "dropped")];
    reconfigure(&hub, &kept.lines(&[]));
    hub.crash_and_restart();
    for pid in before {
        eventually("the end of what was left", || gone(pid).then_some(()));
    }
    let token = |hub: &Hub| answers(hub, "kept").map(|reply| reply.json()["JUPYTERHUB_API_TOKEN"].clone());
    let token = eventually("the new process", || token(&hub));
    assert!(pid(&hub, "kept") != before[0] && pid(&hub, "kept") != 0);
    assert_eq!(hub.api("GET", "/user", token.as_str(), None).status, 200);
}

#[test]
fn a_stranger_with_the_number_of_a_left_process_is_not_touched() {
    let fake = Fake::new("web");
    let mut hub = hub(&fake.lines(&[]));
    eventually("the service", || answers(&hub, "web"));
    let service = pid(&hub, "web");
    hub.terminate();
    // what a hub would leave whose machine has given the number to somebody else since
    let mut stranger = std::process::Command::new("tail").args(["-f", "/dev/null"]).spawn().unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let record =
        json!({"pid": stranger.id(), "start_time": 1, "boot_id": boot.trim(), "log": ""}).to_string();
    let sql = format!("INSERT INTO service_processes VALUES ('web', '{record}')");
    let script =
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()";
    let database = hub.path("orrery.sqlite");
    let done =
        std::process::Command::new("python3").args(["-c", script]).arg(database).arg(sql).status().unwrap();
    assert!(done.success() && gone(service));
    hub.start_again();
    eventually("the service", || answers(&hub, "web"));
    assert!(matches!(stranger.try_wait(), Ok(None)), "still there");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn svc_011_tokens_of_starts_do_not_accumulate() {
    let fake = Fake::new("web");
    let extra = fake.lines(&[]) + "services.bot.api_token = \"bot-secret-0123456789\"\n";
    let mut hub = hub(&extra);
    let token = |hub: &Hub| {
        let environment = eventually("the service", || answers(hub, "web")).json();
        environment["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned()
    };
    let first = token(&hub);
    hub.terminate();
    hub.start_again();
    let second = token(&hub);
    assert_ne!(first, second);
    assert_eq!(hub.api("GET", "/user", Some(&first), None).status, 403);
    assert_eq!(hub.api("GET", "/user", Some(&second), None).status, 200);
    assert_eq!(hub.api("GET", "/user", Some("bot-secret-0123456789"), None).status, 200);
}

#[test]
fn svc_014_a_service_that_left_the_configuration_leaves_neither_route_nor_token() {
    let fake = Fake::new("web");
    let mut hub = hub(&fake.lines(&[("api_token", "\"web-secret-0123456789\"")]));
    eventually("the service", || answers(&hub, "web"));
    assert_eq!(hub.terminate().code(), Some(0));
    reconfigure(&hub, "");
    hub.start_again();
    assert_eq!(hub.admin("GET", "/services/web", None).status, 404);
    assert_eq!(hub.api("GET", "/user", Some("web-secret-0123456789"), None).status, 403);
    assert!(hub.admin("GET", "/proxy", None).json().get("/services/web/").is_none());
}

#[test]
fn svc_020_a_dead_endpoint_is_only_logged_at_the_check() {
    let port = free_port();
    let hub =
        hub(&format!("hub.service_check_interval = 0.1\nservices.web.url = \"http://127.0.0.1:{port}\""));
    eventually("the log line", || hub.log().contains("a service does not answer").then_some(()));
    assert_eq!(model(&hub, "web")["url"], format!("http://127.0.0.1:{port}"));
    assert!(hub.admin("GET", "/proxy", None).json().get("/services/web/").is_some(), "its route stays");
    assert_eq!(hub.get("/services/web/").status, 503);
}
