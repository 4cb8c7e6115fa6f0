//! The proxy of an earlier run: it holds the ports, and its token is not known any more.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use log::{info, warn};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::{ChildError, ProxyPlan};

/// How long each signal has to work.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Ends the proxy that the pid file names, and removes what it left: the pid file and sockets that nobody serves.
pub(super) async fn clear(plan: &ProxyPlan) -> Result<(), ChildError> {
    if let Some(pid) = read(&plan.pid_file) {
        end(pid).await?;
        remove(&plan.pid_file);
    }
    for socket in plan.sockets().filter(|path| is_abandoned(path)) {
        info!(path:% = socket.display(); "an abandoned socket of a proxy is removed");
        remove(socket);
    }
    Ok(())
}

/// The process that the file names, if it is a proxy. A file that names none is removed.
fn read(file: &Path) -> Option<i32> {
    if file.as_os_str().is_empty() {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let pid = text.trim().parse().ok().filter(|pid| *pid > 1);
    let Some(pid) = pid else {
        warn!(path:% = file.display(); "the proxy's pid file holds no process number and is removed");
        remove(file);
        return None;
    };
    match arguments_of(pid) {
        Some(words) if is_proxy(&words) => Some(pid),
        found => {
            if found.is_some() {
                warn!(pid, path:% = file.display(); "the process in the proxy's pid file is something else by now");
            }
            remove(file);
            None
        }
    }
}

/// The words of a process's command line; `None` if it has ended.
fn arguments_of(pid: i32) -> Option<Vec<String>> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<String> =
        bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    // a process that only waits to be reaped has none
    words.iter().any(|word| !word.is_empty()).then_some(words)
}

/// Whether nothing of it is left but its number, until its parent looks at it: only then are its ports free. A first thread
/// that has ended is not enough: while others live, what the process listens on is open.
fn has_ended(pid: i32) -> bool {
    let others =
        fs::read_dir(format!("/proc/{pid}/task")).map_or(0, |threads| threads.count().saturating_sub(1));
    if others > 0 {
        return false;
    }
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    // the name in parentheses may hold anything
    let state = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_ascii_whitespace().next());
    matches!(state, Some("Z" | "X" | "x"))
}

/// Numbers of processes are used again: only what was started with our arguments is ended.
fn is_proxy(words: &[String]) -> bool {
    let has = |name: &str| words.iter().any(|word| word == name);
    (has("--api-port") || has("--api-socket")) && (has("--error-target") || has("--error-path"))
}

async fn end(pid: i32) -> Result<(), ChildError> {
    warn!(pid; "the proxy of an earlier run is ended");
    for signal in [Signal::SIGTERM, Signal::SIGTERM, Signal::SIGKILL] {
        match kill(Pid::from_raw(pid), signal) {
            Ok(()) => {}
            Err(Errno::ESRCH) => return Ok(()),
            Err(error) => {
                let what = format!("the proxy of an earlier run, process {pid}, cannot be ended");
                return Err(ChildError::System { what, source: error.into() });
            }
        }
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if has_ended(pid) {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }
    Err(ChildError::Immortal { pid })
}

/// Whether a socket's file is there and nobody accepts connections.
fn is_abandoned(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    is_socket
        && UnixStream::connect(path).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// Removes what an ended proxy has left.
pub(super) fn sweep(plan: &ProxyPlan) {
    if !plan.pid_file.as_os_str().is_empty() {
        remove(&plan.pid_file);
    }
    plan.sockets().for_each(|socket| remove(socket));
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            warn!(path:% = path.display(), error:% = error; "a file of the proxy could not be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Its first thread ends at once, another one goes on.
    const HEADLESS: &str = "import ctypes, threading, time\n\
        threading.Thread(target=time.sleep, args=(60,)).start()\n\
        ctypes.CDLL(None).syscall(60, 0)";

    #[test]
    fn proxy_029_a_process_has_ended_when_its_last_thread_has() {
        let mut child = Command::new("python3").args(["-c", HEADLESS]).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let is_zombie = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z')
        };
        while !is_zombie() {
            std::thread::yield_now();
        }
        assert!(!has_ended(pid));
        child.kill().unwrap();
        while !has_ended(pid) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(has_ended(pid));
    }
}
