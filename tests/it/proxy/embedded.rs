//! `proxy.type = "embedded"`: its choices, its REST API, its sockets.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::json;

use super::super::support::chp::api;
use super::super::support::hub::{Hub, eventually, free_port, settings};

/// A server that answers every request with the head that it got.
pub(super) fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut piece = [0; 4096];
                let count = stream.read(&mut piece).unwrap();
                if count == 0 {
                    break;
                }
                head.extend_from_slice(&piece[..count]);
            }
            let length = head.len();
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
            let _ = stream.write_all(&head);
        }
    });
    port
}

#[test]
fn sec_100_without_a_token_there_is_no_rest_api() {
    let port = free_port();
    let hub = Hub::with(&format!("proxy.api_url = \"http://127.0.0.1:{port}\""));
    assert_eq!(hub.get("/hub/health").status, 200);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn with_a_token_the_rest_api_of_the_reference_answers() {
    let port = free_port();
    let hub =
        Hub::with(&format!("proxy.api_url = \"http://127.0.0.1:{port}\"\nproxy.auth_token = \"the-token\""));
    assert_eq!(api(port, "another", "GET", "", None).status, 403);
    let table = api(port, "the-token", "GET", "", None).json();
    assert_eq!((&table["/"]["hub"], &table["/"]["jupyterhub"]), (&json!(true), &json!(true)));
    let target = format!("http://127.0.0.1:{}", echo());
    assert_eq!(api(port, "the-token", "POST", "/mine", Some(json!({"target": target}))).status, 201);
    assert!(hub.get("/mine/x").body.starts_with("GET /mine/x HTTP/1.1\r\n"));
    assert_eq!(api(port, "the-token", "DELETE", "/", None).status, 204);
    assert_eq!(hub.get("/hub/health").status, 404, "whoever has the token may take the hub's route away");
}

#[test]
fn proxy_030_an_embedded_proxy_cannot_be_exchanged() {
    let hub = Hub::start();
    let reply = hub.admin("PATCH", "/proxy", Some(json!({"api_url": "http://127.0.0.1:1"})));
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("embedded"), "{}", reply.body);
}

#[test]
fn routes_of_the_configuration_are_there_beside_the_hubs() {
    let (port, extra, default) = (free_port(), echo(), echo());
    let hub = Hub::with(&format!(
        "proxy.api_url = \"http://127.0.0.1:{port}\"\nproxy.auth_token = \"the-token\"\n\
         proxy.hub_routespec = \"/hub/\"\n\
         proxy.extra_routes.\"/has space\" = \"http://127.0.0.1:{extra}\"\n\
         proxy.default_target = \"http://127.0.0.1:{default}\""
    ));
    let log = hub.log();
    assert!(log.contains("may not reach the hub") && log.contains("lacks the slash"), "{log}");
    assert!(hub.get("/has%20space/x").body.starts_with("GET /has%20space/x HTTP/1.1\r\n"));
    assert!(hub.get("/elsewhere").body.starts_with("GET /elsewhere HTTP/1.1\r\n"));
    let routes = hub.admin("GET", "/proxy", None).json();
    assert_eq!(routes["/has%20space/"]["data"]["extra"], true);
    assert_eq!(routes["/hub/"]["data"]["hub"], true);
    assert_eq!(api(port, "the-token", "DELETE", "/has%20space", None).status, 204);
    assert_eq!(hub.admin("POST", "/proxy", None).status, 200);
    assert!(hub.get("/has%20space/x").body.starts_with("GET /has%20space/x HTTP/1.1\r\n"));
}

#[test]
fn what_is_changed_on_the_way_can_be_chosen() {
    let target = echo();
    let hub = Hub::with(&format!(
        "proxy.extra_routes.\"/e/\" = \"http://127.0.0.1:{target}\"\nproxy.x_forwarded = false\n\
         proxy.include_prefix = true\nproxy.change_origin = true\nproxy.headers.X-Ours = \"yes\""
    ));
    let head = hub.get("/e/x").body.to_lowercase();
    assert!(!head.contains("x-forwarded") && head.contains("x-ours: yes\r\n"), "{head}");
    assert!(head.contains(&format!("host: 127.0.0.1:{target}\r\n")), "{head}");
}

#[test]
fn proxy_016_error_pages_may_come_from_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("503.html"), "<p>ours for 503</p>").unwrap();
    let dead = free_port();
    let hub = Hub::with(&format!(
        "proxy.extra_routes.\"/e/\" = \"http://127.0.0.1:{dead}\"\nproxy.error_path = \"{}\"",
        folder.path().display()
    ));
    let reply = hub.get("/e/x");
    assert_eq!((reply.status, reply.body.as_str()), (503, "<p>ours for 503</p>"));
}

fn url(socket: &Path) -> String {
    format!("http+unix://{}", socket.display().to_string().replace('/', "%2F"))
}

/// Status line of `GET path` over a UNIX socket.
fn get(socket: &Path, path: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(answer.lines().next()?.to_owned())
}

#[test]
fn net_014_and_016_public_address_api_and_hub_may_be_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let socket = |name: &str| folder.path().join(name);
    let names = ["public", "api", "hub"];
    let extra = format!(
        "proxy.bind_url = \"{}\"\nproxy.api_url = \"{}\"\nproxy.auth_token = \"the-token\"\n\
         hub.bind_url = \"{}\"\nhub.socket_mode = \"0640\"",
        url(&socket("public")),
        url(&socket("api")),
        url(&socket("hub"))
    );
    // abandoned by a crash
    names.iter().for_each(|name| drop(std::os::unix::net::UnixListener::bind(socket(name)).unwrap()));
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("orrery.toml");
    std::fs::write(&config, settings(home.path(), free_port(), &extra)).unwrap();
    let mut hub = Hub::launched(home);
    eventually("the hub", || get(&socket("public"), "/hub/health").filter(|line| line.ends_with("200 OK")));
    assert_eq!(get(&socket("api"), "/api/routes").unwrap(), "HTTP/1.1 403 Forbidden");
    assert_eq!(get(&socket("hub"), "/hub/health").unwrap(), "HTTP/1.1 200 OK");
    let mode = |name: &str| std::fs::metadata(socket(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(names.map(mode), [0o770, 0o770, 0o640]);
    assert_eq!(hub.terminate().code(), Some(0), "{}", hub.log());
    assert!(names.iter().all(|name| !socket(name).exists()));
}
