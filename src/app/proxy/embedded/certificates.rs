//! The certificate of the public address: from files that are read again when they change, or ordered from an authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orrery_proxy::redirect::PlainAnswers;
use orrery_proxy::tls::acme::{Acme, AcmeOptions, AcmeRunner, Challenge, Directory, ExternalAccount};
use orrery_proxy::tls::{
    Ciphers, ClientAuth, MinVersion, Passphrase, Protocols, Reload, ServerTls, ServerTlsOptions, Watcher,
    watch,
};

use super::AppError;
use crate::config::tls::{self, AcmeChallenge, AcmeConfig};
use crate::config::{Config, TlsConfig};

/// The certificate, and what keeps it fresh.
#[derive(Default)]
pub(super) struct Certificates {
    server: Option<Arc<ServerTls>>,
    acme: Option<Arc<Acme>>,
    _watcher: Option<Watcher>,
    _orders: Option<AcmeRunner>,
}

impl Certificates {
    /// Reads the files, or the certificate that was ordered before.
    pub(super) fn load(config: &Config) -> Result<Self, AppError> {
        let tls = &config.tls;
        if !tls.is_on() {
            return Ok(Self::default());
        }
        let options = options(tls)?;
        if !tls.acme.domains.is_empty() {
            let acme = Acme::load(acme(&tls.acme), options);
            let acme = acme.map_err(|error| refused("tls.acme.domains", error))?;
            return Ok(Self { server: Some(acme.server()), acme: Some(acme), ..Self::default() });
        }
        let server = ServerTls::load(options).map_err(|error| refused("tls.cert", error))?;
        let watched: Vec<Arc<dyn Reload>> = vec![Arc::<ServerTls>::clone(&server)];
        let looks = !tls.watch_interval.is_zero();
        let watcher = looks.then(|| watch(watched, tls.watch_interval)).transpose()?;
        Ok(Self { server: Some(server), _watcher: watcher, ..Self::default() })
    }

    /// What the public port speaks, if it is TLS.
    pub(super) fn server(&self) -> Option<Arc<ServerTls>> {
        self.server.clone()
    }

    /// What an authority may ask for over plain HTTP.
    pub(super) fn plain_answers(&self) -> Option<Arc<dyn PlainAnswers>> {
        self.acme.clone().map(|acme| -> Arc<dyn PlainAnswers> { acme })
    }

    /// Orders and renews from now on, if there is something to order: the authority looks at our ports.
    pub(super) fn start_orders(&mut self) -> Result<(), AppError> {
        self._orders = self.acme.as_ref().map(Acme::start).transpose()?;
        Ok(())
    }

    /// Reads the files again, and says in the log what came of it.
    pub(super) fn refresh(&self) {
        if let Some(server) = &self.server {
            server.refresh();
        }
    }
}

fn refused(key: &'static str, reason: impl ToString) -> AppError {
    AppError::Setting { key, reason: reason.to_string() }
}

fn given(path: &Path) -> Option<PathBuf> {
    Some(path.to_owned()).filter(|path| !path.as_os_str().is_empty())
}

fn options(tls: &TlsConfig) -> Result<ServerTlsOptions, AppError> {
    let variable = || std::env::var("CONFIGPROXY_SSL_KEY_PASSPHRASE").unwrap_or_default();
    let passphrase = match tls.passphrase.expose() {
        "" => variable(),
        configured => configured.to_owned(),
    };
    Ok(ServerTlsOptions {
        cert: given(&tls.cert),
        key: given(&tls.key),
        passphrase: Some(passphrase).filter(|text| !text.is_empty()).map(Passphrase::from),
        ca: given(&tls.ca),
        client_auth: match tls.client_auth {
            tls::ClientAuth::Off => ClientAuth::Off,
            tls::ClientAuth::Request => ClientAuth::Request,
            tls::ClientAuth::Require => ClientAuth::Require,
        },
        min_version: match tls.min_version {
            tls::MinVersion::Tls12 => MinVersion::Tls12,
            tls::MinVersion::Tls13 => MinVersion::Tls13,
        },
        ciphers: Ciphers::from_words(&tls.ciphers).map_err(|unknown| refused("tls.ciphers", unknown))?,
        protocols: if tls.http2 { Protocols::Http2 } else { Protocols::Http1 },
    })
}

fn acme(acme: &AcmeConfig) -> AcmeOptions {
    let account = || ExternalAccount {
        id: acme.external_account_id.clone(),
        key: Passphrase::from(acme.external_account_key.expose().to_owned()),
    };
    let challenge = |challenge: &AcmeChallenge| match challenge {
        AcmeChallenge::TlsAlpn01 => Challenge::TlsAlpn01,
        AcmeChallenge::Http01 => Challenge::Http01,
    };
    AcmeOptions {
        directory: match acme.directory.as_str() {
            "letsencrypt" => Directory::LetsEncrypt,
            "letsencrypt-staging" => Directory::LetsEncryptStaging,
            url => Directory::Url(url.to_owned()),
        },
        contacts: acme.contacts.clone(),
        domains: acme.domains.clone(),
        challenges: acme.challenges.iter().map(challenge).collect(),
        cache: acme.dir.clone(),
        external_account: (!acme.external_account_id.is_empty()).then(account),
        ca: given(&acme.ca),
        ..AcmeOptions::default()
    }
}
