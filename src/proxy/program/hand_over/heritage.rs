//! What a successor gets: sockets, routes, and the channels to those before, which still have connections.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;

use rustix::net::AddressFamily;
use rustix::net::sockopt::socket_domain;
use serde_json::{Value, json};

use super::channel::{receive_files, send_files};
use crate::program::role::Role;
use crate::socket::Socket;

/// What is said and meant may change with this number only.
pub(super) const VERSION: u64 = 1;

/// What is handed over.
#[derive(Debug)]
pub(in crate::program) struct Heritage {
    pub(in crate::program) sockets: Vec<(Role, Socket)>,
    /// The file of all routes.
    pub(in crate::program) routes: File,
    /// Channels to those that handed over earlier.
    pub(super) elders: Vec<OwnedFd>,
}

/// Sends it.
pub(super) fn send(
    to: BorrowedFd<'_>,
    sockets: &[(Role, Socket)],
    routes: BorrowedFd<'_>,
    elders: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let names: Vec<&str> = sockets.iter().map(|(role, _)| role.name()).collect();
    let message = json!({ "heritage": { "sockets": names, "elders": elders.len() } });
    let mut files = vec![routes];
    files.extend(sockets.iter().map(|(_, socket)| socket.as_fd()));
    files.extend(elders);
    send_files(to, &message, &files)
}

/// Waits for it, blocking.
pub(super) fn receive(from: BorrowedFd<'_>) -> io::Result<Heritage> {
    let (message, files) = receive_files(from)?;
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the predecessor said something else");
    let names = message.pointer("/heritage/sockets").and_then(Value::as_array).ok_or_else(malformed)?;
    let mut files = files.into_iter();
    let routes = files.next().ok_or_else(malformed)?.into();
    let mut sockets = Vec::new();
    for name in names {
        let role = name.as_str().and_then(Role::from_name).ok_or_else(malformed)?;
        sockets.push((role, socket(files.next().ok_or_else(malformed)?)?));
    }
    Ok(Heritage { sockets, routes, elders: files.collect() })
}

fn socket(file: OwnedFd) -> io::Result<Socket> {
    Ok(match socket_domain(&file)? {
        AddressFamily::UNIX => Socket::Unix(UnixListener::from(file)),
        _ => Socket::Tcp(TcpListener::from(file)),
    })
}
