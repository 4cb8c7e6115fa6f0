//! CHP's REST API: who may change the routes, and how (proxy.md section 6).
//!
//! The API decides nothing about routes. It reads the table that the data plane
//! reads, and hands changes to a [`RouteWriter`]: the table itself in the program
//! `orrery-proxy`, the hub's registry when the hub runs the data plane inside itself.

pub(crate) mod answer;
mod gate;
mod token;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::Response;
use http_body_util::Full;

use crate::metrics::Metrics;
use crate::route::{Matching, Route};
use crate::side::{self, Closing, Limits};
use crate::socket::Listener;
use crate::table::Routes;

pub use gate::Gate;
pub(crate) use gate::Held;
pub use token::ApiToken;

/// Changes the routes. What it has answered is live.
pub trait RouteWriter: Send + Sync {
    /// Adds a route, or replaces the one with the same prefix. The error is shown to
    /// the client.
    fn add(&self, route: Arc<Route>) -> BoxFuture<'_, Result<(), String>>;

    /// Removes the route of this spec; tells whether there was one.
    fn remove<'a>(&'a self, spec: &'a str) -> BoxFuture<'a, bool>;
}

impl RouteWriter for Routes {
    fn add(&self, route: Arc<Route>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            Routes::add(self, route);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, spec: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move { Routes::remove(self, spec) })
    }
}

/// The API over one table of routes.
pub struct Api {
    /// What is shown.
    pub routes: Routes,
    /// Who makes the changes.
    pub writer: Arc<dyn RouteWriter>,
    /// Who may ask; without a token everyone.
    pub token: Option<ApiToken>,
    /// What the first segment of a new route stands for.
    pub matching: Matching,
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
    /// Whether changes are taken.
    pub gate: Gate,
}

/// Serves the API on a listener until the future is dropped. Must be called inside a
/// tokio runtime with I/O and time.
///
/// Fails only when the listener cannot be handed to the runtime.
pub async fn serve(listener: Listener, api: Arc<Api>) -> io::Result<()> {
    serve_until(listener, Closing::default(), api).await
}

/// [`serve`], until it is to close.
pub(crate) async fn serve_until(listener: Listener, closing: Closing, api: Arc<Api>) -> io::Result<()> {
    side::serve(listener, Limits::default(), closing, move |request| {
        let api = Arc::clone(&api);
        async move { answer::answer(&api, request).await }
    })
    .await
}

type Answer = Response<Full<Bytes>>;
