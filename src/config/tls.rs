//! `[tls]`: certificates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::setting::{choice, section};

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

section! {
    /// `[tls]`: HTTPS on the public address.
    pub struct TlsConfig {
        /// The private key's file.
        pub key: PathBuf = PathBuf::new(),
        /// The certificate's file, with its chain.
        pub cert: PathBuf = PathBuf::new(),
        /// Whether browsers must show a certificate.
        pub client_auth: ClientAuth = ClientAuth::Off,
        /// The oldest version of TLS that is accepted.
        pub min_version: String = "1.2".to_owned(),
        /// The ciphers that are accepted. Not set: all that are safe.
        pub ciphers: Vec<String> = Vec::new(),
        /// HTTPS between hub, proxy, servers and services.
        pub internal: InternalTlsConfig = InternalTlsConfig::default(),
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
