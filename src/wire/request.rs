//! What the hub may ask for.

use crate::codec::{Malformed, Reader, Writer};

/// One request; the first frame on descriptor 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Let somebody sign in.
    Login(Login),
    /// Start a server as its user.
    Start(Box<Start>),
    /// Make all tickets of a user void that were issued up to now.
    Revoke {
        /// Whose.
        uid: u32,
    },
}

/// A PAM transaction, whose prompts come back as replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The PAM service; one of the policy's `pam_service`.
    pub service: String,
    /// The name as typed; empty lets PAM ask for it.
    pub username: String,
    /// `PAM_RHOST`: the visitor's address.
    pub remote_host: String,
    /// Whether account management is run; `false` only where the policy permits it (`skip_account_check`).
    pub check_account: bool,
}

/// A server to be started.
#[derive(Clone, PartialEq, Eq)]
pub struct Start {
    /// As whom.
    pub uid: u32,
    /// The ticket of that user's login; empty where nobody signed in (`unattended`).
    pub ticket: Vec<u8>,
    /// Names socket, log, control group: see [`is_server_id`].
    pub server_id: String,
    /// Program (an absolute path) and arguments. `{socket}` in an argument becomes the path of the socket.
    pub command: Vec<String>,
    /// The hub's part of the environment: names and values. `JUPYTERHUB_SERVICE_URL` and the account's variables are not
    /// among them; they are added.
    pub environment: Vec<(String, String)>,
    /// The server's URL path, percent-encoded, with slashes at both ends.
    pub service_prefix: String,
    /// On what it is to listen.
    pub listen: Listen,
    /// The working directory: absolute, entered as the user; empty for the home directory.
    pub folder: String,
    /// Whether the user's login shell runs the command, with the login environment (`module load`, profiles).
    pub login_shell: bool,
    /// The server's umask; one that lets everybody write is refused.
    pub umask: Option<u32>,
    /// Memory limit in bytes; 0 for none.
    pub memory: u64,
    /// CPU limit in thousandths of a core; 0 for none.
    pub cpu: u32,
    /// Limit of processes and threads; 0 for none.
    pub processes: u32,
    /// The longest log in bytes; 0 for the policy's.
    pub log_limit: u64,
}

impl std::fmt::Debug for Start {
    /// Leaves ticket and environment out: they are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Start")
            .field("uid", &self.uid)
            .field("server_id", &self.server_id)
            .field("command", &self.command)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// On what a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A UNIX socket in the user's own folder; `orrery-session` names it.
    Unix,
    /// A TCP address.
    Tcp {
        /// An IP address without brackets, or empty for all.
        ip: String,
        /// The port, not 0.
        port: u16,
    },
}

/// Whether a text may name socket, log and control group of a server: 1 to 36 of `a`-`z`, `0`-`9` and `-`, not first.
/// So it is no path, no option and no hidden file.
#[must_use]
pub fn is_server_id(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=36).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(fine)
}

const LOGIN: u8 = 1;
const START: u8 = 2;
const REVOKE: u8 = 3;

impl Request {
    /// The content of its frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Login(login) => Writer::of_kind(LOGIN)
                .text(&login.service)
                .text(&login.username)
                .text(&login.remote_host)
                .flag(login.check_account)
                .done(),
            Self::Start(start) => start.encode(),
            Self::Revoke { uid } => Writer::of_kind(REVOKE).u32(*uid).done(),
        }
    }

    /// Reads the content of a frame.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let request = match reader.u8()? {
            LOGIN => Self::Login(Login {
                service: reader.text()?,
                username: reader.text()?,
                remote_host: reader.text()?,
                check_account: reader.flag()?,
            }),
            START => Self::Start(Box::new(Start::read(&mut reader)?)),
            REVOKE => Self::Revoke { uid: reader.u32()? },
            _ => return Err(Malformed),
        };
        reader.end(request)
    }
}

impl Start {
    fn encode(&self) -> Vec<u8> {
        let listen = |writer: Writer| match &self.listen {
            Listen::Unix => writer.u8(0),
            Listen::Tcp { ip, port } => writer.u8(1).text(ip).u32(u32::from(*port)),
        };
        let writer = Writer::of_kind(START)
            .u32(self.uid)
            .bytes(&self.ticket)
            .text(&self.server_id)
            .list(&self.command, |writer, word| writer.text(word))
            .list(&self.environment, |writer, (name, value)| writer.text(name).text(value))
            .text(&self.service_prefix);
        listen(writer)
            .text(&self.folder)
            .flag(self.login_shell)
            .optional(self.umask, Writer::u32)
            .u64(self.memory)
            .u32(self.cpu)
            .u32(self.processes)
            .u64(self.log_limit)
            .done()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            uid: reader.u32()?,
            ticket: reader.bytes()?,
            server_id: reader.text()?,
            command: reader.list(Reader::text)?,
            environment: reader.list(|reader| Ok((reader.text()?, reader.text()?)))?,
            service_prefix: reader.text()?,
            listen: match reader.u8()? {
                0 => Listen::Unix,
                1 => Listen::Tcp {
                    ip: reader.text()?,
                    port: u16::try_from(reader.u32()?).map_err(|_| Malformed)?,
                },
                _ => return Err(Malformed),
            },
            folder: reader.text()?,
            login_shell: reader.flag()?,
            umask: reader.optional(Reader::u32)?,
            memory: reader.u64()?,
            cpu: reader.u32()?,
            processes: reader.u32()?,
            log_limit: reader.u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Request {
        Request::Start(Box::new(Start {
            uid: 1000,
            ticket: vec![1, 2, 3],
            server_id: "0197-a".to_owned(),
            command: vec!["/usr/bin/jupyterhub-singleuser".to_owned(), "--x={socket}".to_owned()],
            environment: vec![("JUPYTERHUB_USER".to_owned(), "ada".to_owned())],
            service_prefix: "/user/ada/".to_owned(),
            listen: Listen::Tcp { ip: "127.0.0.1".to_owned(), port: 9000 },
            folder: String::new(),
            login_shell: true,
            umask: Some(0o077),
            memory: 1 << 40,
            cpu: 1500,
            processes: 100,
            log_limit: 0,
        }))
    }

    #[test]
    fn requests_come_back_as_they_were() {
        let login = Request::Login(Login {
            service: "orrery".to_owned(),
            username: "ada".to_owned(),
            remote_host: "192.0.2.1".to_owned(),
            check_account: true,
        });
        for request in [login, start(), Request::Revoke { uid: 7 }] {
            assert_eq!(Request::decode(&request.encode()).unwrap(), request);
        }
    }

    #[test]
    fn sec_062_every_cut_and_every_surplus_byte_is_refused() {
        let bytes = start().encode();
        for length in 0..bytes.len() {
            assert_eq!(Request::decode(&bytes[..length]), Err(Malformed), "{length}");
        }
        assert_eq!(Request::decode(&[bytes, vec![0]].concat()), Err(Malformed));
        assert_eq!(Request::decode(&[9]), Err(Malformed));
    }

    #[test]
    fn sec_044_no_text_holds_a_nul() {
        let login = Login {
            service: "orrery".to_owned(),
            username: "ada\0".to_owned(),
            remote_host: String::new(),
            check_account: true,
        };
        assert_eq!(Request::decode(&Request::Login(login).encode()), Err(Malformed));
    }

    #[test]
    fn sec_035_a_server_id_is_never_a_path() {
        for bad in ["", "..", ".", "a/b", "-a", "A", "a b", "a\n", "ä", &"a".repeat(37)] {
            assert!(!is_server_id(bad), "{bad}");
        }
        assert!(is_server_id("17") && is_server_id("0197a4b2-7c1e-7000-8000-000000000000"));
    }
}
