//! `proxy.type = "child"`.

use serde_json::json;

use super::super::support::chp::{api, program};
use super::super::support::hub::{Hub, agent, eventually, free_port, kill, run, settings};
use super::target;

pub(super) fn child_settings(api: u16) -> Option<String> {
    let program = program()?;
    Some(format!(
        "proxy.type = \"child\"\nproxy.command = \"{}\"\nproxy.api_url = \"http://127.0.0.1:{api}\"\n\
         proxy.pid_file = \"proxy.pid\"\nproxy.check_interval = 0.1\n",
        program.display()
    ))
}

fn pid(hub: &Hub) -> Option<u32> {
    std::fs::read_to_string(hub.path("proxy.pid")).ok()?.trim().parse().ok()
}

/// Whether it has ended; one that only waits for a new parent to look at it has.
fn gone(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |line| line.is_empty())
}

#[test]
fn proxy_025_the_hub_starts_and_stops_its_proxy() {
    let api_port = free_port();
    let Some(settings) = child_settings(api_port) else { return };
    let mut hub = Hub::with(&settings);
    let proxy = pid(&hub).unwrap();
    hub.create_user("ada");
    hub.spawn("ada");
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
    assert_eq!(api(api_port, "", "GET", "", None).status, 403, "a random token protects its API");
    let line = std::fs::read(format!("/proc/{proxy}/cmdline")).unwrap();
    let line = String::from_utf8(line).unwrap().replace('\0', " ");
    assert!(line.contains("--ip 127.0.0.1 --port") && line.contains("/hub/error --log-level info"), "{line}");
    assert!(!line.to_lowercase().contains("token"), "{line}");
    assert_eq!(hub.get("/user/nobody/x").status, 302);
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(gone(proxy) && pid(&hub).is_none());
}

#[test]
fn life_047_a_killed_proxy_comes_back_with_all_routes() {
    let Some(settings) = child_settings(free_port()) else { return };
    let extra = "proxy.extra_routes.\"/extra/\" = \"http://127.0.0.1:9\"";
    let hub = Hub::with(&format!("{settings}{extra}"));
    hub.create_user("ada");
    hub.spawn("ada");
    let before = target(&hub, "/user/ada/");
    let first = pid(&hub).unwrap();
    kill(first, "KILL");
    let second = eventually("another proxy", || pid(&hub).filter(|pid| *pid != first));
    eventually("the routes", || {
        let reply = agent().get(format!("{}/user/ada/whoami", hub.url)).call().ok()?;
        (reply.status() == 200).then_some(())
    });
    assert_eq!(target(&hub, "/user/ada/"), before);
    assert!(target(&hub, "/extra/").is_some(), "extra routes return too");
    assert!(!gone(second));
}

#[test]
fn proxy_029_a_crashed_hub_s_proxy_is_replaced_by_the_next_hub() {
    let Some(settings) = child_settings(free_port()) else { return };
    let mut hub = Hub::with(&settings);
    hub.create_user("ada");
    hub.spawn("ada");
    let first = pid(&hub).unwrap();
    hub.crash_and_restart();
    let second = pid(&hub).unwrap();
    assert_ne!(first, second);
    assert!(gone(first));
    eventually("the route", || target(&hub, "/user/ada/"));
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
}

#[test]
fn life_006_the_proxy_can_be_left_running() {
    let Some(settings) = child_settings(free_port()) else { return };
    let mut hub = Hub::with(&settings);
    let proxy = pid(&hub).unwrap();
    let asked = hub.admin("POST", "/shutdown", Some(json!({"proxy": false, "servers": false})));
    assert_eq!(asked.status, 202);
    assert_eq!(hub.wait().code(), Some(0), "{}", hub.log());
    assert!(!gone(proxy) && pid(&hub) == Some(proxy));
    hub.start_again();
    assert_ne!(pid(&hub), Some(proxy), "its token is not known any more");
    assert!(gone(proxy));
}

#[test]
fn net_014_the_api_of_the_proxy_may_be_a_unix_socket() {
    let Some(settings) = child_settings(free_port()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("api.sock");
    let url = format!("http+unix://{}", socket.display().to_string().replace('/', "%2F"));
    let kept: Vec<&str> = settings.lines().filter(|line| !line.starts_with("proxy.api_url")).collect();
    let mut hub = Hub::with(&format!("{}\nproxy.api_url = \"{url}\"", kept.join("\n")));
    hub.create_user("ada");
    hub.spawn("ada");
    assert_eq!(hub.get("/user/ada/whoami").status, 200);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o770);
    // NET-016: a crash leaves the socket
    hub.crash_and_restart();
    eventually("the route", || target(&hub, "/user/ada/"));
    assert_eq!(hub.terminate().code(), Some(0));
    assert!(!socket.exists());
}

/// What a hub says that cannot start its proxy.
fn refused(extra: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    std::fs::write(&file, settings(folder.path(), free_port(), extra)).unwrap();
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], folder.path());
    assert_eq!(status, Some(1), "{said}");
    said
}

#[test]
fn life_004_a_proxy_that_cannot_be_started_ends_the_start() {
    let said = refused("proxy.type = \"child\"\nproxy.command = \"no-such-proxy\"");
    assert!(said.contains("no-such-proxy") && said.contains("npm install"), "{said}");
    let said = refused("proxy.type = \"child\"\nproxy.command = \"false\"");
    assert!(said.contains("Proxy failed to start with exit code 1"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = refused(&format!("proxy.type = \"child\"\nproxy.api_url = \"http://127.0.0.1:{port}\""));
    assert!(said.contains(&port.to_string()) && said.contains("ss -ltnp"), "{said}");
}
