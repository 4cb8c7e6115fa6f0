//! A hook that is a program: the question on its standard input, the answer on its standard output.
//!
//! It leads a process group of its own, so that a deadline ends its children too, and it sees nothing of the hub's
//! environment, which may hold secrets.

use std::io;
use std::process::Stdio;

use log::info;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use users::os::unix::UserExt;

use super::{HookError, HookSetupError, LARGEST_ANSWER};
use crate::domain::allow::harmless;

/// Lines of the standard error that are logged of one run, and how long they may be.
const MOST_LINES: usize = 50;
const LONGEST_LINE: usize = 500;

/// Objects that are heard of one run, and how long they may be.
const MOST_OBJECTS: usize = 200;
const LONGEST_OBJECT: usize = 8 << 10;

/// Where programs are looked for if the hub itself was not told.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program, and as whom it runs.
#[derive(Debug, Clone)]
pub(super) struct Program {
    words: Vec<String>,
    account: Option<Account>,
}

#[derive(Debug, Clone)]
struct Account {
    user: u32,
    group: u32,
    name: String,
    home: String,
}

impl Program {
    pub(super) fn new(key: &str, words: &[String], user: &str) -> Result<Self, HookSetupError> {
        let account = if user.is_empty() { None } else { account(key, user)? };
        Ok(Self { words: words.to_vec(), account })
    }

    fn command(&self, name: &str) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map(String::as_str).unwrap_or_default());
        command
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into()))
            .env("LANG", "C.UTF-8")
            .env("ORRERY_HOOK", name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(account) = &self.account {
            command.uid(account.user).gid(account.group);
            command.env("HOME", &account.home).env("USER", &account.name);
        }
        command
    }

    /// Runs the program once. Dropping the future ends it, with its children.
    pub(super) async fn ask(&self, name: &str, question: String) -> Result<Vec<u8>, HookError> {
        let unreachable = |source| HookError::Unreachable { name: name.to_owned(), source };
        let mut running = Running(self.command(name).spawn().map_err(unreachable)?);
        let child = &mut running.0;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ((), answer, ()) = tokio::try_join!(give(stdin, question), take(stdout), log_lines(name, stderr))
            .map_err(unreachable)?;
        let status = child.wait().await.map_err(unreachable)?;
        if !status.success() {
            return Err(HookError::Failed { name: name.to_owned(), status: status.to_string() });
        }
        answer.ok_or_else(|| HookError::Answer {
            name: name.to_owned(),
            reason: format!("it is larger than {LARGEST_ANSWER} bytes"),
        })
    }
}

impl Program {
    /// Runs the program and hears the objects that it writes, one a line.
    pub(super) async fn follow(
        &self,
        name: &str,
        question: String,
        mut hear: impl FnMut(&Value),
    ) -> Result<(), HookError> {
        let unreachable = |source| HookError::Unreachable { name: name.to_owned(), source };
        let mut running = Running(self.command(name).spawn().map_err(unreachable)?);
        let child = &mut running.0;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let hearing = objects(stdout, &mut hear);
        tokio::try_join!(give(stdin, question), hearing, log_lines(name, stderr)).map_err(unreachable)?;
        let status = child.wait().await.map_err(unreachable)?;
        if status.success() {
            return Ok(());
        }
        Err(HookError::Failed { name: name.to_owned(), status: status.to_string() })
    }
}

/// Hears every line that is a JSON object; reads on when there were enough, so that the program is not held up.
async fn objects(stdout: Option<impl AsyncRead + Unpin>, hear: &mut impl FnMut(&Value)) -> io::Result<()> {
    let Some(mut stdout) = stdout else { return Ok(()) };
    let (mut line, mut fits, mut heard) = (Vec::new(), true, 0);
    let mut buffer = vec![0; 4096];
    loop {
        let read = stdout.read(&mut buffer).await?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { return Ok(()) };
        for byte in part {
            if *byte != b'\n' {
                fits &= line.len() < LONGEST_OBJECT;
                if fits {
                    line.push(*byte);
                }
                continue;
            }
            let object =
                serde_json::from_slice::<Value>(&line).ok().filter(|value| fits && value.is_object());
            if let (Some(object), true) = (object, heard < MOST_OBJECTS) {
                heard += 1;
                hear(&object);
            }
            line.clear();
            fits = true;
        }
    }
}

/// `None`: the hub's own account.
fn account(key: &str, name: &str) -> Result<Option<Account>, HookSetupError> {
    let missing = || HookSetupError::NoSuchUser { key: key.to_owned(), user: name.to_owned() };
    let found = users::get_user_by_name(name).ok_or_else(missing)?;
    let own = nix::unistd::geteuid();
    if found.uid() == own.as_raw() {
        return Ok(None);
    }
    if !own.is_root() {
        return Err(HookSetupError::NotRoot { key: key.to_owned() });
    }
    Ok(Some(Account {
        user: found.uid(),
        group: found.primary_group_id(),
        name: name.to_owned(),
        home: found.home_dir().display().to_string(),
    }))
}

/// Ends the whole group if the program was not waited for. Until then its number cannot be somebody else's.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(leader) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            // it may have ended meanwhile
            let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
        }
    }
}

/// A program may answer without reading the question to its end.
async fn give(stdin: Option<ChildStdin>, question: String) -> io::Result<()> {
    let Some(mut stdin) = stdin else { return Ok(()) };
    match stdin.write_all(question.as_bytes()).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// The whole answer; `None` if there is too much of it, which is read all the same so that the program ends.
async fn take(stdout: Option<impl AsyncRead + Unpin>) -> io::Result<Option<Vec<u8>>> {
    let (mut answer, mut buffer, mut fits) = (Vec::new(), vec![0; 8192], true);
    let Some(mut stdout) = stdout else { return Ok(Some(answer)) };
    loop {
        let read = stdout.read(&mut buffer).await?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        fits &= answer.len() + part.len() <= LARGEST_ANSWER;
        if fits {
            answer.extend_from_slice(part);
        }
    }
    Ok(fits.then_some(answer))
}

async fn log_lines(name: &str, stderr: Option<impl AsyncRead + Unpin>) -> io::Result<()> {
    let Some(mut stderr) = stderr else { return Ok(()) };
    let mut lines = Lines { name, line: Vec::new(), logged: 0 };
    let mut buffer = vec![0; 4096];
    loop {
        let read = stderr.read(&mut buffer).await?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { return Ok(()) };
        lines.add(part);
    }
}

/// What a program says on its standard error, one log line each. The last one, too, if the program is ended.
struct Lines<'a> {
    name: &'a str,
    line: Vec<u8>,
    logged: usize,
}

impl Lines<'_> {
    fn add(&mut self, part: &[u8]) {
        for byte in part {
            if *byte == b'\n' {
                self.end();
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(*byte);
            }
        }
    }

    fn end(&mut self) {
        if !self.line.is_empty() && self.logged < MOST_LINES {
            self.logged += 1;
            let said = harmless(&String::from_utf8_lossy(&self.line));
            info!(hook = self.name, said = said.as_str(); "a hook says");
        }
        self.line.clear();
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
