//! Whose socket it is that listens at a server's address. Between the hub's choice of a port and the server's bind
//! somebody else may take it, and would be sent the owner's requests with all that is in them.
//!
//! `/proc/net/tcp` names the listening sockets, `/proc/<pid>/fd` of the server's processes those that are theirs. Where
//! the hub may not look into a process, the user who made the socket must be that process's. What is not found at all
//! (another machine, another network namespace) is not judged.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use super::identity::family_of;
use super::{Address, ProcessId};

/// The state of a listening socket in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// Who listens at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// One of the server's own processes.
    Server,
    /// Somebody else, with this user number.
    Stranger {
        /// Who made the socket.
        uid: u32,
    },
    /// Somebody, while no process of the server is to be seen: it has just ended, or is hidden from the hub.
    Unseen,
    /// This machine does not tell.
    Unknown,
}

/// Looks who listens at `address`, where the server with this process should.
pub async fn listener_at(address: &Address, server: &ProcessId) -> Listener {
    let (address, server) = (address.clone(), server.clone());
    let looked = tokio::task::spawn_blocking(move || look(&address, &server)).await;
    match looked.map_err(io::Error::other).flatten() {
        Ok(listener) => listener,
        Err(error) => {
            log::debug!(error:% = error; "nobody tells who listens at a server's address");
            Listener::Unknown
        }
    }
}

fn look(address: &Address, server: &ProcessId) -> io::Result<Listener> {
    let (ip, port) = match address.reached() {
        Address::Tcp { ip, port } => (ip, port),
        // each connection has told whose it is (see `exchange::connect`)
        Address::Unix { .. } => return Ok(Listener::Server),
    };
    let listening = listening_at(port)?;
    let reached = (ip.as_str(), port).to_socket_addrs()?;
    let Some(sockets) = reached.map(|to| reached_by(to.ip(), &listening)).find(|found| !found.is_empty())
    else {
        return Ok(Listener::Unknown);
    };
    // nearly always it is the process that was started
    let mut known = Known::default();
    known.add(server.pid);
    if known.stranger_among(&sockets).is_some() {
        family_of(server)?.into_iter().for_each(|pid| known.add(pid));
    }
    if known.is_empty() {
        return Ok(Listener::Unseen);
    }
    Ok(known
        .stranger_among(&sockets)
        .map_or(Listener::Server, |socket| Listener::Stranger { uid: socket.uid }))
}

/// What is known of a server's processes.
#[derive(Default)]
struct Known {
    /// The sockets that they have.
    inodes: HashSet<u64>,
    /// Whose those are that do not show their sockets.
    hidden: HashSet<u32>,
    seen: bool,
}

impl Known {
    /// Takes note of a process; one that has ended meanwhile has nothing.
    fn add(&mut self, pid: i32) {
        match sockets_of(pid) {
            Ok(inodes) => {
                self.seen = true;
                self.inodes.extend(inodes);
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.hidden.extend(uid_of(pid));
            }
            Err(_) => {}
        }
    }

    fn is_empty(&self) -> bool {
        !self.seen && self.hidden.is_empty()
    }

    fn stranger_among<'a>(&self, sockets: &[&'a Socket]) -> Option<&'a Socket> {
        let known =
            |socket: &Socket| self.inodes.contains(&socket.inode) || self.hidden.contains(&socket.uid);
        sockets.iter().copied().find(|socket| !known(socket))
    }
}

/// The sockets that a process has open.
fn sockets_of(pid: i32) -> io::Result<Vec<u64>> {
    let mut inodes = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // one that is closed meanwhile
        let Ok(target) = fs::read_link(entry?.path()) else { continue };
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        inodes.extend(inode.and_then(|inode| inode.parse::<u64>().ok()));
    }
    Ok(inodes)
}

/// The effective user of a process.
fn uid_of(pid: i32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A listening socket.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    ip: IpAddr,
    port: u16,
    uid: u32,
    inode: u64,
}

/// Those that a connection to `to` may end at: the ones bound to that very address come first, as the kernel has it.
fn reached_by(to: IpAddr, listening: &[Socket]) -> Vec<&Socket> {
    let to = to.to_canonical();
    let bound_to = |ip: IpAddr| -> Vec<&Socket> {
        listening.iter().filter(|socket| socket.ip.to_canonical() == ip).collect()
    };
    let all = match to {
        IpAddr::V4(_) => [to, Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        IpAddr::V6(_) => [to, Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
    };
    all.into_iter().map(bound_to).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The sockets that listen on this port, of both families.
fn listening_at(port: u16) -> io::Result<Vec<Socket>> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let file = match File::open(table) {
            Ok(file) => file,
            // a machine without IPv6
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).lines().skip(1) {
            let line = line?;
            // listening sockets come first, and there may be very many others
            if line.split_ascii_whitespace().nth(3).is_some_and(|state| state != LISTENS) {
                break;
            }
            found.extend(Socket::parse(&line).filter(|socket| socket.port == port));
        }
    }
    Ok(found)
}

impl Socket {
    /// From a line of `/proc/net/tcp` or `/proc/net/tcp6`.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (ip, port) = fields.nth(1)?.split_once(':')?;
        let uid = fields.nth(7 - 2)?.parse().ok()?;
        let inode = fields.nth(9 - 8)?.parse().ok()?;
        Some(Self { ip: address(ip)?, port: u16::from_str_radix(port, 16).ok()?, uid, inode })
    }
}

/// Groups of four bytes, each printed as a number of this machine.
fn address(digits: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for start in (0..digits.len()).step_by(8) {
        let group = u32::from_str_radix(digits.get(start..start + 8)?, 16).ok()?;
        bytes.extend(group.to_ne_bytes());
    }
    let v4 = <[u8; 4]>::try_from(bytes.as_slice()).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes.as_slice()).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests;
