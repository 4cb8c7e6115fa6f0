//! The program `orrery-proxy`: options, sockets, signals, files.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use rustix::process::Signal;

use crate::binary::{DEADLINE, Program, TOKEN, ask, ask_unix, command, echo, output};

#[test]
fn it_tells_its_version_beginning_with_that_of_chp() {
    for option in ["-V", "--version"] {
        let output = output(&[option]);
        assert!(output.status.success());
        let expected = format!("5.3.0 (orrery-proxy {})\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
}

/// `ORRERY_WRITE_HELP=1` writes the file anew.
#[test]
fn help_is_complete() {
    let shown = String::from_utf8(output(&["--help"]).stdout).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proxy/help.txt");
    if std::env::var_os("ORRERY_WRITE_HELP").is_some() {
        std::fs::write(path, &shown).unwrap();
    }
    assert_eq!(shown, std::fs::read_to_string(path).unwrap());
}

#[test]
fn proxy_020_what_cannot_be_used_is_named_on_the_standard_error_and_ends_with_1() {
    for (options, named) in [
        (&["--nope"][..], "--nope"),
        (&["--port", "abc"], "--port"),
        (&["--socket", "/tmp/s", "--port", "1"], "--socket"),
        (
            &["--error-target", "http://h", "--error-path", "/tmp"],
            "Cannot specify both error-target and error-path",
        ),
        (&["--redirect-port", "1"], "certificates not provided"),
        (&["--custom-header", "nocolon"], "A colon was expected in custom header: nocolon"),
        (&["--ssl-key", "/nonexistent/key.pem"], "/nonexistent/key.pem"),
        (&["--ip", "127.0.0.1", "--port", "0", "--api-socket", "/nonexistent/api.sock"], "the REST API"),
        (&["--ip", "192.0.2.1", "--port", "0"], "192.0.2.1"),
        (
            &["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1", "--pid-file", "/nonexistent/pid"],
            "/nonexistent/pid",
        ),
    ] {
        let output = output(options);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{options:?}: {said}");
        assert!(said.contains(named), "{options:?}: {said}");
    }
}

#[test]
fn a_port_in_use_is_named_and_ends_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = output(&["--ip", "127.0.0.1", "--port", &port]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&port) && said.contains("another program listens there"), "{said}");
}

#[test]
fn chp_020_and_035_it_starts_as_jupyterhub_starts_it_and_serves() {
    let target = echo();
    let mut program =
        Program::start(&["--error-target", &format!("{target}/hub/error"), "--log-level", "info"]);
    assert_eq!(program.api("POST", "/", &format!(r#"{{"target": "{target}"}}"#)).status, 201);
    let public = program.public();
    assert!(ask(public, "GET", "/hub/x", "", "").body.starts_with("GET /hub/x HTTP/1.1"));
    assert_eq!(ask(public, "GET", "/_chp_healthz", "", "").body, r#"{"status":"OK"}"#);
    let mut with_default = Program::start(&["--default-target", &target]);
    let line = with_default.line_with("Proxying ");
    assert!(line.ends_with(&format!(" to {target}")), "{line}");
    let public = with_default.public();
    assert_eq!(ask(public, "GET", "/", "", "").status, 200);
}

#[test]
fn proxy_020_sigterm_and_sigint_end_with_2_and_remove_the_pid_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("proxy.pid");
    for signal in [Signal::TERM, Signal::INT] {
        let mut program = Program::start(&["--pid-file", file.to_str().unwrap()]);
        program.line_with("Proxy API at");
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!(written, program.id().to_string());
        program.api_address();
        assert_eq!(program.api("GET", "", "").status, 200);
        program.signal(signal);
        assert_eq!(program.ended().code(), Some(2));
        assert!(!file.exists());
    }
}

/// A server that takes one request and answers when told to.
fn slow() -> (String, std::sync::mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, accepted) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 1024];
            if stream.read(&mut head).is_err() || sender.send(stream).is_err() {
                return;
            }
        }
    });
    (url, accepted)
}

#[test]
fn a_request_under_way_is_finished_and_nothing_new_is_accepted_when_it_is_told_to_end() {
    let (target, accepted) = slow();
    let mut program = Program::start(&["--default-target", &target]);
    let public = program.public();
    let mut client = TcpStream::connect(public).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut server = accepted.recv_timeout(DEADLINE).unwrap();
    program.signal(Signal::TERM);
    program.line_with("Terminated");
    let end = std::time::Instant::now() + DEADLINE;
    while TcpStream::connect(public).is_ok() {
        assert!(std::time::Instant::now() < end, "it still accepts");
    }
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("late"), "{answer}");
    assert_eq!(program.ended().code(), Some(2));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (target, accepted) = slow();
    let mut program = Program::start(&["--default-target", &target, "--drain-timeout", "600000"]);
    let mut client = TcpStream::connect(program.public()).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let _server = accepted.recv_timeout(DEADLINE).unwrap();
    program.signal(Signal::TERM);
    program.line_with("Terminated");
    program.signal(Signal::TERM);
    assert_eq!(program.ended().code(), Some(2));
}

#[test]
fn proxy_022_api_and_metrics_on_unix_sockets_whose_files_go_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (api, metrics) = (directory.path().join("api.sock"), directory.path().join("metrics.sock"));
    let mut command = command(&[
        "--ip",
        "127.0.0.1",
        "--port",
        "0",
        "--api-socket",
        api.to_str().unwrap(),
        "--metrics-socket",
        metrics.to_str().unwrap(),
    ]);
    command.env("CONFIGPROXY_AUTH_TOKEN", TOKEN);
    let mut program = Program::run(command);
    program.line_with("Proxy API at http://unix:");
    let fields = format!("Authorization: token {TOKEN}\r\n");
    assert_eq!(ask_unix(&api, "GET", "/api/routes", &fields, "").body, "{}");
    assert!(ask_unix(&metrics, "GET", "/metrics", "", "").body.contains("\napi_route_get 1\n"));
    assert_eq!(program.terminate().code(), Some(2));
    assert!(!api.exists() && !metrics.exists());
}

#[test]
fn proxy_019_metrics_have_a_listener_of_their_own() {
    let mut program = Program::start(&["--metrics-ip", "127.0.0.1", "--metrics-port", "0"]);
    program.api("POST", "/a", r#"{"target": "http://h:1"}"#);
    program.api("DELETE", "/nope", "");
    let address = program.metrics_address();
    let reply = ask(address, "GET", "/metrics", "", "");
    assert_eq!(reply.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "api_route_add 1",
        "api_route_delete 1",
        "requests_api{status=\"201\"} 1",
        "requests_api{status=\"404\"} 1",
    ] {
        assert!(reply.body.lines().any(|found| found == line), "{line} in {}", reply.body);
    }
    assert!(
        reply.body.contains("process_resident_memory_bytes ") && reply.body.contains("process_open_fds ")
    );
    let other = ask(address, "GET", "/", "", "");
    assert_eq!((other.status, other.body.as_str()), (404, "Not Found"));
    let (public, api) = (program.public(), program.api_address());
    assert_eq!(
        (ask(public, "GET", "/metrics", "", "").status, ask(api, "GET", "/metrics", "", "").status),
        (404, 404)
    );
}

#[test]
fn an_inherited_socket_is_the_public_port_and_outlives_the_program() {
    let target = echo();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = || {
        // The shell moves the socket to where systemd would have put it.
        let program = env!("CARGO_BIN_EXE_orrery-proxy");
        let options = format!("--port 0 --api-ip 127.0.0.1 --default-target {target} --workers 1");
        let script = format!("exec '{program}' {options} 3<&0 </dev/null");
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &script])
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(listener.try_clone().unwrap())));
        command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "public").env_remove("LISTEN_PID");
        let mut program = Program::run(command);
        let line = program.line_with("Proxying ");
        assert!(line.contains(&format!("http://{address} ")), "{line}");
        program
    };
    let mut first = start();
    assert_eq!(ask(address, "GET", "/a", "", "").status, 200);
    assert_eq!(first.terminate().code(), Some(2));
    // Nobody accepts now, and yet nobody is refused.
    let mut waiting = TcpStream::connect(address).unwrap();
    waiting.write_all(b"GET /waited HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let _second = start();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("GET /waited HTTP/1.1"), "{answer}");
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut command = command(&["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1"]);
    command.env("NOTIFY_SOCKET", &path);
    let mut program = Program::run(command);
    let next = || {
        loop {
            let mut buffer = [0; 64];
            let length = socket.recv(&mut buffer).unwrap();
            let news = String::from_utf8_lossy(&buffer[..length]).into_owned();
            // Files to keep.
            if !news.starts_with("FDSTORE") {
                return news;
            }
        }
    };
    assert_eq!(next(), "READY=1");
    program.signal(Signal::TERM);
    assert_eq!(next(), "STOPPING=1");
    assert_eq!(program.ended().code(), Some(2));
}
