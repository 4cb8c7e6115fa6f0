//! The configuration is read again while the hub runs: what changes, what does not, what is told.

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::hub::{Hub, Reply, eventually, kill};

/// Changes the file: `extra` in place of what `Hub::with` was given, by key.
fn change(hub: &Hub, extra: &str) {
    let text = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    let keys: Vec<&str> =
        extra.lines().filter_map(|line| line.split_once(" = ").map(|(key, _)| key)).collect();
    let kept = text.lines().filter(|line| !keys.iter().any(|key| line.starts_with(&format!("{key} = "))));
    std::fs::write(hub.path("orrery.toml"), kept.chain(extra.lines()).collect::<Vec<_>>().join("\n"))
        .unwrap();
}

fn remove(hub: &Hub, start: &str) {
    let text = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(start)).collect();
    std::fs::write(hub.path("orrery.toml"), kept.join("\n")).unwrap();
}

fn reload(hub: &Hub) -> Value {
    let reply = hub.admin("POST", "/reload", None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn applied(report: &Value) -> Vec<&str> {
    report["applied"].as_array().unwrap().iter().map(|change| change["key"].as_str().unwrap()).collect()
}

fn sign_in(hub: &Hub, name: &str) -> Reply {
    Browser::new(hub).sign_in(name, crate::support::hub::PASSWORD, "")
}

#[test]
fn a_reload_without_a_change_changes_nothing() {
    let hub = Hub::start();
    let report = reload(&hub);
    assert_eq!((&report["outcome"], &report["applied"]), (&json!("unchanged"), &json!([])));
    assert_eq!(report["files"].as_array().unwrap().len(), 1);
}

#[test]
fn a_limit_changes_while_servers_run() {
    let hub = Hub::with("hub.limits.active_servers = 1");
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    let pid = hub.spawn("ada")["state"]["pid"].clone();
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429);
    change(&hub, "hub.limits.active_servers = 2");
    let report = reload(&hub);
    assert_eq!(report["outcome"], "applied");
    assert_eq!(report["applied"], json!([{ "key": "hub.limits.active_servers", "before": 1, "after": 2 }]));
    hub.spawn("grace");
    assert_eq!(hub.server("ada", "")["state"]["pid"], pid, "who runs, runs on");
}

#[test]
fn who_waits_in_the_queue_gets_in_when_a_limit_is_raised() {
    let hub = Hub::with(
        "hub.limits.active_servers = 1\nhub.limits.when_full = \"queue\"\nhub.timeouts.slow_spawn = 0",
    );
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    hub.spawn("ada");
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 202);
    change(&hub, "hub.limits.active_servers = 0");
    reload(&hub);
    eventually("grace's turn", || (hub.server("grace", "")["ready"] == true).then_some(()));
}

#[test]
fn a_wrong_configuration_changes_nothing_and_every_mistake_is_told() {
    let hub = Hub::with("hub.limits.active_servers = 1");
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    hub.spawn("ada");
    change(&hub, "hub.limits.active_servers = 2\nhub.limits.concurrent_spwans = 5\nhub.port = \"x\"");
    let reply = hub.admin("POST", "/reload", None);
    assert_eq!(reply.status, 409);
    let problems = reply.json()["problems"].to_string();
    assert!(problems.contains("concurrent_spwans") && problems.contains("hub.port"), "{problems}");
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429, "the old limit holds");
    // what only the database can tell is wrong, too
    remove(&hub, "hub.limits.concurrent_spwans");
    change(&hub, "hub.port = 8081\nroles.reader.scopes = [\"no:such:scope\"]");
    let reply = hub.admin("POST", "/reload", None);
    assert_eq!(reply.status, 409, "{}", reply.body);
    assert!(reply.body.contains("no:such:scope"), "{}", reply.body);
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429, "the old limit still holds");
}

#[test]
fn what_needs_a_restart_is_told_and_not_done() {
    let hub = Hub::start();
    change(&hub, "proxy.keep_alive = 7\nhub.redirect_to_server = false");
    for _ in 0..2 {
        let report = reload(&hub);
        assert_eq!(
            report["needs_restart"],
            json!([{ "key": "proxy.keep_alive", "before": 5, "after": 7 }]),
            "told until it is done"
        );
    }
    assert_eq!(reload(&hub)["outcome"], "unchanged");
}

#[test]
fn allow_lists_and_admins_change() {
    let hub = Hub::with("auth.allow_all = false\nauth.allowed_users = [\"ada\"]");
    assert_eq!(sign_in(&hub, "grace").status, 403);
    change(&hub, "auth.allowed_users = [\"ada\", \"grace\"]\nauth.admin_users = [\"grace\"]");
    assert_eq!(applied(&reload(&hub)), ["auth.allowed_users", "auth.admin_users"]);
    assert_eq!(sign_in(&hub, "grace").status, 302);
    assert_eq!(hub.admin("GET", "/users/grace", None).json()["admin"], true);
}

#[test]
fn a_user_who_is_blocked_now_loses_server_and_rights() {
    let hub = Hub::with("auth.admin_users = [\"mallory\"]");
    hub.spawn("mallory");
    let token = hub.admin("POST", "/users/mallory/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/users", Some(&token), None).status, 200);
    change(&hub, "auth.admin_users = []\nauth.blocked_users = [\"mallory\"]");
    reload(&hub);
    eventually("the end of the server", || hub.server("mallory", "").is_null().then_some(()));
    assert_ne!(hub.api("GET", "/users", Some(&token), None).status, 200);
    assert_eq!(sign_in(&hub, "mallory").status, 403);
}

#[test]
fn roles_groups_and_scopes_change_and_count_at_once() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/users/tests", Some(&token), None).status, 404);
    assert_eq!(hub.api("GET", "/groups", Some(&token), None).status, 403);
    change(
        &hub,
        "groups.staff.users = [\"ada\"]\nscopes.\"custom:x:y\".description = \"X\"\n\
         roles.reader.scopes = [\"list:groups\", \"custom:x:y\"]\nroles.reader.groups = [\"staff\"]",
    );
    let report = reload(&hub);
    assert_eq!(report["outcome"], "applied", "{report}");
    let groups = hub.api("GET", "/groups", Some(&token), None);
    assert!(groups.status == 200 && groups.body.contains("staff"), "{}", groups.body);
    let me = hub.api("GET", "/user", Some(&token), None);
    assert!(me.body.contains("custom:x:y"), "{}", me.body);
    remove(&hub, "roles.reader");
    remove(&hub, "scopes");
    reload(&hub);
    assert_eq!(hub.api("GET", "/groups", Some(&token), None).status, 403);
}

#[test]
fn a_service_comes_changes_and_goes() {
    let serve = "import http.server,os,urllib.parse as u\nclass H(http.server.BaseHTTPRequestHandler):\n def do_GET(s):\n  s.send_response(200); s.end_headers(); s.wfile.write(os.environ['WORD'].encode())\nhttp.server.HTTPServer(('127.0.0.1',u.urlparse(os.environ['JUPYTERHUB_SERVICE_URL']).port),H).serve_forever()";
    let port = crate::support::hub::free_port();
    let service = |word: &str| {
        let command = serde_json::to_string(&json!(["python3", "-c", serve])).unwrap();
        format!(
            "services.web.command = {command}\nservices.web.url = \"http://127.0.0.1:{port}\"\n\
             services.web.environment = {{ WORD = \"{word}\" }}"
        )
    };
    let hub = Hub::start();
    assert_ne!(hub.get("/services/web/").status, 200);
    change(&hub, &service("one"));
    reload(&hub);
    let says = |word: &str| {
        eventually("the service", || {
            let reply = hub.get("/services/web/");
            (reply.status == 200 && reply.body == word).then_some(())
        });
    };
    says("one");
    let pid = hub.admin("GET", "/services/web", None).json()["pid"].clone();
    // another change leaves it alone
    change(&hub, "hub.limits.active_servers = 9");
    reload(&hub);
    assert_eq!(hub.admin("GET", "/services/web", None).json()["pid"], pid);
    change(&hub, &service("two"));
    let report = reload(&hub);
    assert!(!report.to_string().contains("two"), "environments may hold secrets: {report}");
    says("two");
    remove(&hub, "services.web");
    reload(&hub);
    assert_eq!(hub.admin("GET", "/services/web", None).status, 404);
    eventually("the route to be gone", || (hub.get("/services/web/").status != 200).then_some(()));
}

#[test]
fn a_server_that_is_just_starting_keeps_its_token_over_a_reload() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"2\" }");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    change(&hub, "auth.admin_users = [\"root\"]");
    assert_eq!(reload(&hub)["outcome"], "applied");
    eventually("the server", || (hub.server("ada", "")["ready"] == true).then_some(()));
    let token = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 200);
}

#[test]
fn templates_and_their_variables_change() {
    let hub = Hub::with("hub.ui.template_vars = { announcement = \"before\" }");
    assert!(hub.get("/hub/login").body.contains("before"));
    std::fs::create_dir(hub.path("pages")).unwrap();
    std::fs::write(hub.path("pages/login.html"), "own page, {{ announcement }}").unwrap();
    let folder = hub.path("pages");
    change(
        &hub,
        &format!(
            "hub.ui.template_vars = {{ announcement = \"after\" }}\nhub.ui.template_paths = [\"{}\"]",
            folder.display()
        ),
    );
    reload(&hub);
    assert!(hub.get("/hub/login").body.contains("own page, after"));
    std::fs::write(hub.path("pages/login.html"), "{% broken").unwrap();
    change(&hub, "hub.ui.template_vars = { announcement = \"late\" }");
    assert_eq!(hub.admin("POST", "/reload", None).status, 409, "a broken template is refused");
    let page = hub.get("/hub/login");
    assert!(page.body.contains("own page, after"), "{page:?}");
    std::fs::write(hub.path("pages/login.html"), "other page").unwrap();
    remove(&hub, "hub.ui.template_vars");
    change(&hub, "hub.ui.template_vars = { announcement = \"after\" }");
    assert_eq!(reload(&hub)["outcome"], "unchanged", "no key has changed");
    assert!(hub.get("/hub/login").body.contains("other page"));
}

#[test]
fn the_command_of_servers_and_the_culler_change() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.spawn("ada");
    change(&hub, "spawner.environment = { WORD = \"new\" }\nculler.enabled = true\nculler.timeout = 100000");
    reload(&hub);
    assert!(hub.server("ada", "")["cull_at"].is_string(), "{}", hub.server("ada", ""));
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    hub.spawn("ada");
    assert_eq!(hub.get("/user/ada/env").json()["WORD"], "new");
}

#[test]
fn sighup_reads_the_configuration_again_and_the_journal_says_who_asked() {
    let hub = Hub::start();
    change(&hub, "hub.limits.active_servers = 3");
    kill(hub.pid(), "HUP");
    eventually("the reload", || hub.log().contains("the configuration was read again").then_some(()));
    assert!(hub.log().contains("hub.limits.active_servers"), "{}", hub.log());
    change(&hub, "hub.limits.active_servers = \"x\"");
    kill(hub.pid(), "HUP");
    eventually("the refusal", || hub.log().contains("nothing was changed").then_some(()));
    assert_eq!(hub.get("/hub/health").status, 200);
    let journal = eventually("the journal", || {
        let journal = hub.admin("GET", "/journal?action=hub.reload", None).json();
        (journal["items"].as_array().unwrap().len() == 2).then_some(journal)
    });
    assert_eq!(journal["items"][0]["actor"], "signal:SIGHUP");
    assert_eq!(journal["items"][0]["detail"]["outcome"], "refused");
    assert_eq!(journal["items"][1]["detail"]["applied"], json!(["hub.limits.active_servers"]));
}

#[test]
fn a_reload_is_for_those_who_may_end_the_hub() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    for token in [Some(token.as_str()), None] {
        assert_eq!(hub.api("GET", "/reload", token, None).status, 403);
    }
    for path in ["/reload", "/maintenance", "/announcement"] {
        assert_eq!(hub.api("POST", path, Some(&token), None).status, 403, "{path}");
        assert_eq!(hub.api("POST", path, None, None).status, 403, "{path}");
    }
}

#[test]
fn a_preview_tells_what_a_reload_would_change_and_changes_nothing() {
    let hub = Hub::with(
        "hub.limits.active_servers = 1\nhub.cookie_max_age = 3600\nservices.old.api_token = \"first-hidden-token-of-it\"",
    );
    for user in ["ada", "grace"] {
        hub.create_user(user);
    }
    hub.spawn("ada");
    change(
        &hub,
        "hub.limits.active_servers = 2\nproxy.keep_alive = 7\nservices.old.api_token = \"other-hidden-token-of-it\"",
    );
    let journal = || hub.admin("GET", "/journal?action=hub.reload", None).json()["items"].clone();
    let preview = || hub.admin("GET", "/reload", None);
    let first = preview();
    assert_eq!(first.status, 200, "{}", first.body);
    let report = first.json();
    assert_eq!(report["outcome"], "applied");
    assert_eq!(applied(&report), ["hub.limits.active_servers", "services.old.api_token"]);
    assert_eq!(
        report["applied"][1],
        json!({ "key": "services.old.api_token", "before": "***", "after": "***" })
    );
    assert_eq!(report["needs_restart"][0]["key"], "proxy.keep_alive");
    assert!(!first.body.contains("hidden"), "{}", first.body);
    assert_eq!(preview().json(), report, "told until it is done");
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429, "the old limit holds");
    assert_eq!(hub.api("GET", "/user", Some("first-hidden-token-of-it"), None).status, 200);
    assert_eq!(journal(), json!([]), "nothing was done");
    assert_eq!(reload(&hub), report, "the reload says the same");
    assert_eq!(
        (preview().json()["outcome"].clone(), preview().json()["applied"].clone()),
        (json!("unchanged"), json!([]))
    );
    change(&hub, "hub.limits.concurrent_spwans = 5");
    let wrong = preview();
    assert_eq!(wrong.status, 409, "{}", wrong.body);
    assert!(wrong.json()["problems"].to_string().contains("concurrent_spwans"), "{}", wrong.body);
    // what only the database can tell
    remove(&hub, "hub.limits.concurrent_spwans");
    change(&hub, "roles.reader.scopes = [\"no:such:scope\"]");
    let wrong = preview();
    assert_eq!(wrong.status, 409, "{}", wrong.body);
    assert!(wrong.body.contains("no:such:scope"), "{}", wrong.body);
    // also what is fine is taken back
    change(
        &hub,
        "roles.reader.scopes = [\"list:users\"]\nroles.reader.users = [\"ada\", \"newcomer\"]\ngroups.new.users = [\"grace\"]",
    );
    assert_eq!(preview().status, 200);
    assert_eq!(hub.admin("GET", "/users/newcomer", None).status, 404);
    assert_eq!(hub.admin("GET", "/groups/new", None).status, 404);
    assert_eq!(hub.admin("GET", "/users/ada", None).json()["roles"], json!(["user"]));
}

#[test]
fn a_file_that_is_just_being_written_does_not_mean_all_defaults() {
    let hub = Hub::start();
    let text = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    std::fs::write(hub.path("orrery.toml"), "").unwrap();
    let reply = hub.admin("POST", "/reload", None);
    assert_eq!(reply.status, 409, "{}", reply.body);
    assert!(reply.body.contains("is empty, as a file is while it is being written"), "{}", reply.body);
    std::fs::write(hub.path("orrery.toml"), text).unwrap();
    assert_eq!(reload(&hub)["outcome"], "unchanged");
}
