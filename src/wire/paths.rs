//! Where everything privileged is. Compiled in: neither an argument nor a variable of whoever calls can lead root
//! elsewhere.

/// The setuid entry: `4750 root:orrery`.
pub const LAUNCH: &str = "/usr/lib/orrery/orrery-launch";
/// What it becomes: `0700 root:root`.
pub const SESSION: &str = "/usr/lib/orrery/orrery-session";
/// What the hub may ask for. Owned by root, as is every folder above it, and writable by nobody else.
pub const POLICY: &str = "/etc/orrery/launch.policy";
/// Root's own folder for what lasts as long as this boot: `0711 root:root`.
pub const RUNTIME: &str = "/run/orrery-launch";
/// The key of the tickets: 32 bytes, `0600 root:root`; made at the first login after a boot.
pub const TICKET_KEY: &str = "/run/orrery-launch/ticket.key";
/// `<uid>`: tickets of that user issued up to the second in this file are void. `0700 root:root`.
pub const REVOKED: &str = "/run/orrery-launch/revoked";
/// `<server id>`: control sockets of running servers. `0750 root:<caller>`.
pub const CONTROL: &str = "/run/orrery-launch/control";
/// `<server id>`: how servers ended. `0750 root:<caller>`.
pub const ENDED: &str = "/run/orrery-launch/ended";
/// `<uid>`: the folder with the sockets of one user's servers, `2710 <user>:<caller's group>`.
pub const SERVERS: &str = "/run/orrery-launch/servers";
/// `<uid>/<server id>.log`: output of servers, `0640 root:<caller's group>`.
pub const LOGS: &str = "/var/log/orrery/servers";

/// The descriptor on which `orrery-session` finds the vetted request (see [`crate::handover`]).
pub const HANDOVER_FD: i32 = 3;
