//! What the tests of configurable-http-proxy assert of traffic (proxy.md section 13), on the program itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use serde_json::Value;

use crate::binary::{DEADLINE, Program, ask, echo};

const UPGRADE: &str = "GET /a/ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A program with one route, `/a`.
fn with_route(options: &[&str], target: &str) -> Program {
    let mut program = Program::start(options);
    assert_eq!(program.api("POST", "/a", &format!(r#"{{"target": "{target}"}}"#)).status, 201);
    program
}

fn last_activity(program: &mut Program, path: &str) -> String {
    let route = program.api("GET", path, "").json();
    route.get("last_activity").and_then(Value::as_str).unwrap().to_owned()
}

/// Waits until what happens now would have another date than a route has.
fn until_time_has_passed(program: &mut Program) {
    let before = last_activity(program, "/a");
    let end = Instant::now() + DEADLINE;
    // A route's date is that of its creation, to the millisecond.
    let passed = std::iter::repeat_with(|| {
        program.api("POST", "/clock", r#"{"target": "http://h"}"#);
        last_activity(program, "/clock")
    })
    .take_while(|_| Instant::now() < end)
    .any(|now| now != before);
    assert!(passed, "time stands still");
}

/// The target's port, where nobody listens any more.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The head and the body of one answer on a connection that stays open.
fn exchange(stream: &mut BufReader<TcpStream>, request: &str) -> (String, String) {
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "closed after {head:?}");
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap_or("0").parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn connect(to: SocketAddr) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(to).unwrap())
}

#[test]
fn chp_010_a_proxied_request_is_answered_and_counts_as_use() {
    let mut program = with_route(&[], &echo());
    until_time_has_passed(&mut program);
    let before = last_activity(&mut program, "/a");
    let reply = ask(program.public(), "GET", "/a/x?q=1", "", "");
    assert_eq!((reply.status, reply.body.lines().next()), (200, Some("GET /a/x?q=1 HTTP/1.1")));
    // At its completion, which the client may see first.
    let end = Instant::now() + DEADLINE;
    while last_activity(&mut program, "/a") == before {
        assert!(Instant::now() < end, "never counted");
    }
    assert!(last_activity(&mut program, "/a") > before);
}

#[test]
fn chp_012_an_answer_says_keep_alive_and_the_connection_is_kept() {
    let mut program = with_route(&[], &echo());
    let mut client = connect(program.public());
    for fields in ["Connection: keep-alive\r\n", ""] {
        for path in ["/a/1", "/a/2"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
            let (head, body) = exchange(&mut client, &request);
            assert!(head.contains("\r\nconnection: keep-alive\r\n"), "{head}");
            assert_eq!(body.lines().next(), Some(format!("GET {path} HTTP/1.1").as_str()));
        }
    }
    let (head, _) = exchange(&mut client, "GET /a HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

/// Upstream's hook changes the fields of a request in JavaScript; the program's form of it is an option.
#[test]
fn chp_013_fields_are_set_in_requests_and_in_upgrades() {
    let mut program = with_route(&["--custom-header", "Testing: OK"], &echo());
    let public = program.public();
    for request in ["GET /a/x HTTP/1.1\r\nHost: test\r\nTesting: no\r\n\r\n", UPGRADE] {
        // The server shows what it got, and declines to become a websocket.
        let (_, shown) = exchange(&mut connect(public), request);
        let set: Vec<_> = shown
            .lines()
            .filter(|line| line.to_lowercase().starts_with("testing:"))
            .map(str::to_lowercase)
            .collect();
        assert_eq!(set, ["testing: ok"], "{shown}");
    }
}

#[test]
fn chp_023_errors_of_requests_and_of_upgrades_do_not_count_as_use() {
    let mut program = with_route(&[], &dead());
    until_time_has_passed(&mut program);
    let before = last_activity(&mut program, "/a");
    let public = program.public();
    assert_eq!(ask(public, "GET", "/a/x", "", "").status, 503);
    assert_eq!(last_activity(&mut program, "/a"), before);
    let mut client = connect(public);
    let (head, _) = exchange(&mut client, UPGRADE);
    assert!(head.starts_with("http/1.1 503 "), "{head}");
    // The connection ends after all that could count.
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert_eq!(last_activity(&mut program, "/a"), before);
}

#[test]
fn chp_030_health_is_told_by_the_proxy_itself_at_the_exact_url_for_any_method() {
    let mut program = Program::start(&["--default-target", &echo()]);
    let public = program.public();
    for (method, body) in [
        ("GET", r#"{"status":"OK"}"#),
        ("POST", r#"{"status":"OK"}"#),
        ("HEAD", ""),
        ("OPTIONS", r#"{"status":"OK"}"#),
    ] {
        let reply = ask(public, method, "/_chp_healthz", "", "");
        assert_eq!((reply.status, reply.body.as_str()), (200, body), "{method}");
        assert_eq!(reply.field("content-type"), Some("application/json"));
    }
    for path in ["/_chp_healthz?x", "/_chp_healthz/", "/a/_chp_healthz"] {
        assert!(ask(public, "GET", path, "", "").body.starts_with(&format!("GET {path} HTTP/1.1")), "{path}");
    }
    let mut without = Program::start(&[]);
    assert_eq!(ask(without.public(), "GET", "/_chp_healthz", "", "").status, 200);
}
