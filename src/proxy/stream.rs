//! Byte streams to clients and servers: TCP, UNIX sockets, TLS over TCP, and pipes within the process.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

/// A peer that vanished without a word (SEC-097) is noticed after this silence plus the kernel's probes.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(45))
    .with_interval(Duration::from_secs(10))
    .with_retries(3);
/// How long bytes may stay unacknowledged: the same for peers that vanish while something is on its way to them.
const USER_TIMEOUT: Duration = Duration::from_secs(75);

/// One end of a connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// To another part of this process.
    Pipe(DuplexStream),
}

/// Sets what every TCP connection here has: no delay, and probes for peers that vanish. A failure means that the peer is
/// already gone, which the next read tells. Connections inherit it from a listener that has it.
pub(crate) fn tune(socket: &impl AsFd) {
    let socket = SockRef::from(socket);
    let outcome = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_tcp_keepalive(&KEEPALIVE))
        .and_then(|()| socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = outcome {
        log::debug!(error:%; "socket options not set");
    }
}

impl Stream {
    /// Reads what is there, at most `into.len()` bytes; 0 at the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        let outcome = match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, &mut buffer),
            Self::Pipe(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        ready!(outcome)?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Writes what fits, at least one byte.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Self::Pipe(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        match ready!(written)? {
            0 if !bytes.is_empty() => Poll::Ready(Err(ErrorKind::WriteZero.into())),
            written => Poll::Ready(Ok(written)),
        }
    }

    /// Sends what TLS keeps back. Sockets keep nothing.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::Tcp(_) | Self::Unix(_) | Self::Pipe(_) => Poll::Ready(Ok(())),
        }
    }

    /// Tells the peer that nothing more comes.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Pipe(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    /// Whether an unused connection is still open and silent. Costs no system call unless something has arrived.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0]).is_pending()
    }

    /// Makes the end of the connection a reset: the peer must not take it for the end of a message.
    pub(crate) fn reset_on_close(&self) {
        let socket = match self {
            Self::Tcp(stream) => SockRef::from(stream),
            Self::Tls(stream) => SockRef::from(stream.get_ref().0),
            Self::Unix(_) | Self::Pipe(_) => return,
        };
        if let Err(error) = socket.set_linger(Some(Duration::ZERO)) {
            log::debug!(error:%; "socket options not set");
        }
    }

    /// Whether the end of what the peer sends is the end of the peer: it is where nobody closes one direction alone.
    pub(crate) fn ends_at_once(&self) -> bool {
        matches!(self, Self::Pipe(_))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::OwnedFd;

    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    use serde_json::Value;
    use socket2::Socket;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{ProxyConfig, Route, RouteTable, Routes, bind, serve, side};

    /// Every descriptor of this process, duplicated: those of the proxy's workers are among them.
    fn sockets() -> Vec<Socket> {
        let own = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        let numbers = std::fs::read_dir("/proc/self/fd").unwrap();
        // Listed before anything is duplicated, or the duplicates would be among them.
        let numbers: Vec<_> =
            numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        numbers
            .into_iter()
            .filter_map(|number| -> Option<OwnedFd> {
                // What was closed meanwhile is not what is looked for.
                pidfd_getfd(&own, number, PidfdGetfdFlags::empty()).ok()
            })
            .map(Socket::from)
            .collect()
    }

    /// The socket between these two, or a duplicate of it: tests beside this one duplicate as well.
    fn between(local: Option<SocketAddr>, peer: SocketAddr) -> Socket {
        let is_wanted = |socket: &Socket| {
            let here = socket.local_addr().ok().and_then(|address| address.as_socket());
            let there = socket.peer_addr().ok().and_then(|address| address.as_socket());
            there == Some(peer) && (local.is_none() || here == local)
        };
        sockets().into_iter().find(is_wanted).unwrap()
    }

    fn assert_tuned(socket: &Socket, which: &str) {
        assert!(socket.keepalive().unwrap(), "{which}");
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(45), "{which}");
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10), "{which}");
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3, "{which}");
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT), "{which}");
        assert!(socket.tcp_nodelay().unwrap(), "{which}");
    }

    #[test]
    fn sec_097_accepted_and_opened_connections_are_probed_and_given_up_when_nobody_answers() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let server_address = server.local_addr().unwrap();
        let routes = Routes::default();
        let route = Route::new("/", &format!("http://{server_address}"), Value::Null).unwrap();
        routes.publish(RouteTable::new([route]));
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let proxy_address = listener.local_addr().unwrap();
        let config = ProxyConfig { workers: 1, ..ProxyConfig::default() };
        let _proxy = serve(vec![listener.into()], routes, config).unwrap();
        let mut client = std::net::TcpStream::connect(proxy_address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let (mut serving, _) = server.accept().unwrap();
        // The request has come through: both connections are in use.
        assert!(serving.read(&mut [0; 1024]).unwrap() > 0);
        let accepted = between(Some(proxy_address), client.local_addr().unwrap());
        let opened = between(None, server_address);
        assert_tuned(&accepted, "accepted");
        assert_tuned(&opened, "opened");
    }

    #[test]
    fn sec_097_connections_to_side_listeners_are_probed_as_well() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = listener.local_addr().unwrap();
            let answer =
                |_| std::future::ready(http::Response::new(http_body_util::Full::new(bytes::Bytes::new())));
            tokio::spawn(side::serve(
                listener.into(),
                side::Limits::default(),
                side::Closing::default(),
                answer,
            ));
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
            assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);
            assert_tuned(&between(Some(address), client.local_addr().unwrap()), "side");
        });
    }
}
