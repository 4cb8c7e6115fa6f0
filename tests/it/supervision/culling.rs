//! Servers and users that nobody uses (services.md 9), seen from outside.

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::hub::{Hub, eventually};

const NAMED: &str = "hub.named_servers.enabled = true";
/// Looks often.
const LOOKS: &str = "culler.enabled = true\nculler.interval = 0.1";
/// Members of this group are never idle.
const NEVER: &str = "groups.patient.users = [\"grace\"]\nculler.groups.patient.timeout = 0";

/// A hub where servers are idle after a second, with a user ada.
fn culling(more: &str) -> Hub {
    culling_after(1, more)
}

fn culling_after(seconds: u32, more: &str) -> Hub {
    let hub = Hub::with(&format!("{NAMED}\n{LOOKS}\nculler.timeout = {seconds}\n{more}"));
    // members of configured groups are there already
    assert!(matches!(hub.admin("POST", "/users/ada", None).status, 201 | 409));
    hub
}

fn model(hub: &Hub, server: &str) -> Value {
    hub.admin("GET", &format!("/users/ada/servers/{server}"), None).json()
}

fn start(hub: &Hub, path: &str) {
    let reply = hub.admin("POST", &format!("/users/{path}"), None);
    assert!(matches!(reply.status, 201 | 202), "{} {}", reply.status, reply.body);
}

/// Counts as used for half an hour from now on.
fn use_for_long(hub: &Hub, user: &str, server: &str) {
    let later = chrono::Utc::now() + chrono::TimeDelta::minutes(30);
    let body = json!({ "servers": { server: { "last_activity": later.to_rfc3339() } } });
    assert_eq!(hub.admin("POST", &format!("/users/{user}/activity"), Some(body)).status, 200);
}

fn culled(hub: &Hub, server: &str) {
    eventually("the end of the server", || (model(hub, server)["stopped"] == true).then_some(()));
}

#[test]
fn cull_002_an_idle_server_is_stopped_and_that_of_a_patient_group_is_not() {
    let hub = culling(NEVER);
    start(&hub, "grace/server");
    start(&hub, "ada/server");
    culled(&hub, "");
    assert_eq!(hub.server("grace", "")["ready"], true);
    assert_eq!(hub.server("grace", "")["cull_at"], Value::Null);
    let records = hub.admin("GET", "/journal?action=server.cull", None);
    assert!(records.body.contains("nobody used it for 1 second"), "{}", records.body);
    let page = Browser::signed_in(&hub, "ada").get("/hub/home");
    assert!(page.body.contains("nobody used it for 1 second"), "the owner is told why: {}", page.body);
}

#[test]
fn cull_002_activity_postpones_the_end() {
    let hub = culling_after(3600, "");
    start(&hub, "ada/server");
    eventually("the server", || (model(&hub, "")["ready"] == true).then_some(()));
    let before = model(&hub, "")["cull_at"].clone();
    use_for_long(&hub, "ada", "");
    assert!(model(&hub, "")["cull_at"].as_str() > before.as_str());
}

#[test]
fn cull_003_a_named_server_is_removed_only_where_that_is_asked_for() {
    for (more, left) in [("", 200), ("culler.remove_named_servers = true", 404)] {
        let hub = culling(more);
        start(&hub, "ada/servers/lab");
        eventually("the culling", || {
            let reply = hub.admin("GET", "/users/ada/servers/lab", None);
            let stopped = reply.status == 200 && reply.json()["stopped"] == true;
            (reply.status == left && (left == 404 || stopped)).then_some(())
        });
    }
}

#[test]
fn cull_004_an_old_server_is_stopped_although_it_is_used() {
    let hub = culling_after(3600, "culler.max_age = 2");
    start(&hub, "ada/server");
    culled(&hub, "");
    let records = hub.admin("GET", "/journal?action=server.cull", None);
    assert!(records.body.contains("no server may run longer than 2 seconds"), "{}", records.body);
}

#[test]
fn cull_006_and_009_users_are_deleted_only_without_a_server_and_admins_only_if_asked() {
    let more = "culler.cull_users = true\nculler.cull_admin_users = false\nauth.admin_users = [\"root\"]";
    let hub = culling_after(5, &format!("{more}\n{NEVER}"));
    start(&hub, "grace/server");
    eventually("the end of the user", || (hub.admin("GET", "/users/ada", None).status == 404).then_some(()));
    assert_eq!(hub.admin("GET", "/users/grace", None).status, 200, "a server runs");
    assert_eq!(hub.admin("GET", "/users/root", None).status, 200, "an admin");
}

#[test]
fn cull_007_kinds_that_are_switched_off_are_left_alone() {
    let hub = culling("culler.cull_named_servers = false\nculler.max_age = 1");
    start(&hub, "ada/servers/lab");
    start(&hub, "ada/server");
    culled(&hub, "");
    assert_eq!(model(&hub, "lab")["ready"], true);
    assert_eq!(model(&hub, "lab")["cull_at"], Value::Null);
}

#[test]
fn a_server_with_busy_kernels_is_not_idle_and_the_question_leaves_no_token() {
    let hub = culling("spawner.environment.FAKE_BUSY = \"1\"");
    start(&hub, "ada/server");
    eventually("the question", || hub.log().contains("its kernels are busy: it stays").then_some(()));
    assert_eq!(model(&hub, "")["ready"], true);
    let used = |server: &Value| server["last_activity"].as_str().unwrap().to_owned();
    let before = used(&model(&hub, ""));
    eventually("the work to count as use", || (used(&model(&hub, "")) > before).then_some(()));
    eventually("the end of the question's token", || {
        let tokens = hub.admin("GET", "/users/ada/tokens", None).json();
        (tokens["api_tokens"].as_array().unwrap().len() == 1).then_some(())
    });
}

#[test]
fn a_busy_server_is_stopped_all_the_same_where_kernels_are_not_asked() {
    let hub = culling("spawner.environment.FAKE_BUSY = \"1\"\nculler.ask_kernels = false");
    start(&hub, "ada/server");
    culled(&hub, "");
}

#[test]
fn cull_010_a_hook_decides_for_each_server() {
    let hub = culling(
        "culler.hook = { command = [\"python3\", \"-c\", \"import json, sys; print(json.dumps(json.load(sys.stdin)['server']['name'] \
         == ''))\"] }",
    );
    start(&hub, "ada/servers/lab");
    start(&hub, "ada/server");
    culled(&hub, "");
    assert_eq!(model(&hub, "lab")["ready"], true);
}

#[test]
fn cull_010_a_hook_may_end_what_is_not_idle_yet_and_is_told_the_facts() {
    let script = "import json, sys; q = json.load(sys.stdin); print(json.dumps(q['user']['groups'] == ['guests'] and \
                  q['payload']['limit'] == 3600 and q['payload']['inactive'] < 3600 and q['server']['url'] == '/user/ada/'))";
    let hook = format!("culler.hook = {{ command = [\"python3\", \"-c\", \"{script}\"] }}");
    let hub = culling_after(3600, &format!("{hook}\ngroups.guests.users = [\"ada\"]"));
    start(&hub, "ada/server");
    culled(&hub, "");
    let records = hub.admin("GET", "/journal?action=server.cull", None);
    assert!(records.body.contains("a rule of this site"), "{}", records.body);
}

#[test]
fn cull_010_a_server_that_a_hook_spares_still_ends_at_its_age() {
    let hub = culling_after(3600, "culler.max_age = 1\nculler.hook = { command = [\"echo\", \"false\"] }");
    start(&hub, "ada/server");
    culled(&hub, "");
}

#[test]
fn cull_005_a_server_that_starts_or_stops_is_left_alone() {
    let hub = culling("spawner.environment.FAKE_DELAY = \"4\"\nhub.timeouts.slow_spawn = 0");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    // idle and due the whole time, at each look
    eventually("the start", || hub.log().contains("server started").then_some(()));
    culled(&hub, "");
    let records = || hub.admin("GET", "/journal?action=server.cull", None).json();
    eventually("the record", || (!records()["items"].as_array().unwrap().is_empty()).then_some(()));
    assert_eq!(records()["items"].as_array().unwrap().len(), 1, "{}", records());
}

#[test]
fn cull_008_the_first_look_is_at_the_start_and_finds_what_an_earlier_hub_left() {
    let mut hub = Hub::with(&format!("{NAMED}\nculler.timeout = 1\nculler.interval = 1"));
    hub.create_user("ada");
    start(&hub, "ada/server");
    eventually("the server", || (model(&hub, "")["ready"] == true).then_some(()));
    let file = hub.path("orrery.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{settings}\nculler.enabled = true")).unwrap();
    hub.crash_and_restart();
    culled(&hub, "");
}

#[test]
fn a_hook_that_fails_stops_nothing() {
    let hub = culling("culler.hook = { command = [\"false\"] }");
    start(&hub, "ada/server");
    eventually("the failure", || hub.log().contains("culler.hook failed; the server stays").then_some(()));
    assert_eq!(model(&hub, "")["ready"], true);
}

#[test]
fn an_owner_keeps_a_server_within_the_limit() {
    let hub = culling_after(3600, "culler.max_keep = \"2h\"\nculler.warning = 7200");
    assert_eq!(
        hub.admin("POST", "/users/ada/server/keep", Some(json!({ "for": 60 }))).status,
        400,
        "it does not run"
    );
    start(&hub, "ada/server");
    eventually("the server", || (model(&hub, "")["ready"] == true).then_some(()));
    let due = model(&hub, "")["cull_at"].clone();
    assert!(due.is_string());
    let mut ada = Browser::signed_in(&hub, "ada");
    let page = ada.get("/hub/home");
    assert!(page.body.contains("This server will be stopped at"), "{}", page.body);
    let keep = |seconds: u64| hub.admin("POST", "/users/ada/server/keep", Some(json!({ "for": seconds })));
    let refused = keep(7201);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("2 hours at most"), "{}", refused.body);
    let kept = keep(7200).json();
    assert_eq!(kept["cull_at"], kept["keep_until"]);
    assert_ne!(kept["cull_at"], due);
    let released = hub.admin("DELETE", "/users/ada/server/keep", None).json();
    assert_eq!(released["keep_until"], Value::Null);
}

#[test]
fn the_button_on_the_home_page_keeps_a_server_without_scripts() {
    let hub = culling_after(3600, "culler.max_keep = \"2h\"\nculler.warning = 7000");
    for path in ["ada/server", "ada/servers/lab"] {
        start(&hub, path);
        let server = path.rsplit_once('/').map_or("", |(_, name)| if name == "server" { "" } else { name });
        eventually("the server", || (model(&hub, server)["ready"] == true).then_some(()));
    }
    let progress = hub.admin("GET", "/users/ada/server/progress", None).body;
    let due = model(&hub, "")["cull_at"].as_str().unwrap().to_owned();
    assert!(progress.contains(&format!("\"cull_at\":\"{due}\"")), "{progress}");
    let mut ada = Browser::signed_in(&hub, "ada");
    for (path, server) in [("/hub/keep/ada", ""), ("/hub/keep/ada/lab", "lab")] {
        let page = ada.get("/hub/home");
        assert!(page.body.contains(&format!("action=\"{path}\"")), "{}", page.body);
        assert_eq!(ada.post(path, &[]).status, 403, "no token, no keeping");
        let xsrf = ada.xsrf();
        let reply = ada.post(path, &[("_xsrf", &xsrf)]);
        assert_eq!((reply.status, reply.location()), (303, "/hub/home"));
        let kept = model(&hub, server);
        assert!(kept["keep_until"].is_string() && kept["cull_at"] == kept["keep_until"], "{kept}");
        assert!(!ada.get("/hub/home").body.contains(&format!("action=\"{path}\"")), "not due any more");
    }
    let mut grace = Browser::signed_in(&hub, "grace");
    let xsrf = grace.xsrf();
    assert_eq!(grace.post("/hub/keep/ada", &[("_xsrf", &xsrf)]).status, 404, "nobody else's business");
}

#[test]
fn a_server_that_goes_because_of_its_age_has_no_button_to_keep_it() {
    let hub = culling_after(0, "culler.max_age = 3600\nculler.max_keep = \"2h\"\nculler.warning = 7200");
    start(&hub, "ada/server");
    eventually("the server", || (model(&hub, "")["ready"] == true).then_some(()));
    let page = Browser::signed_in(&hub, "ada").get("/hub/home");
    assert!(page.body.contains("This server will be stopped at"), "{}", page.body);
    assert!(!page.body.contains("Keep running"), "{}", page.body);
}

#[test]
fn without_a_culler_nothing_is_due_and_nothing_can_be_kept() {
    let hub = Hub::start();
    hub.create_user("ada");
    assert_eq!(hub.spawn("ada")["cull_at"], Value::Null);
    assert_eq!(hub.admin("POST", "/users/ada/server/keep", Some(json!({ "for": 60 }))).status, 400);
}
