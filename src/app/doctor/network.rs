//! Ports and sockets: can they be had, or are they served by the hub that runs?

use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

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
    let mut findings = vec![endpoint("hub.bind_url", &addresses.hub, running)];
    // somebody else's proxy is up whether the hub runs or not
    let served = running || config.proxy.r#type == ProxyType::External;
    findings.push(endpoint("proxy.bind_url", &addresses.public, served));
    findings
}

fn endpoint(key: &str, endpoint: &Endpoint, served: bool) -> Finding {
    match endpoint {
        Endpoint::Tcp { host, port } if served => connected(key, host, *port),
        Endpoint::Tcp { host, port } => free(key, host, *port),
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

fn free(key: &str, host: &str, port: u16) -> Finding {
    let addresses = match resolve(host, port) {
        Ok(addresses) => addresses,
        Err(wrong) => return Finding::wrong(CHECK, format!("{key}: {wrong}"), "correct the host name"),
    };
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in &addresses {
        match orrery_proxy::bind(*address) {
            Ok(_) => return Finding::ok(CHECK, format!("{key}: {address} is free")),
            Err(failed) => last = failed,
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
        let busy = endpoint("hub.bind_url", &tcp(), false);
        assert_eq!(busy.level, Level::Wrong);
        assert!(busy.advice.unwrap().contains("another program"));
        assert_eq!(endpoint("hub.bind_url", &tcp(), true).level, Level::Ok);
        // an address that is no machine's
        let nowhere = Endpoint::Tcp { host: "192.0.2.1".to_owned(), port: 80 };
        assert_eq!(endpoint("hub.bind_url", &nowhere, false).level, Level::Wrong);
    }

    #[test]
    fn a_socket_needs_a_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(endpoint("k", &Endpoint::Unix(folder.path().join("s")), false).level, Level::Ok);
        assert_eq!(endpoint("k", &Endpoint::Unix(folder.path().join("no/s")), false).level, Level::Wrong);
        assert_eq!(endpoint("k", &Endpoint::Unix(folder.path().join("s")), true).level, Level::Wrong);
    }
}
