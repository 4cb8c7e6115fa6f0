//! The entry of Orrery to root's rights, setuid or started by systemd for each connection: whoever is `caller_uid` in the root-owned `launch.policy` may have a login, a start or a
//! revocation done by `orrery-session`, as far as that policy goes. Everything else ends here, as one code of a closed
//! list ([`orrery_wire::Refusal`]), with a line in the system's log.
//!
//! No PAM, no name look-ups, no thread, no locale, no allocation that the other side sizes beyond one frame.
//!
//! | Step | Gives | Only if |
//! | --- | --- | --- |
//! | [`harden()`] | [`Hardened`] | nothing inherited is left that could change what follows |
//! | [`admit()`] | [`Admitted`] | this file and the policy are root's alone, and the policy names the caller |
//! | [`listen()`] | [`Asked`] | descriptor 0 is the caller's own socket, and one whole request came in time |
//! | [`become_root()`] | [`Rooted`] | all ids are 0 and no group is left; the caller can send no signal any more |
//! | [`judge()`] | [`Vetted`] | the policy permits every part of the request, and the ticket is good |
//! | [`hand_over()`] | nothing | - |

#![deny(unsafe_code)]

mod admit;
mod files;
mod hand_over;
mod harden;
mod judge;
mod listen;
mod log;
mod refused;
mod root;
mod sys;
mod ticket;

pub use admit::{Admitted, admit};
pub use hand_over::hand_over;
pub use harden::{Hardened, harden};
pub use judge::{Vetted, judge};
pub use listen::{Asked, listen};
pub use refused::tell;
pub use root::{Rooted, become_root};

/// No account has this number.
const NOBODY: u32 = u32::MAX;

/// Who asks, told by the kernel before anything else: the real uid, which a setuid program keeps. Root itself calls for
/// whoever is at the other end of descriptor 0: systemd for the daemon, on a connection that it accepted; a daemon that is
/// root for itself.
#[must_use]
pub fn caller() -> u32 {
    let uid = nix::unistd::getuid();
    if uid.is_root() { listen::peer().unwrap_or(NOBODY) } else { uid.as_raw() }
}
