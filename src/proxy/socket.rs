//! Sockets that listen, before anyone accepts.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use crate::tls::ServerTls;

/// A bound and listening socket.
#[derive(Debug)]
pub enum Socket {
    /// An address and a port.
    Tcp(TcpListener),
    /// A path.
    Unix(UnixListener),
}

impl Socket {
    /// The same socket once more.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// A socket and what is spoken on it.
#[derive(Debug)]
pub struct Listener {
    /// Where connections come from.
    pub socket: Socket,
    /// Set when TLS is.
    pub tls: Option<Arc<ServerTls>>,
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self { socket: Socket::Tcp(listener), tls: None }
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self { socket: Socket::Unix(listener), tls: None }
    }
}

impl Listener {
    /// The same socket for another worker: whoever is free accepts.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, tls: self.tls.clone() })
    }
}
