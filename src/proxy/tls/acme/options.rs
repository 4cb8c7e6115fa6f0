//! What is ordered, where, and how it is proven.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;

use super::super::client::ClientTls;
use super::super::passphrase::Passphrase;
use super::error::AcmeError;

/// The way by which the authority sees that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A special handshake on port 443.
    TlsAlpn01,
    /// A text over plain HTTP on port 80.
    Http01,
}

impl Challenge {
    /// The name that RFC 8555 and RFC 8737 give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Http01 => "http-01",
        }
    }
}

impl FromStr for Challenge {
    type Err = AcmeError;

    fn from_str(text: &str) -> Result<Self, AcmeError> {
        let all = [Self::TlsAlpn01, Self::Http01];
        all.into_iter().find(|challenge| challenge.name() == text).ok_or(AcmeError::NoChallenge)
    }
}

/// The authority.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Directory {
    /// Let's Encrypt.
    #[default]
    LetsEncrypt,
    /// Let's Encrypt for trials: no browser trusts it, and its limits are wide.
    LetsEncryptStaging,
    /// Another one, by the URL of its directory.
    Url(String),
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LetsEncrypt => instant_acme::LetsEncrypt::Production.url(),
            Self::LetsEncryptStaging => instant_acme::LetsEncrypt::Staging.url(),
            Self::Url(url) => url,
        })
    }
}

/// An account that exists at the authority already, to which ours is bound.
#[derive(Debug, Clone)]
pub struct ExternalAccount {
    /// The account's id.
    pub id: String,
    /// Its key, in base64url as the authority shows it.
    pub key: Passphrase,
}

/// A certificate that orders and renews itself. Using it accepts the
/// authority's terms of service.
#[derive(Debug, Clone)]
pub struct AcmeOptions {
    /// The authority.
    pub directory: Directory,
    /// Mail addresses for the authority's warnings.
    pub contacts: Vec<String>,
    /// The host names; all go into one certificate.
    pub domains: Vec<String>,
    /// The ways of proof. More than one: they take turns when an order fails.
    pub challenges: Vec<Challenge>,
    /// Where account and certificate are kept (created with mode 0700).
    pub cache: PathBuf,
    /// An account at the authority to bind ours to.
    pub external_account: Option<ExternalAccount>,
    /// PEM file of the authorities to trust when talking to `directory`,
    /// instead of the system's.
    pub ca: Option<PathBuf>,
    /// How long to wait after the first failure; doubles with each.
    pub retry: Duration,
}

impl Default for AcmeOptions {
    fn default() -> Self {
        Self {
            directory: Directory::default(),
            contacts: Vec::new(),
            domains: Vec::new(),
            challenges: vec![Challenge::TlsAlpn01],
            cache: PathBuf::from("acme"),
            external_account: None,
            ca: None,
            retry: Duration::from_secs(120),
        }
    }
}

impl AcmeOptions {
    pub(super) fn check(&self) -> Result<(), AcmeError> {
        if self.domains.is_empty() {
            return Err(AcmeError::NoNames);
        }
        if let Some(odd) = self.domains.iter().find(|name| !is_host_name(name)) {
            return Err(AcmeError::Name(odd.clone()));
        }
        if self.challenges.is_empty() {
            return Err(AcmeError::NoChallenge);
        }
        let url = self.directory.to_string();
        let secure = url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https"));
        if secure { Ok(()) } else { Err(AcmeError::Directory(url)) }
    }

    /// The way to use after so many failures.
    pub(super) fn challenge(&self, failures: u32) -> Challenge {
        let turn = usize::try_from(failures).unwrap_or(0);
        let chosen = turn.checked_rem(self.challenges.len()).and_then(|turn| self.challenges.get(turn));
        chosen.copied().unwrap_or(Challenge::TlsAlpn01)
    }
}

fn is_host_name(name: &str) -> bool {
    use rustls::pki_types::ServerName;
    matches!(ClientTls::server_name(name), Ok(ServerName::DnsName(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> AcmeOptions {
        AcmeOptions { domains: names.iter().map(ToString::to_string).collect(), ..Default::default() }
    }

    #[test]
    fn names_that_cannot_be_proven_are_refused_by_name() {
        assert!(named(&["hub.example.org", "xn--bcher-kva.example"]).check().is_ok());
        for odd in ["*.example.org", "192.0.2.1", "::1", "b\u{fc}cher.example", "", "a b", "https://x.org"] {
            let error = named(&["hub.example.org", odd]).check().unwrap_err();
            assert!(matches!(&error, AcmeError::Name(name) if name == odd), "{odd}: {error}");
        }
        assert!(matches!(named(&[]).check(), Err(AcmeError::NoNames)));
    }

    #[test]
    fn keys_are_never_sent_in_the_clear() {
        let directory = Directory::Url("http://ca.test/dir".to_owned());
        let options = AcmeOptions { directory, ..named(&["a.test"]) };
        assert!(matches!(options.check(), Err(AcmeError::Directory(_))));
    }

    #[test]
    fn ways_of_proof_take_turns() {
        let both =
            AcmeOptions { challenges: vec![Challenge::Http01, Challenge::TlsAlpn01], ..named(&["a.test"]) };
        let turns: Vec<Challenge> = (0..3).map(|failures| both.challenge(failures)).collect();
        assert_eq!(turns, [Challenge::Http01, Challenge::TlsAlpn01, Challenge::Http01]);
        assert_eq!("http-01".parse::<Challenge>().unwrap(), Challenge::Http01);
        assert!("dns-01".parse::<Challenge>().is_err());
    }
}
