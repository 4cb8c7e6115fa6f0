//! The keys that sign login cookies (config.md 2.2): from the configuration or the environment, else from their file, which
//! is made at the first start and holds one key a line. The first signs, all verify (SEC-114).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::HubConfig;
use crate::domain::hexadecimal;
use crate::domain::signing_keys::SigningKeys;
use crate::secret::{RandomError, hex, random_bytes};

/// The shortest key that a file may hold, in bytes.
const SHORTEST: usize = 16;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum CookieSecretError {
    /// `hub.cookie_secret` is not hexadecimal; loading the configuration has said so.
    #[error("hub.cookie_secret: expected an even number of hexadecimal digits")]
    NotHexadecimal,
    /// Others may use the file.
    #[error(
        "{0} is open to every user of this machine, who could sign in as anyone; chmod 600 it, or delete it for a new one"
    )]
    OpenToOthers(String),
    /// The file holds something else.
    #[error("{0} holds no cookie secret: expected hexadecimal digits; delete it, and a new one is made")]
    Garbage(String),
    /// The file cannot be read or made.
    #[error("the cookie secret's file {file}: {source}")]
    File {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A key that can be guessed (SEC-110).
    #[error(
        "{0} holds a key that can be guessed: shorter than 16 bytes, or one byte over and over; delete the file for a new one"
    )]
    Weak(String),
    /// The key is not in a file of ours.
    #[error(
        "hub.cookie_secret is set, in the configuration or by ORRERY_COOKIE_SECRET or JPY_COOKIE_SECRET, so there is no file to \
         change: write the new key before the old one there, with `;` between them"
    )]
    Configured,
    /// There is no randomness for a new key.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The keys, and whether their file is of an old form.
#[derive(Debug)]
pub struct CookieSecret {
    /// The keys.
    pub keys: SigningKeys,
    /// What to tell the operator.
    pub warning: Option<String>,
}

type Key = Zeroizing<Vec<u8>>;

/// Finds the keys, or makes one and its file (CFG-014).
///
/// # Errors
/// If the file is open to others, holds something else or a weak key, or can be neither read nor made.
pub fn cookie_secret(hub: &HubConfig) -> Result<CookieSecret, CookieSecretError> {
    if !hub.cookie_secret.is_empty() {
        let keys: Option<Vec<Key>> = hub.cookie_secret.expose().split(';').map(unhex).collect();
        let keys = keys.and_then(SigningKeys::new).ok_or(CookieSecretError::NotHexadecimal)?;
        return Ok(CookieSecret { keys, warning: None });
    }
    let path = &hub.cookie_secret_file;
    let garbage = || CookieSecretError::Garbage(path.display().to_string());
    let (keys, warning) = match File::open(path) {
        Ok(file) => from_file(file, path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = fresh()?;
            write_new(path, std::slice::from_ref(&key)).map_err(|source| failed(path, source))?;
            (vec![key], None)
        }
        Err(error) => return Err(failed(path, error)),
    };
    Ok(CookieSecret { keys: SigningKeys::new(keys).ok_or_else(garbage)?, warning })
}

/// Puts a new key first in the file and keeps the latest `keep` of the others, in one step. How many keys there are now.
///
/// # Errors
/// As [`cookie_secret`], and [`CookieSecretError::Configured`]; the file is as it was then.
pub fn rotate(hub: &HubConfig, keep: usize) -> Result<usize, CookieSecretError> {
    if !hub.cookie_secret.is_empty() {
        return Err(CookieSecretError::Configured);
    }
    let path = &hub.cookie_secret_file;
    let fail = |source| failed(path, source);
    let file = File::open(path).map_err(fail)?;
    let old = file.metadata().map_err(fail)?;
    let mut keys = vec![fresh()?];
    keys.extend(from_file(file, path)?.0.into_iter().take(keep));
    let mut next = path.as_os_str().to_owned();
    next.push(".new");
    let next = PathBuf::from(next);
    let _ = fs::remove_file(&next);
    let put = || {
        write_new(&next, &keys)?;
        // a group that was let in stays so, and root's command leaves the owner
        std::os::unix::fs::chown(&next, Some(old.uid()), Some(old.gid()))?;
        fs::set_permissions(&next, fs::Permissions::from_mode(old.mode() & 0o660))?;
        fs::rename(&next, path)
    };
    put().map_err(|source| {
        let _ = fs::remove_file(&next);
        fail(source)
    })?;
    Ok(keys.len())
}

fn failed(path: &Path, source: io::Error) -> CookieSecretError {
    CookieSecretError::File { file: path.display().to_string(), source }
}

fn fresh() -> Result<Key, RandomError> {
    Ok(Zeroizing::new(random_bytes::<32>()?.to_vec()))
}

fn write_new(path: &Path, keys: &[Key]) -> io::Result<()> {
    let lines: Zeroizing<String> = keys.iter().map(|key| hex(key) + "\n").collect::<String>().into();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}

/// The keys of a file, and what to tell of it.
fn from_file(mut file: File, path: &Path) -> Result<(Vec<Key>, Option<String>), CookieSecretError> {
    let name = path.display().to_string();
    // the open file is asked, not the path: nobody can exchange it between the two
    if file.metadata().map_err(|e| failed(path, e))?.permissions().mode() & 0o007 != 0 {
        return Err(CookieSecretError::OpenToOthers(name));
    }
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(|e| failed(path, e))?;
    let text = std::str::from_utf8(&text).map_err(|_| CookieSecretError::Garbage(name.clone()))?.trim();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Option<Vec<Key>> = lines.map(unhex).collect();
    let (keys, warning) = match keys.filter(|keys| !keys.is_empty()) {
        Some(keys) => (keys, None),
        None => {
            let key = STANDARD.decode(text).ok().filter(|key| !key.is_empty());
            let key = key.ok_or_else(|| CookieSecretError::Garbage(name.clone()))?;
            let told = format!("{name} is written in base64, an old form; hexadecimal digits are expected");
            (vec![Zeroizing::new(key)], Some(told))
        }
    };
    if keys.iter().any(|key| is_weak(key)) {
        return Err(CookieSecretError::Weak(name));
    }
    Ok((keys, warning))
}

fn is_weak(key: &[u8]) -> bool {
    key.len() < SHORTEST || key.iter().all(|byte| Some(byte) == key.first())
}

/// The bytes that hexadecimal digits of either case stand for; not none.
fn unhex(digits: &str) -> Option<Key> {
    hexadecimal::decode(&digits.trim().to_ascii_lowercase()).filter(|key| !key.is_empty()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const HEX: &[u8] = b"abcdef0123456789abcdef0123456789";

    struct Case {
        dir: tempfile::TempDir,
        hub: HubConfig,
    }

    impl Case {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let hub = HubConfig { cookie_secret_file: dir.path().join("secret"), ..HubConfig::default() };
            Self { dir, hub }
        }

        fn holding(content: &[u8], mode: u32) -> Self {
            let case = Self::new();
            std::fs::write(case.file(), content).unwrap();
            std::fs::set_permissions(case.file(), PermissionsExt::from_mode(mode)).unwrap();
            case
        }

        fn file(&self) -> std::path::PathBuf {
            self.dir.path().join("secret")
        }
    }

    #[test]
    fn cfg_014_a_file_is_made_once_and_private() {
        let case = Case::new();
        let first = cookie_secret(&case.hub).unwrap();
        assert_eq!(first.keys.first().len(), 32);
        let made = std::fs::metadata(case.file()).unwrap();
        assert_eq!((made.len(), made.permissions().mode() & 0o777), (65, 0o600));
        assert_eq!(cookie_secret(&case.hub).unwrap().keys.first(), first.keys.first());
        let other = Case::new();
        assert_ne!(
            cookie_secret(&other.hub).unwrap().keys.first(),
            first.keys.first(),
            "SEC-110: never the same"
        );
    }

    #[test]
    fn cfg_015_a_file_that_others_may_use_is_refused() {
        for mode in [0o604, 0o602, 0o666] {
            let case = Case::holding(HEX, mode);
            assert!(matches!(cookie_secret(&case.hub), Err(CookieSecretError::OpenToOthers(_))), "{mode:o}");
        }
        let found = cookie_secret(&Case::holding(HEX, 0o640).hub).unwrap();
        assert_eq!(found.keys.first()[..2], [0xab, 0xcd]);
    }

    #[test]
    fn cfg_016_a_file_with_something_else_is_refused() {
        for content in [&b"not a secret!"[..], b"", b"\n", b"\xff\xfe"] {
            let found = cookie_secret(&Case::holding(content, 0o600).hub);
            assert!(matches!(found, Err(CookieSecretError::Garbage(_))), "{content:?}");
        }
    }

    #[test]
    fn cfg_016_base64_is_accepted_with_a_warning() {
        let found = cookie_secret(&Case::holding(b"q83vEjRWeJCrze8SNFZ4kA==\n", 0o600).hub).unwrap();
        assert_eq!(found.keys.first(), [0xab, 0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x90].repeat(2));
        assert!(found.warning.is_some());
    }

    #[test]
    fn cfg_017_a_configured_secret_needs_no_file() {
        let mut case = Case::new();
        case.hub.cookie_secret = Secret::new("abc123");
        assert_eq!(cookie_secret(&case.hub).unwrap().keys.first(), [0xab, 0xc1, 0x23]);
        case.hub.cookie_secret = Secret::new("abc123;45");
        let keys: Vec<_> = cookie_secret(&case.hub).unwrap().keys.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(keys, [vec![0xab, 0xc1, 0x23], vec![0x45]]);
        assert!(matches!(rotate(&case.hub, 1), Err(CookieSecretError::Configured)));
        assert!(!case.file().exists());
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let mut case = Case::new();
        case.hub.cookie_secret_file = case.dir.path().join("no/secret");
        assert!(cookie_secret(&case.hub).unwrap_err().to_string().contains("no/secret: "));
    }

    #[test]
    fn sec_110_a_key_that_can_be_guessed_is_refused() {
        let zeros = [b'0'; 64];
        for content in [&b"abcd"[..], &zeros, b"abcdef0123456789abcdef0123456789\n1234\n"] {
            let found = cookie_secret(&Case::holding(content, 0o600).hub);
            assert!(matches!(found, Err(CookieSecretError::Weak(_))), "{content:?}");
        }
    }

    #[test]
    fn sec_114_a_rotation_puts_a_new_key_first_and_drops_the_oldest() {
        let case = Case::holding(HEX, 0o640);
        let keys = || -> Vec<Vec<u8>> {
            cookie_secret(&case.hub).unwrap().keys.iter().map(<[u8]>::to_vec).collect()
        };
        let first = keys();
        assert_eq!(rotate(&case.hub, 1).unwrap(), 2);
        let second = keys();
        assert!(second.len() == 2 && second[0].len() == 32 && second[1] == first[0]);
        assert_eq!(rotate(&case.hub, 1).unwrap(), 2);
        let third = keys();
        assert!(third[1] == second[0] && !third.contains(&first[0]));
        assert_eq!(rotate(&case.hub, 0).unwrap(), 1);
        assert_eq!(std::fs::metadata(case.file()).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(case.dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_rotated_is_left_as_it_is() {
        let case = Case::holding(b"not a secret!", 0o600);
        assert!(matches!(rotate(&case.hub, 1), Err(CookieSecretError::Garbage(_))));
        assert_eq!(std::fs::read(case.file()).unwrap(), b"not a secret!");
        assert!(matches!(rotate(&Case::new().hub, 1), Err(CookieSecretError::File { .. })));
    }
}
