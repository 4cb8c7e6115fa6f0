//! `spawner.type = "simple"`: every server is a child process of the hub's own user. It separates nobody from anybody,
//! so it is for tests, for trying Orrery out, and for hubs with a single user.
//!
//! The hub opens every descriptor close-on-exec. One that the hub itself inherited without that flag reaches its
//! servers too: closing it here would need code between fork and exec, which this package forbids.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::task::{JoinError, spawn_blocking};

use super::address::{Address, authority};
use super::unclaimed::Unclaimed;
use super::{
    LaunchRequest, Launched, ProcessId, Running, SpawnError, home, in_shell, log_file, ports, program,
};
use crate::domain::ids::ServerId;

/// Gives the server a session of its own without running our code between fork and exec: it becomes a session leader,
/// then the server, under the same process number.
const SETSID: &str = "/usr/bin/setsid";

/// Starts servers as the user that the hub runs as.
#[derive(Debug, Clone)]
pub struct SimpleSpawner {
    log_dir: PathBuf,
    home_dir_template: String,
}

impl SimpleSpawner {
    /// Servers write to `<log_dir>/<server id>.log`; their homes follow `spawner.simple.home_dir_template`.
    #[must_use]
    pub fn new(log_dir: impl Into<PathBuf>, home_dir_template: impl Into<String>) -> Self {
        Self { log_dir: log_dir.into(), home_dir_template: home_dir_template.into() }
    }

    pub(super) async fn launch(&self, request: LaunchRequest) -> Result<Launched, SpawnError> {
        let spawner = self.clone();
        // all of it touches the file system, and fork takes its time in a large process
        let unclaimed = spawn_blocking(move || spawner.start(request)).await.map_err(interrupted)??;
        Ok(unclaimed.claim())
    }

    pub(super) async fn adopt_process(process: &ProcessId) -> Result<Option<Running>, SpawnError> {
        let process = process.clone();
        spawn_blocking(move || Running::find(&process))
            .await
            .map_err(interrupted)?
            .map_err(SpawnError::io("The server's process cannot be looked up"))
    }

    /// A server that nobody recorded is known by the log that it writes to: its name is the server's alone.
    pub(super) async fn find_unrecorded(&self, server: ServerId) -> Result<Option<Running>, SpawnError> {
        let log = self.log_of(server);
        let find = move || match ProcessId::writing_to(&log)? {
            Some(process) => Running::find(&process),
            None => Ok(None),
        };
        spawn_blocking(find)
            .await
            .map_err(interrupted)?
            .map_err(SpawnError::io("The server's process cannot be looked up"))
    }

    fn log_of(&self, server: ServerId) -> PathBuf {
        self.log_dir.join(format!("{server}.log"))
    }

    fn start(&self, request: LaunchRequest) -> Result<Unclaimed, SpawnError> {
        let user = &request.key.user;
        let home = home::path(&self.home_dir_template, user)?;
        let home_folder = home::prepare(&home, user)?;
        let folder = match request.local.folder.as_str() {
            "" => home_folder,
            folder => usable(folder)?,
        };
        let mut command = self.command(&request, &folder)?;
        let port = match request.port {
            0 => ports::find_free(&request.ip)?,
            configured => configured,
        };
        command
            .current_dir(&folder)
            .env_clear()
            .env("JUPYTERHUB_SERVICE_URL", service_url(&request, port))
            .envs(&request.environment)
            .env("USER", user.as_str())
            .env("HOME", &home)
            .env("SHELL", "/bin/bash");
        let log = self.redirect(&mut command, &request)?;
        let running = Running::spawn(command, log)?;
        let address = Address::reaching(&request.ip, port);
        Ok(Unclaimed::new(Launched { running, address }))
    }

    fn command(&self, request: &LaunchRequest, folder: &Path) -> Result<Command, SpawnError> {
        let words = in_shell(&request.local.shell, request.command.clone());
        let (name, arguments) = words.split_first().ok_or(SpawnError::NoCommand)?;
        let path = request.environment.get("PATH").map(String::as_str);
        let program = program::find(name, path, folder)?;
        let mut command = if Path::new(SETSID).exists() {
            let mut command = Command::new(SETSID);
            command.arg(program);
            command
        } else {
            let mut command = Command::new(program);
            command.process_group(0);
            command
        };
        command.args(arguments);
        Ok(command)
    }

    fn redirect(&self, command: &mut Command, request: &LaunchRequest) -> Result<PathBuf, SpawnError> {
        let path = self.log_of(request.server_id);
        match log_file::create(&path).and_then(|file| Ok((file.try_clone()?, file))) {
            Ok((output, errors)) => {
                command.stdin(Stdio::null()).stdout(output).stderr(errors);
                Ok(path)
            }
            Err(source) => Err(SpawnError::Log { path, source }),
        }
    }
}

/// `spawner.local.cwd`.
fn usable(folder: &str) -> Result<PathBuf, SpawnError> {
    let path = PathBuf::from(folder);
    let found = path.metadata().map_err(SpawnError::io("The folder of spawner.local.cwd cannot be used"))?;
    if found.is_dir() {
        Ok(path)
    } else {
        let problem = std::io::Error::from(std::io::ErrorKind::NotADirectory);
        Err(SpawnError::io("The folder of spawner.local.cwd cannot be used")(problem))
    }
}

/// What the server is told to bind to, and the path that it serves.
fn service_url(request: &LaunchRequest, port: u16) -> String {
    format!("http://{}{}", authority(&request.ip, port), request.service_url_prefix)
}

fn interrupted(error: JoinError) -> SpawnError {
    SpawnError::io("The start was interrupted")(error)
}

#[cfg(test)]
mod tests;
