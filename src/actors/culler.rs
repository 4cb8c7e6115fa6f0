//! Ends what nobody uses (services.md 9): looks at all running servers at each interval and tells those that are due to
//! stop; each server's own actor does it. Users only where that is asked for.
//!
//! A server is not idle while its kernels are busy, its processes use the processor, or the hook says so.

mod busy;
mod users;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use log::{error, info, warn};
use serde_json::{Value, json};

use super::obituary::Obituary;
use super::registry::Survey;
use super::removal::{self, Removal};
use super::server::{Cull, Identity};
use super::supervision::Supervision;
use crate::domain::culling::{Candidate, Due, Policy};
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::domain::route_check::server_of;
use crate::hooks::Hook;
use crate::store::servers::{self, Server};
use crate::store::{StoreError, groups};

/// Who ends things, in the journal.
const CULLER: &str = "culler";
/// Longer than any stop may take: its deadline ends it before.
const LONGEST_STOP: Duration = Duration::from_secs(15 * 60);

/// What the configuration says about the culler.
#[derive(Debug, Clone)]
pub struct CullerSettings {
    /// Which servers go when.
    pub policy: Arc<Policy>,
    /// `culler.interval`.
    pub interval: Duration,
    /// `culler.cull_users`: idle users are deleted, too.
    pub users: bool,
    /// `culler.cull_admin_users`: admins among them.
    pub admins: bool,
    /// `culler.remove_named_servers`: what has stopped is removed.
    pub remove_named: bool,
    /// `culler.concurrency`; 0 for no limit.
    pub concurrency: usize,
    /// `culler.ask_kernels`: busy kernels save a server.
    pub ask_kernels: bool,
    /// `culler.cpu_threshold`: cores that a server must use to count as working; 0 does not ask.
    pub cpu_threshold: f64,
    /// `culler.hook`.
    pub hook: Option<Hook>,
}

/// Looks at running servers.
pub struct CullerActor {
    parts: Arc<Supervision>,
    looking: bool,
    _obituary: Obituary,
}

impl CullerActor {
    pub(crate) fn new(parts: &Arc<Supervision>, obituary: Obituary) -> Self {
        Self { parts: Arc::clone(parts), looking: false, _obituary: obituary }
    }

    /// One round at a time: a slow one delays the next.
    fn look(&mut self, context: &Context<Self>) {
        let Some(settings) = self.parts.culler.clone() else { return };
        if std::mem::replace(&mut self.looking, true) {
            return;
        }
        let (parts, culler) = (Arc::clone(&self.parts), context.address());
        actix::spawn(async move {
            if let Err(failed) = round(&parts, &settings).await {
                error!(error:% = failed; "idle servers could not be looked up");
            }
            culler.do_send(Looked);
        });
    }
}

impl Actor for CullerActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if let Some(settings) = &self.parts.culler {
            let interval = settings.interval.max(Duration::from_millis(10));
            self.look(context);
            context.run_interval(interval, |culler, context| culler.look(context));
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Looked;

impl Handler<Looked> for CullerActor {
    type Result = ();

    fn handle(&mut self, _: Looked, _: &mut Context<Self>) {
        self.looking = false;
    }
}

/// One running server.
struct Running {
    identity: Identity,
    row: Server,
    due: Due,
    last_activity: DateTime<Utc>,
}

async fn round(parts: &Arc<Supervision>, settings: &Arc<CullerSettings>) -> Result<(), StoreError> {
    let now = Utc::now();
    let seen = seen_by_proxy(parts).await;
    let (rows, groups) = parts
        .store
        .read(|db| {
            let rows = servers::with_address(db)?;
            let owners: Vec<UserId> = rows.iter().map(|(_, row)| row.user_id).collect();
            Ok::<_, StoreError>((rows, groups::names_of(db, &owners)?))
        })
        .await?;
    let due = rows.into_iter().filter_map(|(user, row)| judge(&settings.policy, user, row, &groups, &seen));
    let due: Vec<Running> = due.filter(|server| server.due.at <= now).collect();
    let at_once = if settings.concurrency == 0 { usize::MAX } else { settings.concurrency };
    stream::iter(due).for_each_concurrent(at_once, |server| cull(parts, settings, server, now)).await;
    if settings.users {
        users::cull(parts, settings, now).await?;
    }
    Ok(())
}

/// When the proxy saw each server used: the store hears of it later.
async fn seen_by_proxy(parts: &Supervision) -> HashMap<ServerKey, DateTime<Utc>> {
    match parts.registry.ask(Survey).await {
        Ok(Ok(live)) => live
            .values()
            .filter_map(|route| {
                let at = route.data.get("last_activity")?.as_str()?;
                Some((server_of(&route.data)?, DateTime::parse_from_rfc3339(at).ok()?.to_utc()))
            })
            .collect(),
        Ok(Err(failed)) => {
            warn!(error:% = failed; "the proxy does not say when servers were used; what is stored counts");
            HashMap::new()
        }
        Err(_) => HashMap::new(),
    }
}

fn judge(
    policy: &Policy,
    user: Username,
    row: Server,
    groups: &HashMap<UserId, Vec<GroupName>>,
    seen: &HashMap<ServerKey, DateTime<Utc>>,
) -> Option<Running> {
    let key = ServerKey::new(user, row.name.clone());
    let started = row.started?;
    let last_activity = row.last_activity.max(seen.get(&key).copied());
    let none = Vec::new();
    let due = policy.due(&Candidate {
        named: !row.name.is_default(),
        groups: groups.get(&row.user_id).unwrap_or(&none),
        started,
        last_activity,
        keep_until: row.keep_until,
    })?;
    let identity = Identity { id: row.id, user_id: row.user_id, key };
    Some(Running { identity, last_activity: last_activity.unwrap_or(started), row, due })
}

/// Ends one server that is due, unless it starts, stops or works.
async fn cull(parts: &Arc<Supervision>, settings: &CullerSettings, server: Running, now: DateTime<Utc>) {
    let key = &server.identity.key;
    // what starts, stops or is verified is left for the next round (CULL-005)
    if !parts.directory.status(key).is_some_and(|status| status.ready) {
        return;
    }
    let reason = server.due.reason;
    if reason.heeds_work() && busy::is_working(parts, settings, &server, now).await {
        return;
    }
    if !decided_by_hook(settings, &server, now).await {
        return;
    }
    let Some(address) = parts.directory.actor_of(&server.identity) else { return };
    if !address.send(Cull(reason.sentence())).await.unwrap_or(false) {
        return;
    }
    let kind = if key.server.is_default() { "default" } else { "named" };
    info!(server:? = key, reason = reason.sentence().as_str(); "a server is culled");
    parts.metrics.culled(kind);
    let detail = json!({
        "reason": reason.sentence(),
        "last_activity": crate::domain::timestamp::format(server.last_activity),
    });
    let target = format!("server:{}", key.full_name());
    parts.journal.record(CULLER, "server.cull", &target, Some(detail));
    if settings.remove_named && !key.server.is_default() {
        remove(parts, &server.identity).await;
    }
}

/// Whether the hook lets it go; without a hook, it goes.
async fn decided_by_hook(settings: &CullerSettings, server: &Running, now: DateTime<Utc>) -> bool {
    let Some(hook) = &settings.hook else { return true };
    let key = &server.identity.key;
    let inactive = (now - server.last_activity).as_seconds_f64();
    let question = json!({
        "hook": "cull",
        "user": { "name": key.user.as_str() },
        "server": {
            "name": key.server.as_str(),
            "user_options": server.row.user_options,
            "started": server.row.started.map(crate::domain::timestamp::format),
            "last_activity": crate::domain::timestamp::format(server.last_activity),
        },
        "payload": { "inactive": inactive, "limit": settings.policy.timeout.as_secs_f64() },
    });
    match hook.ask(&question).await {
        Ok(None | Some(Value::Null | Value::Bool(true))) => true,
        Ok(Some(Value::Bool(false))) => false,
        Ok(Some(answer)) => answer.get("cull").and_then(Value::as_bool).unwrap_or_else(|| {
            warn!(server:? = key; "culler.hook answered neither true nor false; the server stays");
            false
        }),
        Err(failed) => {
            warn!(server:? = key, error:% = failed; "culler.hook failed; the server stays");
            false
        }
    }
}

/// Removes a named server once it has stopped.
async fn remove(parts: &Arc<Supervision>, identity: &Identity) {
    let Some(mut status) = parts.directory.watch(&identity.key) else { return };
    // either it stopped, or the time is over, or its actor died: what counts is what is there afterwards
    let _ = tokio::time::timeout(LONGEST_STOP, status.wait_for(|now| !now.is_active())).await;
    if status.borrow().is_active() {
        warn!(server:? = identity.key; "not removed: it does not stop, or was started again");
        return;
    }
    let (id, key, directory) = (identity.id, identity.key.clone(), parts.directory.clone());
    match parts.store.write(move |db| removal::server(db, &directory, &key, id)).await {
        Ok(Removal::Done) => parts.directory.rest(identity),
        Ok(Removal::Busy) => warn!(server:? = identity.key; "not removed: it was started again"),
        Err(failed) => {
            error!(server:? = identity.key, error:% = failed; "a culled server could not be removed")
        }
    }
}
