//! Ports and sockets: can they be had, or are they served by the hub that runs?

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::units::{self, Held};
use super::{Finding, files};
use crate::config::address::{Endpoint, resolve};
use crate::config::{Config, ProxyType};

const CHECK: &str = "address";
/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn examine(config: &Config, running: bool) -> Vec<Finding> {
    let addresses = match config.addresses() {
        Ok(addresses) => addresses,
        Err(wrong) => return vec![Finding::wrong(CHECK, wrong.to_string(), "correct the address")],
    };
    // somebody else's proxy is up whether the hub runs or not
    let served = running || config.proxy.r#type == ProxyType::External;
    vec![
        endpoint("hub.bind_url", "hub", &addresses.hub, running),
        endpoint("proxy.bind_url", "public", &addresses.public, served),
    ]
}

/// `name` is what the socket is called if systemd listens for us.
fn endpoint(key: &str, name: &str, endpoint: &Endpoint, served: bool) -> Finding {
    match endpoint {
        Endpoint::Tcp { host, port } if served => connected(key, host, *port),
        Endpoint::Tcp { host, port } => free(key, name, host, *port),
        Endpoint::Unix(path) if served => match UnixStream::connect(path) {
            Ok(_) => Finding::ok(CHECK, format!("{key}: {} is served", path.display())),
            Err(failed) => unserved(key, &path.display().to_string(), &failed),
        },
        Endpoint::Unix(path) => socket(key, path),
    }
}

fn connected(key: &str, host: &str, port: u16) -> Finding {
    let host = if matches!(host, "" | "*" | "0.0.0.0" | "::") { "localhost" } else { host };
    let shown = format!("{host}:{port}");
    let addresses = match resolve(host, port) {
        Ok(addresses) => addresses,
        Err(wrong) => return Finding::wrong(CHECK, format!("{key}: {wrong}"), "correct the host name"),
    };
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        // a connection would start it, and nothing is changed here
        if let Some(held) = units::holding(address).filter(|held| !held.active) {
            return waits(key, address, &held);
        }
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Finding::ok(CHECK, format!("{key}: {shown} is served")),
            Err(failed) => last = failed,
        }
    }
    unserved(key, &shown, &last)
}

fn unserved(key: &str, shown: &str, failed: &io::Error) -> Finding {
    let advice = "was the key changed after the hub was started? Restart the hub, or look into its log";
    Finding::wrong(CHECK, format!("{key}: nobody answers at {shown}: {failed}"), advice)
}

fn free(key: &str, name: &str, host: &str, port: u16) -> Finding {
    let addresses = match resolve(host, port) {
        Ok(addresses) => addresses,
        Err(wrong) => return Finding::wrong(CHECK, format!("{key}: {wrong}"), "correct the host name"),
    };
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in &addresses {
        match orrery_proxy::bind(*address) {
            Ok(_) => return Finding::ok(CHECK, format!("{key}: {address} is free")),
            Err(failed) => {
                if let Some(held) = units::holding(*address) {
                    return judge(key, name, *address, &held);
                }
                last = failed;
            }
        }
    }
    let shown = addresses.first().map_or_else(|| format!("{host}:{port}"), ToString::to_string);
    let advice = match last.kind() {
        io::ErrorKind::AddrInUse => {
            "another program uses this port: stop it (`ss -ltnp` shows it), or choose another"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need systemd's socket activation or CAP_NET_BIND_SERVICE"
        }
        _ => "check that the address belongs to this machine",
    };
    Finding::wrong(CHECK, format!("{key}: cannot listen on {shown}: {last}"), advice)
}

/// A port that could not be had because systemd listens there.
fn judge(key: &str, name: &str, address: SocketAddr, held: &Held) -> Finding {
    let Held { socket, service, .. } = held;
    if held.name != name {
        let found = format!("{key}: systemd listens on {address} for {service} ({socket})");
        let advice = format!(
            "choose another port, or stop {socket}; if it is meant for Orrery, it needs FileDescriptorName={name}"
        );
        return Finding::wrong(CHECK, found, advice);
    }
    if held.active {
        let found = format!("{key}: {service} has {address}, but did not answer as a hub");
        return Finding::warning(
            CHECK,
            found,
            format!("it may be starting: `journalctl -u {service}` tells"),
        );
    }
    waits(key, address, held)
}

fn waits(key: &str, address: SocketAddr, held: &Held) -> Finding {
    let Held { socket, service, .. } = held;
    Finding::ok(
        CHECK,
        format!("{key}: systemd listens on {address} ({socket}), and the next connection starts {service}"),
    )
}

fn socket(key: &str, path: &Path) -> Finding {
    match files::unwritable_folder(path) {
        None => Finding::ok(CHECK, format!("{key}: {} can be made", path.display())),
        Some(reason) => {
            let advice = "make the folder, and give it to the hub's account";
            Finding::wrong(CHECK, format!("{key}: {reason}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::app::doctor::Level;

    #[test]
    fn a_port_is_free_taken_or_served() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let tcp = || Endpoint::Tcp { host: "127.0.0.1".to_owned(), port };
        let busy = endpoint("hub.bind_url", "hub", &tcp(), false);
        assert_eq!(busy.level, Level::Wrong);
        assert!(busy.advice.unwrap().contains("another program"));
        assert_eq!(endpoint("hub.bind_url", "hub", &tcp(), true).level, Level::Ok);
        // an address that is no machine's
        let nowhere = Endpoint::Tcp { host: "192.0.2.1".to_owned(), port: 80 };
        assert_eq!(endpoint("hub.bind_url", "hub", &nowhere, false).level, Level::Wrong);
    }

    #[test]
    fn a_port_that_systemd_holds_for_the_hub_is_not_taken() {
        let address = "127.0.0.1:8081".parse().unwrap();
        let held = |name: &str, active| Held {
            socket: "orrery.socket".to_owned(),
            service: "orrery.service".to_owned(),
            name: name.to_owned(),
            active,
        };
        let told = |held: &Held| judge("hub.bind_url", "hub", address, held);
        let waits = told(&held("hub", false));
        assert!(waits.level == Level::Ok && waits.found.contains("orrery.socket"), "{waits:?}");
        assert_eq!(told(&held("hub", true)).level, Level::Warning);
        let other = told(&held("orrery.socket", false));
        assert!(other.level == Level::Wrong && other.advice.unwrap().contains("FileDescriptorName=hub"));
    }

    #[test]
    fn a_socket_needs_a_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(endpoint("k", "hub", &Endpoint::Unix(folder.path().join("s")), false).level, Level::Ok);
        assert_eq!(
            endpoint("k", "hub", &Endpoint::Unix(folder.path().join("no/s")), false).level,
            Level::Wrong
        );
        assert_eq!(endpoint("k", "hub", &Endpoint::Unix(folder.path().join("s")), true).level, Level::Wrong);
    }
}
