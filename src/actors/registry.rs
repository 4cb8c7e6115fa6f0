//! The only writer of the proxy's routes.
//!
//! Each change publishes a new immutable table; the data plane reads it without asking anyone. A registry that is
//! rebuilt after a panic starts from the table that is live, without the routes of servers that are gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, Context, Handler, Message};
use orrery_proxy::{Route, RouteError, RouteTable, Routes};
use serde_json::Value;

use super::directory::Directory;
use super::obituary::Obituary;
use crate::domain::names::{ServerKey, ServerName, Username};

/// Owns the routes.
pub struct RegistryActor {
    routes: Routes,
    table: BTreeMap<String, Arc<Route>>,
    _obituary: Obituary,
}

impl RegistryActor {
    /// Takes over the live table, without routes of servers that are neither ready nor about to be.
    pub(crate) fn new(routes: Routes, directory: &Directory, obituary: Obituary) -> Self {
        let live = routes.load();
        let kept = live.iter().filter(|route| match server_of(route.data()) {
            Some(key) => directory.status(&key).is_some_and(|status| status.is_active()),
            None => true,
        });
        let table = kept.map(|route| (route.spec().to_owned(), Arc::clone(route))).collect();
        let registry = Self { routes, table, _obituary: obituary };
        registry.publish();
        registry
    }

    fn publish(&self) {
        self.routes.publish(RouteTable::new(self.table.values().cloned()));
    }
}

/// The server that a route leads to, if it leads to one.
pub(crate) fn server_of(data: &Value) -> Option<ServerKey> {
    let user = data.get("user")?.as_str()?;
    let server = data.get("server_name")?.as_str()?;
    Some(ServerKey::new(Username::from_stored(user), ServerName::from_stored(server)))
}

impl Actor for RegistryActor {
    type Context = Context<Self>;
}

/// Add a route or replace the one with the same path prefix. Live when answered.
#[derive(Message)]
#[rtype(result = "Result<(), RouteError>")]
pub struct Publish {
    /// The path prefix, `/user/ada/`.
    pub spec: String,
    /// Where it leads, `http://127.0.0.1:40001`.
    pub target: String,
    /// What the proxy API shows beside it.
    pub data: Value,
}

impl Handler<Publish> for RegistryActor {
    type Result = Result<(), RouteError>;

    fn handle(&mut self, new: Publish, _: &mut Context<Self>) -> Self::Result {
        let route = Route::new(&new.spec, &new.target, new.data)?;
        self.table.insert(new.spec, route);
        self.publish();
        Ok(())
    }
}

/// Remove a route; harmless if there is none.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Unpublish {
    /// The path prefix.
    pub spec: String,
}

impl Handler<Unpublish> for RegistryActor {
    type Result = ();

    fn handle(&mut self, old: Unpublish, _: &mut Context<Self>) {
        if self.table.remove(&old.spec).is_some() {
            self.publish();
        }
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
