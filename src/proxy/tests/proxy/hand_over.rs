//! A new process takes over, and nobody notices (SIGUSR2, `--hand-over`).

mod support;

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use support::{Connection, Generations, Load, kill, number_in, order, runs, server, until};

use crate::binary::{DEADLINE, Program, TOKEN, ask, ask_unix};

#[test]
fn under_load_three_hand_overs_break_no_request_and_no_websocket() {
    let target = server("fine");
    let mut proxy = Generations::start(&[
        "--default-target",
        &target,
        "--metrics-ip",
        "127.0.0.1",
        "--metrics-port",
        "0",
    ]);
    let public = proxy.public();
    let metrics = proxy.first.metrics_address();
    let mut load = Load::new();
    let fine = |answer: (u16, String, bool)| match (answer.0, answer.1.as_str()) {
        (200, "fine") => Ok(answer.2),
        other => Err(std::io::Error::other(format!("{other:?}"))),
    };
    for client in 0..4 {
        let mut kept: Option<Connection> = None;
        load.repeat(move |_| {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => Connection::open(public)?,
            };
            if !fine(connection.get("/kept")?)? {
                kept = Some(connection);
            }
            Ok(())
        });
        load.repeat(move |_| fine(Connection::open(public)?.get("/new")?).map(drop));
        let mut upgraded = Connection::upgraded(public, &format!("/socket/{client}")).unwrap();
        load.repeat(move |number| {
            std::thread::sleep(Duration::from_millis(1));
            upgraded.echo(&format!("message {number} of {client};"))
        });
    }
    load.repeat(move |_| match ask_or(metrics, "/metrics")? {
        200 => Ok(()),
        other => Err(std::io::Error::other(other.to_string())),
    });
    let mut old = Vec::new();
    for _ in 0..3 {
        load.more(200);
        old.push(proxy.hand_over());
        load.more(200);
    }
    assert!(runs(old[0]), "it has websockets");
    let (done, errors) = load.end();
    assert_eq!(errors, Vec::<String>::new(), "of {done}");
    assert!(done > 1200);
    assert_eq!(proxy.first_ended().code(), Some(0));
    until("the old processes to end", || old.iter().all(|pid| !runs(*pid)));
    assert!(runs(proxy.pid));
}

/// One request on a connection of its own that tells of every failure.
fn ask_or(to: std::net::SocketAddr, path: &str) -> std::io::Result<u16> {
    Connection::open(to)?.get(path).map(|(status, _, _)| status)
}

#[test]
fn a_successor_that_fails_changes_nothing() {
    let target = server("fine");
    let mut proxy = Generations::start(&["--successor-timeout", "300"]);
    let public = proxy.public();
    let first = proxy.pid;
    for (number, (script, why)) in [
        ("#!/bin/sh\nexit 3\n", "it ended before it was ready"),
        ("#!/nowhere/interpreter\n", "cannot be started"),
        ("this is no program", "cannot be started"),
        ("#!/bin/sh\nexec sleep 60\n", "it is not ready after"),
        ("#!/bin/sh\nexec \"$ORIGINAL\" --ip 192.0.2.1 --pid-file /nowhere/pid \"$@\"\n", "it ended before"),
    ]
    .into_iter()
    .enumerate()
    {
        let original = env!("CARGO_BIN_EXE_orrery-proxy");
        proxy.replace_program(Some(&script.replace("$ORIGINAL", original)));
        let output = proxy.order();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("goes on"), "{said}");
        let line = proxy.first.nth_line_with(number, "This process goes on");
        assert!(line.contains(why), "{script}: {line}");
        let body = format!(r#"{{"target": "{target}"}}"#);
        assert_eq!(proxy.api("POST", &format!("/{number}"), &body).status, 201);
        assert_eq!(ask(public, "GET", &format!("/{number}"), "", "").body, "fine");
        assert!(runs(first));
    }
    proxy.replace_program(None);
    proxy.hand_over();
    assert_eq!(proxy.first_ended().code(), Some(0));
    assert_eq!(ask(public, "GET", "/0", "", "").body, "fine");
}

#[test]
fn no_change_of_routes_that_was_acknowledged_is_lost() {
    let mut proxy = Generations::start(&[]);
    let api = proxy.first.api_address();
    let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut load = Load::new();
    for writer in 0..3 {
        let acknowledged = Arc::clone(&acknowledged);
        load.repeat(move |number| {
            let key = format!("/{writer}/{number}");
            let fields = format!("Authorization: token {TOKEN}\r\n");
            let write = |method: &str| {
                ask(api, method, &format!("/api/routes{key}"), &fields, r#"{"target": "http://h:1"}"#)
            };
            // As the hub does.
            while write("POST").status == 503 {}
            match number % 3 {
                0 => while write("DELETE").status == 503 {},
                _ => acknowledged.lock().unwrap().push(key),
            }
            Ok(())
        });
    }
    for _ in 0..4 {
        load.more(30);
        proxy.hand_over();
    }
    load.more(30);
    let (_, errors) = load.end();
    assert_eq!(errors, Vec::<String>::new());
    let table = proxy.api("GET", "", "").json();
    let mut found: Vec<&String> = table.as_object().unwrap().keys().collect();
    let mut expected = acknowledged.lock().unwrap().clone();
    found.sort();
    expected.sort();
    assert_eq!(found, expected.iter().collect::<Vec<_>>());
}

#[test]
fn an_old_process_tells_of_use_and_hears_of_changes_over_three_generations() {
    let target = server("old");
    let other = server("new");
    let mut proxy = Generations::start(&["--keep-alive-timeout", "60000"]);
    let public = proxy.public();
    for key in ["/used", "/unused", "/moved"] {
        proxy.api("POST", key, &format!(r#"{{"target": "{target}"}}"#));
    }
    let mut upgraded = Connection::upgraded(public, "/used/socket").unwrap();
    let mut idle: Vec<Connection> = (0..50).map(|_| Connection::open(public).unwrap()).collect();
    for connection in &mut idle {
        assert_eq!(connection.get("/moved").unwrap(), (200, "old".to_owned(), false));
    }
    let first = proxy.hand_over();
    proxy.hand_over();
    assert!(runs(first));
    let last_use = |proxy: &mut Generations, key: &str| {
        proxy.api("GET", key, "").json()["last_activity"].as_str().unwrap().to_owned()
    };
    let (used, unused) = (last_use(&mut proxy, "/used"), last_use(&mut proxy, "/unused"));
    until("the use of an old connection to be known", || {
        upgraded.echo("I am here").unwrap();
        last_use(&mut proxy, "/used") > used
    });
    assert_eq!(last_use(&mut proxy, "/unused"), unused);
    // What an idle connection of the first process asks for, goes where it should now, and the connection ends.
    assert_eq!(proxy.api("POST", "/moved", &format!(r#"{{"target": "{other}"}}"#)).status, 201);
    until("the change to be known", || {
        let mut connection = idle.pop().unwrap();
        let (status, body, closes) = connection.get("/moved").unwrap();
        assert!(status == 200 && closes);
        assert!(connection.get("/moved").is_err_and(|error| error.kind() != ErrorKind::TimedOut));
        body == "new"
    });
    drop((upgraded, idle));
    assert_eq!(proxy.first_ended().code(), Some(0));
}

#[test]
fn unix_sockets_and_the_pid_file_are_the_successors_and_go_with_the_last() {
    let target = server("fine");
    let mut proxy = Generations::with(
        &[
            "--socket",
            "{}/public",
            "--api-socket",
            "{}/api",
            "--metrics-socket",
            "{}/metrics",
            "--pid-file",
            "{}/pid",
            "--default-target",
            &target,
        ],
        &[],
    );
    let folder = proxy.folder.path().to_owned();
    let place = |name: &str| folder.join(name);
    let fields = format!("Authorization: token {TOKEN}\r\n");
    until("the socket", || place("api").exists());
    for _ in 0..3 {
        let old = proxy.hand_over();
        until("the old one to end", || !runs(old));
        assert_eq!(number_in(&place("pid")), proxy.pid);
        assert_eq!(ask_unix(&place("public"), "GET", "/", "", "").body, "fine");
        assert_eq!(ask_unix(&place("api"), "GET", "/api/routes", &fields, "").status, 200);
        assert_eq!(ask_unix(&place("metrics"), "GET", "/metrics", "", "").status, 200);
    }
    kill(proxy.pid, Signal::TERM);
    until("the last one to end", || !runs(proxy.pid));
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["orrery-proxy"]);
}

#[test]
fn a_second_signal_is_ignored_while_a_hand_over_is_under_way_and_afterwards() {
    let target = server("fine");
    let mut proxy = Generations::start(&["--default-target", &target]);
    let mut upgraded = Connection::upgraded(proxy.public(), "/").unwrap();
    let script = format!("#!/bin/sh\nsleep 1\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_orrery-proxy"));
    proxy.replace_program(Some(&script));
    kill(proxy.pid, Signal::USR2);
    proxy.first.line_with("Starting a process to hand over to");
    kill(proxy.pid, Signal::USR2);
    proxy.first.line_with("A hand-over is under way");
    let line = proxy.first.line_with("has taken over");
    let first = proxy.pid;
    proxy.adopt(line.split("Process ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap());
    kill(first, Signal::USR2);
    proxy.first.line_with("This process has handed over already");
    let again = order(first);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("handed over already"));
    upgraded.echo("still here").unwrap();
    assert!(runs(first) && runs(proxy.pid));
}

#[test]
fn a_draining_process_that_is_terminated_ends_with_2_and_its_successor_goes_on() {
    let target = server("fine");
    let mut proxy = Generations::start(&["--default-target", &target, "--drain-timeout", "100"]);
    let public = proxy.public();
    let _upgraded = Connection::upgraded(public, "/").unwrap();
    let first = proxy.hand_over();
    kill(first, Signal::TERM);
    assert_eq!(proxy.first_ended().code(), Some(2));
    assert_eq!(ask(public, "GET", "/", "", "").body, "fine");
}

#[test]
fn connections_of_an_old_process_may_be_given_a_limit() {
    let target = server("fine");
    let options = ["--default-target", &target, "--hand-over-timeout", "300", "--drain-timeout", "100"];
    let mut proxy = Generations::start(&options);
    let mut upgraded = Connection::upgraded(proxy.public(), "/").unwrap();
    let begun = Instant::now();
    proxy.hand_over();
    upgraded.echo("a moment more").unwrap();
    assert_eq!(proxy.first_ended().code(), Some(0));
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert!(upgraded.echo("too late").is_err());
}

#[test]
fn a_process_that_is_terminated_in_the_middle_takes_its_successor_with_it() {
    let mut proxy = Generations::start(&["--pid-file", "{}/pid"]);
    let public = proxy.public();
    let script = format!(
        "#!/bin/sh\necho $$ >'{}/new'\nsleep 1\nexec {} \"$@\"\n",
        proxy.folder.path().display(),
        env!("CARGO_BIN_EXE_orrery-proxy")
    );
    proxy.replace_program(Some(&script));
    kill(proxy.pid, Signal::USR2);
    proxy.first.line_with("Starting a process to hand over to");
    kill(proxy.pid, Signal::TERM);
    assert_eq!(proxy.first_ended().code(), Some(2));
    assert!(std::net::TcpStream::connect(public).is_err(), "nobody listens any more");
    assert!(!proxy.folder.path().join("pid").exists());
}

#[test]
fn systemd_is_told_once_by_the_old_process_and_nothing_if_there_is_no_successor() {
    let notify = tempfile::tempdir().unwrap();
    let path = notify.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let options = ["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1"];
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let mut proxy = Generations::with(&options, &variables);
    let next = || {
        loop {
            let mut buffer = [0; 256];
            let length = socket.recv(&mut buffer).unwrap();
            let news = String::from_utf8_lossy(&buffer[..length]).into_owned();
            // Files to keep.
            if !news.starts_with("FDSTORE") {
                return news;
            }
        }
    };
    assert_eq!(next(), "READY=1");
    proxy.replace_program(Some("#!/bin/sh\nexit 1\n"));
    assert_eq!(proxy.order().status.code(), Some(1));
    proxy.replace_program(None);
    proxy.hand_over();
    assert_eq!(next(), format!("MAINPID={}\nREADY=1\nWATCHDOG=1", proxy.pid));
    assert_eq!(next(), "READY=1");
    assert_eq!(proxy.first_ended().code(), Some(0));
    kill(proxy.pid, Signal::TERM);
    assert_eq!(next(), "STOPPING=1");
}

#[test]
fn the_successor_tells_systemd_that_it_is_alive() {
    let notify = tempfile::tempdir().unwrap();
    let path = notify.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let options = ["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1"];
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "100000")];
    let mut proxy = Generations::with(&options, &variables);
    let wait_for = |wanted: &str| {
        let mut buffer = [0; 256];
        while !String::from_utf8_lossy(&buffer).starts_with(wanted) {
            buffer.fill(0);
            socket.recv(&mut buffer).unwrap();
        }
    };
    wait_for("WATCHDOG=1");
    for _ in 0..2 {
        let old = proxy.hand_over();
        until("the old one to end", || !runs(old));
        wait_for(&format!("MAINPID={}", proxy.pid));
        wait_for("READY=1");
        wait_for("WATCHDOG=1");
    }
}

#[test]
fn routes_with_their_data_and_times_and_the_default_that_was_removed_stay_as_they_are() {
    let mut proxy = Generations::start(&["--default-target", "http://127.0.0.1:1"]);
    assert_eq!(proxy.api("DELETE", "/", "").status, 204);
    let body = r#"{"target": "http://127.0.0.1:2", "user": "ada", "more": {"list": [1, "zwei"]}}"#;
    for key in ["/user/ada", "/user/a%20b%40c", "/%E7%A7%80"] {
        assert_eq!(proxy.api("POST", key, body).status, 201);
    }
    let before: Value = proxy.api("GET", "", "").json();
    assert_eq!(before.as_object().unwrap().len(), 3);
    proxy.hand_over();
    proxy.hand_over();
    assert_eq!(proxy.api("GET", "", "").json(), before);
}

#[test]
fn after_a_crash_the_next_process_has_listeners_and_routes_at_once() {
    let target = server("fine");
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let manager = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proxy/hand_over/service_manager.py");
    let (pid, api, metrics) = (place("pid"), place("api"), place("metrics"));
    let given = [
        env!("CARGO_BIN_EXE_orrery-proxy"),
        "--ip",
        "127.0.0.1",
        "--port",
        "0",
        "--pid-file",
        pid.to_str().unwrap(),
        "--api-socket",
        api.to_str().unwrap(),
        "--metrics-socket",
        metrics.to_str().unwrap(),
        "--workers",
        "1",
    ];
    let mut command = std::process::Command::new("python3");
    command.arg(manager).arg(place("notify")).args(given).env("CONFIGPROXY_AUTH_TOKEN", TOKEN);
    let mut program = Program::run(command);
    let public = program.public();
    let fields = format!("Authorization: token {TOKEN}\r\n");
    let ask_api = |method: &str, key: &str, body: &str| {
        ask_unix(&api, method, &format!("/api/routes{key}"), &fields, body)
    };
    program.line_with("Proxy API at");
    let body = format!(r#"{{"target": "{target}", "user": "ada"}}"#);
    for key in ["/a", "/b", "/c"] {
        assert_eq!(ask_api("POST", key, &body).status, 201);
    }
    assert_eq!(ask_api("DELETE", "/b", "").status, 204);
    let before = ask_api("GET", "", "").json();
    for crashes in 1..3 {
        let killed = number_in(&pid);
        kill(killed, Signal::KILL);
        // Nobody may accept now, and yet nobody is refused.
        assert_eq!(ask(public, "GET", "/a", "", "").body, "fine");
        assert_eq!(ask(public, "GET", "/b", "", "").status, 404);
        assert_eq!(ask_unix(&metrics, "GET", "/metrics", "", "").status, 200);
        program.nth_line_with(crashes - 1, "Going on with 2 routes");
        assert_ne!(number_in(&pid), killed);
    }
    let mut after = ask_api("GET", "", "").json();
    assert_ne!(after["/a"]["last_activity"], before["/a"]["last_activity"]);
    after["/a"]["last_activity"] = before["/a"]["last_activity"].clone();
    assert_eq!(after, before);
    kill(number_in(&pid), Signal::TERM);
    assert_eq!(program.ended().code(), Some(2));
    assert!(!api.exists() && !metrics.exists() && !pid.exists());
}

#[test]
fn only_an_orrery_proxy_is_told_to_hand_over() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let output = order(child.id());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no orrery-proxy"));
    assert!(child.try_wait().unwrap().is_none(), "SIGUSR2 would have ended it");
    child.kill().unwrap();
    child.wait().unwrap();
}
