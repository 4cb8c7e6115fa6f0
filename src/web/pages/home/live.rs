//! `home/events`: tells an open home page when there is something new to see.
//!
//! One stream for everything that the page shows. An event holds a version only; the page asks for the list itself, so
//! that what scripts show is what the page shows without them. Looking counts as nobody's activity.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use futures_util::{Stream, stream};
use tokio::time::sleep;

use super::servers;
use crate::actors::directory::ServerStatus;
use crate::domain::ids::UserId;
use crate::domain::login_cookie::Login;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::web::caller::Notice;
use crate::web::error::PageError;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::HomePage;
use crate::web::state::Hub;

/// How often the servers are looked at, which costs no query.
const LOOK: Duration = Duration::from_secs(1);
/// After so many looks everything is read anew if the database has changed.
const CHANGED: u32 = 5;
/// After so many looks it is read anew in any case, for what changes with time.
const ALWAYS: u32 = 15;
/// A stream ends after so many looks; the page opens the next one.
const LONGEST: u32 = 600;
/// How long a browser waits before it comes back, in milliseconds.
const OPENING: &[u8] = b"retry: 2000\n\n";
/// Proxies end connections that are silent for long.
const SILENCE: &[u8] = b": \n\n";

/// The stream.
///
/// # Errors
/// [`PageError::LoginNeeded`].
pub async fn events(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let login = visitor.visitor.visit.login(&hub).ok_or(PageError::LoginNeeded)?;
    let watcher = Watcher { hub, login, id: visitor.id, name: visitor.name, seen: Seen::Nothing, looks: 0 };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx holds back what it does not know to be a stream
        .insert_header(("x-accel-buffering", "no"))
        .streaming(told(watcher)))
}

fn told(watcher: Watcher) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(watcher, |mut watcher| async move {
        let bytes = watcher.next().await?;
        Some((Ok(bytes), watcher))
    })
}

/// One page's place in the stream.
struct Watcher {
    hub: web::Data<Hub>,
    login: Login,
    id: UserId,
    name: Username,
    seen: Seen,
    looks: u32,
}

/// What the page was told last.
enum Seen {
    Nothing,
    Opened,
    Page { version: String, servers: Vec<(ServerKey, Glance)>, generation: u64, at: u32 },
}

/// What of a server's status a page shows at once; cheap to look at. Usage changes all the time, and can wait.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glance {
    pending: Option<&'static str>,
    ready: bool,
    attempt: u64,
    steps: usize,
    ended: bool,
}

impl Glance {
    fn of(status: &ServerStatus) -> Self {
        Self {
            pending: status.pending.map(|pending| pending.as_str()),
            ready: status.ready,
            attempt: status.attempt,
            steps: status.progress.len(),
            ended: status.outcome.is_some(),
        }
    }
}

impl Watcher {
    async fn next(&mut self) -> Option<Bytes> {
        match self.seen {
            Seen::Nothing => {
                self.seen = Seen::Opened;
                return Some(Bytes::from_static(OPENING));
            }
            Seen::Opened => {}
            Seen::Page { .. } => loop {
                sleep(LOOK).await;
                self.looks = self.looks.saturating_add(1);
                if self.looks >= LONGEST {
                    return None;
                }
                if self.has_reason() {
                    break;
                }
            },
        }
        self.look().await
    }

    /// Whether reading everything is worth while.
    fn has_reason(&self) -> bool {
        let Seen::Page { servers, generation, at, .. } = &self.seen else { return true };
        let since = self.looks.saturating_sub(*at);
        let changed = servers.iter().any(|(key, seen)| Glance::of(&self.hub.servers.status(key)) != *seen);
        changed || since >= ALWAYS || (since >= CHANGED && *generation != self.hub.store.generation())
    }

    /// Reads everything; ends the stream of who is signed out meanwhile.
    async fn look(&mut self) -> Option<Bytes> {
        let generation = self.hub.store.generation();
        self.hub.caller_by_login(&self.login, Notice::Nothing).await.ok()??;
        let page = servers::of(&self.hub, self.id, &self.name).await.ok()?;
        let known = match &self.seen {
            Seen::Page { version, .. } => *version == page.version,
            Seen::Nothing | Seen::Opened => false,
        };
        let event = format!("data: {}\n\n", page.version);
        let servers = self.glances(&page);
        self.seen = Seen::Page { version: page.version, servers, generation, at: self.looks };
        Some(if known { Bytes::from_static(SILENCE) } else { Bytes::from(event) })
    }

    fn glances(&self, page: &HomePage) -> Vec<(ServerKey, Glance)> {
        let own = std::iter::once(&page.default_server).chain(&page.named_servers);
        let own = own.map(|server| (self.name.clone(), server.name.as_str()));
        let shared = page.shared_servers.iter();
        let shared =
            shared.map(|server| (Username::from_stored(server.owner.as_str()), server.name.as_str()));
        let keys = own.chain(shared).map(|(user, name)| ServerKey::new(user, ServerName::from_stored(name)));
        keys.map(|key| {
            let glance = Glance::of(&self.hub.servers.status(&key));
            (key, glance)
        })
        .collect()
    }
}
