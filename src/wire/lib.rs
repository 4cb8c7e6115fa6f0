//! What the hub and its privileged programs say to each other.
//!
//! Only the closed list of refusals exists so far: the request, the ticket and the reply join it together with
//! `orrery-launch` and `orrery-session`, which refuse every request until then.

#![forbid(unsafe_code)]

use std::fmt;

/// Why a privileged program did not do what it was asked; the exit status is the wire form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// This build has no privileged operation at all.
    NotSupported,
}

impl Refusal {
    /// The exit status that tells the hub which refusal it was.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::NotSupported => 69, // EX_UNAVAILABLE of sysexits(3)
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSupported => f.write_str(
                "this build cannot start servers as another user yet; set spawner.type = \"simple\" in orrery.toml",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_setting_that_works() {
        assert!(Refusal::NotSupported.to_string().contains("spawner.type"));
        assert_ne!(Refusal::NotSupported.exit_status(), 0);
    }
}
