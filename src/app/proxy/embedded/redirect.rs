//! `proxy.redirect_port`: plain HTTP that leads to HTTPS, and where an authority looks for its proof (HTTP-01).

use std::sync::Arc;

use log::{error, info};
use orrery_proxy::redirect::{self, PlainAnswers};
use orrery_proxy::{Listener, Socket};
use tokio::task::JoinHandle;

use super::{AppError, listen};
use crate::config::Config;
use crate::config::address::Endpoint;

/// The redirecting port, before anything is answered.
pub(super) struct Bound {
    socket: Socket,
    port: u16,
    to: u16,
}

/// Binds the port, if there is to be one.
pub(super) fn bind(config: &Config, public: &Endpoint) -> Result<Option<Bound>, AppError> {
    let (Some(port), Endpoint::Tcp { host, port: public }) = (config.proxy.redirect_port, public) else {
        return Ok(None);
    };
    let endpoint = Endpoint::Tcp { host: host.clone(), port };
    let (socket, _) = listen::bind_endpoint("proxy.redirect_port", &endpoint, 0)?;
    Ok(Some(Bound { socket, port, to: config.proxy.redirect_to.unwrap_or(*public) }))
}

/// The redirection, while it answers.
pub(super) struct Serving(JoinHandle<()>);

impl Bound {
    /// Answers from now on.
    pub(super) fn serve(self, answers: Option<Arc<dyn PlainAnswers>>) -> Serving {
        let Self { socket, port, to } = self;
        info!(port, to; "plain HTTP leads to HTTPS");
        Serving(actix::spawn(async move {
            if let Err(failed) = redirect::serve(Listener { socket, tls: None }, to, answers).await {
                error!(error:% = failed; "plain HTTP cannot be redirected");
            }
        }))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
