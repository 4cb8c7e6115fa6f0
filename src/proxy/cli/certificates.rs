//! Keys, certificates, and whom to trust.

use std::path::PathBuf;

use clap::Args;

use crate::tls::acme::Challenge;
use crate::tls::{Ciphers, MinVersion};

/// Options for the public port.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTPS on the public port")]
pub struct PublicCertificates {
    /// Private key (PEM)
    #[arg(long = "ssl-key", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Certificate and its chain (PEM)
    #[arg(long = "ssl-cert", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Authorities that vouch for clients (PEM)
    #[arg(long = "ssl-ca", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Ask clients for a certificate
    #[arg(long = "ssl-request-cert")]
    pub request_cert: bool,
    /// Refuse clients without a good certificate, if they are asked for one
    #[arg(long = "ssl-reject-unauthorized")]
    pub reject_unauthorized: bool,
    /// Oldest TLS version: TLSv1_2 or TLSv1_3 [default: TLSv1_2]
    #[arg(long = "ssl-protocol", value_name = "VERSION")]
    pub protocol: Option<MinVersion>,
    /// Ciphers by their names in OpenSSL or IANA, separated by `:`
    #[arg(long = "ssl-ciphers", value_name = "LIST")]
    pub ciphers: Option<Ciphers>,
    /// Ignored: RC4 is broken
    #[arg(long = "ssl-allow-rc4")]
    pub allow_rc4: bool,
    /// Ignored: key exchange is by elliptic curves
    #[arg(long = "ssl-dhparam", value_name = "FILE")]
    pub dhparam: Option<PathBuf>,
    /// Offer HTTP/1.1 only
    #[arg(long = "no-http2")]
    pub no_http2: bool,
}

/// Options for certificates that order and renew themselves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Automatic certificates for the public port (ACME)")]
pub struct AutomaticCertificates {
    /// Host name to order a certificate for, accepting the authority's terms; may be repeated
    #[arg(long = "acme-domain", value_name = "NAME", conflicts_with_all = ["key", "cert"])]
    pub domain: Vec<String>,
    /// Mail address for the authority's warnings; may be repeated
    #[arg(long = "acme-contact", value_name = "MAIL", requires = "domain")]
    pub contact: Vec<String>,
    /// Directory for account and certificate
    #[arg(long = "acme-cache", value_name = "DIRECTORY", default_value = "acme")]
    pub cache: PathBuf,
    /// Way to prove that names are ours: tls-alpn-01 (port 443) or http-01 (--redirect-port 80); may be
    /// repeated [default: those that the ports allow]
    #[arg(long = "acme-challenge", value_name = "WAY", requires = "domain")]
    pub challenge: Vec<Challenge>,
    /// The authority [default: Let's Encrypt]
    #[arg(long = "acme-directory", value_name = "URL", requires = "domain", conflicts_with = "staging")]
    pub directory: Option<String>,
    /// Try it with the staging authority of Let's Encrypt, which no browser trusts
    #[arg(long = "acme-staging", requires = "domain")]
    pub staging: bool,
    /// Authorities to trust when talking to --acme-directory (PEM)
    #[arg(long = "acme-ca", value_name = "FILE", requires = "domain")]
    pub acme_ca: Option<PathBuf>,
    /// Id of an account at the authority to bind ours to; its key is in ORRERY_PROXY_ACME_EAB_KEY
    #[arg(long = "acme-eab-id", value_name = "ID", requires = "domain")]
    pub eab_id: Option<String>,
}

/// Options for the API.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTPS on the REST API")]
pub struct ApiCertificates {
    /// Private key (PEM)
    #[arg(id = "api_key", long = "api-ssl-key", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Certificate and its chain (PEM)
    #[arg(id = "api_cert", long = "api-ssl-cert", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Authorities that vouch for clients (PEM)
    #[arg(id = "api_ca", long = "api-ssl-ca", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Ask clients for a certificate
    #[arg(id = "api_request_cert", long = "api-ssl-request-cert")]
    pub request_cert: bool,
    /// Refuse clients without a good certificate, if they are asked for one
    #[arg(id = "api_reject_unauthorized", long = "api-ssl-reject-unauthorized")]
    pub reject_unauthorized: bool,
}

/// Options for connections to targets.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTPS to targets")]
pub struct ClientCertificates {
    /// Private key to show to targets (PEM)
    #[arg(id = "client_key", long = "client-ssl-key", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Certificate to show to targets (PEM)
    #[arg(id = "client_cert", long = "client-ssl-cert", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Authorities to trust instead of the system's (PEM)
    #[arg(id = "client_ca", long = "client-ssl-ca", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Accepted and without effect: a client asks for no certificates
    #[arg(id = "client_request_cert", long = "client-ssl-request-cert")]
    pub request_cert: bool,
    /// Accepted and without effect: targets are checked unless --insecure is given
    #[arg(id = "client_reject_unauthorized", long = "client-ssl-reject-unauthorized")]
    pub reject_unauthorized: bool,
    /// Take any certificate of a target
    #[arg(long)]
    pub insecure: bool,
}
