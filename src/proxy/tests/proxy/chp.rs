//! What the tests of configurable-http-proxy assert (proxy.md section 13), and the
//! options behind it, on the program itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::binary::{Program, TOKEN, ask, ask_unix, command, echo, output};

/// A server that answers every connection with these bytes once it has read a head.
fn answering(bytes: impl Into<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bytes = bytes.into();
    std::thread::spawn(move || {
        listener.incoming().map_while(Result::ok).for_each(|stream| once(stream, &bytes))
    });
    url
}

fn answering_on(path: &Path, bytes: &str) {
    let listener = UnixListener::bind(path).unwrap();
    let bytes = bytes.to_owned();
    std::thread::spawn(move || {
        listener.incoming().map_while(Result::ok).for_each(|stream| once(stream, &bytes))
    });
}

fn once(mut stream: impl Read + Write, bytes: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        head.push(byte[0]);
    }
    // The first line of the request goes where the test wants it.
    let first = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    let _ = stream.write_all(bytes.replace("FIRST", &first).as_bytes());
}

fn page(extra: &str) -> String {
    // Long enough for any first line; the connection's end delimits it.
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{extra}\r\nFIRST")
}

fn unix_url(path: &Path) -> String {
    format!("http+unix://{}", path.to_str().unwrap().replace('/', "%2F"))
}

/// The URL of a port on which nobody listens.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn chp_014_to_019_target_path_prefix_and_query_are_joined_by_the_options() {
    let target = echo();
    for (options, asked, expected) in [
        (&[][..], "/bar/rest?q=1", "/foo/bar/rest?q=1"),
        (&["--no-prepend-path"], "/bar/rest?q=1", "/bar/rest?q=1"),
        (&["--no-include-prefix"], "/bar/rest?q=1", "/foo/rest?q=1"),
        (&["--no-prepend-path", "--no-include-prefix"], "/bar/rest", "/rest"),
        (&["--no-include-prefix"], "/bar", "/foo"),
        (&["--no-prepend-path", "--no-include-prefix"], "/bar", "/"),
        (&["--no-include-prefix"], "/b%40r/b%20r/rest", "/foo/rest"),
        (&["--no-include-prefix"], "/b@r/b%20r/rest", "/foo/rest"),
        (&[], "/b%40r/b%20r/rest", "/foo/b%40r/b%20r/rest"),
        (&[], "/b@r/b%20r/rest", "/foo/b@r/b%20r/rest"),
    ] {
        let mut program = Program::start(options);
        for path in ["/bar", "/b%40r/b%20r"] {
            program.api("POST", path, &format!(r#"{{"target": "{target}/foo"}}"#));
        }
        let reply = ask(program.public(), "GET", asked, "", "");
        let line = reply.body.lines().next().unwrap_or_default();
        assert_eq!(line, format!("GET {expected} HTTP/1.1"), "{options:?} {asked}");
    }
}

#[test]
fn chp_021_a_storage_backend_is_accepted_with_a_warning_and_routes_stay_in_memory() {
    let mut program = Program::start(&["--storage-backend", "configurable-http-proxy-redis-backend"]);
    let warning = program.line_with("--storage-backend");
    assert!(warning.contains("warn:") && warning.contains("kept in memory"), "{warning}");
    assert_eq!(program.api("POST", "/a", &format!(r#"{{"target": "{}"}}"#, echo())).status, 201);
    assert_eq!(ask(program.public(), "GET", "/a/x", "", "").status, 200);
    assert_eq!(program.api("DELETE", "/a", "").status, 204);
    assert_eq!(ask(program.public(), "GET", "/a/x", "", "").status, 404);
}

#[test]
fn chp_022_with_host_routing_the_host_chooses_and_the_root_serves_the_rest() {
    let mut program = Program::start(&["--host-routing", "--default-target", &format!("{}/root", echo())]);
    let target = format!("{}/host", echo());
    program.api("POST", "/ada.test/user/ada", &format!(r#"{{"target": "{target}"}}"#));
    let public = program.public();
    let asked = |host: &str, path: &str| {
        let mut stream = TcpStream::connect(public).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().find(|line| line.starts_with("GET ")).map(str::to_owned).unwrap()
    };
    assert_eq!(asked("ada.test", "/user/ada/x"), "GET /host/user/ada/x HTTP/1.1");
    assert_eq!(asked("ADA.TEST:8000", "/user/ada/x"), "GET /host/user/ada/x HTTP/1.1");
    assert_eq!(asked("ada.test", "/other"), "GET /root/other HTTP/1.1");
    assert_eq!(asked("other.test", "/user/ada"), "GET /root/user/ada HTTP/1.1");
}

#[test]
fn chp_024_and_032_the_error_target_gets_the_url_and_its_page_keeps_the_code() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("errors.sock");
    answering_on(&socket, &page("Content-Type: text/sad\r\n"));
    for source in [format!("{}/hub/error", answering(page("Content-Type: text/sad\r\n"))), unix_url(&socket)]
    {
        let mut program = Program::start(&["--error-target", &source]);
        program.api("POST", "/dead", &format!(r#"{{"target": "{}"}}"#, dead()));
        let public = program.public();
        for (path, code) in [("/none?a=b", 404), ("/dead/x", 503), ("/%", 500)] {
            let reply = ask(public, "GET", path, "", "");
            assert_eq!(
                (reply.status, reply.field("content-type")),
                (code, Some("text/sad")),
                "{source} {path}"
            );
            let escaped =
                path.replace('%', "%25").replace('/', "%2F").replace('?', "%3F").replace('=', "%3D");
            assert!(reply.body.contains(&format!("/{code}?url={escaped} ")), "{}", reply.body);
        }
    }
}

#[test]
fn chp_025_pages_of_the_error_path_are_by_code_with_one_for_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("404.html"), "lost").unwrap();
    std::fs::write(directory.path().join("error.html"), "other").unwrap();
    let mut program = Program::start(&["--error-path", directory.path().to_str().unwrap()]);
    program.api("POST", "/dead", &format!(r#"{{"target": "{}"}}"#, dead()));
    let public = program.public();
    for (path, code, body) in [("/none", 404, "lost"), ("/dead/x", 503, "other"), ("/%", 500, "other")] {
        let reply = ask(public, "GET", path, "", "");
        assert_eq!((reply.status, reply.body.as_str()), (code, body));
        assert!(reply.field("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{reply:?}");
    }
}

#[test]
fn chp_026_own_pages_name_the_code() {
    let mut program = Program::start(&[]);
    program.api("POST", "/dead", &format!(r#"{{"target": "{}"}}"#, dead()));
    let public = program.public();
    assert!(ask(public, "GET", "/none", "", "").body.contains("404:"));
    assert!(ask(public, "GET", "/dead/x", "", "").body.contains("503:"));
}

#[test]
fn chp_027_a_bad_escape_is_500_through_the_error_target_and_reaches_no_server() {
    let errors = format!("{}/hub/error", answering(page("Content-Type: text/sad\r\n")));
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", server.local_addr().unwrap());
    // It says nothing, so that what reaches it is 503.
    let to_it = ["--default-target", &target, "--proxy-timeout", "5000"];
    let mut program = Program::start(&[&to_it[..], &["--error-target", &errors]].concat());
    let public = program.public();
    for (path, shown) in
        [("/%", "%2F%25"), ("/user/%zz?q=1", "%2Fuser%2F%25zz%3Fq%3D1"), ("/%ff", "%2F%25ff")]
    {
        let reply = ask(public, "GET", path, "", "");
        assert_eq!((reply.status, reply.field("content-type")), (500, Some("text/sad")), "{path}");
        assert_eq!(reply.body, format!("GET /hub/error/500?url={shown} HTTP/1.1"));
    }
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    let mut without = Program::start(&to_it);
    assert_eq!(ask(without.public(), "GET", "/%", "", "").status, 500);
}

#[test]
fn chp_028_and_029_redirects_are_rewritten_when_asked_for() {
    for (options, expected) in [
        (&[][..], "http://TARGET/x"),
        (&["--auto-rewrite"], "http://test/x"),
        (&["--protocol-rewrite", "https"], "https://TARGET/x"),
        (&["--auto-rewrite", "--protocol-rewrite", "https"], "https://test/x"),
    ] {
        // The target has to name itself, so it must be there first.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let bytes = format!("HTTP/1.1 302 Found\r\nLocation: http://{own}/x\r\nConnection: close\r\n\r\n");
        std::thread::spawn(move || {
            listener.incoming().map_while(Result::ok).for_each(|stream| once(stream, &bytes))
        });
        let mut program =
            Program::start(&[&["--default-target", &format!("http://{own}")], options].concat());
        let reply = ask(program.public(), "GET", "/", "", "");
        assert_eq!(reply.field("location"), Some(expected.replace("TARGET", &own).as_str()), "{options:?}");
    }
}

#[test]
fn chp_037_custom_headers_replace_those_of_the_client() {
    let options =
        ["--custom-header", "k1: v1 ", "--custom-header", " k2 : host:v2", "--default-target", &echo()];
    let mut program = Program::start(&options);
    let shown = ask(program.public(), "GET", "/", "K1: lie\r\nk3: v3\r\n", "").body.to_lowercase();
    for line in ["k1: v1", "k2: host:v2", "k3: v3"] {
        assert!(shown.lines().any(|found| found == line), "{line} in {shown}");
    }
    assert!(!shown.contains("lie"));
    for invalid in ["nocolon", ": v", "k: a\nb"] {
        assert_eq!(output(&["--custom-header", invalid]).status.code(), Some(1), "{invalid:?}");
    }
}

#[test]
fn forwarded_fields_and_the_host_are_left_alone_or_changed_as_asked() {
    let target = echo();
    let shown = |options: &[&str]| {
        let mut program = Program::start(&[&["--default-target", &target], options].concat());
        ask(program.public(), "GET", "/", "", "").body.to_lowercase()
    };
    assert!(shown(&[]).contains("x-forwarded-for: 127.0.0.1"));
    assert!(!shown(&["--no-x-forward"]).contains("x-forwarded"));
    assert!(shown(&[]).contains("host: test"));
    let authority = target.strip_prefix("http://").unwrap();
    assert!(shown(&["--change-origin"]).contains(&format!("host: {authority}")));
}

#[test]
fn proxy_023_a_target_that_does_not_answer_in_time_is_503_and_a_silent_client_is_dropped() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut program = Program::start(&["--default-target", &url, "--proxy-timeout", "100"]);
    assert_eq!(ask(program.public(), "GET", "/", "", "").status, 503);
    let mut hasty = Program::start(&["--default-target", &url, "--timeout", "100"]);
    let mut client = TcpStream::connect(hasty.public()).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is a drop as well.
    let _ = client.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 2"), "{answer:?}");
}

#[test]
fn chp_033_and_034_targets_and_the_public_port_may_be_unix_sockets_for_websockets_too() {
    let directory = tempfile::tempdir().unwrap();
    let (public, target) = (directory.path().join("public.sock"), directory.path().join("target.sock"));
    answering_on(
        &target,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello",
    );
    let plain = directory.path().join("plain.sock");
    answering_on(&plain, &page(""));
    let api = directory.path().join("api.sock");
    let (public_name, api_name) = (public.to_str().unwrap(), api.to_str().unwrap());
    let mut command = command(&["--socket", public_name, "--api-socket", api_name, "--workers", "1"]);
    command.env("CONFIGPROXY_AUTH_TOKEN", TOKEN);
    let mut program = Program::run(command);
    program.line_with("Proxy API at");
    let fields = format!("Authorization: token {TOKEN}\r\n");
    for (path, socket) in [("/ws", &target), ("/plain", &plain)] {
        let body = format!(r#"{{"target": "{}"}}"#, unix_url(socket));
        assert_eq!(ask_unix(&api, "POST", &format!("/api/routes{path}"), &fields, &body).status, 201);
    }
    let reply = ask_unix(&public, "GET", "/plain/x", "", "");
    assert!(reply.body.contains("GET /plain/x HTTP/1.1"), "{}", reply.body);
    let mut stream = BufReader::new(UnixStream::connect(&public).unwrap());
    stream
        .get_mut()
        .write_all(b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "HTTP/1.1 101 Switching Protocols");
    let mut rest = String::new();
    // The target closes after its greeting, and so does the tunnel.
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("\r\n\r\nhello"), "{rest:?}");
    drop(stream);
    assert_eq!(program.terminate().code(), Some(2));
    assert!(!public.exists() && !api.exists());
}

#[test]
fn requests_are_in_the_access_log_without_their_queries() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("access.log");
    let options = ["--access-log", file.to_str().unwrap(), "--default-target", &echo()];
    let mut program = Program::start(&options);
    let public = program.public();
    ask(public, "GET", "/a/b?token=hidden", "", "");
    ask(public, "POST", "/c", "", "body");
    program.terminate();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        written.contains(" 127.0.0.1 \"GET /a/b\" 200 ") && written.contains("\"POST /c\" 200 "),
        "{written}"
    );
    assert!(!written.contains("hidden") && written.lines().count() == 2, "{written}");
}

#[test]
fn proxy_019_requests_are_counted_by_kind_and_status() {
    let options = ["--metrics-ip", "127.0.0.1", "--metrics-port", "0", "--default-target", &echo()];
    let mut program = Program::start(&options);
    let public = program.public();
    for _ in 0..3 {
        ask(public, "GET", "/", "", "");
    }
    program.api("POST", "/dead", &format!(r#"{{"target": "{}"}}"#, dead()));
    ask(public, "GET", "/dead", "", "");
    let text = ask(program.metrics_address(), "GET", "/metrics", "", "").body;
    for line in [
        "requests_web 4",
        "requests_ws 0",
        "requests_proxy{status=\"200\"} 3",
        "requests_proxy{status=\"503\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(
        text.contains("find_target_for_req_count 4") && text.contains("last_activity_updating_count 3"),
        "{text}"
    );
}
