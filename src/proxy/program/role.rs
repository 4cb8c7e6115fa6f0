//! What a socket of the program is for.

use crate::activation::Inherited;
use crate::socket::Socket;

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Public,
    Api,
    Metrics,
    Redirect,
}

impl Role {
    pub(super) const ALL: [Self; 4] = [Self::Public, Self::Api, Self::Metrics, Self::Redirect];

    /// As in `LISTEN_FDNAMES`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Api => "api",
            Self::Metrics => "metrics",
            Self::Redirect => "redirect",
        }
    }

    /// Of a socket of ours that systemd keeps: its own, of a socket unit, have the other name.
    pub(super) fn kept_name(self) -> String {
        format!("kept-{}", self.name())
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What there is to listen on before anything is opened.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// From socket units, or a predecessor.
    pub(super) sockets: Vec<(Role, Socket)>,
    /// Of a process that has ended; only good for the address that is wanted now.
    pub(super) kept: Vec<(Role, Socket)>,
}

/// Sorts what systemd has opened and kept. Without a name that we know, such as that of the unit, a socket is public.
pub(super) fn sorted(mut inherited: Inherited) -> Given {
    let (mut sorted, mut kept) = (Vec::new(), Vec::new());
    for role in Role::ALL {
        sorted.extend(inherited.named(role.name()).into_iter().map(|socket| (role, socket)));
        kept.extend(inherited.named(&role.kept_name()).into_iter().map(|socket| (role, socket)));
    }
    sorted.extend(inherited.others().into_iter().map(|socket| (Role::Public, socket)));
    Given { sockets: sorted, kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_roles_and_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("orrery-proxy.socket"), None);
    }
}
