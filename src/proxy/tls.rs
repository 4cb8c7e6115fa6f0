//! Certificates: what the proxy shows, and whom it trusts.
//!
//! [`ServerTls`] is for a port (the public one, the API's), [`ClientTls`] for
//! `https` targets. Both read PEM files, check them as a whole and hand out an
//! immutable configuration of rustls; [`ServerTls::reload`] puts a new one in
//! its place, and connections that are open keep theirs. Nothing here touches
//! a socket, except for [`Watcher`], which looks at files, and `acme`.
//!
//! | Module | Idea |
//! | --- | --- |
//! | `server`, `client` | the two ends |
//! | `peer`, `trust` | which certificates of others are believed |
//! | `pem`, `key`, `passphrase` | files into certificates and keys |
//! | `ciphers`, `version` | what may be negotiated, by the names of OpenSSL and IANA |
//! | `acme` | certificates that order and renew themselves |
//! | `validity`, `watch` | when a certificate ends; when a file has changed |

pub mod acme;
mod ciphers;
mod client;
mod error;
mod key;
mod pair;
mod passphrase;
mod peer;
mod pem;
mod server;
#[cfg(test)]
mod testing;
mod trust;
mod validity;
mod version;
mod watch;

pub use ciphers::{Ciphers, UnknownCipher};
pub use client::{ClientTls, ClientTlsOptions};
pub use error::TlsError;
pub use passphrase::Passphrase;
pub use peer::ClientAuth;
pub use server::{Protocols, ServerTls, ServerTlsOptions};
pub use version::{MinVersion, UnknownVersion};
pub use watch::{Reload, Watcher, watch};
