//! Why there is no new certificate.

use std::io;
use std::path::{Path, PathBuf};

use super::super::error::TlsError;

/// Why a certificate is not ordered, or not given.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// No name was given.
    #[error("no host names are given for the certificate")]
    NoNames,
    /// A name cannot be proven to be ours by the ways that there are.
    #[error(
        "{0:?}: certificates are for host names in ASCII; not for addresses, nor with wildcards (these need DNS-01)"
    )]
    Name(String),
    /// No challenge was given.
    #[error("no challenge (`tls-alpn-01`, `http-01`) is given")]
    NoChallenge,
    /// The authority's address is not usable.
    #[error("{0:?}: the authority's directory must be an https URL")]
    Directory(String),
    /// The key of an external account cannot be read.
    #[error("the key of the external account is not in base64url")]
    ExternalKey,
    /// Files and ACME at once.
    #[error("a certificate comes either from files or from an authority, not from both")]
    Files,
    /// The authority has no certificate to show when it comes to look.
    #[error("with client certificates required, the authority cannot get in: use the challenge `http-01`")]
    ClientAuth,
    /// The cache cannot be used.
    #[error("{}: {source}", path.display())]
    Cache {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could plant certificates.
    #[error("{}: others may write here; a cache of keys must be its owner's alone (mode 0700)", path.display())]
    OpenCache {
        /// The directory.
        path: PathBuf,
    },
    /// The authority cannot be reached, or refuses.
    #[error("the authority: {0}")]
    Protocol(#[from] instant_acme::Error),
    /// The authority has looked and does not believe that the names are ours.
    #[error("the authority refuses: {0}")]
    Refused(String),
    /// The authority does not look in this way.
    #[error("the authority does not offer {challenge} for {name}")]
    NotOffered {
        /// The way.
        challenge: &'static str,
        /// The name.
        name: String,
    },
    /// The order took too long.
    #[error("the authority has not finished in time")]
    Late,
    /// The new certificate is as good as over.
    #[error("the new certificate is due to be renewed already; is this machine's clock right?")]
    AlreadyDue,
    /// A key or a request could not be made.
    #[error("cannot make a certificate request: {0}")]
    Request(#[from] rcgen::Error),
    /// A certificate is not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl AcmeError {
    pub(super) fn cache(path: &Path, source: io::Error) -> Self {
        Self::Cache { path: path.to_owned(), source }
    }

    /// Whether asking again soon would make it worse.
    pub(super) fn is_rate_limit(&self) -> bool {
        match self {
            Self::Protocol(instant_acme::Error::Api(problem)) => {
                problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(":rateLimited"))
            }
            _ => false,
        }
    }

    /// Whether the authority has forgotten us.
    pub(super) fn is_unknown_account(&self) -> bool {
        match self {
            Self::Protocol(instant_acme::Error::Api(problem)) => {
                problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(":accountDoesNotExist"))
            }
            _ => false,
        }
    }
}
