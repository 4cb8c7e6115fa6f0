//! Looks now and then whether services answer, and only says so (SVC-020): nothing is restarted, no route is removed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use futures_util::future::join_all;
use log::{debug, error, info};

use super::obituary::Obituary;
use super::services::Place;
use super::supervision::Supervision;
use crate::domain::service_env;
use crate::spawn::answers;
use crate::store::services;

/// How long one service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Checks services.
pub struct InspectorActor {
    parts: Arc<Supervision>,
    silent: BTreeSet<String>,
    looking: bool,
    _obituary: Obituary,
}

impl InspectorActor {
    pub(crate) fn new(parts: &Arc<Supervision>, obituary: Obituary) -> Self {
        Self { parts: Arc::clone(parts), silent: BTreeSet::new(), looking: false, _obituary: obituary }
    }

    /// One round at a time: a slow one delays the next.
    fn look(&mut self, context: &Context<Self>) {
        if std::mem::replace(&mut self.looking, true) {
            return;
        }
        let (parts, inspector) = (Arc::clone(&self.parts), context.address());
        actix::spawn(async move { inspector.do_send(Looked(round(&parts).await)) });
    }
}

/// Each service with an address, and what is wrong with it, if anything is.
async fn round(parts: &Supervision) -> Vec<(String, Option<String>)> {
    let all = match parts.store.read(services::list).await {
        Ok(all) => all,
        Err(failed) => {
            error!(error:% = failed; "services could not be looked up for their check");
            return Vec::new();
        }
    };
    let placed = all.into_iter().filter_map(|service| {
        let definition = service.definition;
        let place = Place::of(definition.url.as_deref()?)?;
        let managed =
            parts.services.directory.entry(&definition.name).and_then(|entry| entry.plan.ready.clone());
        let usual = || place.ready_url(&service_env::prefix(&parts.base_url, &definition.name));
        let url = managed.unwrap_or_else(usual);
        Some(async move { (definition.name, answers(&url, PATIENCE).await.err()) })
    });
    join_all(placed).await
}

impl Actor for InspectorActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let interval = self.parts.services.check_interval;
        if !interval.is_zero() {
            context.run_interval(interval, |inspector, context| inspector.look(context));
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Looked(Vec<(String, Option<String>)>);

impl Handler<Looked> for InspectorActor {
    type Result = ();

    fn handle(&mut self, Looked(found): Looked, _: &mut Context<Self>) {
        self.looking = false;
        let mut silent = BTreeSet::new();
        for (name, trouble) in found {
            let was_silent = self.silent.contains(&name);
            match trouble {
                Some(trouble) if was_silent => {
                    debug!(service = name.as_str(), error = trouble.as_str(); "a service still does not answer");
                    silent.insert(name);
                }
                Some(trouble) => {
                    error!(service = name.as_str(), error = trouble.as_str(); "a service does not answer");
                    silent.insert(name);
                }
                None if was_silent => info!(service = name.as_str(); "a service answers again"),
                None => {}
            }
        }
        self.silent = silent;
    }
}
