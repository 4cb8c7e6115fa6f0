//! Ports that clients connect to, and the workers' ends of them.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use crate::socket::{Listener, Socket};
use crate::stream::tune;
use crate::tls::ServerTls;

/// Connections the kernel completes before a worker accepts them.
const BACKLOG: i32 = 4096;

/// Binds and listens, with `SO_REUSEADDR` so that a restart does not wait for old connections in `TIME_WAIT`. Port 0 lets
/// the kernel choose. `::` takes IPv4 as well.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = RawSocket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() && addr.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A worker's end of a listener.
#[derive(Debug)]
pub(crate) struct Door {
    inner: Inner,
    tls: Option<Arc<ServerTls>>,
}

#[derive(Debug)]
enum Inner {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// A new connection.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// With the address of the client, an IPv4 one in its own form.
    Tcp(tokio::net::TcpStream, IpAddr),
    Unix(tokio::net::UnixStream),
}

impl Accepted {
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(_, peer) => Some(*peer),
            Self::Unix(_) => None,
        }
    }
}

impl Door {
    /// Must be called within the worker's runtime.
    pub(crate) fn new(listener: Listener) -> io::Result<Self> {
        let inner = match listener.socket {
            Socket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                // Once, for all connections to come.
                tune(&listener);
                Inner::Tcp(tokio::net::TcpListener::from_std(listener)?)
            }
            Socket::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Inner::Unix(tokio::net::UnixListener::from_std(listener)?)
            }
        };
        Ok(Self { inner, tls: listener.tls })
    }

    pub(crate) fn tls(&self) -> Option<&Arc<ServerTls>> {
        self.tls.as_ref()
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match &self.inner {
            Inner::Tcp(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, peer)| Accepted::Tcp(stream, peer.ip().to_canonical())),
            Inner::Unix(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| Accepted::Unix(stream)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_an_error_and_port_zero_is_chosen_by_the_kernel() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = first.local_addr().unwrap();
        assert_ne!(addr.port(), 0);
        assert_eq!(bind(addr).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
