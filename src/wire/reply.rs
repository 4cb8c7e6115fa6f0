//! What comes back, and what the hub says in between.

use crate::codec::{Malformed, Reader, Writer};
use crate::refusal::Refusal;

/// One frame from a privileged program to the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was not even begun.
    Refused(Refusal),
    /// A module asks; the next frame from the hub is an [`Answer`].
    Prompt {
        /// Whether what is typed may be seen.
        echo: bool,
        /// What it asks.
        text: String,
    },
    /// A module tells something.
    Message {
        /// Whether it is good news.
        kind: MessageKind,
        /// What.
        text: String,
    },
    /// Somebody has signed in.
    Accepted(Account),
    /// Nobody has.
    Denied {
        /// Why.
        reason: Denial,
        /// In PAM's words, or ours; for the person only where `reason` may be told.
        text: String,
    },
    /// The server's process runs.
    Started(Started),
    /// It does not.
    NotStarted {
        /// Why.
        reason: StartFailure,
        /// For the owner and the operator.
        text: String,
    },
    /// Tickets are void.
    Revoked,
}

/// What the hub answers to a prompt. Whoever holds it wipes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer(pub Vec<u8>);

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer(***)")
    }
}

/// `PAM_TEXT_INFO` or `PAM_ERROR_MSG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// Something to know.
    Info,
    /// Something that went wrong.
    Error,
}

/// The account that PAM ended up with, whatever was typed.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name as the name service spells it.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// All its groups.
    pub groups: Vec<u32>,
    /// With which servers of this account can be started.
    pub ticket: Vec<u8>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("uid", &self.uid).finish_non_exhaustive()
    }
}

/// A process that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The server's process.
    pub pid: u32,
    /// When it started, in clock ticks after boot (field 22 of `/proc/<pid>/stat`).
    pub start_time: u64,
    /// The UNIX socket on which it is to listen; empty with TCP.
    pub socket: String,
    /// Its control socket.
    pub control: String,
    /// Its log.
    pub log: String,
}

/// A closed list, as a byte on the wire.
macro_rules! closed_list {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its number on the wire.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// The one with this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use closed_list;

closed_list! {
    /// Why nobody signed in.
    Denial {
        /// Wrong name or password, or anything that must look like it.
        Credentials = 1,
        /// The account has expired or is locked.
        AccountExpired = 2,
        /// The password has expired and was not changed.
        PasswordExpired = 3,
        /// Not here or not now: `pam_nologin`, `pam_access`, `pam_time`.
        NotPermitted = 4,
        /// Too many tries.
        TooManyTries = 5,
        /// The conversation was broken off, or went on for too long.
        Conversation = 6,
        /// PAM let somebody in whose uid the policy excludes.
        Uid = 7,
        /// PAM let somebody in who has no account on this machine.
        NoAccount = 8,
        /// PAM itself failed.
        System = 9,
    }
}

closed_list! {
    /// Why a server was not started.
    StartFailure {
        /// No account with this uid, or an ambiguous one.
        NoAccount = 1,
        /// The account may not be served (policy: `unattended_groups`).
        Unattended = 2,
        /// The PAM session could not be opened.
        PamSession = 3,
        /// The control group could not be made, and the policy demands it.
        ControlGroup = 4,
        /// The socket folder could not be made.
        SocketFolder = 5,
        /// The log could not be made.
        Log = 6,
        /// A privilege could not be dropped.
        Privileges = 7,
        /// The program does not exist or may not be run by the user.
        Program = 8,
        /// A server with this id runs already.
        Running = 9,
        /// The operating system refused something else.
        System = 10,
    }
}

const REFUSED: u8 = 1;
const PROMPT: u8 = 2;
const MESSAGE: u8 = 3;
const ACCEPTED: u8 = 4;
const DENIED: u8 = 5;
const STARTED: u8 = 6;
const NOT_STARTED: u8 = 7;
const REVOKED: u8 = 8;

impl Reply {
    /// The content of its frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Refused(refusal) => Writer::of_kind(REFUSED).u8(refusal.exit_status()).done(),
            Self::Prompt { echo, text } => Writer::of_kind(PROMPT).flag(*echo).text(text).done(),
            Self::Message { kind, text } => {
                Writer::of_kind(MESSAGE).flag(*kind == MessageKind::Error).text(text).done()
            }
            Self::Accepted(account) => Writer::of_kind(ACCEPTED)
                .text(&account.name)
                .u32(account.uid)
                .u32(account.gid)
                .list(&account.groups, |writer, gid| writer.u32(*gid))
                .bytes(&account.ticket)
                .done(),
            Self::Denied { reason, text } => Writer::of_kind(DENIED).u8(reason.number()).text(text).done(),
            Self::Started(started) => Writer::of_kind(STARTED)
                .u32(started.pid)
                .u64(started.start_time)
                .text(&started.socket)
                .text(&started.control)
                .text(&started.log)
                .done(),
            Self::NotStarted { reason, text } => {
                Writer::of_kind(NOT_STARTED).u8(reason.number()).text(text).done()
            }
            Self::Revoked => Writer::of_kind(REVOKED).done(),
        }
    }

    /// Reads the content of a frame.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let reply = match reader.u8()? {
            REFUSED => Self::Refused(Refusal::from_exit_status(reader.u8()?).ok_or(Malformed)?),
            PROMPT => Self::Prompt { echo: reader.flag()?, text: reader.text()? },
            MESSAGE => Self::Message {
                kind: if reader.flag()? { MessageKind::Error } else { MessageKind::Info },
                text: reader.text()?,
            },
            ACCEPTED => Self::Accepted(Account {
                name: reader.text()?,
                uid: reader.u32()?,
                gid: reader.u32()?,
                groups: reader.list(Reader::u32)?,
                ticket: reader.bytes()?,
            }),
            DENIED => Self::Denied {
                reason: Denial::from_number(reader.u8()?).ok_or(Malformed)?,
                text: reader.text()?,
            },
            STARTED => Self::Started(Started {
                pid: reader.u32()?,
                start_time: reader.u64()?,
                socket: reader.text()?,
                control: reader.text()?,
                log: reader.text()?,
            }),
            NOT_STARTED => Self::NotStarted {
                reason: StartFailure::from_number(reader.u8()?).ok_or(Malformed)?,
                text: reader.text()?,
            },
            REVOKED => Self::Revoked,
            _ => return Err(Malformed),
        };
        reader.end(reply)
    }
}

impl Answer {
    /// The content of its frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::of_kind(1).bytes(&self.0).done()
    }

    /// Reads the content of a frame. An answer with a NUL is none: C would take it for the end.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != 1 {
            return Err(Malformed);
        }
        let answer = reader.bytes()?;
        if answer.contains(&0) { Err(Malformed) } else { reader.end(Self(answer)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_037_an_account_in_every_group_that_there_can_be_fits_into_a_frame() {
        let account = Account {
            name: "a".repeat(256),
            uid: 1000,
            gid: 1000,
            groups: (0..65_536).collect(),
            ticket: vec![9; 85],
        };
        let reply = Reply::Accepted(account);
        let mut bytes = Vec::new();
        crate::frame::write(&mut bytes, &reply.encode()).unwrap();
        assert_eq!(Reply::decode(&crate::frame::read(bytes.as_slice()).unwrap()), Ok(reply));
    }

    #[test]
    fn replies_come_back_as_they_were() {
        let account = Account {
            name: "ada".to_owned(),
            uid: 1000,
            gid: 1000,
            groups: vec![1000, 27],
            ticket: vec![9; 85],
        };
        let started = Started {
            pid: 17,
            start_time: 1 << 40,
            socket: "/run/x".to_owned(),
            control: "/run/y".to_owned(),
            log: "/var/z".to_owned(),
        };
        let mut replies = vec![
            Reply::Prompt { echo: false, text: "Password: ".to_owned() },
            Reply::Message { kind: MessageKind::Error, text: "no".to_owned() },
            Reply::Accepted(account),
            Reply::Started(started),
            Reply::Revoked,
        ];
        replies.extend(Refusal::ALL.iter().map(|refusal| Reply::Refused(*refusal)));
        replies
            .extend(Denial::ALL.iter().map(|reason| Reply::Denied { reason: *reason, text: String::new() }));
        replies.extend(
            StartFailure::ALL
                .iter()
                .map(|reason| Reply::NotStarted { reason: *reason, text: "why".to_owned() }),
        );
        for reply in replies {
            let bytes = reply.encode();
            assert_eq!(Reply::decode(&bytes).unwrap(), reply);
            assert_eq!(Reply::decode(&[bytes, vec![0]].concat()), Err(Malformed));
        }
        let everywhere = Account {
            name: "ada".to_owned(),
            uid: 1000,
            gid: 1000,
            groups: (0..65_536).collect(),
            ticket: vec![9; 85],
        };
        let bytes = Reply::Accepted(everywhere.clone()).encode();
        assert!(bytes.len() <= crate::frame::LONGEST);
        assert_eq!(Reply::decode(&bytes).unwrap(), Reply::Accepted(everywhere));
        let answer = Answer(b"secret".to_vec());
        assert_eq!(Answer::decode(&answer.encode()).unwrap(), answer);
        assert_eq!(Answer::decode(&Answer(b"se\0cret".to_vec()).encode()), Err(Malformed));
        assert_eq!(format!("{answer:?}"), "Answer(***)");
    }
}
