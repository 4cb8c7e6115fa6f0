//! The REST API of the embedded proxy, for programs that know the one of configurable-http-proxy. There is one only if a
//! token for it was configured (SEC-100).
//!
//! It writes routes beside the registry: the table itself takes one change at a time, and the next check puts right what
//! someone changed about the hub's own routes.

use std::sync::Arc;

use log::{error, info};
use orrery_proxy::api::{self, Api, ApiToken, Gate};
use orrery_proxy::{Listener, Matching, Metrics, OwnFile, Routes, Socket};
use tokio::task::JoinHandle;

use super::AppError;
use crate::app::listen;
use crate::config::Config;
use crate::config::address::ApiUrl;

/// The API's socket, before anything is answered.
pub(super) struct Bound {
    socket: Socket,
    file: Option<OwnFile>,
    token: ApiToken,
    shown: String,
}

/// Binds the API's address, if there is to be an API; a UNIX socket with these permissions.
pub(super) fn bind(config: &Config, mode: u32) -> Result<Option<Bound>, AppError> {
    let Some(token) = ApiToken::new(config.proxy.auth_token.expose()) else { return Ok(None) };
    let url = ApiUrl::parse(&config.proxy.api_url)?;
    let (socket, file) = listen::bind_endpoint("proxy.api_url", &url.endpoint, mode)?;
    Ok(Some(Bound { socket, file, token, shown: url.to_string() }))
}

/// The API, while it answers.
pub(in crate::app) struct Serving {
    task: JoinHandle<()>,
    _file: Option<OwnFile>,
}

impl Bound {
    /// Answers from now on.
    pub(super) fn serve(self, routes: &Routes, metrics: Arc<Metrics>) -> Serving {
        let api = Api {
            routes: routes.clone(),
            writer: Arc::new(routes.clone()),
            token: Some(self.token),
            matching: Matching::Path,
            metrics,
            gate: Gate::default(),
        };
        let listener = Listener { socket: self.socket, tls: None };
        info!(url = self.shown.as_str(); "the proxy's REST API answers");
        let task = actix::spawn(async move {
            if let Err(failed) = api::serve(listener, Arc::new(api)).await {
                error!(error:% = failed; "the proxy's REST API cannot be served");
            }
        });
        Serving { task, _file: self.file }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
