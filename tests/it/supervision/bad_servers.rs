//! Servers that misbehave harm nobody but themselves, and their owners are told why.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::hub::{ADMIN_TOKEN, Hub, agent, eventually, free_port, kill, request};

/// Settings with which every server misbehaves like this.
fn bad(how: &str, more: &str) -> String {
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/bad_server.py");
    format!(
        "spawner.cmd = [\"python3\", \"{server}\"]\nspawner.environment = {{ BAD = \"{how}\" }}\n\
         hub.timeouts.slow_spawn = 60\nhub.timeouts.slow_stop = 60\n{more}"
    )
}

fn start(hub: &Hub, user: &str) -> crate::support::hub::Reply {
    hub.create_user(user);
    hub.admin("POST", &format!("/users/{user}/server"), None)
}

fn last_failure(hub: &Hub) -> Value {
    hub.admin("GET", "/users/ada/servers/", None).json()["last_failure"].clone()
}

/// The number that a server wrote down in its home.
fn noted(hub: &Hub, name: &str) -> u32 {
    let file = hub.path("home/ada").join(name);
    eventually(name, || std::fs::read_to_string(&file).ok()?.trim().parse().ok())
}

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn su_015_and_017_a_server_that_answers_500_fails_at_its_deadline_and_leaves_no_token() {
    let hub = Hub::with(&bad("error", "spawner.http_timeout = 2"));
    let reply = start(&hub, "ada");
    assert_eq!(reply.status, 500, "{}", reply.body);
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
    assert_eq!(last_failure(&hub)["kind"], "timed-out", "{}", last_failure(&hub));
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(progress.body.contains("\"failed\":true"), "{}", progress.body);
    let tokens = hub.admin("GET", "/users/ada/tokens", None).json();
    assert_eq!(tokens["api_tokens"], json!([]), "{tokens}");
}

#[test]
fn a_server_that_answers_slowly_becomes_ready_all_the_same() {
    let hub = Hub::with(&bad("slow", ""));
    assert_eq!(start(&hub, "ada").status, 201);
    assert_eq!(hub.server("ada", "")["ready"], true);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
}

#[test]
fn a_server_that_listens_and_then_dies_ends_stopped_with_its_reason() {
    let hub = Hub::with(&bad("once", ""));
    // it died before or after it counted as ready: both are true
    assert!(matches!(start(&hub, "ada").status, 201 | 500));
    let failure = eventually("the reason", || Some(last_failure(&hub)).filter(|failure| !failure.is_null()));
    assert_eq!(failure["exit_status"], 3, "{failure}");
    assert_eq!(failure["log"], json!(["that was enough"]));
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
    eventually("the route to be gone", || (hub.get("/user/ada/api").status != 200).then_some(()));
}

#[test]
fn what_a_server_leaves_in_its_group_ends_with_it_even_if_it_ignores_sigterm() {
    for crash in [false, true] {
        let hub = Hub::with(&bad("child", "spawner.local.term_timeout = 1"));
        assert_eq!(start(&hub, "ada").status, 201);
        let child = noted(&hub, "child");
        assert!(runs(child));
        if crash {
            kill(number(&hub.server("ada", "")["state"]["pid"]), "KILL");
        } else {
            assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
        }
        eventually("the child to be gone", || (!runs(child)).then_some(()));
        eventually("the end", || hub.server("ada", "").is_null().then_some(()));
    }
}

#[test]
fn a_server_that_forks_away_into_its_own_session_is_a_failed_start() {
    let hub = Hub::with(&bad("daemon", ""));
    let reply = start(&hub, "ada");
    assert_eq!(reply.status, 500, "{}", reply.body);
    assert_eq!(last_failure(&hub)["exit_status"], 0, "{}", last_failure(&hub));
    // nothing tells the hub whose this is without control groups; see docs/supervision.md
    let daemon = noted(&hub, "daemon");
    assert!(runs(daemon));
    kill(daemon, "KILL");
}

#[test]
fn sec_089_a_log_that_is_flooded_is_cut_while_others_start_as_usual() {
    let hub = Hub::with(&bad("flood", "spawner.poll_interval = 1"));
    assert_eq!(start(&hub, "ada").status, 201);
    eventually("a cut", || hub.log().contains("log grew too large and was cut").then_some(()));
    assert_eq!(start(&hub, "grace").status, 201, "others start meanwhile");
    for user in ["ada", "grace"] {
        assert_eq!(hub.admin("DELETE", &format!("/users/{user}/server"), None).status, 204);
    }
}

#[test]
fn a_server_that_takes_anothers_port_gets_none_of_its_requests() {
    let port = free_port();
    let hub = Hub::with(&bad("thief", "spawner.http_timeout = 2"));
    std::fs::create_dir_all(hub.path("home/ada")).unwrap();
    std::fs::write(hub.path("home/ada/port"), port.to_string()).unwrap();
    let reply = start(&hub, "ada");
    assert_eq!(reply.status, 500, "it does not listen where it was told to: {}", reply.body);
    assert_ne!(hub.get("/user/ada/api").status, 200);
    eventually("the end", || hub.server("ada", "").is_null().then_some(()));
}

/// What was asked of a stranger that listened in a server's stead.
fn asked_of_the_stranger(hub: &Hub) -> String {
    std::fs::read_to_string(hub.path("home/ada/asked")).unwrap_or_default()
}

#[test]
fn a_stranger_that_listens_on_the_chosen_port_is_no_server_and_another_port_is_tried() {
    let hub = Hub::with(&bad("robbed", ""));
    let reply = start(&hub, "ada");
    let stranger = noted(&hub, "stranger");
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(hub.get("/user/ada/api").status, 200);
    assert!(runs(stranger));
    let target = hub.admin("GET", "/proxy", None).json()["/user/ada/"]["target"].clone();
    let lost = noted(&hub, "lost");
    assert!(!target.as_str().unwrap().contains(&format!(":{lost}")), "{target} is not at {lost}");
    // the question whether somebody answers has nothing that is worth to be stolen
    for line in asked_of_the_stranger(&hub).lines() {
        assert_eq!(line, "/user/ada/api None None");
    }
    kill(stranger, "KILL");
}

#[test]
fn a_stranger_is_found_out_before_the_server_has_tried_to_listen() {
    let hub = Hub::with(&bad("robbed", "").replace("BAD = \"robbed\"", "BAD = \"robbed\", LATE = \"1\""));
    assert_eq!(start(&hub, "ada").status, 201);
    assert_eq!(hub.get("/user/ada/api").status, 200);
    assert!(hub.log().contains("another program listens where a server should"));
    kill(noted(&hub, "stranger"), "KILL");
}

#[test]
fn a_server_that_is_robbed_of_two_ports_fails_and_its_owner_is_told() {
    let hub =
        Hub::with(&bad("robbed twice", "").replace("\"robbed twice\"", "\"robbed twice\", LATE = \"1\""));
    let reply = start(&hub, "ada");
    assert_eq!(reply.status, 500, "{}", reply.body);
    assert!(reply.body.contains("Another program of this machine listens at"), "{}", reply.body);
    assert_ne!(hub.get("/user/ada/api").status, 200);
    for line in asked_of_the_stranger(&hub).lines() {
        assert_eq!(line, "/user/ada/api None None");
    }
    let mine = format!("HOME={}", hub.path("home/ada").display());
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let environment = std::fs::read_to_string(entry.path().join("environ")).unwrap_or_default();
        if environment.split('\0').any(|variable| variable == mine) {
            kill(pid, "KILL");
        }
    }
}

#[test]
fn a_thousand_starts_at_once_are_answered_and_only_as_many_begin_as_may() {
    let extra = "hub.limits.concurrent_spawns = 3\nhub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"600\" }";
    let hub = Hub::with(extra);
    let users: Vec<String> = (0..1000).map(|number| format!("user-{number}")).collect();
    let made = hub.admin("POST", "/users", Some(json!({ "usernames": users })));
    assert_eq!(made.status, 201, "{}", made.body);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = users
            .chunks(20)
            .map(|some| {
                let hub = &hub;
                scope.spawn(move || {
                    let (agent, token) = (agent(), format!("token {ADMIN_TOKEN}"));
                    let headers = [("authorization".to_owned(), token)];
                    let url = |user| format!("{}/hub/api/users/{user}/server", hub.url);
                    let ask = |user| request(&agent, "POST", &url(user), &headers, "").status;
                    some.iter().map(ask).collect::<Vec<_>>()
                })
            })
            .collect();
        asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 202).count(), 3, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 997);
    assert_eq!(hub.get("/hub/health").status, 200);
    let active = hub.admin("GET", "/users?state=active&limit=200", None).json();
    assert_eq!(active.as_array().unwrap().len(), 3);
}

#[test]
fn life_022_a_server_that_ignores_everything_but_sigkill_leaves_nothing() {
    let extra = "spawner.local.interrupt_timeout = 0.1\nspawner.local.term_timeout = 0.1\nhub.timeouts.slow_stop = 60\n\
                 spawner.environment = { FAKE_STUBBORN = \"1\" }";
    let hub = Hub::with(extra);
    hub.create_user("ada");
    let pid = number(&hub.spawn("ada")["state"]["pid"]);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(hub.admin("GET", "/users/ada/tokens", None).json()["api_tokens"], json!([]));
}
