//! Places into listening sockets.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;

use crate::cli::Place;
use crate::listen::bind;
use crate::own_file::{OwnFile, listen_unix};
use crate::socket::Socket;

/// A place where nobody can listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place} for {what}: {source}; {advice}")]
pub struct PlaceError {
    what: &'static str,
    place: String,
    advice: &'static str,
    source: io::Error,
}

/// Who may connect to a UNIX socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whom the umask lets, as with CHP.
    Umask,
    /// Nobody but this account and root.
    Owner,
}

/// The sockets of one place, and the file that one of them is.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) sockets: Vec<Socket>,
    pub(super) file: Option<OwnFile>,
}

/// Listens on every address that the place means.
pub(super) fn listen(what: &'static str, place: &Place, access: Access) -> Result<Listening, PlaceError> {
    let outcome = match place {
        Place::Tcp(host, port) => listen_tcp(host, *port).map(|sockets| Listening { sockets, file: None }),
        Place::Unix(path) => listen_at(path, access)
            .map(|(socket, file)| Listening { sockets: vec![socket], file: Some(file) }),
    };
    outcome.map_err(|source| PlaceError { what, place: shown(place), advice: advice(&source), source })
}

/// A place as it is written in the log.
pub(super) fn shown(place: &Place) -> String {
    match place {
        Place::Tcp(host, port) if host.is_empty() => format!("*:{port}"),
        Place::Tcp(host, port) if host.contains(':') => format!("[{host}]:{port}"),
        Place::Tcp(host, port) => format!("{host}:{port}"),
        Place::Unix(path) => format!("unix:{}", path.display()),
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there: stop it (`ss -ltnp` shows it)",
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE or socket activation, and a socket's directory must be writable"
        }
        io::ErrorKind::NotFound => "is the directory there?",
        _ => "does the address belong to this machine?",
    }
}

fn listen_tcp(host: &str, port: u16) -> io::Result<Vec<Socket>> {
    if host.is_empty() {
        return listen_everywhere(port).map(|listener| vec![Socket::Tcp(listener)]);
    }
    // A name may have several addresses, `localhost` usually has two. One that this
    // machine lacks is no failure while another works.
    let mut sockets = Vec::new();
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in addresses(host, port)? {
        match bind(address) {
            Ok(listener) => sockets.push(Socket::Tcp(listener)),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => last = error,
            Err(error) => return Err(error),
        }
    }
    if sockets.is_empty() { Err(last) } else { Ok(sockets) }
}

fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let mut addresses: Vec<SocketAddr> = (bare, port).to_socket_addrs()?.collect();
    addresses.sort_unstable();
    addresses.dedup();
    if port == 0 {
        // Two addresses would get two ports.
        addresses.truncate(1);
    }
    Ok(addresses)
}

/// Whether a socket with this address is one of those that [`listen`] opens; any port is, where the kernel chooses.
pub(super) fn means(host: &str, port: u16, address: SocketAddr) -> bool {
    let is_same =
        |wanted: SocketAddr| wanted.ip() == address.ip() && (port == 0 || wanted.port() == address.port());
    match host.is_empty() {
        true => address.ip().is_unspecified() && (port == 0 || port == address.port()),
        false => addresses(host, port).is_ok_and(|wanted| wanted.into_iter().any(is_same)),
    }
}

/// With IPv6, which takes IPv4 as well; without, if the system has none.
fn listen_everywhere(port: u16) -> io::Result<TcpListener> {
    match bind(SocketAddr::from(([0_u16; 8], port))) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind(SocketAddr::from(([0_u8; 4], port))).map_err(|_| error)
        }
        outcome => outcome,
    }
}

fn listen_at(path: &Path, access: Access) -> io::Result<(Socket, OwnFile)> {
    let mode = match access {
        Access::Umask => None,
        Access::Owner => Some(0o600),
    };
    listen_unix(path, mode).map(|(listener, file)| (Socket::Unix(listener), file))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn unix(path: &Path) -> Place {
        Place::Unix(path.to_owned())
    }

    #[test]
    fn proxy_022_a_socket_without_a_secret_is_its_owners_and_one_in_use_is_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sock");
        let alive = listen("the API", &unix(&path), Access::Owner).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = listen("the API", &unix(&path), Access::Umask).unwrap_err();
        assert!(error.to_string().contains("another program listens there"), "{error}");
        drop(alive);
        assert!(!path.exists());
        drop(listen("the API", &unix(&path), Access::Umask).unwrap());
    }

    #[test]
    fn a_name_with_several_addresses_means_all_of_them() {
        let found = listen("the API", &Place::Tcp("localhost".to_owned(), 0), Access::Umask).unwrap();
        assert_eq!(found.sockets.len(), 1, "but one when the kernel chooses the port");
        let everywhere = listen("the API", &Place::Tcp(String::new(), 0), Access::Umask).unwrap();
        assert_eq!(everywhere.sockets.len(), 1);
        assert!(listen("the API", &Place::Tcp("192.0.2.1".to_owned(), 0), Access::Umask).is_err());
    }

    #[test]
    fn places_are_written_as_one_would_type_them() {
        for (place, expected) in [
            (Place::Tcp(String::new(), 8000), "*:8000"),
            (Place::Tcp("::1".to_owned(), 8000), "[::1]:8000"),
            (Place::Tcp("h".to_owned(), 1), "h:1"),
            (Place::Unix("/run/p.sock".into()), "unix:/run/p.sock"),
        ] {
            assert_eq!(shown(&place), expected);
        }
    }
}
