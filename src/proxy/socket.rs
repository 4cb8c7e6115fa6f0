//! Sockets that listen, before anyone accepts.

use std::io;
use std::net::TcpListener;
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
        let socket = match &self.socket {
            Socket::Tcp(listener) => Socket::Tcp(listener.try_clone()?),
            Socket::Unix(listener) => Socket::Unix(listener.try_clone()?),
        };
        Ok(Self { socket, tls: self.tls.clone() })
    }
}
