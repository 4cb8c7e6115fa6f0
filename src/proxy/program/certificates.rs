//! The certificates of all ports, and their renewal.

use std::sync::Arc;
use std::time::Duration;

use super::ProgramError;
use crate::cli::Settings;
use crate::tls::acme::Acme;
use crate::tls::{ClientTls, Reload, ServerTls, TlsError, Watcher, watch};

/// How often files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// What was loaded, and the watch over it.
pub(super) struct Certificates {
    pub(super) public: Option<Arc<ServerTls>>,
    pub(super) api: Option<Arc<ServerTls>>,
    pub(super) client: Option<Arc<ClientTls>>,
    /// Where the public one comes from, if not from files.
    pub(super) acme: Option<Arc<Acme>>,
    /// Ends with us.
    _watcher: Option<Watcher>,
}

impl Certificates {
    pub(super) fn load(settings: &Settings) -> Result<Self, ProgramError> {
        let named = |options| move |source: TlsError| ProgramError::Certificates { options, source };
        let acme = match (&settings.acme, &settings.public_tls) {
            (Some(acme), Some(tls)) => {
                Some(Acme::load(acme.clone(), tls.clone()).map_err(ProgramError::Acme)?)
            }
            _ => None,
        };
        let public = match &acme {
            Some(acme) => Ok(Some(acme.server())),
            None => settings.public_tls.clone().map(ServerTls::load).transpose(),
        };
        let api = settings.api_tls.clone().map(ServerTls::load).transpose();
        let client = settings.client_tls.clone().map(ClientTls::load).transpose();
        let mut loaded = Self {
            public: public.map_err(named("--ssl-*"))?,
            api: api.map_err(named("--api-ssl-*"))?,
            client: client.map_err(named("--client-ssl-*"))?,
            acme,
            _watcher: None,
        };
        let watched = loaded.all();
        if !watched.is_empty() {
            loaded._watcher = Some(watch(watched, INTERVAL).map_err(ProgramError::Thread)?);
        }
        Ok(loaded)
    }

    /// Reads all files again, and says in the log what came of it.
    pub(super) fn refresh(&self) {
        self.all().iter().for_each(|certificates| certificates.refresh());
    }

    fn all(&self) -> Vec<Arc<dyn Reload>> {
        let mut all: Vec<Arc<dyn Reload>> = Vec::new();
        for port in self.public.iter().chain(&self.api) {
            all.push(Arc::<ServerTls>::clone(port));
        }
        if let Some(client) = &self.client {
            all.push(Arc::<ClientTls>::clone(client));
        }
        all
    }
}
