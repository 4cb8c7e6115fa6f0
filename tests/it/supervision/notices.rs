//! Maintenance and announcements.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::hub::{Hub, eventually};

#[test]
fn under_maintenance_no_server_starts_and_those_that_run_go_on() {
    let mut hub = Hub::with("hub.named_servers.enabled = true");
    hub.create_user("ada");
    hub.create_user("grace");
    let pid = hub.spawn("ada")["state"]["pid"].clone();
    let reply = hub.admin("POST", "/maintenance", Some(json!({ "message": "New <disks>" })));
    assert_eq!((reply.status, &reply.json()["active"]), (200, &json!(true)), "{}", reply.body);
    for _ in 0..2 {
        let refused = hub.admin("POST", "/users/grace/server", None);
        assert_eq!(refused.status, 503);
        assert_eq!(refused.json()["message"], "New <disks>");
        assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
        let restart = hub.admin("POST", "/users/ada/server/restart", None);
        assert_eq!(restart.status, 503, "a restart could not start it again");
        eventually("ada's server", || (hub.server("ada", "")["ready"] == true).then_some(()));
        assert_eq!(hub.server("ada", "")["state"]["pid"], pid);
        let mut browser = Browser::signed_in(&hub, "grace");
        let page = browser.get("/hub/home");
        assert!(page.body.contains("New &lt;disks&gt;"), "{}", page.body);
        assert_eq!(browser.get("/hub/spawn/grace").status, 503);
        // it survives a restart of the hub
        hub.crash_and_restart();
    }
    let reply = hub.admin("DELETE", "/maintenance", None);
    assert_eq!((reply.status, &reply.json()["active"]), (200, &json!(false)));
    hub.spawn("grace");
    assert!(!hub.get("/hub/login").body.contains("disks"));
}

#[test]
fn who_waits_for_a_place_when_maintenance_begins_is_sent_away() {
    let extra =
        "hub.limits.active_servers = 1\nhub.limits.when_full = \"queue\"\nhub.timeouts.slow_spawn = 0";
    let hub = Hub::with(extra);
    for user in ["ada", "grace", "mary"] {
        hub.create_user(user);
    }
    hub.spawn("ada");
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 202);
    assert_eq!(hub.admin("POST", "/maintenance", None).status, 200);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    eventually("grace to be sent away", || hub.server("grace", "").is_null().then_some(()));
    assert_eq!(hub.admin("DELETE", "/maintenance", None).status, 200);
    hub.spawn("mary");
}

#[test]
fn maintenance_to_come_is_shown_and_refuses_nothing_yet() {
    let hub = Hub::start();
    hub.create_user("ada");
    let body = json!({ "message": "Soon", "in": 100_000, "for": 60 });
    assert_eq!(hub.admin("POST", "/maintenance", Some(body)).json()["active"], false);
    hub.spawn("ada");
    let page = hub.get("/hub/login").body;
    assert!(page.contains("Soon") && page.contains("Begins <time datetime="), "{page}");
}

#[test]
fn a_notice_ends_by_itself() {
    let hub = Hub::start();
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/maintenance", Some(json!({ "for": 1 }))).status, 200);
    eventually("the end", || {
        (hub.admin("GET", "/maintenance", None).json()["active"] == false).then_some(())
    });
    hub.spawn("ada");
}

#[test]
fn an_announcement_is_on_every_page_escaped_beside_the_configured_one() {
    let mut hub = Hub::with("hub.ui.template_vars = { announcement = \"<i>configured</i>\" }");
    let reply = hub.admin("POST", "/announcement", Some(json!({ "message": "<script>alert(1)</script>" })));
    assert_eq!((reply.status, &reply.json()["by"]), (200, &json!("service:tests")), "{}", reply.body);
    hub.crash_and_restart();
    for path in ["/hub/login", "/hub/nowhere"] {
        let page = hub.get(path).body;
        assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert(1)"), "{page}");
    }
    assert!(hub.get("/hub/login").body.contains("<i>configured</i>"));
    assert_eq!(hub.admin("DELETE", "/announcement", None).status, 200);
    assert!(!hub.get("/hub/login").body.contains("alert(1)"));
    for wrong in
        [json!({}), json!({ "message": "" }), json!({ "message": "x", "until": "2001-01-01T00:00:00Z" })]
    {
        assert_eq!(hub.admin("POST", "/announcement", Some(wrong.clone())).status, 400, "{wrong}");
    }
}
