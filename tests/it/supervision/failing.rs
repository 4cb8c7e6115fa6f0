//! Starts that fail in a row, and the pause that follows (LIFE-038).

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::hub::{Hub, Reply, eventually};

/// A server of the profile `broken` exits at once; others run.
const FAILING: &str = r#"spawner.consecutive_failure_limit = 2
spawner.failure_pause = 3600
spawner.failure_max_pause = 7200
hub.timeouts.slow_spawn = 50
spawner.cmd = ["sh", "-c", "test -e \"$HOME/broken\" && exit 3; exec python3 \"$0\"", "FAKE"]"#;

fn failing(limit: u32) -> Hub {
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/fake_server.py");
    let settings = FAILING.replace("FAKE", fake).replace("limit = 2", &format!("limit = {limit}"));
    Hub::with(&settings)
}

fn break_home(hub: &Hub, user: &str) {
    let home = hub.path("home").join(user);
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("broken"), "").unwrap();
}

fn mend(hub: &Hub, user: &str) {
    std::fs::remove_file(hub.path("home").join(user).join("broken")).unwrap();
}

fn start(hub: &Hub, user: &str, profile: &str) -> Reply {
    let options = json!({ "user_options": { "profile": profile } });
    hub.admin("POST", &format!("/users/{user}/server"), Some(options))
}

fn seconds(reply: &Reply) -> u64 {
    reply.header("retry-after").unwrap_or_else(|| panic!("{reply:?}")).parse().unwrap()
}

#[test]
fn life_038_starts_that_fail_in_a_row_are_paused_and_the_hub_goes_on() {
    let hub = failing(2);
    hub.create_user("ada");
    hub.create_user("grace");
    break_home(&hub, "ada");
    for _ in 0..2 {
        assert_eq!(start(&hub, "ada", "gpu").status, 500);
    }
    let refused = start(&hub, "ada", "gpu");
    assert_eq!(refused.status, 503, "{}", refused.body);
    let wait = seconds(&refused);
    assert!((3000..=3600).contains(&wait), "{wait}");
    assert!(refused.body.contains("gpu"), "{}", refused.body);
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(
        progress.status == 400 || progress.body.contains("paused"),
        "{} {}",
        progress.status,
        progress.body
    );
    let page = Browser::signed_in(&hub, "ada").get("/hub/spawn");
    assert_eq!((page.status, page.header("retry-after").is_some()), (503, true), "{}", page.body);
    eventually("the log", || hub.log().contains("starts of a profile are paused").then_some(()));

    assert_eq!(start(&hub, "grace", "gpu").status, 201, "one user cannot lock out the others");
    let page = eventually("the record", || {
        let page = hub.admin("GET", "/journal?action=profile.pause", None).json();
        (page["items"][0]["target"] == "profile:gpu").then_some(page)
    });
    assert_eq!(page["items"][0]["detail"]["of"], "user:ada");
}

#[test]
fn life_038_an_administrator_ends_a_pause_and_a_success_too() {
    let hub = failing(2);
    hub.create_user("ada");
    break_home(&hub, "ada");
    for _ in 0..2 {
        assert_eq!(start(&hub, "ada", "gpu").status, 500);
    }
    let listed = hub.admin("GET", "/failing-profiles", None);
    assert_eq!((listed.status, listed.json()[0]["profile"].clone()), (200, json!("gpu")), "{}", listed.body);
    assert_eq!((&listed.json()[0]["user"], &listed.json()[0]["failures"]), (&json!("ada"), &json!(2)));
    assert_eq!(start(&hub, "ada", "gpu").status, 503);
    assert_eq!(hub.admin("DELETE", "/failing-profiles/gpu", None).status, 204);
    assert_eq!(hub.admin("GET", "/failing-profiles", None).json(), json!([]));
    mend(&hub, "ada");
    assert_eq!(start(&hub, "ada", "gpu").status, 201);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    break_home(&hub, "ada");
    assert_eq!(start(&hub, "ada", "gpu").status, 500);
    mend(&hub, "ada");
    assert_eq!(start(&hub, "ada", "gpu").status, 201, "a single failure, and a success");
}

#[test]
fn life_038_failures_of_different_users_pause_everybodys_starts_of_that_profile_only() {
    let hub = failing(2);
    for user in ["ada", "bob", "cy"] {
        hub.create_user(user);
    }
    for user in ["ada", "bob"] {
        break_home(&hub, user);
        assert_eq!(start(&hub, user, "gpu").status, 500);
    }
    assert_eq!(start(&hub, "cy", "gpu").status, 503);
    assert_eq!(hub.admin("GET", "/failing-profiles", None).json()[0]["user"], Value::Null);
    assert_eq!(start(&hub, "cy", "small").status, 201, "other profiles go on");
}

#[test]
fn life_038_options_of_the_last_time_count_and_rejections_do_not() {
    let hub = failing(1);
    hub.create_user("ada");
    for _ in 0..3 {
        assert_eq!(start(&hub, "nobody", "gpu").status, 404);
        assert_eq!(hub.admin("POST", "/users/ada/server", Some(json!([1]))).status, 400);
    }
    break_home(&hub, "ada");
    assert_eq!(start(&hub, "ada", "gpu").status, 500);
    let again = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(again.status, 503, "the profile of the last time: {}", again.body);
    assert_eq!(hub.admin("POST", "/users/ada/server/restart", None).status, 503);
    mend(&hub, "ada");
    assert_eq!(start(&hub, "ada", "small").status, 201);
}
