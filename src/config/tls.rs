//! `[tls]`: certificates.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::setting::{choice, section};
use crate::secret::Secret;

choice! {
    /// Whether browsers must show a certificate.
    pub enum ClientAuth {
        /// They are not asked.
        Off = "off",
        /// They are asked, and need not.
        Request = "request",
        /// They must.
        Require = "require",
    }
}

choice! {
    /// The oldest version of TLS that is accepted.
    pub enum MinVersion {
        /// TLS 1.2 and 1.3.
        Tls12 = "1.2" | "tlsv1_2",
        /// TLS 1.3 only.
        Tls13 = "1.3" | "tlsv1_3",
    }
}

choice! {
    /// How an authority sees that a host name is ours.
    pub enum AcmeChallenge {
        /// By a special handshake on the public port, which it reaches as 443.
        TlsAlpn01 = "tls-alpn-01",
        /// By a text over plain HTTP, at the redirect port, which it reaches as 80.
        Http01 = "http-01",
    }
}

section! {
    /// `[tls]`: HTTPS on the public address.
    pub struct TlsConfig {
        /// The private key's file. Not set: it is in the certificate's file.
        pub key: PathBuf = PathBuf::new(),
        /// The certificate's file, with its chain.
        pub cert: PathBuf = PathBuf::new(),
        /// Opens the private key if it is encrypted. Not set: environment variable `CONFIGPROXY_SSL_KEY_PASSPHRASE`.
        pub passphrase: Secret = Secret::default(),
        /// Whether browsers must show a certificate.
        pub client_auth: ClientAuth = ClientAuth::Off,
        /// The file of the authorities whose certificates browsers may show.
        pub ca: PathBuf = PathBuf::new(),
        /// The oldest version of TLS that is accepted.
        pub min_version: MinVersion = MinVersion::Tls12,
        /// The ciphers that are accepted, by the names of OpenSSL or IANA. Not set: all that are safe.
        pub ciphers: Vec<String> = Vec::new(),
        /// Offers HTTP/2.
        pub http2: bool = true,
        /// How often the files are looked at for changes; 0 never does, and a signal (`SIGHUP`) always does.
        pub watch_interval: Duration = Duration::from_secs(10),
        /// A certificate that orders and renews itself.
        pub acme: AcmeConfig = AcmeConfig::default(),
        /// HTTPS between hub, proxy, servers and services.
        pub internal: InternalTlsConfig = InternalTlsConfig::default(),
    }
}

impl TlsConfig {
    /// Whether the public address is served with TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.has_files() || !self.acme.domains.is_empty()
    }

    /// Whether certificate and key come from files.
    #[must_use]
    pub fn has_files(&self) -> bool {
        !self.cert.as_os_str().is_empty() || !self.key.as_os_str().is_empty()
    }
}

section! {
    /// `[tls.acme]`: a certificate that orders and renews itself, from Let's Encrypt or another authority (ACME).
    /// Using it accepts the authority's terms of service.
    pub struct AcmeConfig {
        /// The host names in the certificate. Not set: none is ordered.
        pub domains: Vec<String> = Vec::new(),
        /// The authority: `letsencrypt`, `letsencrypt-staging` (for trials) or the https URL of its directory.
        pub directory: String = "letsencrypt".to_owned(),
        /// Mail addresses for the authority's warnings.
        pub contacts: Vec<String> = Vec::new(),
        /// How the authority sees that the names are ours: `tls-alpn-01` needs the public port to be reached as 443,
        /// `http-01` the redirect port as 80. With both, they take turns when an order fails.
        pub challenges: Vec<AcmeChallenge> = vec![AcmeChallenge::TlsAlpn01],
        /// Where account and certificate are kept; nobody else may write there.
        pub dir: PathBuf = PathBuf::from("acme"),
        /// The file of the authorities to trust when talking to `directory`, in place of the system's.
        pub ca: PathBuf = PathBuf::new(),
        /// The id of an account at the authority to which ours is bound (external account binding).
        pub external_account_id: String = String::new(),
        /// The key of that account, in base64url.
        pub external_account_key: Secret = Secret::default(),
    }
}

section! {
    /// `[tls.internal]`: HTTPS between hub, proxy, servers and services.
    pub struct InternalTlsConfig {
        /// Uses it.
        pub enabled: bool = false,
        /// Where certificates are kept.
        pub dir: PathBuf = PathBuf::from("internal-ssl"),
        /// Makes all certificates anew at the start.
        pub recreate: bool = false,
        /// Names in the certificates: `DNS:...` or `IP:...`.
        pub alt_names: Vec<String> = Vec::new(),
        /// Authorities of your own: `hub-ca`, `notebooks-ca`, `proxy-api-ca`, `proxy-client-ca`, `services-ca`.
        pub authorities: BTreeMap<String, AuthorityConfig> = BTreeMap::new(),
    }
}

section! {
    /// `[tls.internal.authorities.<name>]`: a certificate authority of your own.
    pub struct AuthorityConfig {
        /// The private key's file; needed to sign.
        pub key: PathBuf = PathBuf::new(),
        /// The certificate's file.
        pub cert: PathBuf = PathBuf::new(),
        /// The file of certificates to trust.
        pub ca: PathBuf = PathBuf::new(),
    }
}
