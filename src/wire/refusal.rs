//! Why a privileged program did not even begin.

use std::fmt;

use crate::reply::closed_list;

closed_list! {
    /// Why a privileged program refused a request; the exit status is its form on the wire.
    Refusal {
        /// Not a request of this protocol.
        Malformed = 10,
        /// Whoever calls is not the daemon's account.
        Caller = 11,
        /// The program itself is not installed as it must be.
        Installation = 12,
        /// An attribute that was inherited could not be reset.
        Attributes = 13,
        /// There is no policy, or others than root can write it or a folder above it.
        PolicyFile = 14,
        /// The policy cannot be understood.
        PolicySyntax = 15,
        /// The uid is not one that the policy lets in.
        Uid = 16,
        /// The ticket is not one of ours, or of another user.
        TicketForged = 17,
        /// The ticket has expired.
        TicketExpired = 18,
        /// The ticket is of an earlier boot of the machine.
        TicketOfEarlierBoot = 19,
        /// The ticket was revoked.
        TicketRevoked = 20,
        /// There is no ticket, and the policy lets nobody start this user's servers without.
        Unattended = 21,
        /// The program is not one that the policy names.
        Command = 22,
        /// An argument is not one that the policy names.
        Argument = 23,
        /// A variable is not one that the policy names.
        Environment = 24,
        /// The server's id, socket address, folder or umask is none.
        Server = 25,
        /// The PAM service is not one that the policy names.
        Service = 26,
        /// The policy does not let login shells run servers.
        LoginShell = 27,
        /// Account management may not be left out.
        AccountCheck = 28,
        /// The operating system refused something.
        System = 29,
    }
}

/// A refusal with what the system's log may know of it, beyond the code that whoever asked is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub code: Refusal,
    /// What exactly; no secret, but anything that a request may hold: to be escaped.
    pub detail: String,
}

impl Refused {
    /// A refusal with its detail.
    pub fn new(code: Refusal, detail: impl fmt::Display) -> Self {
        Self { code, detail: detail.to_string() }
    }
}

impl Refusal {
    /// The exit status that tells the hub which refusal it was.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        self.number()
    }

    /// The refusal with this exit status.
    #[must_use]
    pub const fn from_exit_status(status: u8) -> Option<Self> {
        Self::from_number(status)
    }

    /// The key of `launch.policy` that decided, where it was one.
    #[must_use]
    pub const fn policy_key(self) -> Option<&'static str> {
        match self {
            Self::Caller => Some("caller_uid"),
            Self::Uid => Some("uids"),
            Self::TicketExpired => Some("ticket_lifetime"),
            Self::Unattended => Some("unattended_uids"),
            Self::Command => Some("command"),
            Self::Argument => Some("argument"),
            Self::Environment => Some("environment"),
            Self::Service => Some("pam_service"),
            Self::LoginShell => Some("login_shell"),
            Self::AccountCheck => Some("skip_account_check"),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the request is malformed",
            Self::Caller => "the caller is not the account that the policy names (caller_uid)",
            Self::Installation => "orrery-launch or orrery-session is not installed as it must be; install the package again",
            Self::Attributes => "an inherited process attribute could not be reset",
            Self::PolicyFile => {
                "/etc/orrery/launch.policy is missing, or it or a folder above it can be written by others than root"
            }
            Self::PolicySyntax => "/etc/orrery/launch.policy has a mistake",
            Self::Uid => "the user's uid is outside of what the policy permits (uids)",
            Self::TicketForged => "the login ticket is not valid for this user; sign in again",
            Self::TicketExpired => "the login ticket has expired; sign in again",
            Self::TicketOfEarlierBoot => "the machine was restarted since the user signed in; sign in again",
            Self::TicketRevoked => "the login ticket was revoked; sign in again",
            Self::Unattended => "the user has not signed in, and the policy does not permit that (unattended_uids)",
            Self::Command => "the command is not one that the policy names (command)",
            Self::Argument => "an argument of the command is not one that the policy names (argument)",
            Self::Environment => "an environment variable is not one that the policy names (environment)",
            Self::Server => "the server's id, address, working directory or umask cannot be used",
            Self::Service => "the PAM service is not one that the policy names (pam_service)",
            Self::LoginShell => "the policy does not permit the login environment (login_shell)",
            Self::AccountCheck => "the policy does not permit to leave the account check out (skip_account_check)",
            Self::System => "the operating system refused",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_stands_in_the_manual_with_its_number() {
        let manual = include_str!("../../docs/privileges.md");
        for refusal in Refusal::ALL {
            let row = format!("| {} | {refusal} | ", refusal.exit_status());
            assert!(manual.contains(&row), "{row}");
        }
    }

    #[test]
    fn every_refusal_has_a_status_of_its_own_and_names_its_policy_key() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::from_exit_status(refusal.exit_status()), Some(*refusal));
            if let Some(key) = refusal.policy_key().filter(|_| *refusal != Refusal::TicketExpired) {
                assert!(refusal.to_string().contains(key), "{refusal}");
            }
        }
        assert_eq!(Refusal::from_exit_status(0), None);
        assert_eq!(Refusal::from_exit_status(1), None);
    }
}
