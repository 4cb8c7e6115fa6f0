//! What operators ask on the command line: `status`, `servers`, `explain`, `doctor`, `reload`, `drain`, `announce`.

mod doctor;
mod upkeep;

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::support::hub::{Hub, eventually, kill, run};

/// Runs a command against a hub; exit status, output, and what it complained about.
fn command(hub: &Hub, words: &[&str]) -> (Option<i32>, String, String) {
    let file = hub.path("orrery.toml");
    let mut all = vec!["--config", file.to_str().unwrap()];
    all.extend(words);
    run(&all, hub.folder.path())
}

/// What a command tells as JSON.
fn ask(hub: &Hub, words: &[&str]) -> Value {
    let mut all = words.to_vec();
    all.push("--json");
    let (status, said, wrong) = command(hub, &all);
    assert_eq!(status, Some(0), "{words:?}: {said}{wrong}");
    serde_json::from_str(&said).unwrap()
}

fn states(told: &Value) -> Vec<&str> {
    told["history"].as_array().unwrap().iter().filter_map(|line| line["state"].as_str()).collect()
}

#[test]
fn the_status_of_a_running_hub_is_told_over_its_admin_socket() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.spawn("ada");
    let status = ask(&hub, &["status"]);
    assert_eq!((&status["pid"], &status["servers"]["ready"]), (&json!(hub.pid()), &json!(1)));
    assert_eq!(
        (&status["database"]["reachable"], &status["proxy"]["reachable"]),
        (&json!(true), &json!(true))
    );
    assert!(status["actors"].as_array().unwrap().iter().all(|actor| actor["answers"] == true), "{status}");
    let (code, said, _) = command(&hub, &["status"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("1 ready") && said.contains("database: sqlite, answers"), "{said}");
}

#[test]
fn the_admin_socket_is_for_its_owner_and_group_and_goes_with_the_hub() {
    let mut hub = Hub::start();
    let socket = hub.path("orrery-admin.sock");
    let found = eventually("the socket", || std::fs::metadata(&socket).ok());
    assert_eq!(found.permissions().mode() & 0o777, 0o660);
    hub.terminate();
    assert!(!socket.exists());
    let (code, _, said) = command(&hub, &["status"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("orrery-admin.sock") && said.contains("is it running"), "{said}");
}

#[test]
fn a_hub_can_do_without_an_admin_socket_or_have_it_elsewhere() {
    let hub = Hub::with("hub.admin_socket = \"none\"");
    let (code, _, said) = command(&hub, &["status"]);
    assert!(code == Some(1) && said.contains("hub.admin_socket"), "{said}");
    assert!(!hub.path("orrery-admin.sock").exists());
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control");
    let hub =
        Hub::with(&format!("hub.admin_socket = \"{}\"\nhub.admin_socket_mode = \"0600\"", socket.display()));
    assert_eq!(ask(&hub, &["status"])["pid"], hub.pid());
    let named = run(&["status", "--json", "--socket", socket.to_str().unwrap()], hub.folder.path());
    assert_eq!(named.0, Some(0), "{}", named.2);
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn servers_are_listed_with_what_they_do_and_those_of_one_user_all() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    hub.create_user("ada");
    let server = hub.spawn("ada");
    assert_eq!(hub.admin("PUT", "/users/ada/servers/lab", None).status, 201);
    let listed = ask(&hub, &["servers"]);
    assert_eq!(listed["servers"].as_array().unwrap().len(), 1);
    let first = &listed["servers"][0];
    assert_eq!((&first["server"], &first["state"]), (&json!("ada/"), &json!("ready")));
    assert_eq!(first["pid"], server["state"]["pid"]);
    let all = ask(&hub, &["servers", "ada"]);
    let names: Vec<&Value> =
        all["servers"].as_array().unwrap().iter().map(|server| &server["server"]).collect();
    assert_eq!(names, ["ada/", "ada/lab"]);
    assert_eq!(all["servers"][1]["state"], "stopped");
    let (code, _, said) = command(&hub, &["servers", "nobody"]);
    assert!(code == Some(1) && said.contains("nobody"), "{said}");
}

#[test]
fn a_server_s_life_is_explained_with_reasons_and_who_asked_even_after_the_hub_was_killed() {
    let mut hub = Hub::start();
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let told = ask(&hub, &["explain", "ada"]);
    assert_eq!((&told["state"], &told["route"]), (&json!("ready"), &json!(true)));
    assert!(states(&told).ends_with(&["queued", "launching", "responding", "publishing", "ready"]), "{told}");
    let queued = told["history"].as_array().unwrap().iter().find(|line| line["state"] == "queued").unwrap();
    assert_eq!(queued["by"], "service:tests");

    kill(u32::try_from(server["state"]["pid"].as_u64().unwrap()).unwrap(), "KILL");
    let ended = |hub: &Hub| {
        let told = ask(hub, &["explain", "ada"]);
        let recorded = states(&told).ends_with(&["stopping", "stopped"]);
        recorded.then_some(told)
    };
    let told = eventually("the end", || ended(&hub));
    assert!(
        told["last_failure"]["message"].as_str().unwrap().contains("SIGKILL")
            || told["last_failure"]["signal"] == 9,
        "{told}"
    );
    let stopping =
        told["history"].as_array().unwrap().iter().rfind(|line| line["state"] == "stopping").unwrap();
    assert_eq!(stopping["reason"], told["last_failure"]["message"]);

    let milestones = ["launching", "ready", "stopping", "stopped"];
    eventually("the journal", || {
        let records = hub.admin("GET", "/journal?target=server:ada/&action=server.state", None).json();
        (records["items"].as_array().unwrap().len() >= milestones.len()).then_some(())
    });
    hub.crash_and_restart();
    let told = ask(&hub, &["explain", "ada/"]);
    assert_eq!(states(&told), milestones, "{told}");
    let (_, said, _) = command(&hub, &["explain", "ada"]);
    assert!(said.contains("ada/ is stopped") && said.contains("what happened"), "{said}");
    for unknown in ["nobody", "ada/nothing"] {
        assert_eq!(command(&hub, &["explain", unknown]).0, Some(1));
    }
}

#[test]
fn a_stop_and_a_refused_start_are_explained() {
    let hub = Hub::with("hub.limits.active_servers = 1");
    hub.create_user("ada");
    hub.create_user("grace");
    hub.spawn("ada");
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429);
    let told = ask(&hub, &["explain", "grace"]);
    assert_eq!(
        told["history"].as_array().unwrap().iter().rfind(|line| line["state"] == "stopped").unwrap()["state"],
        "stopped"
    );
    assert!(told["outcome"].as_str().unwrap().contains("refused"), "{told}");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    let told = ask(&hub, &["explain", "ada"]);
    let stopping =
        told["history"].as_array().unwrap().iter().find(|line| line["state"] == "stopping").unwrap();
    assert_eq!(
        (&stopping["reason"], &stopping["by"]),
        (&json!("a stop was asked for"), &json!("service:tests"))
    );
}

#[test]
fn a_drained_hub_starts_nothing_until_that_is_ended() {
    let hub = Hub::start();
    hub.create_user("ada");
    let drained = ask(&hub, &["drain", "back at noon", "--for", "2h"]);
    assert_eq!(drained["notices"][0]["message"], "back at noon");
    let refused = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("back at noon"), "{}", refused.body);
    assert_eq!(ask(&hub, &["status"])["notices"][0]["kind"], "maintenance");
    assert_eq!(ask(&hub, &["explain", "ada"])["no_starts"], "back at noon");
    assert_eq!(ask(&hub, &["drain", "--end"])["notices"], json!([]));
    hub.spawn("ada");
    let record = eventually("the journal", || {
        let records = hub.admin("GET", "/journal?action=maintenance.set", None).json();
        records["items"].as_array().unwrap().first().cloned()
    });
    assert!(record["actor"].as_str().unwrap().starts_with("local:"), "{record}");
}

#[test]
fn an_announcement_is_on_the_pages_until_it_is_taken_back() {
    let hub = Hub::start();
    assert_eq!(ask(&hub, &["announce", "cake <b>today</b>"])["notices"][0]["kind"], "announcement");
    let page = hub.get("/hub/login").body;
    assert!(page.contains("cake") && !page.contains("<b>today</b>"), "{page}");
    ask(&hub, &["announce", "--end"]);
    assert!(!hub.get("/hub/login").body.contains("cake"));
    assert_eq!(command(&hub, &["announce"]).0, Some(1));
}

#[test]
fn a_reload_tells_what_changed_and_refuses_what_is_wrong() {
    let hub = Hub::start();
    let file = hub.path("orrery.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("hub.limits.active_servers = 7\n{settings}")).unwrap();
    // answered as soon as the hub is through with its start; nothing comes of looking first
    for _ in 0..2 {
        let report = ask(&hub, &["reload", "--dry-run"]);
        assert_eq!(report["applied"][0]["key"], "hub.limits.active_servers", "{report}");
    }
    let (code, said, _) = command(&hub, &["reload", "--dry-run"]);
    assert_eq!(code, Some(0));
    for part in ["nothing was changed", "would be in force:", "hub.limits.active_servers: 0 -> 7"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let report = ask(&hub, &["reload"]);
    assert_eq!(
        (&report["outcome"], &report["applied"][0]["key"]),
        (&json!("applied"), &json!("hub.limits.active_servers"))
    );
    std::fs::write(&file, format!("hub.limits.active_serves = 7\n{settings}")).unwrap();
    let socket = hub.path("orrery-admin.sock");
    let at_socket = ["reload", "--dry-run", "--socket", socket.to_str().unwrap()];
    let (code, said, wrong) = run(&at_socket, hub.folder.path());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("A reload would be refused.") && said.contains("active_serves"), "{said}{wrong}");
    let (code, said, _) = run(&["reload", "--json", "--socket", socket.to_str().unwrap()], hub.folder.path());
    assert_eq!(code, Some(1), "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["outcome"], "refused");
    assert!(report["problems"][0].as_str().unwrap().contains("active_serves"), "{said}");
}

#[test]
fn life_009_sigusr1_logs_what_the_hub_does_and_does_not_stop_it() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"60\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    kill(hub.pid(), "USR1");
    eventually("the report", || hub.log().contains("status: that is all").then_some(()));
    let log = hub.log();
    for part in [
        "status: process:",
        "\"registry\"",
        "\"admission\"",
        "\"journal\"",
        "\"waiting\"",
        "status: pending:",
        "ada/",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert_eq!(hub.get("/hub/health").status, 200);
}
