//! Ends what nobody uses (services.md 9): looks at all running servers at each interval and tells those that are due to
//! stop; each server's own actor does it. Users only where that is asked for.
//!
//! A server is not idle while its kernels are busy, its processes use the processor, or the hook says so.

mod busy;
mod users;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, SpawnHandle};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use log::{error, info, warn};
use serde_json::{Value, json};

use super::obituary::Obituary;
use super::registry::Survey;
use super::removal::{self, Removal};
use super::server::{Cull, Identity};
use super::supervision::Supervision;
use crate::domain::culling::{Candidate, Jumps, Policy, Reason};
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, ServerKey};
use crate::domain::route_check::server_of;
use crate::domain::server_state::Pending;
use crate::domain::timestamp;
use crate::hooks::Hook;
use crate::store::servers::{self, Server};
use crate::store::{StoreError, groups};

/// Who ends things, in the journal.
const CULLER: &str = "culler";
/// When the first look is repeated for servers that are still being verified.
const AGAIN: Duration = Duration::from_secs(2);
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
    clock: Jumps,
    looking: bool,
    rounds: Option<SpawnHandle>,
    _obituary: Obituary,
}

impl CullerActor {
    pub(crate) fn new(parts: &Arc<Supervision>, obituary: Obituary) -> Self {
        Self {
            parts: Arc::clone(parts),
            clock: Jumps::default(),
            looking: false,
            rounds: None,
            _obituary: obituary,
        }
    }

    /// Looks now, and from now on at each interval; without settings never.
    fn begin(&mut self, context: &mut Context<Self>) {
        if let Some(rounds) = self.rounds.take() {
            context.cancel_future(rounds);
        }
        if let Some(settings) = &self.parts.now().culler {
            let interval = settings.interval.max(Duration::from_millis(10));
            self.look(context);
            self.rounds = Some(context.run_interval(interval, |culler, context| culler.look(context)));
        }
    }

    /// One round at a time: a slow one delays the next.
    fn look(&mut self, context: &Context<Self>) {
        let Some(settings) = self.parts.now().culler.clone() else { return };
        if std::mem::replace(&mut self.looking, true) {
            return;
        }
        if let Some(jump) = self.clock.look(Utc::now(), Instant::now()) {
            warn!(seconds = jump.num_seconds(); "the clock jumped: no server counts as unused since before that");
        }
        let (parts, culler, jumped) = (Arc::clone(&self.parts), context.address(), self.clock.last());
        actix::spawn(async move {
            let unverified = round(&parts, &settings, jumped).await.unwrap_or_else(|failed| {
                error!(error:% = failed; "idle servers could not be looked up");
                false
            });
            culler.do_send(Looked { unverified });
        });
    }
}

impl Actor for CullerActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.begin(context);
    }
}

/// `[culler]` has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OtherSettings;

impl Handler<OtherSettings> for CullerActor {
    type Result = ();

    fn handle(&mut self, _: OtherSettings, context: &mut Context<Self>) {
        self.begin(context);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Looked {
    /// Some that are due are still being verified after the hub's start.
    unverified: bool,
}

impl Handler<Looked> for CullerActor {
    type Result = ();

    fn handle(&mut self, Looked { unverified }: Looked, context: &mut Context<Self>) {
        self.looking = false;
        if unverified {
            context.run_later(AGAIN, |culler, context| culler.look(context));
        }
    }
}

/// One running server.
struct Running {
    identity: Identity,
    row: Server,
    groups: Vec<GroupName>,
    started: DateTime<Utc>,
    last_activity: Option<DateTime<Utc>>,
}

impl Running {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            named: !self.row.name.is_default(),
            groups: &self.groups,
            started: self.started,
            last_activity: self.last_activity,
            keep_until: self.row.keep_until,
        }
    }
}

/// One look at all; whether some that are due are still being verified. `not_before`: nobody counts as unused since before then.
async fn round(
    parts: &Arc<Supervision>,
    settings: &Arc<CullerSettings>,
    not_before: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let now = Utc::now();
    let mut seen = seen_by_proxy(parts).await;
    let (rows, mut groups) = parts
        .store
        .read(|db| {
            let rows = servers::with_address(db)?;
            let owners: Vec<UserId> = rows.iter().map(|(_, row)| row.user_id).collect();
            Ok::<_, StoreError>((rows, groups::names_of(db, &owners)?))
        })
        .await?;
    let running = rows.into_iter().filter_map(|(user, row)| {
        let key = ServerKey::new(user, row.name.clone());
        let last_activity = row.last_activity.max(seen.remove(&key)).max(not_before);
        Some(Running {
            identity: Identity { id: row.id, user_id: row.user_id, key },
            groups: groups.get_mut(&row.user_id).map(|names| names.clone()).unwrap_or_default(),
            started: row.started?,
            last_activity,
            row,
        })
    });
    let policy = &settings.policy;
    let asked =
        |server: &Running| settings.hook.is_some() && policy.to_ask(&server.candidate(), now).is_some();
    let is_due = |server: &Running| policy.due(&server.candidate()).is_some_and(|due| due.at <= now);
    let due: Vec<Running> = running.filter(|server| is_due(server) || asked(server)).collect();
    let is_unverified = |server: &Running| {
        let status = parts.directory.status(&server.identity.key);
        status.is_none_or(|status| status.pending == Some(Pending::Check))
    };
    let unverified = due.iter().any(is_unverified);
    let at_once = if settings.concurrency == 0 { usize::MAX } else { settings.concurrency };
    stream::iter(due).for_each_concurrent(at_once, |server| cull(parts, settings, server, now)).await;
    if settings.users {
        users::cull(parts, settings, now).await?;
    }
    Ok(unverified)
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

/// Ends one server that is due, unless it starts, stops or works.
async fn cull(parts: &Arc<Supervision>, settings: &CullerSettings, server: Running, now: DateTime<Utc>) {
    let key = &server.identity.key;
    // what starts, stops or is verified is left for the next round (CULL-005)
    if !parts.directory.status(key).is_some_and(|status| status.ready) {
        return;
    }
    let Some(reason) = decide(parts, settings, &server, now).await else { return };
    let Some(address) = parts.directory.actor_of(&server.identity) else { return };
    if !address.send(Cull(reason.sentence())).await.unwrap_or(false) {
        return;
    }
    let kind = if key.server.is_default() { "default" } else { "named" };
    info!(server:? = key, reason = reason.sentence().as_str(); "a server is culled");
    parts.metrics.culled(kind);
    let detail = json!({
        "reason": reason.sentence(),
        "last_activity": timestamp::format(server.candidate().used()),
    });
    let target = format!("server:{}", key.full_name());
    parts.journal.record(CULLER, "server.cull", &target, Some(detail));
    stopped(parts, &server.identity).await;
    if settings.remove_named && !key.server.is_default() {
        remove(parts, &server.identity).await;
    }
}

/// Why it goes, if it does: first whether anybody uses it, which is the hook's to say if there is one; then its age.
async fn decide(
    parts: &Arc<Supervision>,
    settings: &CullerSettings,
    server: &Running,
    now: DateTime<Utc>,
) -> Option<Reason> {
    let (policy, candidate) = (&settings.policy, server.candidate());
    let unused = match &settings.hook {
        Some(hook) => match policy.to_ask(&candidate, now) {
            Some(limit) => decided_by_hook(hook, server, limit, now).await.then_some(Reason::Hook),
            None => None,
        },
        None => match policy.due_idle(&candidate).filter(|due| due.at <= now) {
            Some(due) if busy::is_working(parts, settings, server, due, now).await => None,
            due => due.map(|due| due.reason),
        },
    };
    unused.or_else(|| policy.due_old(&candidate).filter(|due| due.at <= now).map(|due| due.reason))
}

/// Whether the hook says that nobody uses the server.
async fn decided_by_hook(hook: &Hook, server: &Running, limit: Duration, now: DateTime<Utc>) -> bool {
    let key = &server.identity.key;
    let used = server.candidate().used();
    let question = json!({
        "hook": "cull",
        "user": { "name": key.user.as_str(), "groups": server.groups },
        "server": {
            "name": key.server.as_str(),
            "url": server.row.address.as_ref().map(|address| address.base_url.as_str()),
            "user_options": server.row.user_options,
            "started": timestamp::format(server.started),
            "last_activity": timestamp::format(used),
        },
        "payload": { "inactive": (now - used).as_seconds_f64(), "limit": limit.as_secs_f64() },
    });
    match hook.ask(&question).await {
        // nothing to say: the usual rule
        Ok(None | Some(Value::Null)) => {
            !limit.is_zero() && (now - used).to_std().is_ok_and(|inactive| inactive >= limit)
        }
        Ok(Some(Value::Bool(says))) => says,
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

/// Waits until a stopping server has stopped; whether it has.
async fn stopped(parts: &Arc<Supervision>, identity: &Identity) -> bool {
    let Some(mut status) = parts.directory.watch(&identity.key) else { return true };
    // either it stopped, or the time is over, or its actor died: what counts is what is there afterwards
    let _ = tokio::time::timeout(LONGEST_STOP, status.wait_for(|now| !now.is_active())).await;
    !status.borrow().is_active()
}

/// Removes a named server that has stopped.
async fn remove(parts: &Arc<Supervision>, identity: &Identity) {
    if !stopped(parts, identity).await {
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
