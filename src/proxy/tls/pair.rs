//! A certificate with its key.

use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::error::TlsError;
use super::key::signing_key;
use super::passphrase::Passphrase;
use super::pem::PemFile;
use super::validity::warn_of_end;

/// Reads both and checks that they belong together.
pub(super) fn certified(
    cert: &PemFile<'_>,
    key: &PemFile<'_>,
    passphrase: Option<&Passphrase>,
) -> Result<CertifiedKey, TlsError> {
    let pair = CertifiedKey::new(cert.certificates()?, signing_key(key, passphrase)?);
    match pair.keys_match() {
        // Unknown: a kind of key that cannot tell its public half.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
        Err(Error::InconsistentKeys(_)) => {
            Err(TlsError::Mismatch { key: key.path.to_owned(), cert: cert.path.to_owned() })
        }
        Err(error) => match has_public_key(&pair) {
            Some(true) => Ok(pair),
            Some(false) => Err(TlsError::Mismatch { key: key.path.to_owned(), cert: cert.path.to_owned() }),
            None => Err(TlsError::certificate(cert.path, error)),
        },
    }
}

/// Compares the keys of a certificate that WebPKI refuses to read, such as one
/// of version 1, which `openssl x509 -req` makes. Whether it is good is for the
/// other end to decide.
fn has_public_key(pair: &CertifiedKey) -> Option<bool> {
    let parsed = Certificate::from_der(pair.cert.first()?).ok()?;
    let shown = parsed.tbs_certificate().subject_public_key_info().to_der().ok()?;
    Some(pair.key.public_key()?.as_ref() == shown.as_slice())
}

/// Like [`certified`], and says in the log if the certificate is at its end.
pub(super) fn certified_with_warning(
    cert: &PemFile<'_>,
    key: &PemFile<'_>,
    passphrase: Option<&Passphrase>,
) -> Result<CertifiedKey, TlsError> {
    let pair = certified(cert, key, passphrase)?;
    if let Some(own) = pair.cert.first() {
        warn_of_end(cert.path, own);
    }
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::tls::testing::Folder;
    use crate::tls::{ServerTls, ServerTlsOptions};

    #[test]
    fn certificates_of_version_1_are_served_with_their_own_key_only() {
        let folder = Folder::new();
        let run = |line: &str| {
            let output = Command::new("openssl").args(line.split(' ')).current_dir(folder.root()).output();
            assert!(output.unwrap().status.success(), "{line}");
        };
        run("req -newkey rsa:2048 -nodes -keyout a.key -out a.csr -subj /CN=a.test");
        run("x509 -req -in a.csr -signkey a.key -out a.crt -days 3");
        run("genpkey -algorithm RSA -out b.key");
        let load = |key: &str| {
            let (cert, key) = (Some(folder.path("a.crt")), Some(folder.path(key)));
            ServerTls::load(ServerTlsOptions { cert, key, ..Default::default() })
        };
        assert!(matches!(load("b.key"), Err(TlsError::Mismatch { .. })));
        assert!(load("a.key").is_ok());
    }
}
