//! How this program was started, to start it once more.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Tells a process that it is a successor, and how far it is.
pub(super) const VARIABLE: &str = "ORRERY_PROXY_SUCCESSOR";
/// The first process, which only starts the second: that one's parent is then nobody who may be busy with connections for
/// days, but the service manager, who sees its end.
pub(super) const FIRST: &str = "start";
/// The second process, which serves.
pub(super) const SECOND: &str = "serve";

/// Program and arguments.
#[derive(Debug)]
pub(in crate::program) struct Invocation {
    /// What was written, not what links led to: an upgrade may have changed where they lead.
    program: PathBuf,
    name: OsString,
    arguments: Vec<OsString>,
}

impl Invocation {
    /// That of this process. To be asked before anything can have been replaced.
    pub(in crate::program) fn own() -> io::Result<Self> {
        let mut arguments = env::args_os();
        let name = arguments.next().unwrap_or_default();
        let program = match Path::new(&name) {
            path if path.is_absolute() => path.to_owned(),
            path if path.components().nth(1).is_some() => env::current_dir()?.join(path),
            _ => env::current_exe()?,
        };
        Ok(Self { program, name, arguments: arguments.collect() })
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// The same once more, as a successor that finds `channel` as its standard input.
    pub(super) fn start(&self, stage: &str, channel: OwnedFd) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg0(&self.name).args(&self.arguments).stdin(Stdio::from(channel)).env(VARIABLE, stage);
        for name in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID"] {
            command.env_remove(name);
        }
        if env::var("WATCHDOG_PID").is_ok_and(|pid| pid == std::process::id().to_string()) {
            command.env_remove("WATCHDOG_PID");
        }
        command.spawn()
    }
}
