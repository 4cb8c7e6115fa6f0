//! Free TCP ports. A port is found by binding to it and letting go again, so it may be lost before the server binds
//! it; but this hub never gives the same one to two servers that start at the same time.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::SpawnError;

/// How long a port is kept from other servers: long enough for a slow one to bind it.
const RESERVED: Duration = Duration::from_secs(60);
/// How many reserved ports the system may offer in a row before there is none left.
const TRIES: usize = 64;

static HANDED_OUT: Mutex<Option<HashMap<u16, Instant>>> = Mutex::new(None);

/// Finds a port that is free on `ip` (empty: on all interfaces) and reserves it. May block on a name look-up.
pub(super) fn find_free(ip: &str) -> Result<u16, SpawnError> {
    let host = if ip.is_empty() { "0.0.0.0" } else { ip };
    let in_words = if ip.is_empty() { "any address" } else { ip };
    // held until the end, so that the system does not offer a reserved port again
    let mut refused = Vec::new();
    while refused.len() < TRIES {
        let (listener, port) =
            bind_any(host).map_err(|source| SpawnError::Bind { ip: in_words.to_owned(), source })?;
        if reserve(port, Instant::now()) {
            return Ok(port);
        }
        refused.push(listener);
    }
    Err(SpawnError::NoFreePort { ip: in_words.to_owned() })
}

fn bind_any(host: &str) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((host, 0))?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Whether `port` was not reserved; it is now.
fn reserve(port: u16, now: Instant) -> bool {
    let mut handed_out = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    let handed_out = handed_out.get_or_insert_default();
    handed_out.retain(|_, since| now.duration_since(*since) < RESERVED);
    let free = !handed_out.contains_key(&port);
    if free {
        handed_out.insert(port, now);
    }
    free
}

/// Whether the last lines of a server's log say that its port was taken, so that another one is worth a try.
#[must_use]
pub fn looks_like_port_conflict(lines: &[String]) -> bool {
    const SIGNS: [&str; 4] = ["address already in use", "address in use", "eaddrinuse", "is already in use"];
    lines.iter().any(|line| {
        let line = line.to_lowercase();
        SIGNS.iter().any(|sign| line.contains(sign))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_becomes_free_again_after_a_while() {
        // below the range that the system offers, so no other test gets it
        let (port, now) = (80, Instant::now());
        assert!(reserve(port, now));
        assert!(!reserve(port, now + RESERVED / 2));
        assert!(reserve(port, now + RESERVED));
    }

    #[test]
    fn ports_found_at_the_same_time_differ() {
        let mut ports: Vec<u16> = std::thread::scope(|scope| {
            let found: Vec<_> = (0..200).map(|_| scope.spawn(|| find_free("127.0.0.1").unwrap())).collect();
            found.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 200);
    }

    #[test]
    fn an_address_of_another_machine_is_refused_with_advice() {
        let error = find_free("192.0.2.1").unwrap_err().to_string();
        assert!(error.contains("192.0.2.1") && error.contains("spawner.ip"), "{error}");
    }

    #[test]
    fn a_taken_port_is_recognised_in_the_words_of_several_servers() {
        for line in [
            "OSError: [Errno 98] Address already in use",
            "Error: listen EADDRINUSE: address already in use 127.0.0.1:8888",
            "[C 2026-01-01 ServerApp] The port 8888 is already in use",
            "listen tcp 127.0.0.1:80: bind: address already in use",
        ] {
            assert!(looks_like_port_conflict(&[String::new(), line.to_owned()]), "{line}");
        }
        assert!(!looks_like_port_conflict(&["ModuleNotFoundError: jupyter_server".to_owned()]));
    }
}
