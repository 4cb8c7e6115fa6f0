//! What `orrery-launch` leaves for `orrery-session` in [`crate::paths::HANDOVER_FD`]: the very bytes that it checked, so
//! that nothing is looked up twice.

use crate::codec::{Malformed, Reader, Writer};
use crate::policy::Policy;
use crate::request::Request;

/// A request, and the policy by which it was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The policy.
    pub policy: Policy,
    /// The request.
    pub request: Request,
    /// Whether a ticket was presented and found good; `false` for a login, and for a start without anybody's ticket.
    pub has_ticket: bool,
}

/// Puts it together from the bytes as they were read.
#[must_use]
pub fn encode(policy: &str, request: &[u8], has_ticket: bool) -> Vec<u8> {
    Writer::of_kind(1).text(policy).bytes(request).flag(has_ticket).done()
}

/// Takes it apart again.
///
/// # Errors
/// [`Malformed`], also for a policy that is none.
pub fn decode(bytes: &[u8]) -> Result<Handover, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != 1 {
        return Err(Malformed);
    }
    let policy = Policy::parse(&reader.text()?).map_err(|_| Malformed)?;
    let request = Request::decode(&reader.bytes()?)?;
    let has_ticket = reader.flag()?;
    reader.end(Handover { policy, request, has_ticket })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_checked_comes_over_whole() {
        let request = Request::Revoke { uid: 1000 };
        let bytes = encode("caller_uid = 9\n", &request.encode(), true);
        let handover = decode(&bytes).unwrap();
        assert_eq!((handover.request, handover.policy.caller_uid, handover.has_ticket), (request, 9, true));
        assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(Malformed));
        assert_eq!(decode(&encode("nonsense", &[3, 0, 0, 0, 1], false)), Err(Malformed));
    }
}
