//! Last-activity times, of logins too: collected one by one, written together.
//!
//! While a write is under way, news gather; the next write takes all of them. So many requests cost few transactions,
//! and a single one is stored at once. Times only move forward, whatever the order of arrival.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use chrono::{DateTime, Utc};
use log::{error, warn};

use super::obituary::Obituary;
use super::registry::{RegistryActor, Survey};
use super::slot::Slot;
use super::supervision::Supervision;
use crate::domain::ids::{ServerId, TokenId, UserId};
use crate::domain::names::ServerKey;
use crate::domain::route_check::{LiveRoute, server_of};
use crate::store::logins::Sighting;
use crate::store::{Db, Store, StoreError, logins, servers, tokens, users};

/// Whose activity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A server.
    Server(ServerId),
    /// A token.
    Token(TokenId),
}

/// What is to be written.
#[derive(Default)]
struct News {
    times: HashMap<Subject, DateTime<Utc>>,
    /// By their ids.
    logins: HashMap<String, Sighting>,
}

impl News {
    fn is_empty(&self) -> bool {
        self.times.is_empty() && self.logins.is_empty()
    }

    fn add_time(&mut self, subject: Subject, at: DateTime<Utc>) {
        let latest = self.times.entry(subject).or_insert(at);
        *latest = at.max(*latest);
    }

    /// Takes back what could not be written; what came since then is newer.
    fn restore(&mut self, older: &Self) {
        for (subject, at) in &older.times {
            self.add_time(*subject, *at);
        }
        for (id, login) in &older.logins {
            self.logins.entry(id.clone()).or_insert_with(|| login.clone());
        }
    }
}

/// How long a failed write waits before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Collects activity.
pub struct ActivityActor {
    store: Store,
    registry: Slot<RegistryActor>,
    interval: Duration,
    news: News,
    writing: bool,
    _obituary: Obituary,
}

impl ActivityActor {
    pub(crate) fn new(parts: &Arc<Supervision>, obituary: Obituary) -> Self {
        Self {
            store: parts.store.clone(),
            registry: parts.registry.clone(),
            interval: parts.intervals.activity,
            news: News::default(),
            writing: false,
            _obituary: obituary,
        }
    }

    fn write(&mut self, context: &mut Context<Self>) {
        if self.writing || self.news.is_empty() {
            return;
        }
        self.writing = true;
        let news = Arc::new(std::mem::take(&mut self.news));
        let store = self.store.clone();
        let me = context.address();
        actix::spawn(async move {
            let written = Arc::clone(&news);
            let failed = write(&store, written).await.err();
            me.do_send(Written { news, failed });
        });
    }

    /// Takes over what the proxy saw on the routes of user servers; its routes are checked on the same occasion.
    fn collect(&mut self, context: &mut Context<Self>) {
        let (store, registry) = (self.store.clone(), self.registry.clone());
        let me = context.address();
        actix::spawn(async move {
            let live = match registry.ask(Survey).await {
                Ok(Ok(live)) => live,
                Ok(Err(failed)) => {
                    return warn!(error:% = failed; "routes' activity could not be collected, nor routes be checked");
                }
                Err(_) => return, // being rebuilt; the next round comes
            };
            let seen: Vec<(ServerKey, DateTime<Utc>)> = live
                .values()
                .filter_map(|route| Some((server_of(&route.data)?, last_activity(route)?)))
                .collect();
            match store.read(move |db| subjects(db, seen)).await {
                Ok(found) => me.do_send(Seen(found)),
                Err(failed) => warn!(error:% = failed; "routes' activity could not be looked up"),
            }
        });
    }
}

/// When a proxy saw the route used, if it says so in a way that can be read.
fn last_activity(route: &LiveRoute) -> Option<DateTime<Utc>> {
    let text = route.data.get("last_activity")?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

async fn write(store: &Store, news: Arc<News>) -> Result<(), StoreError> {
    if !news.times.is_empty() {
        let news = Arc::clone(&news);
        store.write_quietly(move |db| apply(db, &news.times)).await?;
    }
    if !news.logins.is_empty() {
        // apart: each locks a user, which must not wait for somebody who waits for a time
        store.write_quietly(move |db| see(db, &news.logins)).await?;
    }
    Ok(())
}

/// In the order of users, so that two of them never wait for each other.
fn see(db: &mut Db, logins: &HashMap<String, Sighting>) -> Result<(), StoreError> {
    let mut ordered: Vec<&Sighting> = logins.values().collect();
    ordered.sort_by_key(|sighting| sighting.login.user_id.0);
    for sighting in ordered {
        logins::see(db, sighting)?;
    }
    Ok(())
}

fn apply(db: &mut Db, times: &HashMap<Subject, DateTime<Utc>>) -> Result<(), StoreError> {
    for (subject, at) in times {
        match *subject {
            Subject::User(id) => users::touch(db, id, *at)?,
            Subject::Server(id) => servers::touch(db, id, *at)?,
            Subject::Token(id) => tokens::touch(db, id, *at)?,
        };
    }
    Ok(())
}

fn subjects(
    db: &mut Db,
    seen: Vec<(ServerKey, DateTime<Utc>)>,
) -> Result<Vec<(Subject, DateTime<Utc>)>, StoreError> {
    let rows = servers::with_address(db)?;
    let ids: HashMap<ServerKey, (ServerId, UserId)> = rows
        .into_iter()
        .map(|(user, server)| (ServerKey::new(user, server.name), (server.id, server.user_id)))
        .collect();
    let known =
        seen.into_iter().filter_map(|(key, at)| ids.get(&key).map(|(server, user)| (*server, *user, at)));
    Ok(known
        .flat_map(|(server, user, at)| [(Subject::Server(server), at), (Subject::User(user), at)])
        .collect())
}

impl Actor for ActivityActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if !self.interval.is_zero() {
            context.run_interval(self.interval, Self::collect);
        }
    }
}

/// Things that were active.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Seen(pub Vec<(Subject, DateTime<Utc>)>);

impl Handler<Seen> for ActivityActor {
    type Result = ();

    fn handle(&mut self, Seen(seen): Seen, context: &mut Context<Self>) {
        for (subject, at) in seen {
            self.news.add_time(subject, at);
        }
        self.write(context);
    }
}

/// A browser that somebody is signed in with was seen.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SeenLogin(pub Box<Sighting>);

impl Handler<SeenLogin> for ActivityActor {
    type Result = ();

    fn handle(&mut self, SeenLogin(sighting): SeenLogin, context: &mut Context<Self>) {
        self.news.logins.insert(sighting.login.id.clone(), *sighting);
        self.write(context);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Written {
    news: Arc<News>,
    failed: Option<StoreError>,
}

impl Handler<Written> for ActivityActor {
    type Result = ();

    fn handle(&mut self, written: Written, context: &mut Context<Self>) {
        let Some(failed) = written.failed else {
            self.writing = false;
            return self.write(context);
        };
        error!(error:% = failed; "last-activity times could not be stored");
        if failed.is_absence() {
            self.news.restore(&written.news);
        }
        // `writing` stays set meanwhile: news gathers
        context.run_later(RETRY, |activity, context| {
            activity.writing = false;
            activity.write(context);
        });
    }
}
