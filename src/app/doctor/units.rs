//! Ports on which systemd listens for a service, whether that runs or not.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::ask::ask;

/// Is there only where systemd is the first process (`sd_booted(3)`).
const BOOTED: &str = "/run/systemd/system";
/// How long `systemctl` may need.
const PATIENCE: Duration = Duration::from_secs(5);

/// A socket unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// Its name.
    pub(super) socket: String,
    /// The unit that a connection starts.
    pub(super) service: String,
    /// `FileDescriptorName=`: what it is called where it is handed over.
    pub(super) name: String,
    /// Whether the service runs, or is about to.
    pub(super) active: bool,
}

/// The unit whose socket has this address; none where systemd does not run or does not tell.
pub(super) fn holding(address: SocketAddr) -> Option<Held> {
    Path::new(BOOTED).is_dir().then_some(())?;
    let (socket, service) =
        find(&systemctl(&["list-sockets", "--no-legend", "--plain", "--full"])?, address)?;
    let tell =
        |property: &str, unit: &str| systemctl(&["show", "--value", "--property", property, "--", unit]);
    let name = tell("FileDescriptorName", &socket)?.trim().to_owned();
    let active = !matches!(tell("ActiveState", &service)?.trim(), "inactive" | "failed");
    Some(Held { socket, service, name, active })
}

fn systemctl(words: &[&str]) -> Option<String> {
    ask(Path::new("systemctl"), words, PATIENCE).ok()
}

/// Socket and service in a list whose lines are address, socket, services.
fn find(listed: &str, address: SocketAddr) -> Option<(String, String)> {
    listed.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let theirs: SocketAddr = words.next()?.parse().ok()?;
        // [::] has the port of every other address, IPv4 as well, unless BindIPv6Only= says otherwise
        let covers = theirs == address || theirs.ip().is_unspecified() && theirs.port() == address.port();
        let (socket, service) = (words.next()?, words.next()?.trim_end_matches(','));
        covers.then(|| (socket.to_owned(), service.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_among_sockets_of_all_kinds() {
        let listed = "/run/orrery-launch.sock orrery-launch.socket -\n\
                      127.0.0.1:8000 orrery-proxy.socket orrery-proxy.service\n\
                      127.0.0.1:8081 orrery.socket orrery.service\n\
                      [::]:443 web.socket a.service, b.service\n\
                      audit 1 systemd-journald-audit.socket systemd-journald.service\n";
        let found = |address: &str| find(listed, address.parse().unwrap());
        let unit =
            |socket: &str, service: &str| Some((format!("{socket}.socket"), format!("{service}.service")));
        assert_eq!(found("127.0.0.1:8081"), unit("orrery", "orrery"));
        assert_eq!(found("127.0.0.1:443"), unit("web", "a"));
        assert_eq!(found("127.0.0.2:8081"), None);
        assert_eq!(found("127.0.0.1:80"), None);
    }
}
