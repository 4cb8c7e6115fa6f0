//! What is wrong with certificates, in words that name the file.

use std::io;
use std::path::{Path, PathBuf};

/// Why certificates are not used. The text names the file and never shows what
/// a key or a passphrase is.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Neither a certificate nor a key was named.
    #[error("no certificate is given")]
    Nothing,
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no PEM.
    #[error("{}: not a PEM file: {reason}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// The file has no certificate in it.
    #[error("{}: holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file has no private key in it.
    #[error("{}: holds no private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A passphrase is needed.
    #[error("{}: the private key is encrypted; its passphrase is not given", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase does not open the key.
    #[error("{}: the private key does not open: wrong passphrase, or a cipher that is not supported", path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// The key is encrypted as OpenSSL did before version 1.0.
    #[error(
        "{}: the private key is encrypted in the old way of OpenSSL (`Proc-Type: 4,ENCRYPTED`); \
         convert it with `openssl pkcs8 -topk8 -in OLD -out NEW`",
        path.display()
    )]
    OldEncryption {
        /// The file.
        path: PathBuf,
    },
    /// The key's kind is not supported.
    #[error("{}: the private key is of no supported kind (RSA of 2048 to 4096 bits, P-256, P-384, Ed25519)", path.display())]
    KeyKind {
        /// The file.
        path: PathBuf,
    },
    /// Key and certificate do not belong together.
    #[error("{}: does not belong to the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        cert: PathBuf,
    },
    /// A certificate cannot be used.
    #[error("{}: unusable certificate: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// Clients must show a certificate, and nobody could issue one.
    #[error("client certificates are required, but no file of authorities says whose are good")]
    NoAuthorities,
    /// The system has no certificates of authorities.
    #[error("the system has no certificates of authorities (package ca-certificates): {0}")]
    NoSystemRoots(String),
    /// A host is not a name that a certificate could be for.
    #[error("{0:?}: not a host name")]
    HostName(String),
    /// rustls refuses the combination.
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
}

impl TlsError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn pem(path: &Path, reason: impl ToString) -> Self {
        Self::Pem { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn certificate(path: &Path, reason: impl ToString) -> Self {
        Self::Certificate { path: path.to_owned(), reason: reason.to_string() }
    }
}
