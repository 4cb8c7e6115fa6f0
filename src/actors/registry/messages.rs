//! What the registry can be asked. Answers that need a proxy in another process come when it has answered.

use std::future::ready;
use std::sync::Arc;
use std::time::Instant;

use actix::{Context, Handler, Message, ResponseFuture};
use log::{error, info, warn};

use super::{Keeper, Proxy, PublishError, RegistryActor, embedded, pending};
use crate::config::address::ApiUrl;
use crate::domain::route_check::{Live, WantedRoute};
use crate::domain::route_spec::{RouteSpec, Routing};
use crate::metrics::Outcome;
use crate::proxy_client::{Peer, ProxyError};
use crate::secret::Secret;

/// Add a route or replace the one at the same place. Live when answered; wanted from now on, even if the proxy failed.
#[derive(Message)]
#[rtype(result = "Result<(), PublishError>")]
pub struct Publish {
    /// Where it begins.
    pub spec: RouteSpec,
    /// Where it leads and what for.
    pub route: WantedRoute,
}

impl Handler<Publish> for RegistryActor {
    type Result = ResponseFuture<Result<(), PublishError>>;

    fn handle(&mut self, new: Publish, _: &mut Context<Self>) -> Self::Result {
        match &self.parts.proxy {
            Proxy::Embedded(routes) => {
                let added = embedded::add(routes, &new.spec, &new.route);
                self.parts.wanted.insert(new.spec, new.route);
                Box::pin(ready(added.map_err(PublishError::from)))
            }
            Proxy::Remote(remote) => {
                self.parts.wanted.insert(new.spec.clone(), new.route);
                let remote = Arc::clone(remote);
                Box::pin(async move { Ok(remote.settle(&new.spec).await?) })
            }
        }
    }
}

/// Remove a route; harmless if there is none. Gone when answered, unless the proxy could not be told.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Unpublish {
    /// Where it begins.
    pub spec: RouteSpec,
}

impl Handler<Unpublish> for RegistryActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, old: Unpublish, _: &mut Context<Self>) -> Self::Result {
        self.parts.wanted.remove(&old.spec);
        let begun = Instant::now();
        match &self.parts.proxy {
            Proxy::Embedded(routes) => {
                embedded::remove(routes, &old.spec);
                self.parts.metrics.route_removed(Outcome::Success, begun.elapsed());
                Box::pin(ready(()))
            }
            Proxy::Remote(remote) => {
                let remote = Arc::clone(remote);
                let metrics = Arc::clone(&self.parts.metrics);
                Box::pin(async move {
                    let settled = remote.settle(&old.spec).await;
                    metrics.route_removed(Outcome::of(settled.is_ok()), begun.elapsed());
                    if let Err(failed) = settled {
                        warn!(route:% = old.spec, error:% = failed; "a route could not be removed");
                    }
                })
            }
        }
    }
}

/// The hub's routes as the proxy has them.
#[derive(Message)]
#[rtype(result = "Result<Live, ProxyError>")]
pub struct List;

impl Handler<List> for RegistryActor {
    type Result = ResponseFuture<Result<Live, ProxyError>>;

    fn handle(&mut self, _: List, _: &mut Context<Self>) -> Self::Result {
        let (metrics, begun) = (Arc::clone(&self.parts.metrics), Instant::now());
        match &self.parts.proxy {
            Proxy::Embedded(routes) => {
                let live = embedded::live(routes, self.routing());
                metrics.routes_read(begun.elapsed());
                Box::pin(ready(Ok(live)))
            }
            Proxy::Remote(remote) => {
                let remote = Arc::clone(remote);
                Box::pin(async move {
                    let live = remote.list().await;
                    metrics.routes_read(begun.elapsed());
                    live
                })
            }
        }
    }
}

/// Give the proxy what the hub wants and take away what it does not (proxy.md 2.1).
#[derive(Message)]
#[rtype(result = "Result<(), ProxyError>")]
pub struct Check;

impl Handler<Check> for RegistryActor {
    type Result = ResponseFuture<Result<(), ProxyError>>;

    fn handle(&mut self, _: Check, _: &mut Context<Self>) -> Self::Result {
        self.check(None)
    }
}

impl RegistryActor {
    fn routing(&self) -> Routing {
        self.parts.places.routing()
    }

    fn check(&self, fresh: Option<Live>) -> ResponseFuture<Result<(), ProxyError>> {
        let parts = Arc::clone(&self.parts);
        let begun = Instant::now();
        match &self.parts.proxy {
            Proxy::Embedded(routes) => {
                let changes = embedded::compare(routes, self.routing(), &parts.wanted, &pending(&parts));
                parts.metrics.routes_read(begun.elapsed());
                embedded::check(routes, &parts.wanted, &changes);
                parts.metrics.routes_checked(begun.elapsed());
                Box::pin(ready(Ok(())))
            }
            Proxy::Remote(remote) => {
                let remote = Arc::clone(remote);
                Box::pin(async move {
                    let checked = remote.check(fresh, &parts.metrics, || pending(&parts)).await;
                    parts.metrics.routes_checked(begun.elapsed());
                    checked
                })
            }
        }
    }
}

/// [`List`] and then [`Check`], with one look at the proxy.
#[derive(Message)]
#[rtype(result = "Result<Live, ProxyError>")]
pub struct Survey;

impl Handler<Survey> for RegistryActor {
    type Result = ResponseFuture<Result<Live, ProxyError>>;

    fn handle(&mut self, _: Survey, _: &mut Context<Self>) -> Self::Result {
        let parts = Arc::clone(&self.parts);
        match &self.parts.proxy {
            Proxy::Embedded(routes) => {
                let begun = Instant::now();
                let live = embedded::live(routes, self.routing());
                parts.metrics.routes_read(begun.elapsed());
                let checked = self.check(None);
                Box::pin(async move { checked.await.map(|()| live) })
            }
            Proxy::Remote(remote) => {
                let remote = Arc::clone(remote);
                Box::pin(async move {
                    let begun = Instant::now();
                    let live = remote.list().await;
                    parts.metrics.routes_read(begun.elapsed());
                    let (live, begun) = (live?, Instant::now());
                    let fresh = Some(live.clone());
                    if let Err(failed) = remote.check(fresh, &parts.metrics, || pending(&parts)).await {
                        error!(error:% = failed; "the proxy's routes could not be checked");
                    }
                    parts.metrics.routes_checked(begun.elapsed());
                    Ok(live)
                })
            }
        }
    }
}

/// Speak to another proxy from now on, and give it the routes.
#[derive(Message)]
#[rtype(result = "Result<(), SwitchError>")]
pub struct SwitchProxy {
    /// Its REST API, if that changes.
    pub url: Option<ApiUrl>,
    /// Its token, if that changes.
    pub token: Option<Secret>,
}

/// Why the hub goes on with its proxy, or the new one lacks routes.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// There can be no other.
    #[error("This hub's proxy is embedded: it has no address or token that could be changed")]
    Embedded,
    /// There can be no other.
    #[error(
        "This hub runs its proxy itself, so it speaks to no other; with `proxy.type = \"external\" it may"
    )]
    Child,
    /// The new one does not take the routes.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

impl Handler<SwitchProxy> for RegistryActor {
    type Result = ResponseFuture<Result<(), SwitchError>>;

    fn handle(&mut self, other: SwitchProxy, _: &mut Context<Self>) -> Self::Result {
        let Proxy::Remote(remote) = &self.parts.proxy else {
            return Box::pin(ready(Err(SwitchError::Embedded)));
        };
        if remote.keeper() == Keeper::Hub {
            return Box::pin(ready(Err(SwitchError::Child)));
        }
        remote.switch(|peer| Peer {
            url: other.url.unwrap_or(peer.url),
            token: other.token.unwrap_or(peer.token),
        });
        info!("the hub speaks to another proxy from now on");
        let checked = self.check(None);
        Box::pin(async move { Ok(checked.await?) })
    }
}

/// Panic, to prove that the hub replaces the registry.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Crash;

#[cfg(test)]
impl Handler<Crash> for RegistryActor {
    type Result = ();

    fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
        panic!("asked to");
    }
}
