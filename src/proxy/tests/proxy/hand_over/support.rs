//! A proxy and those that take over from it, a server for them, and clients that notice everything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::binary::{DEADLINE, Program, TOKEN, command};

/// All processes of one proxy; ended with the value.
pub(crate) struct Generations {
    pub(crate) folder: TempDir,
    /// The first process.
    pub(crate) first: Program,
    /// The process that serves.
    pub(crate) pid: u32,
    others: Vec<u32>,
}

impl Generations {
    /// On loopback ports that the kernel chooses. The program is a link in the folder, so that it can be replaced.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::with(&[&["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1"], options].concat(), &[])
    }

    /// With all its options, and more variables; `{}` is the folder.
    pub(crate) fn with(options: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap().to_owned();
        let given: Vec<String> = options.iter().map(|option| option.replace("{}", &place)).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let mut usual = command(&[&given[..], &["--workers", "2", "--log-level", "debug"]].concat());
        let program = folder.path().join("orrery-proxy");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_orrery-proxy"), &program).unwrap();
        let mut own = std::process::Command::new(&program);
        own.args(usual.get_args()).stdin(std::process::Stdio::null());
        for (name, value) in usual.get_envs() {
            match value {
                Some(value) => own.env(name, value),
                None => own.env_remove(name),
            };
        }
        own.env("CONFIGPROXY_AUTH_TOKEN", TOKEN);
        own.envs(variables.iter().map(|(name, value)| (*name, value.replace("{}", &place))));
        usual = own;
        let mut first = Program::run(usual);
        first.line_with("Proxy API at");
        let pid = first.id();
        Self { folder, first, pid, others: Vec::new() }
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder.path().join("orrery-proxy")
    }

    /// What the program does from now on, if it is started.
    pub(crate) fn replace_program(&self, script: Option<&str>) {
        std::fs::remove_file(self.program()).unwrap();
        match script {
            None => std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_orrery-proxy"), self.program()).unwrap(),
            Some(script) => {
                use std::os::unix::fs::PermissionsExt;
                // Another name first: what is open for writing cannot be started.
                let draft = self.folder.path().join("draft");
                std::fs::write(&draft, script).unwrap();
                std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
                std::fs::rename(&draft, self.program()).unwrap();
            }
        }
    }

    /// `orrery-proxy --hand-over` to the process that serves.
    pub(crate) fn order(&self) -> Output {
        order(self.pid)
    }

    /// Hands over and waits until the successor serves; the process that did so far.
    pub(crate) fn hand_over(&mut self) -> u32 {
        let output = self.order();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let before = self.pid;
        self.adopt(said.split(' ').nth(1).unwrap().parse().unwrap());
        assert_ne!(self.pid, before);
        before
    }

    /// Another process serves now.
    pub(crate) fn adopt(&mut self, pid: u32) {
        self.pid = pid;
        self.others.push(pid);
    }

    pub(crate) fn public(&mut self) -> SocketAddr {
        self.first.public()
    }

    pub(crate) fn api(&mut self, method: &str, path: &str, body: &str) -> crate::binary::Reply {
        self.first.api(method, path, body)
    }

    /// Waits for the end of the first process.
    pub(crate) fn first_ended(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.first.try_wait() {
                return status;
            }
            assert!(Instant::now() < end, "the first process does not end: {:#?}", self.first.log);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Generations {
    fn drop(&mut self) {
        for pid in self.others.iter().filter(|pid| runs(**pid)) {
            // It may end by itself just now.
            let _ = kill_process(as_pid(*pid), Signal::KILL);
        }
    }
}

pub(crate) fn kill(pid: u32, signal: Signal) {
    kill_process(as_pid(pid), signal).unwrap();
}

pub(crate) fn order(pid: u32) -> Output {
    command(&["--hand-over", &pid.to_string()]).output().unwrap()
}

fn as_pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// Whether a process runs: one that has ended may not have been waited for.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A server that answers with its name and, asked for an upgrade, sends back what it gets.
pub(crate) fn server(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream, name));
        }
    });
    url
}

fn serve(stream: TcpStream, name: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let (mut line, mut is_upgrade) = (String::new(), false);
        while reader.read_line(&mut line)? > 2 {
            is_upgrade |= line.starts_with("Upgrade");
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        if is_upgrade {
            stream.write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            )?;
            return std::io::copy(&mut reader, &mut stream).map(drop);
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len())?;
    }
}

/// One connection of a client.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// An upgraded one.
    pub(crate) fn upgraded(to: SocketAddr, path: &str) -> std::io::Result<Self> {
        let mut connection = Self::open(to)?;
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        connection.0.get_mut().write_all(head.as_bytes())?;
        let (status, _, _) = connection.head()?;
        assert_eq!(status, 101);
        Ok(connection)
    }

    fn head(&mut self) -> std::io::Result<(u16, usize, bool)> {
        let (mut status, mut length, mut closes) = (0, 0, false);
        let mut line = String::new();
        loop {
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end().to_ascii_lowercase();
            match text.split_once(": ") {
                _ if text.is_empty() => return Ok((status, length, closes)),
                None => status = text.split(' ').nth(1).unwrap().parse().unwrap(),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", value)) => closes = value == "close",
                Some(_) => {}
            }
            line.clear();
        }
    }

    /// One request: its answer's status and body, and whether the connection ends with it.
    pub(crate) fn get(&mut self, path: &str) -> std::io::Result<(u16, String, bool)> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes())?;
        let (status, length, closes) = self.head()?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned(), closes))
    }

    /// Sends a text through an upgraded connection and waits for it to come back.
    pub(crate) fn echo(&mut self, text: &str) -> std::io::Result<()> {
        self.0.get_mut().write_all(text.as_bytes())?;
        let mut back = vec![0; text.len()];
        self.0.read_exact(&mut back)?;
        assert_eq!(back, text.as_bytes());
        Ok(())
    }
}

/// Clients at work until told to end; they count what they did and keep what went wrong.
pub(crate) struct Load {
    ended: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self { ended: Arc::default(), done: Arc::default(), clients: Vec::new() }
    }

    /// Repeats something, each time with its number.
    pub(crate) fn repeat(&mut self, mut act: impl FnMut(usize) -> std::io::Result<()> + Send + 'static) {
        let (ended, done) = (Arc::clone(&self.ended), Arc::clone(&self.done));
        self.clients.push(std::thread::spawn(move || {
            let mut errors = Vec::new();
            for number in 0.. {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                match act(number) {
                    Ok(()) => drop(done.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => errors.push(format!("{number}: {error}")),
                }
            }
            errors
        }));
    }

    /// Waits for this many more.
    pub(crate) fn more(&self, count: usize) {
        let wanted = self.done.load(Ordering::Relaxed) + count;
        until("the clients to go on", || self.done.load(Ordering::Relaxed) >= wanted);
    }

    /// Ends all; how much was done, and what went wrong.
    pub(crate) fn end(self) -> (usize, Vec<String>) {
        self.ended.store(true, Ordering::Relaxed);
        let errors = self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (self.done.load(Ordering::Relaxed), errors)
    }
}

/// What a file says as a number.
pub(crate) fn number_in(path: &Path) -> u32 {
    std::fs::read_to_string(path).unwrap().trim().parse().unwrap()
}
