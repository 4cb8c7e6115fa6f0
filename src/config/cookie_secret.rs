//! The key that signs login cookies (config.md 2.2): from the configuration or the environment, else from its file, which is
//! made at the first start.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::HubConfig;
use crate::domain::hexadecimal;
use crate::secret::{RandomError, hex, random_bytes};

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
    /// There is no randomness for a new key.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The key, and whether its file is of an old form.
#[derive(Debug)]
pub struct CookieSecret {
    /// The key.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What to tell the operator.
    pub warning: Option<String>,
}

/// Finds the key, or makes one and its file (CFG-014).
///
/// # Errors
/// If the file is open to others, holds something else, or can be neither read nor made.
pub fn cookie_secret(hub: &HubConfig) -> Result<CookieSecret, CookieSecretError> {
    if !hub.cookie_secret.is_empty() {
        let bytes = unhex(hub.cookie_secret.expose()).ok_or(CookieSecretError::NotHexadecimal)?;
        return Ok(CookieSecret { bytes: bytes.into(), warning: None });
    }
    let path = &hub.cookie_secret_file;
    let failed = |source| CookieSecretError::File { file: path.display().to_string(), source };
    match File::open(path) {
        Ok(file) => from_file(file, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes = random_bytes::<32>()?;
            create(path, &hex(&bytes)).map_err(failed)?;
            Ok(CookieSecret { bytes: bytes.to_vec().into(), warning: None })
        }
        Err(error) => Err(failed(error)),
    }
}

fn create(path: &Path, digits: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(format!("{digits}\n").as_bytes())?;
    file.sync_all()
}

fn from_file(mut file: File, path: &Path) -> Result<CookieSecret, CookieSecretError> {
    let name = path.display().to_string();
    let failed = |source| CookieSecretError::File { file: name.clone(), source };
    // the open file is asked, not the path: nobody can exchange it between the two
    if file.metadata().map_err(failed)?.permissions().mode() & 0o007 != 0 {
        return Err(CookieSecretError::OpenToOthers(name));
    }
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(failed)?;
    let text = std::str::from_utf8(&text).map_err(|_| CookieSecretError::Garbage(name.clone()))?.trim();
    if let Some(bytes) = unhex(text).filter(|bytes| !bytes.is_empty()) {
        return Ok(CookieSecret { bytes: bytes.into(), warning: None });
    }
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => {
            let warning =
                format!("{name} is written in base64, an old form; hexadecimal digits are expected");
            Ok(CookieSecret { bytes: bytes.into(), warning: Some(warning) })
        }
        _ => Err(CookieSecretError::Garbage(name)),
    }
}

/// The bytes that hexadecimal digits of either case stand for.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    hexadecimal::decode(&digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

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
        assert_eq!(first.bytes.len(), 32);
        let made = std::fs::metadata(case.file()).unwrap();
        assert_eq!((made.len(), made.permissions().mode() & 0o777), (65, 0o600));
        assert_eq!(cookie_secret(&case.hub).unwrap().bytes, first.bytes);
    }

    #[test]
    fn cfg_015_a_file_that_others_may_use_is_refused() {
        for mode in [0o604, 0o602, 0o666] {
            let case = Case::holding(b"abcd", mode);
            assert!(matches!(cookie_secret(&case.hub), Err(CookieSecretError::OpenToOthers(_))), "{mode:o}");
        }
        assert_eq!(*cookie_secret(&Case::holding(b"abcd", 0o640).hub).unwrap().bytes, [0xab, 0xcd]);
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
        let found = cookie_secret(&Case::holding(b"q83vEjRWeJA=\n", 0o600).hub).unwrap();
        assert_eq!(*found.bytes, [0xab, 0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x90]);
        assert!(found.warning.is_some());
    }

    #[test]
    fn cfg_017_a_configured_secret_needs_no_file() {
        let mut case = Case::new();
        case.hub.cookie_secret = Secret::new("abc123");
        assert_eq!(*cookie_secret(&case.hub).unwrap().bytes, [0xab, 0xc1, 0x23]);
        assert!(!case.file().exists());
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let mut case = Case::new();
        case.hub.cookie_secret_file = case.dir.path().join("no/secret");
        assert!(cookie_secret(&case.hub).unwrap_err().to_string().contains("no/secret: "));
    }
}
