//! Sockets that systemd has opened (sd_listen_fds(3)), so that a proxy can be replaced
//! while the kernel keeps connections waiting.

use std::io;

use listenfd::ListenFd;

use crate::socket::Socket;

/// What an inherited socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Public,
    Api,
    Metrics,
    Redirect,
}

/// Sockets by what they are for.
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<(Role, Socket)>);

impl Inherited {
    /// Takes what the environment offers; nothing is the usual.
    pub(super) fn take(names: Option<&str>) -> io::Result<Self> {
        let mut offered = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..offered.len() {
            let role = role(names, index);
            let tcp = offered.take_tcp_listener(index).map(|found| found.map(Socket::Tcp));
            let socket = match tcp {
                Ok(socket) => socket,
                Err(_) => offered.take_unix_listener(index)?.map(Socket::Unix),
            };
            sockets.extend(socket.map(|socket| (role, socket)));
        }
        Ok(Self(sockets))
    }

    /// Takes out those of one role.
    pub(super) fn of(&mut self, role: Role) -> Vec<Socket> {
        let taken = self.0.extract_if(.., |(found, _)| *found == role);
        taken.map(|(_, socket)| socket).collect()
    }
}

/// By name, among names like `public:api`. Without a name that we know, such as that
/// of the unit, a socket is public.
fn role(names: Option<&str>, index: usize) -> Role {
    match names.and_then(|names| names.split(':').nth(index)) {
        Some("api") => Role::Api,
        Some("metrics") => Role::Metrics,
        Some("redirect") => Role::Redirect,
        _ => Role::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_told_apart_by_name_and_public_without_one() {
        let names = Some("public:api:metrics:redirect:orrery-proxy.socket");
        let roles: Vec<Role> = (0..6).map(|index| role(names, index)).collect();
        let expected = [Role::Public, Role::Api, Role::Metrics, Role::Redirect, Role::Public, Role::Public];
        assert_eq!(roles, expected);
        assert_eq!(role(None, 0), Role::Public);
    }
}
