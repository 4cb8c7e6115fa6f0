//! What the root-owned policy says, read only to speak of it: it is enforced elsewhere, and a hub that misreads it gets a
//! refusal, no right.

use std::io::{self, ErrorKind};

use orrery_wire::{Policy, PolicyError, paths};

/// What is known of the policy.
#[derive(Debug)]
pub enum Known {
    /// What it says.
    Policy(Box<Policy>),
    /// There is none.
    Missing,
    /// It has a mistake: every request will be refused.
    Mistake(PolicyError),
    /// This account cannot read it.
    Unreadable(io::Error),
}

impl Known {
    /// The policy, if it could be read.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        match self {
            Self::Policy(policy) => Some(policy),
            Self::Missing | Self::Mistake(_) | Self::Unreadable(_) => None,
        }
    }

    /// Seconds that a login may take; the default where the policy is not known.
    #[must_use]
    pub fn login_timeout(&self) -> u32 {
        self.policy().map_or(180, |policy| policy.login_timeout)
    }

    /// Seconds that opening a PAM session may take; the default where the policy is not known.
    #[must_use]
    pub fn session_timeout(&self) -> u32 {
        self.policy().map_or(30, |policy| policy.session_timeout)
    }
}

/// Reads the policy as it is now, off the thread.
pub async fn read() -> Known {
    tokio::task::spawn_blocking(read_now).await.unwrap_or(Known::Missing)
}

/// Reads the policy as it is now. Blocks.
#[must_use]
pub fn read_now() -> Known {
    match std::fs::read_to_string(paths::POLICY) {
        Ok(text) => {
            Policy::parse(&text).map_or_else(Known::Mistake, |policy| Known::Policy(Box::new(policy)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Known::Missing,
        Err(error) => Known::Unreadable(error),
    }
}
