//! Real processes: start, crash, stop, and what a restarted hub finds.

mod admission;
mod bad_servers;
mod crashes;
mod culling;
mod database;
mod failing;
mod hooks;
mod lifecycle;
mod notices;
mod package;
mod reload;
mod removals;
mod restarts;
mod rounds;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::support::browser::Browser;
use super::support::hub::{Hub, eventually, kill};

fn pid(server: &serde_json::Value) -> u32 {
    u32::try_from(server["state"]["pid"].as_u64().unwrap()).unwrap()
}

fn gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn a_started_server_is_reached_through_the_proxy_in_its_own_session() {
    let hub = Hub::start();
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let reply = hub.get("/user/ada/whoami");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["pid"], server["state"]["pid"]);
    assert_eq!(reply.json()["sid"], reply.json()["pid"], "a session of its own");
    let environment = hub.get("/user/ada/env").json();
    assert_eq!(environment["JUPYTERHUB_USER"], "ada");
    assert_eq!(environment["JUPYTERHUB_SERVICE_PREFIX"], "/user/ada/");
    assert!(environment.get("CONFIGPROXY_AUTH_TOKEN").is_none());
}

#[test]
fn life_021_and_su_070_a_killed_server_is_noticed_at_once() {
    let hub = Hub::start();
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let killed = Instant::now();
    kill(pid(&server), "KILL");
    eventually("the route to be gone", || (hub.get("/user/ada/whoami").status != 200).then_some(()));
    eventually("the state to be shown", || hub.server("ada", "").is_null().then_some(()));
    // polling would take 30 s; the bound is loose because tests are not benchmarks
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    let page = Browser::signed_in(&hub, "ada").get("/hub/home");
    assert!(page.body.contains("SIGKILL"), "the owner is told why: {}", page.body);
}

#[test]
fn life_007_a_restarted_hub_adopts_the_running_server() {
    let mut hub = Hub::start();
    hub.create_user("ada");
    let before = pid(&hub.spawn("ada"));
    let token = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    hub.crash_and_restart();
    let server =
        eventually("the adoption", || Some(hub.server("ada", "")).filter(|server| server["ready"] == true));
    assert_eq!(pid(&server), before);
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], before);
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 200, "its token still works");
    kill(before, "KILL");
    eventually("the end of an adopted server to be noticed", || {
        hub.server("ada", "").is_null().then_some(())
    });
}

#[test]
fn life_008_a_server_that_died_while_the_hub_was_down_leaves_nothing() {
    let mut hub = Hub::start();
    hub.create_user("ada");
    let server = hub.spawn("ada");
    let token = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    kill(hub.pid(), "STOP");
    kill(pid(&server), "KILL");
    hub.crash_and_restart();
    eventually("the clean-up", || hub.server("ada", "").is_null().then_some(()));
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403, "its token is revoked");
    assert_ne!(hub.get("/user/ada/whoami").status, 200);
}

#[test]
fn life_018_a_missing_program_fails_at_once_and_says_so_everywhere() {
    let hub = Hub::with("spawner.cmd = [\"no-such-singleuser\"]");
    hub.create_user("ada");
    let reply = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(reply.status, 500);
    assert!(reply.json()["message"].as_str().unwrap().contains("no-such-singleuser"), "{}", reply.body);
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(
        progress.body.contains("\"failed\":true") && progress.body.contains("no-such-singleuser"),
        "{}",
        progress.body
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get("/hub/spawn-pending/ada");
    assert_eq!(page.status, 500);
    assert!(page.body.contains("no-such-singleuser"), "{}", page.body);
}

#[test]
fn life_017_the_last_words_of_a_failed_server_are_kept_and_shown() {
    let hub = Hub::with("spawner.environment = { FAKE_FAIL = \"1\" }");
    hub.create_user("ada");
    let reply = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(reply.status, 500);
    assert!(reply.body.contains("exit status 7"), "{}", reply.body);
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(progress.body.contains("the disk quota of this user is exceeded"), "{}", progress.body);
    let page = Browser::signed_in(&hub, "ada").get("/hub/spawn-pending/ada");
    assert!(page.body.contains("the disk quota of this user is exceeded"), "{}", page.body);
}

#[test]
fn life_016_a_silent_server_fails_when_its_time_is_over() {
    let hub = Hub::with("spawner.http_timeout = 1\nspawner.environment = { FAKE_DELAY = \"60\" }");
    hub.create_user("ada");
    let reply = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(reply.status, 500);
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(progress.body.contains("didn't respond in 1 seconds"), "{}", progress.body);
}

#[test]
fn life_020_a_stop_during_a_start_cancels_it_and_leaves_nothing() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"60\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let server =
        eventually("the process", || Some(hub.server("ada", "")).filter(|s| s["state"]["pid"].is_u64()));
    assert_eq!(server["pending"], "spawn");
    assert!(matches!(hub.admin("DELETE", "/users/ada/server", None).status, 202 | 204));
    eventually("the end of the start", || hub.server("ada", "").is_null().then_some(()));
    eventually("the end of the process", || gone(pid(&server)).then_some(()));
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(matches!(progress.status, 200 | 400), "{}", progress.body);
}

#[test]
fn life_022_a_stubborn_server_is_killed() {
    let extra = "spawner.local.interrupt_timeout = 0.2\nspawner.local.term_timeout = 0.2\n\
                 spawner.environment = { FAKE_STUBBORN = \"1\" }";
    let hub = Hub::with(extra);
    hub.create_user("ada");
    let server = hub.spawn("ada");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert!(gone(pid(&server)));
    assert!(hub.server("ada", "").is_null());
}

#[test]
fn su_032_stopping_revokes_the_servers_token() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.spawn("ada");
    let token = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 200);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403);
}

#[test]
fn rest_095_a_second_start_is_answered_by_what_is_going_on() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"1\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    eventually("the server", || (hub.server("ada", "")["ready"] == true).then_some(()));
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 400);
}

#[test]
fn life_013_and_014_limits_refuse_with_429() {
    let extra = "hub.limits.concurrent_spawns = 1\nhub.limits.retry_after = [7, 9]\nhub.timeouts.slow_spawn = 0\n\
                 spawner.environment = { FAKE_DELAY = \"60\" }";
    let hub = Hub::with(extra);
    hub.create_user("ada");
    hub.create_user("grace");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let reply = hub.admin("POST", "/users/grace/server", None);
    assert_eq!(reply.status, 429);
    let seconds: u32 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((7..=9).contains(&seconds));
    hub.admin("DELETE", "/users/ada/server", None);

    let hub = Hub::with("hub.limits.active_servers = 1");
    hub.create_user("ada");
    hub.create_user("grace");
    hub.spawn("ada");
    let reply = hub.admin("POST", "/users/grace/server", None);
    assert_eq!((reply.status, reply.header("retry-after")), (429, None));
}

#[test]
fn a_full_hub_can_queue_instead_of_refusing() {
    let extra = "hub.limits.concurrent_spawns = 1\nhub.limits.when_full = \"queue\"\nhub.timeouts.slow_spawn = 0\n\
                 spawner.environment = { FAKE_DELAY = \"0.5\" }";
    let hub = Hub::with(extra);
    for user in ["ada", "grace", "mary"] {
        hub.create_user(user);
        assert_eq!(hub.admin("POST", &format!("/users/{user}/server"), None).status, 202);
    }
    for user in ["ada", "grace", "mary"] {
        eventually("everybody's turn", || (hub.server(user, "")["ready"] == true).then_some(()));
    }
}

#[test]
fn named_servers_run_beside_the_default_one() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    hub.create_user("ada");
    hub.spawn("ada");
    let reply = hub.admin("POST", "/users/ada/servers/lab", Some(json!({"user_options": {"a": 1}})));
    assert!(matches!(reply.status, 201 | 202), "{}", reply.body);
    let server = eventually("it", || Some(hub.server("ada", "lab")).filter(|server| server["ready"] == true));
    assert_eq!(server["url"], "/user/ada/lab/");
    assert_eq!(server["user_options"], json!({"a": 1}));
    let both = [hub.get("/user/ada/whoami").json(), hub.get("/user/ada/lab/whoami").json()];
    assert_ne!(both[0]["pid"], both[1]["pid"]);
    assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", Some(json!({"remove": true}))).status, 204);
    assert_eq!(hub.admin("GET", "/users/ada/servers/lab", None).status, 404);
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
}
