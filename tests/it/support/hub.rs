//! A hub under test: the built binary, with a folder, ports and a database of its own.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use ureq::http;

/// The token of the configured service that may do everything.
pub(crate) const ADMIN_TOKEN: &str = "admin-token-of-the-tests-0123456789";
/// The password of everybody.
pub(crate) const PASSWORD: &str = "pw";

/// How many files a hub of the tests may have open, as it is started.
pub(crate) const SOFT_LIMIT: &str = "1024";
const BINARY: &str = env!("CARGO_BIN_EXE_orrery");

/// The file in a hub's folder with the environment variables that it is started with, `NAME=value`. `BEFORE_HUB` is what
/// the shell does before it becomes the hub.
const VARIABLES: &str = "variables";

/// One running hub. Ended, with its servers, when dropped.
pub(crate) struct Hub {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    process: Child,
}

/// What a request got.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no Location: {self:?}"))
    }
}

/// Settings that differ from the usual ones: lines of TOML with dotted keys at the top level.
pub(crate) fn settings(folder: &Path, port: u16, extra: &str) -> String {
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/fake_server.py");
    let folder = folder.display();
    let hub_port = free_port();
    let scopes = concat!(
        r#"["admin:users", "admin:servers", "admin:groups", "tokens", "shares", "list:services", "read:services","#,
        r#" "read:roles", "read:hub", "access:servers", "shutdown", "proxy"]"#
    );
    let usual = format!(
        r#"
proxy.bind_url = "http://127.0.0.1:{port}"
hub.bind_url = "http://127.0.0.1:{hub_port}"
hub.cookie_secret_file = "{folder}/cookie_secret"
database.url = "sqlite:///{folder}/orrery.sqlite"
auth.type = "dummy"
auth.allow_all = true
auth.dummy.password = "{PASSWORD}"
spawner.type = "simple"
spawner.cmd = ["python3", "{fake}"]
spawner.simple.home_dir_template = "{folder}/home/{{username}}"
services.tests.api_token = "{ADMIN_TOKEN}"
services.tests.admin = true
roles.tests.scopes = {scopes}
roles.tests.services = ["tests"]
"#
    );
    let replaced: Vec<&str> =
        extra.lines().filter_map(|line| line.split_once(" = ").map(|(key, _)| key)).collect();
    let kept =
        usual.lines().filter(|line| !replaced.iter().any(|key| line.starts_with(&format!("{key} = "))));
    kept.chain(extra.lines()).collect::<Vec<_>>().join("\n")
}

/// A port that nobody else gets: below those that the system gives to whoever asks for any, and each only once a run.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // runs at the same time begin at different places
    let begin = std::process::id().wrapping_mul(7919);
    loop {
        let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = u16::try_from(FIRST + offset).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Waits for a condition; panics with `what` after 30 seconds.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The built binary, without what the tests' own environment would configure.
fn binary() -> Command {
    without_settings(Command::new(BINARY))
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ORRERY_")) {
        command.env_remove(name);
    }
    command
}

fn launch(folder: &Path) -> Child {
    let variables = std::fs::read_to_string(folder.join(VARIABLES)).unwrap_or_default();
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    // as a login shell or systemd would start it
    let few_files = format!("ulimit -S -n {SOFT_LIMIT}; eval \"$BEFORE_HUB\"; exec \"$0\" \"$@\"");
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(few_files).arg(BINARY);
    without_settings(shell)
        .arg("--config")
        .arg(folder.join("orrery.toml"))
        .current_dir(folder)
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Hub {
    /// A hub with the usual settings.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// A hub with these settings besides the usual ones.
    pub(crate) fn with(extra: &str) -> Self {
        Self::at(free_port(), extra)
    }

    /// A hub with these settings besides the usual ones, and these environment variables.
    pub(crate) fn with_variables(extra: &str, variables: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(VARIABLES), variables.join("\n")).unwrap();
        Self::in_folder(folder, free_port(), extra)
    }

    /// A hub behind this public port.
    pub(crate) fn at(port: u16, extra: &str) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), port, extra)
    }

    /// A hub in a folder that holds files of its own.
    pub(crate) fn within(folder: TempDir, extra: &str) -> Self {
        Self::in_folder(folder, free_port(), extra)
    }

    fn in_folder(folder: TempDir, port: u16, extra: &str) -> Self {
        std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), port, extra)).unwrap();
        let process = launch(folder.path());
        let mut hub = Self { folder, url: format!("http://127.0.0.1:{port}"), process };
        hub.wait_until_it_answers();
        hub
    }

    /// A hub with the configuration in this folder, not waited for and without a URL.
    pub(crate) fn launched(folder: TempDir) -> Self {
        let process = launch(folder.path());
        Self { folder, url: String::new(), process }
    }

    fn wait_until_it_answers(&mut self) {
        let agent = agent();
        let settings = std::fs::read_to_string(self.path("orrery.toml")).unwrap();
        let based = settings.lines().find_map(|line| line.strip_prefix("hub.base_url = "));
        let base = based.unwrap_or_default().trim_matches(['"', '/']);
        let url = [&self.url, base, "hub/health"]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        eventually("the hub to answer", || {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the hub ended with {status}:\n{}", self.log());
            }
            agent.get(&url).call().ok().filter(|reply| reply.status() == 200)
        });
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends the hub as a crash would, and starts it again on the same folder.
    pub(crate) fn crash_and_restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.start_again();
    }

    /// Starts a hub that has ended on the same folder.
    pub(crate) fn start_again(&mut self) {
        self.process = launch(self.folder.path());
        self.wait_until_it_answers();
    }

    /// Waits for the hub's own end; its exit status.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// SIGTERM, and the exit status.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        kill(self.pid(), "TERM");
        self.process.wait().unwrap()
    }

    /// A REST call with the token of the service that may do everything.
    pub(crate) fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.api(method, path, Some(ADMIN_TOKEN), body)
    }

    /// A REST call with a token, or without any credentials.
    pub(crate) fn api(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Reply {
        let mut headers = Vec::new();
        if let Some(token) = token {
            headers.push(("authorization".to_owned(), format!("token {token}")));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request(&agent(), method, &format!("{}/hub/api{path}", self.url), &headers, body)
    }

    /// Where the hub itself listens, behind its proxy.
    pub(crate) fn internal_url(&self) -> String {
        let settings = std::fs::read_to_string(self.path("orrery.toml")).unwrap();
        let line = settings.lines().find(|line| line.starts_with("hub.bind_url")).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        request(&agent(), "GET", &format!("{}{path}", self.url), &[], String::new())
    }

    pub(crate) fn create_user(&self, name: &str) {
        let reply = self.admin("POST", &format!("/users/{name}"), None);
        assert_eq!(reply.status, 201, "{}", reply.body);
    }

    /// The model of a user's server, `null` if it isn't active.
    pub(crate) fn server(&self, user: &str, server: &str) -> Value {
        let reply = self.admin("GET", &format!("/users/{user}"), None);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["servers"][server].clone()
    }

    /// Waits until a user's default server is ready, starting it if nobody has.
    pub(crate) fn spawn_if_needed(&self, user: &str) {
        if self.server(user, "").is_null() {
            self.spawn(user);
        }
        eventually("the server", || (self.server(user, "")["ready"] == true).then_some(()));
    }

    /// Starts a user's default server and waits until it is ready; its model.
    pub(crate) fn spawn(&self, user: &str) -> Value {
        let reply = self.admin("POST", &format!("/users/{user}/server"), None);
        assert!(matches!(reply.status, 201 | 202), "{} {}\n{}", reply.status, reply.body, self.log());
        eventually("the server", || Some(self.server(user, "")).filter(|server| server["ready"] == true))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            kill(self.process.id(), "TERM");
            let _ = self.process.wait();
        }
        if std::thread::panicking() {
            eprintln!("the hub's log:\n{}", self.log());
        }
    }
}

/// Sends a signal to one process by its number.
pub(crate) fn kill(pid: u32, signal: &str) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().unwrap();
    assert!(status.success());
}

/// An HTTP client that follows nothing and takes every status.
pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(60))).allow_non_standard_methods(true).build().into()
}

pub(crate) fn request(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: impl Into<Vec<u8>>,
) -> Reply {
    let mut builder = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let sent = builder.body(body.into()).unwrap();
    let mut response = agent.run(sent).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let mut text = Vec::new();
    response.body_mut().as_reader().read_to_end(&mut text).unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: String::from_utf8_lossy(&text).into_owned(),
    }
}

/// Runs the binary to its end: status, stdout, stderr.
pub(crate) fn run(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let output = binary().args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
