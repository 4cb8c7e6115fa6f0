//! The program as others start it, and an HTTP client for its side listeners.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// For everything that takes no time unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const TOKEN: &str = "secret-of-the-test";

/// The program, without anything of our own environment that it reads.
pub(crate) fn command(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orrery-proxy"));
    command.args(options).stdin(Stdio::null());
    for name in ["CONFIGPROXY_AUTH_TOKEN", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET"] {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub(crate) fn output(options: &[&str]) -> Output {
    command(options).output().unwrap()
}

/// A running program; killed at the end of the test.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    /// What it has logged so far, as far as anyone waited for it.
    pub(crate) log: Vec<String>,
}

impl Program {
    /// On loopback ports that the kernel chooses, with a token.
    pub(crate) fn start(options: &[&str]) -> Self {
        let ports = ["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1", "--workers", "1"];
        let mut command = command(&[&ports, options].concat());
        command.env("CONFIGPROXY_AUTH_TOKEN", TOKEN);
        Self::run(command)
    }

    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, log: Vec::new() }
    }

    /// Waits for a line of the log; panics with the log when there is none.
    pub(crate) fn line_with(&mut self, part: &str) -> String {
        self.nth_line_with(0, part)
    }

    /// The line after `before` others of the kind.
    pub(crate) fn nth_line_with(&mut self, before: usize, part: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(line) = self.log.iter().filter(|line| line.contains(part)).nth(before) {
                return line.clone();
            }
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.log.push(line),
                Err(_) => panic!("no line {before} with {part:?} in {:#?}", self.log),
            }
        }
    }

    fn address_after(&mut self, words: &str) -> SocketAddr {
        let line = self.line_with(words);
        let url = line.split(words).nth(1).unwrap();
        let authority = url.split("://").nth(1).unwrap().split(['/', ' ']).next().unwrap();
        authority.parse().unwrap()
    }

    pub(crate) fn public(&mut self) -> SocketAddr {
        self.address_after("Proxying ")
    }

    pub(crate) fn api_address(&mut self) -> SocketAddr {
        self.address_after("Proxy API at ")
    }

    pub(crate) fn metrics_address(&mut self) -> SocketAddr {
        self.address_after("Serve metrics at ")
    }

    pub(crate) fn redirect_address(&mut self) -> SocketAddr {
        self.address_after("Redirecting ")
    }

    /// One call of the API with the token; `path` follows `/api/routes`.
    pub(crate) fn api(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let fields = format!("Authorization: token {TOKEN}\r\n");
        ask(self.api_address(), method, &format!("/api/routes{path}"), &fields, body)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        // Its output ends when it does.
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.log.push(line);
        }
        self.child.wait().unwrap()
    }

    /// Its status, if it has ended; others may still write to its output.
    pub(crate) fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Tells it to end, and waits.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer; names of fields in lower case.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(found, value)| (found.eq_ignore_ascii_case(name)).then_some(value))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(to: SocketAddr, method: &str, path: &str, fields: &str, body: &str) -> Reply {
    talk(TcpStream::connect(to).unwrap(), method, path, fields, body)
}

pub(crate) fn ask_unix(to: &Path, method: &str, path: &str, fields: &str, body: &str) -> Reply {
    talk(UnixStream::connect(to).unwrap(), method, path, fields, body)
}

pub(crate) fn talk(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    fields: &str,
    body: &str,
) -> Reply {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // What a closed TLS session or a reset leaves is judged by what came before.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// A server that answers every request with its first line and the fields asked for.
pub(crate) fn echo() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || show(stream));
        }
    });
    url
}

fn show(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut shown = String::new();
        if reader.read_line(&mut shown)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            shown.push_str(&line);
            line.clear();
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{shown}", shown.len())?;
    }
}
