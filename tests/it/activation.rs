//! A port that systemd holds for the hub: connections wait while no hub runs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::support::hub::{eventually, free_port, kill, settings};

/// A hub that finds `listener` as systemd passes it; killed when dropped.
struct Activated(Child);

impl Activated {
    fn start(folder: &Path, listener: &TcpListener, name: &str) -> Self {
        // The shell moves the socket to where systemd would have put it.
        let script = "exec \"$0\" --config orrery.toml 3<&0 </dev/null";
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_orrery")])
            .current_dir(folder)
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDNAMES", name)
            .env_remove("LISTEN_PID")
            .stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())))
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORRERY_")) {
            command.env_remove(variable);
        }
        Self(command.spawn().unwrap())
    }
}

impl Drop for Activated {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = String::new();
    // What came before a reset counts.
    let _ = stream.read_to_string(&mut answer);
    answer
}

const REQUEST: &[u8] = b"GET /hub/health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[test]
fn connections_wait_for_the_next_hub_and_no_child_has_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = folder.path().join("seen");
    let look =
        format!("{{ ls -l /proc/self/fd; env; }} >{0}.new; mv {0}.new {0}; exec sleep 60", seen.display());
    let extra =
        format!("hub.bind_url = \"http://{address}\"\nservices.child.command = [\"sh\", \"-c\", \"{look}\"]");
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), free_port(), &extra)).unwrap();
    let socket = std::fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
    for _ in 0..2 {
        let mut waiting = TcpStream::connect(address).unwrap();
        waiting.write_all(REQUEST).unwrap();
        let mut hub = Activated::start(folder.path(), &listener, "hub");
        let answer = ask(&mut waiting);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let of_child = eventually("the service", || std::fs::read_to_string(&seen).ok());
        assert!(of_child.contains("/dev/null") && of_child.contains("PATH="), "{of_child}");
        assert!(!of_child.contains(socket.to_str().unwrap()) && !of_child.contains("LISTEN_"), "{of_child}");
        std::fs::remove_file(&seen).unwrap();
        kill(hub.0.id(), "TERM");
        assert!(hub.0.wait().unwrap().success());
    }
}

#[test]
fn another_address_than_the_configured_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free_port();
    let extra = format!("hub.bind_url = \"http://127.0.0.1:{port}\"");
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), free_port(), &extra)).unwrap();
    let mut hub = Activated::start(folder.path(), &listener, "hub");
    assert_eq!(hub.0.wait().unwrap().code(), Some(1));
    let said = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for part in ["hub.bind_url", &address, &port.to_string(), "orrery.socket"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn the_public_port_of_a_hub_with_its_own_proxy_may_be_systemds_too() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), address.port(), "")).unwrap();
    let mut waiting = TcpStream::connect(address).unwrap();
    waiting.write_all(REQUEST).unwrap();
    let _hub = Activated::start(folder.path(), &listener, "public");
    let answer = ask(&mut waiting);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
