//! The command line: configurable-http-proxy's (proxy.md section 5), and ours.
//!
//! Only words into values. What they mean together is [`Settings`]' business.

mod certificates;
mod forwarding;
mod listening;
mod running;
mod settings;
mod value;

use clap::Parser;

pub use certificates::{ApiCertificates, AutomaticCertificates, ClientCertificates, PublicCertificates};
pub use forwarding::Forwarding;
pub use listening::Listening;
pub use running::Running;
pub use settings::{Environment, Place, Redirect, Settings, UsageError};

/// The version of configurable-http-proxy whose command line and API this is.
const CHP_VERSION: &str = "5.3.0";

/// Sends requests to the servers behind it, by a table of routes that is changed over a
/// REST API: a drop-in replacement for configurable-http-proxy.
#[derive(Debug, Parser)]
#[command(
    name = "orrery-proxy",
    disable_version_flag = true,
    after_help = "Environment:\n  \
        CONFIGPROXY_AUTH_TOKEN                 Secret of the REST API; without it the API is open to all who reach it\n  \
        CONFIGPROXY_SSL_KEY_PASSPHRASE         Opens --ssl-key\n  \
        CONFIGPROXY_API_SSL_KEY_PASSPHRASE     Opens --api-ssl-key\n  \
        CONFIGPROXY_CLIENT_SSL_KEY_PASSPHRASE  Opens --client-ssl-key\n  \
        ORRERY_PROXY_ACME_EAB_KEY              Key of the account --acme-eab-id, in base64url\n  \
        LISTEN_FDS, LISTEN_FDNAMES             Sockets opened by systemd: public, api, metrics, redirect\n\n\
        Signals: SIGTERM and SIGINT finish what is under way and end with status 2, a second one ends at once;\n\
        SIGHUP reads certificates again; SIGUSR2 hands over to a new process of the program (see --hand-over)."
)]
pub struct Cli {
    /// Print the version, beginning with that of configurable-http-proxy
    #[arg(short = 'V', long)]
    pub version: bool,
    /// Where to listen.
    #[command(flatten)]
    pub listening: Listening,
    /// Encryption of the public port.
    #[command(flatten)]
    pub public_certificates: PublicCertificates,
    /// Certificates that renew themselves.
    #[command(flatten)]
    pub automatic_certificates: AutomaticCertificates,
    /// Encryption of the API.
    #[command(flatten)]
    pub api_certificates: ApiCertificates,
    /// Encryption towards targets.
    #[command(flatten)]
    pub client_certificates: ClientCertificates,
    /// What is done with requests.
    #[command(flatten)]
    pub forwarding: Forwarding,
    /// The process.
    #[command(flatten)]
    pub running: Running,
}

/// What `--version` prints: scripts that expect CHP's version go on.
pub fn version() -> String {
    format!("{CHP_VERSION} (orrery-proxy {})", env!("CARGO_PKG_VERSION"))
}
