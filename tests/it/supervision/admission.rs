//! Who may start now (`hub.limits`), seen from outside.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::support::hub::{ADMIN_TOKEN, Hub, agent, eventually};

const NAMED: &str = "hub.named_servers.enabled = true";
const ONE: &str = "hub.limits.active_servers = 1";
/// Starts are answered at once.
const QUEUE: &str = "hub.limits.when_full = \"queue\"\nhub.timeouts.slow_spawn = 0";

fn hub(lines: &[&str], users: &[&str]) -> Hub {
    let hub = Hub::with(&lines.join("\n"));
    for user in users {
        hub.create_user(user);
    }
    hub
}

/// Asks for a start: the status of the answer.
fn start(hub: &Hub, path: &str) -> u16 {
    hub.admin("POST", &format!("/users/{path}"), None).status
}

fn model(hub: &Hub, user: &str, server: &str) -> Value {
    hub.admin("GET", &format!("/users/{user}/servers/{server}"), None).json()
}

fn in_line(hub: &Hub, user: &str, position: u32) {
    eventually("a place in line", || {
        (model(hub, user, "")["queue"]["position"] == json!(position)).then_some(())
    });
}

fn runs(hub: &Hub, user: &str, server: &str) {
    eventually("the server", || (model(hub, user, server)["ready"] == true).then_some(()));
}

/// The events of a start, as they come.
fn follow(hub: &Hub, user: &str) -> impl BufRead {
    let url = format!("{}/hub/api/users/{user}/server/progress", hub.url);
    let request = agent().get(url).header("authorization", format!("token {ADMIN_TOKEN}"));
    BufReader::new(request.call().unwrap().into_body().into_reader())
}

fn read_until(events: &mut impl BufRead, text: &str) {
    for line in events.lines() {
        if line.unwrap().contains(text) {
            return;
        }
    }
    panic!("the stream ended without {text:?}");
}

fn stop(hub: &Hub, user: &str) {
    let reply = hub.admin("DELETE", &format!("/users/{user}/server"), None);
    assert!(matches!(reply.status, 202 | 204), "{}", reply.body);
}

#[test]
fn who_waits_sees_the_place_in_line_and_moves_up_until_the_server_starts() {
    let hub = hub(&[ONE, QUEUE], &["ada", "grace", "mary", "eve"]);
    hub.spawn("ada");
    for (user, position) in [("grace", 1), ("mary", 2), ("eve", 3)] {
        assert_eq!(start(&hub, &format!("{user}/server")), 202);
        in_line(&hub, user, position);
    }
    let waiting = model(&hub, "grace", "");
    assert_eq!((&waiting["pending"], &waiting["queue"]["estimate"]), (&json!("spawn"), &Value::Null));
    let mut progress = follow(&hub, "mary");
    read_until(&mut progress, "Waiting for a free place: 1 before you");
    stop(&hub, "ada");
    runs(&hub, "grace", "");
    assert_eq!(model(&hub, "grace", "").get("queue"), None);
    read_until(&mut progress, "Waiting for a free place: you are next");
    in_line(&hub, "eve", 2);
    eventually("an estimate", || model(&hub, "eve", "")["queue"]["estimate"].as_u64());
    stop(&hub, "grace");
    read_until(&mut progress, "\"ready\":true");
}

#[test]
fn who_leaves_the_line_makes_everybody_behind_move_up_and_frees_nothing_else() {
    let hub = hub(&[ONE, QUEUE], &["ada", "grace", "mary"]);
    hub.spawn("ada");
    for (user, position) in [("grace", 1), ("mary", 2)] {
        start(&hub, &format!("{user}/server"));
        in_line(&hub, user, position);
    }
    stop(&hub, "grace");
    in_line(&hub, "mary", 1);
    let left = model(&hub, "grace", "");
    assert_eq!((&left["stopped"], left.get("queue")), (&json!(true), None));
    assert_eq!(model(&hub, "ada", "")["ready"], true);
    stop(&hub, "ada");
    runs(&hub, "mary", "");
    assert_eq!(model(&hub, "grace", "")["stopped"], true, "it was not called");
}

#[test]
fn users_take_turns_whoever_asks_for_how_many() {
    let hub = hub(&[ONE, QUEUE, NAMED], &["ada", "grace", "eve"]);
    hub.spawn("eve");
    for server in ["a", "b", "c"] {
        assert_eq!(start(&hub, &format!("ada/servers/{server}")), 202);
        eventually("a place in line", || model(&hub, "ada", server)["queue"]["position"].as_u64());
    }
    start(&hub, "grace/server");
    in_line(&hub, "grace", 2);
}

#[test]
fn one_user_may_have_so_many_servers_at_a_time_even_where_others_wait() {
    let hub = hub(&["hub.limits.active_servers_per_user = 1", QUEUE, NAMED], &["ada", "grace"]);
    hub.spawn("ada");
    let reply = hub.admin("POST", "/users/ada/servers/lab", None);
    assert_eq!((reply.status, reply.header("retry-after")), (429, None), "{}", reply.body);
    assert!(reply.body.contains("One server may run at a time"), "{}", reply.body);
    hub.spawn("grace");
    stop(&hub, "ada");
    eventually("the end", || (model(&hub, "ada", "")["stopped"] == true).then_some(()));
    assert_eq!(start(&hub, "ada/servers/lab"), 202);
    runs(&hub, "ada", "lab");
}

#[test]
fn the_members_of_a_group_share_its_limit_also_after_a_restart_of_the_hub() {
    let limits =
        "groups.students.users = [\"ada\", \"grace\"]\nhub.limits.groups.students.active_servers = 1";
    let mut hub = hub(&[limits], &["mary"]);
    hub.spawn("ada");
    hub.spawn("mary");
    for restarted in [false, true] {
        let reply = hub.admin("POST", "/users/grace/server", None);
        assert_eq!((reply.status, reply.header("retry-after")), (429, None), "{restarted} {}", reply.body);
        assert!(reply.body.contains("of the group students"), "{}", reply.body);
        if !restarted {
            hub.crash_and_restart();
            runs(&hub, "ada", "");
        }
    }
    stop(&hub, "ada");
    eventually("the end", || (model(&hub, "ada", "")["stopped"] == true).then_some(()));
    hub.spawn("grace");
}

#[test]
fn who_waits_for_the_own_group_does_not_hold_up_others() {
    let limits =
        "groups.students.users = [\"ada\", \"grace\"]\nhub.limits.groups.students.active_servers = 1";
    let hub = hub(&[limits, QUEUE], &["mary"]);
    hub.spawn("ada");
    assert_eq!(start(&hub, "grace/server"), 202);
    in_line(&hub, "grace", 1);
    hub.spawn("mary");
    assert_eq!(model(&hub, "grace", "")["queue"]["position"], 1);
    stop(&hub, "ada");
    runs(&hub, "grace", "");
}

#[test]
fn a_group_name_that_cannot_be_one_is_refused_in_limits() {
    let folder = tempfile::tempdir().unwrap();
    let text = crate::support::hub::settings(folder.path(), 1, "hub.limits.groups.\"\".active_servers = 1");
    std::fs::write(folder.path().join("orrery.toml"), text).unwrap();
    let (status, _, errors) =
        crate::support::hub::run(&["--config", "orrery.toml", "config", "check"], folder.path());
    assert_ne!(status, Some(0));
    assert!(errors.contains("hub.limits.groups"), "{errors}");
}
