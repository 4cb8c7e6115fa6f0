//! The program that serves the public address: part of the hub, run by someone else, or started by the hub.

mod embedded;
mod keeper;
mod plan;
mod rest_api;

use std::sync::Arc;

use log::{info, warn};

use self::embedded::Embedded;
use self::keeper::{Ending, Keeper};
use super::AppError;
use super::listen::Activated;
use crate::actors::registry::{self, Proxy, Remote, WantedRoutes};
use crate::actors::supervision::Supervision;
use crate::config::address::ApiUrl;
use crate::config::{Addresses, Config, ProxyType};
use crate::proxy_child::{ProxyPlan, RunningProxy};
use crate::proxy_client::{Peer, ProxyClient};
use crate::secret::{Secret, random_hex32};

/// What is known of the proxy before it runs.
pub(super) struct Link {
    /// How the registry reaches it.
    pub(super) proxy: Proxy,
    /// The routes that it should have.
    pub(super) wanted: WantedRoutes,
    start: Start,
}

enum Start {
    Embedded(Box<Embedded>),
    External { remote: Arc<Remote>, url: String },
    Child { remote: Arc<Remote>, plan: Box<ProxyPlan> },
}

impl Link {
    /// Adds what a proxy in this process counts to the hub's numbers.
    pub(super) fn count_in(&self, numbers: &crate::metrics::Metrics) {
        if let Start::Embedded(embedded) = &self.start {
            let proxy = Arc::clone(embedded.metrics());
            numbers.add_source(move |page| page.push_str(&proxy.part_text()));
        }
    }

    /// Binds the public port, or makes ready to speak to the proxy that does.
    pub(super) fn new(
        config: &Config,
        addresses: &Addresses,
        activated: &mut Activated,
    ) -> Result<Self, AppError> {
        let wanted = WantedRoutes::default();
        if config.proxy.r#type == ProxyType::Embedded {
            let embedded = Embedded::bind(config, addresses, activated)?;
            let proxy = Proxy::Embedded(embedded.routes().clone());
            return Ok(Self { proxy, wanted, start: Start::Embedded(Box::new(embedded)) });
        }
        let url = ApiUrl::parse(&config.proxy.api_url)?;
        let (token, keeper) = match config.proxy.r#type {
            ProxyType::Child if config.proxy.auth_token.is_empty() => {
                (Secret::new(random_hex32()?), registry::Keeper::Hub)
            }
            ProxyType::Child => (config.proxy.auth_token.clone(), registry::Keeper::Hub),
            ProxyType::External | ProxyType::Embedded => {
                (config.proxy.auth_token.clone(), registry::Keeper::Operator)
            }
        };
        let shown = url.to_string();
        let plan = match keeper {
            registry::Keeper::Hub => Some(Box::new(plan::plan(config, addresses, &url, &token)?)),
            registry::Keeper::Operator => None,
        };
        let client = ProxyClient::new(Peer { url, token }, config.proxy.concurrency);
        let remote = Arc::new(Remote::new(client, keeper, config.routing(), wanted.clone()));
        let start = match plan {
            Some(plan) => Start::Child { remote: Arc::clone(&remote), plan },
            None => Start::External { remote: Arc::clone(&remote), url: shown },
        };
        Ok(Self { proxy: Proxy::Remote(remote), wanted, start })
    }
}

/// What a proxy needs to be started, once its routes have an owner.
pub(super) struct Starting(Start);

impl From<Link> for (Proxy, WantedRoutes, Starting) {
    fn from(link: Link) -> Self {
        (link.proxy, link.wanted, Starting(link.start))
    }
}

impl Starting {
    /// Starts the proxy, or waits until the one that someone else runs answers.
    pub(super) async fn start(
        self,
        supervision: &Supervision,
        config: &Config,
        addresses: &Addresses,
    ) -> Result<Front, AppError> {
        match self.0 {
            Start::Embedded(embedded) => Ok(Front::Embedded(embedded)),
            Start::External { remote, url } => {
                info!(url = url.as_str(); "the proxy is run by someone else");
                remote.connect().await?;
                Ok(Front::External)
            }
            Start::Child { remote, plan } => {
                if config.tls.cert.as_os_str().is_empty() && !is_https(addresses) {
                    warn!(
                        "the proxy speaks HTTP without TLS; put a reverse proxy with HTTPS in front, or set `tls`"
                    );
                }
                let running = RunningProxy::start(&plan).await?;
                if let Err(error) = remote.connect().await {
                    running.stop().await;
                    return Err(error.into());
                }
                let interval = config.proxy.check_interval;
                Ok(Front::Child(Keeper::new(running, *plan, interval, supervision.registry.clone())))
            }
        }
    }
}

fn is_https(addresses: &Addresses) -> bool {
    addresses.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
}

/// The proxy, ready to be opened to the public.
pub(super) enum Front {
    Embedded(Box<Embedded>),
    External,
    Child(Keeper),
}

impl Front {
    /// Lets the public in, now that there is something to see.
    pub(super) fn open(self, config: &Config, addresses: &Addresses) -> Result<Opened, AppError> {
        Ok(match self {
            Self::Embedded(embedded) => Opened::Embedded(embedded.open(config, addresses)?),
            Self::External => Opened::External,
            Self::Child(keeper) => Opened::Child(keeper),
        })
    }
}

/// The proxy that serves the public address.
pub(super) enum Opened {
    Embedded(embedded::Serving),
    External,
    Child(Keeper),
}

impl Opened {
    /// Reads again what may have changed: certificates.
    pub(super) fn refresh(&self) {
        match self {
            Self::Embedded(serving) => serving.refresh(),
            Self::External | Self::Child(_) => {
                info!("nothing to reload; the proxy of another process gets its signals itself");
            }
        }
    }

    /// Ends a proxy that the hub runs; one of its own process may be left for the next hub to find.
    pub(super) async fn stop(self, stop_proxy: bool) {
        match self {
            Self::Embedded(serving) => serving.stop().await,
            Self::External => info!("the proxy is left running: the hub has not started it"),
            Self::Child(keeper) if stop_proxy => keeper.end(Ending::Stop).await,
            Self::Child(keeper) => keeper.end(Ending::Leave).await,
        }
    }
}
