//! TLS towards `https` targets.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use ring::digest;
use rustls::client::{ResolvesClientCert, WantsClientCert};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ConfigBuilder};

use super::error::TlsError;
use super::pair::certified_with_warning;
use super::passphrase::Passphrase;
use super::pem::PemFile;
use super::trust::{Everyone, Given, system_roots};
use super::watch::Reload;

/// Whom to trust behind `https` targets, and what to show them.
#[derive(Debug, Clone, Default)]
pub struct ClientTlsOptions {
    /// PEM file of our certificate and its chain. `None`: it is in the key's
    /// file, or there is none.
    pub cert: Option<PathBuf>,
    /// PEM file of our private key. `None`: it is in the certificate's file.
    pub key: Option<PathBuf>,
    /// Opens the key if it is encrypted.
    pub passphrase: Option<Passphrase>,
    /// PEM file of the authorities to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// Takes any certificate.
    pub insecure: bool,
}

struct Held {
    config: Arc<ClientConfig>,
    digest: Vec<u8>,
}

/// TLS towards targets. New connections take the [configuration](Self::config)
/// of the moment.
pub struct ClientTls {
    options: ClientTlsOptions,
    current: ArcSwap<Held>,
    reloading: Mutex<()>,
}

impl ClientTls {
    /// Reads and checks the files, and the system's authorities if they are needed.
    ///
    /// # Errors
    /// What is wrong, naming the file.
    pub fn load(options: ClientTlsOptions) -> Result<Arc<Self>, TlsError> {
        let held = read(&options)?;
        Ok(Arc::new(Self { options, current: ArcSwap::from_pointee(held), reloading: Mutex::new(()) }))
    }

    /// What a new connection's handshake uses. HTTP/1.1 is offered inside.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// Reads the files again and uses them if all is well: `true` if they had changed.
    ///
    /// # Errors
    /// What is wrong, naming the file. What was used before goes on being used.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let held = read(&self.options)?;
        if held.digest == self.current.load().digest {
            return Ok(false);
        }
        self.current.store(Arc::new(held));
        Ok(true)
    }

    /// The name that a target's certificate must be for. An address may stand
    /// in the brackets of a URL.
    ///
    /// # Errors
    /// No certificate could be for it.
    pub fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::HostName(host.to_owned()))
    }
}

impl Reload for ClientTls {
    fn reload(&self) -> Result<bool, TlsError> {
        Self::reload(self)
    }

    fn files(&self) -> Vec<PathBuf> {
        let options = &self.options;
        [&options.cert, &options.key, &options.ca].into_iter().flatten().cloned().collect()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("options", &self.options).finish_non_exhaustive()
    }
}

fn read(options: &ClientTlsOptions) -> Result<Held, TlsError> {
    let mut seen = digest::Context::new(&digest::SHA256);
    let builder = trusting(options, &mut seen)?;
    let mut config = match own_certificate(options, &mut seen)? {
        Some(own) => builder.with_client_cert_resolver(own),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Held { config: Arc::new(config), digest: seen.finish().as_ref().to_vec() })
}

fn trusting(
    options: &ClientTlsOptions,
    seen: &mut digest::Context,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    if options.insecure {
        let everyone = Arc::new(Everyone(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(everyone));
    }
    let Some(path) = &options.ca else {
        return Ok(builder.with_root_certificates(system_roots()?));
    };
    let file = PemFile::read(path)?;
    file.digest_into(seen);
    let given = Given::new(file.authorities()?, file.certificates()?, provider)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(given)))
}

fn own_certificate(
    options: &ClientTlsOptions,
    seen: &mut digest::Context,
) -> Result<Option<Arc<dyn ResolvesClientCert>>, TlsError> {
    let cert: Option<&Path> = options.cert.as_deref().or(options.key.as_deref());
    let key: Option<&Path> = options.key.as_deref().or(options.cert.as_deref());
    let (Some(cert), Some(key)) = (cert, key) else { return Ok(None) };
    let (cert, key) = (PemFile::read(cert)?, PemFile::read(key)?);
    cert.digest_into(seen);
    key.digest_into(seen);
    let pair = certified_with_warning(&cert, &key, options.passphrase.as_ref())?;
    Ok(Some(Arc::new(SingleCertAndKey::from(pair))))
}

#[cfg(test)]
mod tests;
