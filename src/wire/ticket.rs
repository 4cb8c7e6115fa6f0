//! The proof that somebody has signed in: minted by `orrery-session` when PAM has said yes, checked by `orrery-launch`
//! before anything is started as that user. The hub keeps it and can neither make nor change one.

use std::fmt;

use crate::codec::{Reader, Writer};

/// The length of a ticket in bytes.
pub const TICKET_LENGTH: usize = FACTS_LENGTH + 32;
const FACTS_LENGTH: usize = 1 + 4 + 8 + 8 + 16 + 16;
const VERSION: u8 = 1;

/// What a ticket says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who has signed in.
    pub uid: u32,
    /// When, in seconds since 1970.
    pub issued: u64,
    /// Until when it is good, in seconds since 1970.
    pub expires: u64,
    /// The boot during which it is good (`/proc/sys/kernel/random/boot_id`, as 16 bytes).
    pub boot_id: [u8; 16],
    /// Makes no two tickets alike.
    pub nonce: [u8; 16],
}

/// A ticket as it is kept; whether its code is right is not known yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What it says, as long as the code is right.
    pub facts: Facts,
    /// HMAC-SHA256 over [`Facts::signed_bytes`] under the root-only key.
    pub code: [u8; 32],
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// Why a ticket with the right code is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketError {
    /// It is of another user.
    OtherUser,
    /// It is of another boot.
    OtherBoot,
    /// It has expired, or is of the future.
    Expired,
    /// It was issued before tickets of this user were revoked.
    Revoked,
}

impl Facts {
    /// What the code is made of.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        [b"orrery login ticket".as_slice(), &self.encode()].concat()
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::of_kind(VERSION).u32(self.uid).u64(self.issued).u64(self.expires).done();
        bytes.extend(self.boot_id);
        bytes.extend(self.nonce);
        bytes
    }

    /// Whether the ticket is good for `uid`, now (`now` in seconds since 1970), in this boot. Tickets issued up to the
    /// second `revoked` are void.
    ///
    /// # Errors
    /// [`TicketError`].
    pub fn check(
        &self,
        uid: u32,
        now: u64,
        boot_id: &[u8; 16],
        revoked: Option<u64>,
    ) -> Result<(), TicketError> {
        if self.uid != uid {
            return Err(TicketError::OtherUser);
        }
        if self.boot_id != *boot_id {
            return Err(TicketError::OtherBoot);
        }
        if self.expires <= now || self.issued > now.saturating_add(CLOCK_STEP) || self.issued >= self.expires
        {
            return Err(TicketError::Expired);
        }
        if revoked.is_some_and(|moment| self.issued <= moment) {
            return Err(TicketError::Revoked);
        }
        Ok(())
    }
}

/// The 16 bytes of `/proc/sys/kernel/random/boot_id`, which is a UUID and a line end.
#[must_use]
pub fn parse_boot_id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.trim_end().chars().filter(|digit| *digit != '-').collect();
    let of_hexadecimals = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| of_hexadecimals)?;
    Some(number.to_be_bytes())
}

/// The second in a file of [`crate::paths::REVOKED`]: decimal digits and at most a line end.
#[must_use]
pub fn parse_revoked(text: &str) -> Option<u64> {
    let digits = text.trim_end();
    digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// How far a clock may have been set back since a ticket was issued.
const CLOCK_STEP: u64 = 300;

impl Ticket {
    /// The bytes to keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.facts.encode();
        bytes.extend(self.code);
        bytes
    }

    /// Reads what was kept; `None` if it cannot be a ticket.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if bytes.len() != TICKET_LENGTH || reader.u8().ok()? != VERSION {
            return None;
        }
        let facts = Facts {
            uid: reader.u32().ok()?,
            issued: reader.u64().ok()?,
            expires: reader.u64().ok()?,
            boot_id: reader.array().ok()?,
            nonce: reader.array().ok()?,
        };
        let code = reader.array().ok()?;
        reader.end(Self { facts, code }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts { uid: 1000, issued: 100, expires: 200, boot_id: [7; 16], nonce: [8; 16] }
    }

    #[test]
    fn a_ticket_comes_back_as_it_was() {
        let ticket = Ticket { facts: facts(), code: [9; 32] };
        let bytes = ticket.encode();
        assert_eq!(bytes.len(), TICKET_LENGTH);
        assert_eq!(Ticket::decode(&bytes), Some(ticket));
        assert_eq!(Ticket::decode(&bytes[1..]), None);
        assert_eq!(Ticket::decode(&[bytes, vec![0]].concat()), None);
    }

    #[test]
    fn sec_076_a_ticket_is_good_for_one_user_one_boot_and_its_time() {
        let check = |uid, now, boot, revoked| facts().check(uid, now, &[boot; 16], revoked);
        assert_eq!(check(1000, 150, 7, None), Ok(()));
        assert_eq!(check(1000, 150, 7, Some(99)), Ok(()));
        assert_eq!(check(1001, 150, 7, None), Err(TicketError::OtherUser));
        assert_eq!(check(1000, 150, 6, None), Err(TicketError::OtherBoot));
        assert_eq!(check(1000, 200, 7, None), Err(TicketError::Expired));
        assert_eq!(check(1000, 150, 7, Some(100)), Err(TicketError::Revoked));
        let future = Facts { issued: 1000, expires: 2000, ..facts() };
        assert_eq!(future.check(1000, 150, &[7; 16], None), Err(TicketError::Expired));
    }

    #[test]
    fn files_about_tickets_hold_a_number_or_nothing_of_worth() {
        let uuid = "01020304-0506-0708-090a-0b0c0d0e0f10\n";
        assert_eq!(parse_boot_id(uuid), Some([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]));
        for bad in ["", "\n", "+1020304-0506-0708-090a-0b0c0d0e0f10", &uuid[1..]] {
            assert_eq!(parse_boot_id(bad), None, "{bad}");
        }
        assert_eq!((parse_revoked("1700000000\n"), parse_revoked("0")), (Some(1_700_000_000), Some(0)));
        assert_eq!((parse_revoked("+1"), parse_revoked(""), parse_revoked("1 2")), (None, None, None));
    }

    #[test]
    fn every_fact_is_signed() {
        let bytes = facts().signed_bytes();
        for other in [
            Facts { uid: 1001, ..facts() },
            Facts { issued: 101, ..facts() },
            Facts { expires: 201, ..facts() },
            Facts { boot_id: [0; 16], ..facts() },
            Facts { nonce: [0; 16], ..facts() },
        ] {
            assert_ne!(other.signed_bytes(), bytes);
        }
    }
}
