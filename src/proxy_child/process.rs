//! The process itself: started in a session of its own, so that a Ctrl-C for the hub is none for the proxy, and with
//! its own umask, so that the sockets that it makes are for its group.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use log::{info, warn};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{AccessFlags, Pid, eaccess};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::{ChildError, ProxyPlan, leftover};
use crate::config::address::{Endpoint, Host};

/// How long one endpoint may take until it accepts, and how long both may.
const ONE_ENDPOINT: Duration = Duration::from_secs(10);
const ALL_ENDPOINTS: Duration = Duration::from_secs(15);
/// How long a port may be held by a process that is ending.
const LETTING_GO: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the hub waits for its end; a proxy that drains may take longer, by itself.
const ENDING: Duration = Duration::from_secs(5);

const SETSID: &str = "/usr/bin/setsid";
const SHELL: &str = "/bin/sh";

/// A proxy that runs.
pub struct RunningProxy {
    child: Child,
    pid: i32,
    plan: ProxyPlan,
}

impl RunningProxy {
    /// Ends what an earlier run has left, starts the proxy, and waits until it accepts connections.
    ///
    /// # Errors
    /// [`ChildError`]; nothing runs then.
    pub async fn start(plan: &ProxyPlan) -> Result<Self, ChildError> {
        leftover::clear(plan).await?;
        for endpoint in &plan.endpoints {
            free(endpoint).await?;
        }
        let child = command(plan)?.spawn().map_err(|source| system("the proxy cannot be started", source))?;
        let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else {
            return Err(ChildError::Ended { status: "an unknown status".to_owned() });
        };
        let mut proxy = Self { child, pid, plan: plan.clone() };
        let ready = match proxy.write_pid_file() {
            Ok(()) => proxy.accepting().await,
            Err(error) => Err(error),
        };
        if let Err(error) = ready {
            // harmless if it has ended already
            let _ = proxy.child.kill().await;
            leftover::sweep(plan);
            return Err(error);
        }
        info!(pid; "the proxy runs");
        Ok(proxy)
    }

    fn write_pid_file(&self) -> Result<(), ChildError> {
        let path = &self.plan.pid_file;
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        fs::write(path, format!("{}\n", self.pid))
            .map_err(|source| system(&format!("`proxy.pid_file`: {}", path.display()), source))
    }

    async fn accepting(&mut self) -> Result<(), ChildError> {
        let begin = Instant::now();
        for endpoint in &self.plan.endpoints {
            let limit = ONE_ENDPOINT.min(ALL_ENDPOINTS.saturating_sub(begin.elapsed()));
            let since = Instant::now();
            while !accepts(endpoint).await {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(ChildError::Ended { status: in_words(status) });
                }
                if since.elapsed() > limit {
                    let (endpoint, seconds) = (shown(endpoint), begin.elapsed().as_secs());
                    return Err(ChildError::Deaf { endpoint, seconds });
                }
                sleep(LOOK_EVERY).await;
            }
        }
        // a foreign program may be what accepts, and ours may just be ending because of it
        match self.child.try_wait() {
            Ok(Some(status)) => Err(ChildError::Ended { status: in_words(status) }),
            _ => Ok(()),
        }
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    #[cfg(test)]
    pub(super) async fn child_ended(&mut self) -> String {
        in_words(self.child.wait().await.unwrap())
    }

    /// Waits for its end, and clears up after it; how it ended, in words.
    pub async fn ended(&mut self) -> String {
        let status = match self.child.wait().await {
            Ok(status) => in_words(status),
            Err(error) => error.to_string(),
        };
        leftover::sweep(&self.plan);
        status
    }

    /// Ends it. One that still finishes requests after a while is left to do so.
    pub async fn stop(mut self) {
        if let Err(error) = kill(Pid::from_raw(self.pid), Signal::SIGTERM) {
            warn!(pid = self.pid, error:% = error; "the proxy cannot be told to end");
        }
        if timeout(ENDING, self.child.wait()).await.is_err() {
            info!(pid = self.pid; "the proxy still finishes requests; it ends by itself");
        }
        leftover::sweep(&self.plan);
    }

    /// Leaves it running; the next hub finds it through its pid file.
    pub fn leave(self) {
        info!(pid = self.pid; "the proxy is left running");
    }
}

fn command(plan: &ProxyPlan) -> Result<Command, ChildError> {
    let (name, own) = plan
        .command
        .split_first()
        .ok_or_else(|| ChildError::Missing { program: "a program".to_owned(), place: String::new() })?;
    let program = find(name, plan.environment.get("PATH").map_or("", String::as_str))?;
    // the umask is set by a shell, as code between fork and exec is forbidden here
    let script = format!("umask {:04o} && exec \"$@\"", plan.umask);
    let mut command = if Path::new(SETSID).exists() {
        let mut command = Command::new(SETSID);
        command.arg(SHELL);
        command
    } else {
        let mut command = Command::new(SHELL);
        command.process_group(0);
        command
    };
    command.args(["-c", &script, "sh"]).arg(program).args(own).args(&plan.arguments);
    command.env_clear().envs(&plan.environment).stdin(Stdio::null());
    Ok(command)
}

fn find(name: &str, path: &str) -> Result<PathBuf, ChildError> {
    let runs = |file: &PathBuf| file.is_file() && eaccess(file, AccessFlags::X_OK).is_ok();
    if name.contains('/') {
        let file = PathBuf::from(name);
        let missing = || ChildError::Missing { program: name.to_owned(), place: String::new() };
        return Some(file).filter(runs).ok_or_else(missing);
    }
    let missing = || ChildError::Missing { program: name.to_owned(), place: format!(" on PATH ({path})") };
    let folders = path.split(':').map(Path::new).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(runs).ok_or_else(missing)
}

/// Looks whether someone else has the port: the proxy's own words about that are for programmers. A proxy that has just
/// been ended may hold it for a moment.
async fn free(endpoint: &Endpoint) -> Result<(), ChildError> {
    let Endpoint::Tcp { host, port } = endpoint else { return Ok(()) };
    let host = if matches!(host.as_str(), "" | "*") { "0.0.0.0" } else { host.as_str() };
    let since = Instant::now();
    loop {
        match std::net::TcpListener::bind((host, *port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && since.elapsed() < LETTING_GO => {
                sleep(LOOK_EVERY).await;
            }
            Err(source) if source.kind() == ErrorKind::AddrInUse => {
                return Err(ChildError::Taken { endpoint: shown(endpoint), source });
            }
            // a privilege that we lack, a name that is not ours: the proxy will tell
            _ => return Ok(()),
        }
    }
}

async fn accepts(endpoint: &Endpoint) -> bool {
    let connected = async {
        match endpoint {
            Endpoint::Tcp { host, port } => TcpStream::connect((reached(host), *port)).await.map(drop),
            Endpoint::Unix(path) => UnixStream::connect(path).await.map(drop),
        }
    };
    match timeout(Duration::from_secs(1), connected).await {
        Ok(Ok(())) => true,
        // whoever may not connect has been heard
        Ok(Err(error)) => error.kind() == ErrorKind::PermissionDenied,
        Err(_) => false,
    }
}

/// Where something that listens on `host` is reached.
fn reached(host: &str) -> &str {
    match host {
        "" | "*" | "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    }
}

fn shown(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { host, port } => format!("{}:{port}", Host(host)),
        Endpoint::Unix(path) => path.display().to_string(),
    }
}

fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

fn system(what: &str, source: std::io::Error) -> ChildError {
    ChildError::System { what: what.to_owned(), source }
}
