//! The certificate of a port, and what may be negotiated there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use ring::digest;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::Ticketer;
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::ciphers::Ciphers;
use super::error::TlsError;
use super::pair::certified_with_warning;
use super::passphrase::Passphrase;
use super::peer::{self, ClientAuth};
use super::pem::PemFile;
use super::version::MinVersion;
use super::watch::{Reload, Watcher, watch};

/// What is offered inside TLS (ALPN).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocols {
    /// HTTP/2, else HTTP/1.1.
    #[default]
    Http2,
    /// HTTP/1.1 only.
    Http1,
}

impl Protocols {
    pub(super) fn names(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Http1 => vec![b"http/1.1".to_vec()],
        }
    }
}

/// What a port with TLS is made from.
#[derive(Debug, Clone, Default)]
pub struct ServerTlsOptions {
    /// PEM file of the certificate and its chain. `None`: they are in the key's file.
    pub cert: Option<PathBuf>,
    /// PEM file of the private key. `None`: it is in the certificate's file.
    pub key: Option<PathBuf>,
    /// Opens the key if it is encrypted.
    pub passphrase: Option<Passphrase>,
    /// PEM file of the authorities that vouch for clients; may hold several.
    pub ca: Option<PathBuf>,
    /// Whether clients must show a certificate.
    pub client_auth: ClientAuth,
    /// The oldest version that is spoken.
    pub min_version: MinVersion,
    /// The ciphers that are used, in order of preference.
    pub ciphers: Ciphers,
    /// What is offered inside.
    pub protocols: Protocols,
}

impl ServerTlsOptions {
    fn cert_file(&self) -> Option<&Path> {
        self.cert.as_deref().or(self.key.as_deref())
    }

    fn key_file(&self) -> Option<&Path> {
        self.key.as_deref().or(self.cert.as_deref())
    }

    fn provider(&self) -> Arc<CryptoProvider> {
        let mut provider = rustls::crypto::ring::default_provider();
        provider.cipher_suites = self.ciphers.suites().to_vec();
        Arc::new(provider)
    }
}

/// Where the certificate comes from.
enum Source {
    Files,
    /// Something that changes its mind by itself (ACME).
    Resolver {
        resolver: Arc<dyn ResolvesServerCert>,
        protocol: &'static [u8],
    },
}

struct Held {
    config: Arc<ServerConfig>,
    /// Of all the files' bytes.
    digest: Vec<u8>,
}

/// A port's TLS. Handshakes take the [configuration](Self::config) of the
/// moment; reloading never touches those that have been made.
pub struct ServerTls {
    options: ServerTlsOptions,
    source: Source,
    current: ArcSwap<Held>,
    /// Two reloads at once could publish the older files last.
    reloading: Mutex<()>,
}

impl ServerTls {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// What is wrong, naming the file.
    pub fn load(options: ServerTlsOptions) -> Result<Arc<Self>, TlsError> {
        Self::with_source(options, Source::Files)
    }

    /// Serves whatever certificate the resolver has. `protocol` is what the
    /// resolver offers inside TLS besides HTTP.
    pub(super) fn with_resolver(
        options: ServerTlsOptions,
        resolver: Arc<dyn ResolvesServerCert>,
        protocol: &'static [u8],
    ) -> Result<Arc<Self>, TlsError> {
        Self::with_source(options, Source::Resolver { resolver, protocol })
    }

    fn with_source(options: ServerTlsOptions, source: Source) -> Result<Arc<Self>, TlsError> {
        let held = read(&options, &source)?;
        Ok(Arc::new(Self {
            options,
            source,
            current: ArcSwap::from_pointee(held),
            reloading: Mutex::new(()),
        }))
    }

    /// What a new connection's handshake uses.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// Reads the files again and uses them if all is well: `true` if they had
    /// changed. Does not log failures; [`Reload::refresh`] does.
    ///
    /// # Errors
    /// What is wrong, naming the file. What was used before goes on being used.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let held = read(&self.options, &self.source)?;
        if held.digest == self.current.load().digest {
            return Ok(false);
        }
        self.current.store(Arc::new(held));
        Ok(true)
    }

    /// Reloads whenever a file changes, until the watcher is dropped.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn watch(self: &Arc<Self>, interval: Duration) -> io::Result<Watcher> {
        let target: Arc<dyn Reload> = Arc::<Self>::clone(self);
        watch(vec![target], interval)
    }
}

impl Reload for ServerTls {
    fn reload(&self) -> Result<bool, TlsError> {
        Self::reload(self)
    }

    fn files(&self) -> Vec<PathBuf> {
        let ca = self.options.ca.as_deref();
        let files = [self.options.cert_file(), self.options.key_file(), ca];
        files.into_iter().flatten().map(Path::to_owned).collect()
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("options", &self.options).finish_non_exhaustive()
    }
}

fn read(options: &ServerTlsOptions, source: &Source) -> Result<Held, TlsError> {
    let mut seen = digest::Context::new(&digest::SHA256);
    let provider = options.provider();
    let authorities = match &options.ca {
        Some(path) => {
            let file = PemFile::read(path)?;
            file.digest_into(&mut seen);
            Some(file.authorities()?)
        }
        None => None,
    };
    let (resolver, extra): (Arc<dyn ResolvesServerCert>, _) = match source {
        Source::Files => (Arc::new(SingleCertAndKey::from(certified(options, &mut seen)?)), None),
        Source::Resolver { resolver, protocol } => (Arc::clone(resolver), Some(protocol.to_vec())),
    };
    let verifier = peer::verifier(options.client_auth, authorities, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(options.min_version.versions())?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    config.alpn_protocols = options.protocols.names();
    config.alpn_protocols.extend(extra);
    // As CHP's honorCipherOrder.
    config.ignore_client_order = true;
    // Sessions resume on every worker. The tickets' key is new with each
    // configuration, so nobody resumes past authorities that were taken away.
    config.ticketer = Ticketer::new()?;
    Ok(Held { config: Arc::new(config), digest: seen.finish().as_ref().to_vec() })
}

/// The certificate and its key, which are known to belong together.
fn certified(options: &ServerTlsOptions, seen: &mut digest::Context) -> Result<CertifiedKey, TlsError> {
    let cert_path = options.cert_file().ok_or(TlsError::Nothing)?;
    let key_path = options.key_file().ok_or(TlsError::Nothing)?;
    let (cert_file, key_file) = (PemFile::read(cert_path)?, PemFile::read(key_path)?);
    cert_file.digest_into(seen);
    key_file.digest_into(seen);
    certified_with_warning(&cert_file, &key_file, options.passphrase.as_ref())
}

#[cfg(test)]
mod tests;
