//! `proxy.type = "external"`.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::super::support::browser::Browser;
use super::super::support::chp::Chp;
use super::super::support::chp::program;
use super::super::support::hub::{
    ADMIN_TOKEN, Hub, agent, eventually, free_port, kill, request, run, settings,
};
use super::target;

#[test]
fn proxy_025_a_day_with_the_reference_s_proxy() {
    let Some(proxy) = Chp::start() else { return };
    let hub = Hub::at(proxy.port, &proxy.settings());
    let routes = proxy.routes();
    assert_eq!(routes.len(), 1, "only the hub's at the start: {routes:?}");
    assert_eq!((&routes["/"]["hub"], &routes["/"]["jupyterhub"]), (&json!(true), &json!(true)));
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/home").status, 200);
    let server = hub.spawn("ada");
    let entry = &proxy.routes()["/user/ada"];
    assert_eq!((&entry["user"], &entry["server_name"]), (&json!("ada"), &json!("")));
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], server["state"]["pid"]);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    eventually("the route to go", || (!proxy.routes().contains_key("/user/ada")).then_some(()));
    assert_eq!(hub.get("/nowhere/x").status, 302, "the hub has the rest");
    assert_eq!(hub.get("/user/ada/x").status, 302);
}

#[test]
fn proxy_027_odd_names_have_routes_and_survive_a_check() {
    let Some(proxy) = Chp::start() else { return };
    let hub = Hub::at(proxy.port, &proxy.settings());
    for (name, spec, key) in [
        ("zoe", "/user/zoe/", "/user/zoe"),
        ("50fia", "/user/50fia/", "/user/50fia"),
        ("%E7%A7%80%E6%A8%B9", "/user/%E7%A7%80%E6%A8%B9/", "/user/秀樹"),
        ("~TestJH", "/user/~TestJH/", "/user/~TestJH"),
        ("has@", "/user/has@/", "/user/has@"),
        ("a%20b", "/user/a%20b/", "/user/a b"),
    ] {
        hub.create_user(name);
        assert!(matches!(hub.admin("POST", &format!("/users/{name}/server"), None).status, 201 | 202));
        let leads = eventually("the route", || target(&hub, spec));
        assert_eq!(proxy.routes()[key]["target"], leads.as_str(), "{name}");
        // lost, and put back
        assert_eq!(proxy.api("DELETE", spec.trim_end_matches('/'), None).status, 204);
        assert_eq!(target(&hub, spec), None);
        assert_eq!(hub.admin("POST", "/proxy", None).status, 200);
        assert_eq!(target(&hub, spec), Some(leads));
        assert_eq!(hub.get(&format!("{spec}whoami")).status, 200);
    }
}

#[test]
fn proxy_026_a_check_puts_the_hubs_routes_right_and_leaves_others_alone() {
    let Some(proxy) = Chp::start() else { return };
    let extra = "proxy.extra_routes.\"/extra/\" = \"http://127.0.0.1:9\"\n\
                 proxy.extra_routes.\"/kept/\" = \"http://127.0.0.1:9\"";
    let hub = Hub::at(proxy.port, &format!("{}{extra}", proxy.settings()));
    let foreign = json!({"target": "http://127.0.0.1:9"});
    let stale =
        json!({"target": "http://127.0.0.1:9", "jupyterhub": true, "user": "gone", "server_name": ""});
    let wrong = json!({"target": "http://127.0.0.1:9", "jupyterhub": true, "extra": true});
    hub.create_user("ada");
    hub.spawn("ada");
    let before = proxy.routes();
    for (path, entry) in [("/mine", foreign), ("/user/gone", stale), ("/user/ada", wrong)] {
        assert_eq!(proxy.api("POST", path, Some(entry)).status, 201);
    }
    assert_eq!(proxy.api("DELETE", "/extra", None).status, 204);
    assert_eq!(hub.admin("POST", "/proxy", None).status, 200);
    let after = proxy.routes();
    assert!(after.contains_key("/mine") && !after.contains_key("/user/gone"), "{after:?}");
    assert_eq!(after["/user/ada"]["target"], before["/user/ada"]["target"]);
    assert_eq!(after["/extra"]["extra"], true);
    assert_eq!(after["/kept"], before["/kept"], "what is right is not written again");
    let shown = hub.admin("GET", "/proxy", None).json();
    assert!(
        shown.get("/mine/").is_none()
            && shown["/extra/"]["data"]
                == json!({"extra": true, "last_activity": after["/extra"]["last_activity"]}),
        "{shown}"
    );
}

#[test]
fn a_new_and_empty_proxy_is_filled_by_a_check() {
    let Some(mut proxy) = Chp::start() else { return };
    let hub = Hub::at(proxy.port, &proxy.settings());
    hub.create_user("ada");
    hub.spawn("ada");
    proxy.restart();
    assert!(proxy.routes().is_empty());
    // the proxy does not lead to the hub any more
    let headers = [("authorization".to_owned(), format!("token {ADMIN_TOKEN}"))];
    let url = format!("{}/hub/api/proxy", hub_origin(&hub));
    assert_eq!(request(&agent(), "POST", &url, &headers, String::new()).status, 200);
    assert_eq!(proxy.routes().len(), 2);
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
}

#[test]
fn a_new_and_empty_proxy_is_filled_at_the_next_round() {
    let Some(mut proxy) = Chp::start() else { return };
    let hub = Hub::at(proxy.port, &format!("{}hub.activity.interval = 0.2", proxy.settings()));
    proxy.restart();
    eventually("the hub's route", || proxy.routes().contains_key("/").then_some(()));
    assert_eq!(hub.get("/hub/health").status, 200);
}

#[test]
fn proxy_030_the_hub_moves_to_another_proxy() {
    let (Some(first), Some(second)) = (Chp::start(), Chp::start()) else { return };
    let hub = Hub::at(first.port, &first.settings());
    hub.create_user("ada");
    hub.spawn("ada");
    for bad in [
        json!([]),
        json!("x"),
        json!({"api_url": 1}),
        json!({"api_url": "ftp://x"}),
        json!({"auth_token": 1}),
    ] {
        assert_eq!(hub.admin("PATCH", "/proxy", Some(bad)).status, 400);
    }
    let body = json!({"api_url": format!("http://127.0.0.1:{}", second.api), "auth_token": second.token});
    assert_eq!(hub.admin("PATCH", "/proxy", Some(body)).status, 200);
    assert_eq!(second.routes().len(), 2);
    hub.create_user("grace");
    hub.spawn("grace");
    assert!(second.routes().contains_key("/user/grace") && !first.routes().contains_key("/user/grace"));
}

#[test]
fn life_048_a_restarted_hub_leaves_routes_and_connections_alone() {
    let Some(proxy) = Chp::start() else { return };
    let mut hub = Hub::at(proxy.port, &proxy.settings());
    hub.create_user("ada");
    hub.spawn("ada");
    let before = proxy.routes();
    let mut open = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
    ask(&mut open);
    hub.crash_and_restart();
    eventually("the adoption", || (hub.server("ada", "")["ready"] == true).then_some(()));
    assert_eq!(hub.admin("POST", "/proxy", None).status, 200);
    ask(&mut open);
    let after = proxy.routes();
    assert_eq!(after["/user/ada"]["target"], before["/user/ada"]["target"]);
    // servers that died meanwhile lose theirs
    let pid = u32::try_from(hub.server("ada", "")["state"]["pid"].as_u64().unwrap()).unwrap();
    kill(hub.pid(), "STOP");
    kill(pid, "KILL");
    hub.crash_and_restart();
    eventually("the stale route to go", || (!proxy.routes().contains_key("/user/ada")).then_some(()));
}

/// A request on a kept connection.
fn ask(stream: &mut TcpStream) {
    write!(stream, "GET /user/ada/whoami HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.windows(7).any(|seven| seven == b"\"pid\": ")
        || !answer.ends_with(b"}\r\n0\r\n\r\n") && !answer.ends_with(b"}")
    {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn activity_that_the_proxy_saw_becomes_the_servers() {
    let Some(proxy) = Chp::start() else { return };
    let extra = "hub.activity.interval = 0.2\nhub.activity.resolution = 0";
    let hub = Hub::at(proxy.port, &format!("{}{extra}", proxy.settings()));
    hub.create_user("ada");
    hub.spawn("ada");
    let seen = |hub: &Hub| hub.server("ada", "")["last_activity"].as_str().map(str::to_owned);
    let before = seen(&hub);
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
    let used =
        proxy.routes()["/user/ada"]["last_activity"].as_str().unwrap().trim_end_matches('Z').to_owned();
    eventually("the activity", || {
        seen(&hub).filter(|now| Some(now) != before.as_ref() && now.starts_with(&used))
    });
}

#[test]
fn a_hub_waits_for_a_proxy_that_is_still_starting() {
    let (port, api) = (free_port(), free_port());
    if program().is_none() {
        return;
    }
    let late = std::thread::spawn(move || {
        // the hub's own port answers before the proxy is there
        std::thread::park_timeout(std::time::Duration::from_millis(700));
        Chp::at(port, api).unwrap()
    });
    let extra = format!(
        "proxy.type = \"external\"\nproxy.api_url = \"http://127.0.0.1:{api}\"\nproxy.auth_token = \"token-of-{api}\""
    );
    let hub = Hub::at(port, &extra);
    assert_eq!(hub.get("/hub/health").status, 200);
    drop(late.join().unwrap());
}

#[test]
fn a_token_that_the_proxy_refuses_ends_the_start_and_is_told() {
    let Some(proxy) = Chp::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    let extra = proxy.settings().replace(&proxy.token, "wrong-token");
    std::fs::write(&file, settings(folder.path(), proxy.port, &extra)).unwrap();
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], folder.path());
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("403") && said.contains("CONFIGPROXY_AUTH_TOKEN") && !said.contains("wrong-token"),
        "{said}"
    );
}

#[test]
fn cfg_026_an_external_proxy_without_a_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    std::fs::write(&file, settings(folder.path(), free_port(), "proxy.type = \"external\"")).unwrap();
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], folder.path());
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("proxy.auth_token"), "{said}");
}

/// The hub's own port.
fn hub_origin(hub: &Hub) -> String {
    let config = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    let line = config.lines().find(|line| line.starts_with("hub.bind_url")).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}
