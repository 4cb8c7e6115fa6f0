//! Starting and stopping servers, and the addresses of those that don't run (pages.md 6.4 to 6.9).

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, agent, eventually};
use super::{anonymous, hidden};

#[test]
fn a_visit_to_the_spawn_page_starts_the_server_and_leads_there() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get("/hub/spawn?next=%2Fuser%2Fada%2Fenv");
    assert_eq!((reply.status, reply.location()), (302, "/hub/spawn-pending/ada?next=%2Fuser%2Fada%2Fenv"));
    let ready = eventually("the server", || {
        let reply = browser.get("/hub/spawn-pending/ada?next=%2Fuser%2Fada%2Fenv");
        (reply.status == 302).then_some(reply)
    });
    assert_eq!(ready.location(), "/user/ada/env");
    assert_eq!(browser.get("/user/ada/env").json()["JUPYTERHUB_USER"], "ada");
    assert_eq!(browser.get("/hub/spawn").location(), "/user/ada/");
    assert_eq!(browser.get("/hub/").location(), "/user/ada/");
}

#[test]
fn without_scripts_a_form_stops_the_server() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    let home = browser.get("/hub/home");
    assert!(home.body.contains("action=\"/hub/stop/ada\""), "{}", home.body);
    let token = hidden(&home.body, "_xsrf");
    let reply = browser.post("/hub/stop/ada", &[("_xsrf", &token)]);
    assert_eq!((reply.status, reply.location()), (303, "/hub/home"));
    eventually("the stop", || hub.server("ada", "").is_null().then_some(()));
}

/// The stream says that there is something new, the list has it.
#[test]
fn ui_024_ui_025_an_open_home_page_is_told_of_changes() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let version = |html: &str| {
        let (_, rest) = html.split_once("data-version=\"").unwrap_or_else(|| panic!("{html}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let first = version(&browser.get("/hub/home").body);
    let part = browser.get("/hub/home/servers");
    assert_eq!((part.status, version(&part.body)), (200, first.clone()));
    assert!(!part.body.contains("<main") && part.body.contains("Start My Server"), "{}", part.body);

    let cookies: Vec<String> =
        browser.cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    let mut stream = std::io::BufReader::new(
        agent()
            .get(&format!("{}/hub/home/events", hub.url))
            .header("cookie", &cookies.join("; "))
            .call()
            .unwrap()
            .into_body()
            .into_reader(),
    );
    let mut next = || {
        use std::io::BufRead;
        loop {
            let mut line = String::new();
            assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(version) = line.strip_prefix("data: ") {
                return version.trim().to_owned();
            }
        }
    };
    assert_eq!(next(), first);
    hub.spawn("ada");
    let mut told = next();
    eventually("the news of the running server", || {
        let part = browser.get("/hub/home/servers").body;
        let current = part.contains("data-state=\"running\"") && version(&part) == told;
        if !current {
            told = next();
        }
        current.then_some(())
    });
    for path in ["/hub/home/events", "/hub/home/servers"] {
        assert!(anonymous(&hub, "GET", path, &[]).location().starts_with("/hub/login"), "{path}");
    }
}

#[test]
fn su_062_a_start_that_fails_says_why_and_offers_another() {
    let hub = Hub::with("spawner.environment = { FAKE_FAIL = \"1\" }");
    let mut browser = Browser::signed_in(&hub, "ada");
    let first = browser.get("/hub/spawn");
    assert!(matches!(first.status, 302 | 500), "{}", first.body);
    let failed = eventually("the failure", || {
        let reply = browser.get("/hub/spawn-pending/ada?next=%2Fhub%2Fhome");
        (reply.status == 500).then_some(reply)
    });
    assert!(failed.body.contains("Spawn failed"), "{}", failed.body);
    assert!(
        failed.body.contains("the disk quota of this user is exceeded"),
        "its last words: {}",
        failed.body
    );
    assert!(failed.body.contains("href=\"/hub/spawn/ada?next=%2Fhub%2Fhome\""), "{}", failed.body);
    let home = browser.get("/hub/home").body;
    assert!(home.contains("the disk quota of this user is exceeded"), "{home}");
    let visit = browser.get("/hub/user/ada/lab");
    assert_eq!(
        (visit.status, visit.location()),
        (303, "/hub/spawn-pending/ada?next=%2Fhub%2Fuser%2Fada%2Flab")
    );
}

#[test]
fn su_040_su_041_a_stopped_server_is_offered_to_people() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/user/ada").location(), "/user/ada/");
    assert_eq!(browser.get("/user/ada/lab?x=1").location(), "/hub/user/ada/lab?x=1");
    let reply = browser.get("/hub/user/ada/lab?x=1");
    assert_eq!(reply.status, 424);
    let link = "href=\"/hub/spawn/ada?next=%2Fhub%2Fuser%2Fada%2Flab%3Fx%3D1\"";
    assert!(reply.body.contains(link), "{}", reply.body);
    assert!(hub.server("ada", "").is_null(), "looking starts nothing");
}

#[test]
fn su_041_su_046_su_047_su_048_a_stopped_server_is_explained_to_programs() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let authorization = format!("token {token}");
    let bearer = [("authorization", authorization.as_str())];
    let json = [("accept", "application/json"), ("sec-fetch-mode", "cors")];
    let replies = [
        browser.get("/hub/user/ada/api/contents"),
        browser.send("GET", "/hub/user/ada/api/contents", &json, String::new()),
        anonymous(&hub, "GET", "/hub/user/ada/api/contents", &bearer),
        anonymous(&hub, "POST", "/hub/user/ada/api/contents", &bearer),
        anonymous(&hub, "DELETE", "/user/ada/api/contents", &bearer),
        // UI-081: signed out, too, and whoever's it is
        anonymous(&hub, "GET", "/hub/user/ada/api/contents", &[]),
    ];
    for reply in replies {
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (424, Some("application/json")),
            "{}",
            reply.body
        );
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("at /user/ada/api/contents."), "{message}");
        assert!(message.contains(&format!("{}/hub/spawn/ada", hub.url)), "{message}");
    }
    assert_eq!(anonymous(&hub, "POST", "/user/ada/api/contents", &[]).status, 403);
}

#[test]
fn su_050_a_segment_api_asks_for_json_and_api_txt_does_not() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let kind = |reply: crate::support::hub::Reply| {
        assert_eq!(reply.status, 424);
        reply.header("content-type").unwrap().split(';').next().unwrap().to_owned()
    };
    for path in ["api", "a/api/b", "api/"] {
        assert_eq!(kind(browser.get(&format!("/hub/user/ada/{path}"))), "application/json", "{path}");
    }
    for path in ["api.txt", "apis/x", "API"] {
        assert_eq!(kind(browser.get(&format!("/hub/user/ada/{path}"))), "text/html", "{path}");
    }
}

#[test]
fn su_046_asking_for_a_stopped_server_with_a_token_is_no_activity() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let last = || hub.admin("GET", "/users/ada", None).json()["last_activity"].clone();
    let before = last();
    let authorization = format!("token {token}");
    let reply = anonymous(&hub, "GET", "/hub/user/ada/api/x", &[("authorization", authorization.as_str())]);
    assert_eq!(reply.status, 424);
    // what comes later is not written down earlier
    hub.create_user("grace");
    let other = hub.admin("POST", "/users/grace/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&other), None).status, 200);
    let of_grace = || hub.admin("GET", "/users/grace", None).json()["last_activity"].clone();
    eventually("grace's activity", || (!of_grace().is_null()).then_some(()));
    assert_eq!(last(), before);
}

#[test]
fn su_043_a_server_on_its_way_leads_people_to_its_progress_and_programs_to_424() {
    let hub = Hub::with("hub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"600\" }");
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let reply = browser.get("/hub/user/ada/lab?x=1");
    assert_eq!(
        (reply.status, reply.location()),
        (303, "/hub/spawn-pending/ada?next=%2Fhub%2Fuser%2Fada%2Flab%3Fx%3D1")
    );
    assert_eq!(browser.get("/hub/user/ada/api/contents").status, 424);
    hub.admin("DELETE", "/users/ada/server", None);
}

#[test]
fn su_045_a_server_that_is_not_ones_own_and_one_that_is_nobodys_are_the_same_404() {
    let hub = Hub::with("auth.admin_users = [\"root\"]");
    hub.create_user("grace");
    let mut browser = Browser::signed_in(&hub, "ada");
    let (others, nobodys) = (browser.get("/hub/user/grace/lab"), browser.get("/hub/user/nobody/lab"));
    assert_eq!((others.status, nobodys.status), (404, 404));
    let mut admin = Browser::signed_in(&hub, "root");
    assert_eq!(admin.get("/hub/user/nobody/lab").status, 404, "also to who may go everywhere");
}

#[test]
fn su_049_the_page_of_the_proxys_errors_is_200_for_everybody() {
    let hub = Hub::start();
    for code in [503, 404, 502] {
        let reply = anonymous(&hub, "GET", &format!("/hub/error/{code}?url=%2Fuser%2Fada%2F"), &[]);
        assert_eq!(reply.status, 200);
        assert!(reply.header("content-type").unwrap().starts_with("text/html"));
        assert!(reply.body.contains(&code.to_string()), "{}", reply.body);
    }
}

#[test]
fn su_064_a_page_starts_a_server_by_itself_only_where_that_is_configured() {
    for (more, seconds) in [("", None), ("hub.implicit_spawn_after = 2.5", Some("2.5"))] {
        let hub = Hub::with(more);
        let page = Browser::signed_in(&hub, "ada").get("/hub/user/ada/lab");
        assert_eq!(page.status, 424);
        let told = page
            .body
            .split_once("data-implicit-spawn-seconds=\"")
            .map(|(_, rest)| rest.split('"').next().unwrap());
        assert_eq!(told, seconds, "{}", page.body);
        assert!(hub.server("ada", "").is_null(), "the hub itself starts nothing");
    }
}

#[test]
fn su_042_old_clients_get_503_for_a_stopped_server() {
    let hub = Hub::with("hub.legacy_stopped_server_status = true");
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/user/ada/lab").status, 503);
    assert_eq!(browser.get("/hub/user/ada/api/x").status, 503);
}

#[test]
fn su_044_a_browser_does_not_run_in_circles_between_hub_and_proxy() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    assert_eq!(browser.get("/hub/user/ada/lab?a=b").location(), "/user/ada/lab?a=b&redirects=1");
    let end = browser.get("/hub/user/ada/lab?redirects=4");
    assert_eq!(end.status, 500);
    assert!(end.body.contains("Redirect loop detected"), "{}", end.body);
}

#[test]
fn su_063_a_link_for_everybody_leads_to_the_own_server() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get("/hub/user-redirect/lab/tree/x%20y.ipynb?a=b");
    assert_eq!(reply.location(), "/hub/spawn/ada?next=%2Fuser%2Fada%2Flab%2Ftree%2Fx%2520y.ipynb%3Fa%3Db");
}

#[test]
fn the_options_form_comes_back_as_options() {
    let hub = Hub::with("spawner.options_form = \"<input name='energy'>\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get("/hub/spawn?next=/hub/home");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<input name='energy'>"), "{}", page.body);
    let token = browser.xsrf();
    let action = format!("/hub/spawn?next=%2Fhub%2Fhome&amp;_xsrf={token}");
    assert!(page.body.contains(&format!("action=\"{action}\"")), "{}", page.body);
    assert!(
        page.body.contains(&format!("name=\"_xsrf\" value=\"{token}\"")),
        "the script uses it: {}",
        page.body
    );
    let action = "/hub/spawn?next=%2Fhub%2Fhome";
    assert!(hub.server("ada", "").is_null(), "a form starts nothing");

    let part =
        |name, value| format!("--q\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let body = format!("{}{}--q--\r\n", part("_xsrf", token.as_str()), part("energy", "511 keV"));
    let headers = [("content-type", "multipart/form-data; boundary=q")];
    let reply = browser.send("POST", action, &headers, body);
    assert_eq!(reply.location(), "/hub/spawn-pending/ada?next=%2Fhub%2Fhome", "the token is not passed on");
    let server =
        eventually("the server", || Some(hub.server("ada", "")).filter(|server| server["ready"] == true));
    assert_eq!(server["user_options"], serde_json::json!({"energy": ["511 keV"]}));
    assert_eq!(browser.post(action, &[("_xsrf", &token)]).status, 400, "it runs already");
}

#[test]
fn su_060_nameless_options_are_refused() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/spawn?opt-=1").status, 422);
}

#[test]
fn named_servers_obey_name_rules_and_limit() {
    let hub = Hub::with("hub.named_servers.enabled = true\nhub.limits.named_servers_per_user = 1");
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/spawn/ada/Not--A-Name").status, 400);
    assert_eq!(browser.get("/hub/spawn/ada/one?display_name=One").location(), "/hub/spawn-pending/ada/one");
    let second = browser.get("/hub/spawn/ada/two");
    assert!(second.status == 400 && second.body.contains("maximum of 1"), "{}", second.body);
    assert_eq!(browser.get("/hub/spawn-pending/ada/two").status, 404);
    assert!(browser.get("/hub/home").body.contains("One"));
}
