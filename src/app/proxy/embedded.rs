//! The proxy inside the hub: its sockets and certificate, its settings, its end.

mod certificates;
mod redirect;
mod settings;

use std::sync::Arc;

use log::info;
use orrery_proxy::{Listener, Metrics, OwnFile, Routes, ServerHandle, Stop, Tunnels};

use super::super::AppError;
use super::super::listen::{self, Activated};
use super::rest_api;
use crate::config::{Addresses, Config};
use certificates::Certificates;

/// The proxy's sockets, bound before anything else is touched.
pub(in crate::app) struct Embedded {
    public: Listener,
    api: Option<rest_api::Bound>,
    redirect: Option<redirect::Bound>,
    certificates: Certificates,
    routes: Routes,
    metrics: Arc<Metrics>,
    files: Vec<OwnFile>,
}

impl Embedded {
    pub(super) fn bind(
        config: &Config,
        addresses: &Addresses,
        activated: &mut Activated,
    ) -> Result<Self, AppError> {
        let mode = settings::socket_mode(config);
        let (socket, file) = activated.listen("public", "proxy.bind_url", &addresses.public, mode)?;
        let api = rest_api::bind(config, mode)?;
        let redirect = redirect::bind(config, &addresses.public)?;
        let certificates = Certificates::load(config)?;
        let public = Listener { socket, tls: certificates.server() };
        let files = file.into_iter().collect();
        Ok(Self {
            public,
            api,
            redirect,
            certificates,
            routes: Routes::default(),
            metrics: Metrics::new(),
            files,
        })
    }

    /// What it counts.
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The table that it reads.
    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Answers from now on.
    pub(super) fn open(self, config: &Config, addresses: &Addresses) -> Result<Serving, AppError> {
        let Self { public, api, redirect, mut certificates, routes, metrics, files } = self;
        let settings = settings::settings(config, addresses, &metrics)?;
        let handle = orrery_proxy::serve(vec![public], routes.clone(), settings)?;
        let api = api.map(|api| api.serve(&routes, metrics));
        let redirect = redirect.map(|redirect| redirect.serve(certificates.plain_answers()));
        certificates.start_orders()?;
        Ok(Serving { handle, certificates, _api: api, _redirect: redirect, _files: files })
    }
}

/// The proxy inside the hub, while it answers.
pub(in crate::app) struct Serving {
    handle: ServerHandle,
    certificates: Certificates,
    _api: Option<rest_api::Serving>,
    _redirect: Option<redirect::Serving>,
    _files: Vec<OwnFile>,
}

impl Serving {
    /// Reads the certificate's files again.
    pub(super) fn refresh(&self) {
        self.certificates.refresh();
    }

    /// Gracefully: whoever asked for the end of the hub gets an answer.
    pub(super) async fn stop(self) {
        self.handle.stop(Stop::Drain(Tunnels::Cut)).await;
        info!("the proxy has ended with the hub");
    }
}
