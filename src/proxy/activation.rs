//! What systemd has opened or kept for this process (sd_listen_fds(3), sd_pid_notify_with_fds(3)), so that it can be
//! replaced while the kernel keeps connections waiting. The hub uses it, too.

use std::fs::{File, OpenOptions};
use std::io;

use listenfd::ListenFd;

use crate::socket::Socket;

/// The number of the first file that systemd passes.
const FIRST: usize = 3;

/// Sockets and files by name. No child of this process gets them, nor the variables that tell of them.
#[derive(Debug, Default)]
pub struct Inherited {
    sockets: Vec<(String, Socket)>,
    files: Vec<(String, File)>,
}

impl Inherited {
    /// Takes what the environment offers; nothing is the usual. `names` is `LISTEN_FDNAMES`, and `files` are the names of
    /// those that are no sockets.
    ///
    /// # Errors
    /// What is offered is no socket that listens.
    pub fn take(names: Option<&str>, files: &[&str]) -> io::Result<Self> {
        let mut offered = ListenFd::from_env();
        let mut inherited = Self::default();
        for index in 0..offered.len() {
            let name = names.and_then(|names| names.split(':').nth(index)).unwrap_or_default().to_owned();
            if files.contains(&name.as_str()) {
                // By its path: who has only a number cannot own the file.
                let path = format!("/proc/self/fd/{}", FIRST + index);
                inherited.files.push((name, OpenOptions::new().read(true).write(true).open(path)?));
                continue;
            }
            let tcp = offered.take_tcp_listener(index).map(|found| found.map(Socket::Tcp));
            let socket = match tcp {
                Ok(socket) => socket,
                Err(_) => offered.take_unix_listener(index)?.map(Socket::Unix),
            };
            inherited.sockets.extend(socket.map(|socket| (name, socket)));
        }
        Ok(inherited)
    }

    /// Takes out the sockets of one name.
    pub fn named(&mut self, name: &str) -> Vec<Socket> {
        let taken = self.sockets.extract_if(.., |(found, _)| found == name);
        taken.map(|(_, socket)| socket).collect()
    }

    /// Takes out a file by its name.
    pub fn file(&mut self, name: &str) -> Option<File> {
        let index = self.files.iter().position(|(found, _)| found == name)?;
        Some(self.files.swap_remove(index).1)
    }

    /// Takes out all sockets that are left, such as those with the name of their unit.
    pub fn others(&mut self) -> Vec<Socket> {
        self.sockets.drain(..).map(|(_, socket)| socket).collect()
    }
}
