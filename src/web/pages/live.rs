//! Streams that tell an open page when there is something new to see.
//!
//! One stream for everything that a page shows. An event holds a version only; the page asks for its part itself, so
//! that what scripts show is what the page shows without them, and nobody is told of what they may not see. Looking
//! counts as nobody's activity.
//!
//! Nothing is kept for a reader that is slow: an event is made when the last one is on its way. However much happens, a
//! page is told once a second, and read anew no more often.

mod streams;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use futures_util::{Stream, stream};
use tokio::time::timeout;

use self::streams::Place;
pub use self::streams::Streams;
use crate::actors::directory::ServerStatus;
use crate::domain::login_cookie::Login;
use crate::web::caller::{Caller, Notice};
use crate::web::error::{PageError, Refused};
use crate::web::state::Hub;
use crate::web::visit::Visit;

/// How often is looked for changes, which costs no query.
const LOOK: Duration = Duration::from_secs(1);
/// After so many looks everything is read anew if the database has changed.
const CHANGED: u32 = 5;
/// After so many looks it is read anew in any case, for what changes with time.
const ALWAYS: u32 = 15;
/// A stream ends after so many looks; the page opens the next one. Until then it is some 20 kB, so that a reader who takes
/// nothing fills no buffer but the kernel's.
const LONGEST: u32 = 600;
/// How long a browser waits at least before it comes back, in milliseconds.
const BACK_AFTER: u64 = 2000;
/// Browsers come back spread over so many milliseconds: all streams end together when the hub does.
const SPREAD: u64 = 2000;
/// Proxies end connections that are silent for long.
const SILENCE: &[u8] = b": \n\n";

/// What a page shows.
pub(in crate::web) trait Watched {
    /// What can be compared without a query.
    type Glance: PartialEq;

    /// Reads everything that the page shows to `caller`; gives its version.
    async fn read(&mut self, hub: &Hub, caller: &Arc<Caller>) -> Result<String, Refused>;

    /// What was read last, as it is now.
    fn glance(&self, hub: &Hub) -> Self::Glance;
}

/// What of a server's status a page shows at once; cheap to look at. Usage changes all the time, and can wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::web) struct Glance {
    pending: Option<&'static str>,
    ready: bool,
    attempt: u64,
    steps: usize,
    ahead: Option<usize>,
    ended: bool,
}

impl Glance {
    pub(in crate::web) fn of(status: &ServerStatus) -> Self {
        Self {
            pending: status.pending.map(|pending| pending.as_str()),
            ready: status.ready,
            attempt: status.attempt,
            steps: status.progress.len(),
            ahead: status.place.as_ref().map(|place| place.ahead),
            ended: status.outcome.is_some(),
        }
    }
}

/// The stream about what is watched, for who asks by `visit`.
///
/// # Errors
/// [`PageError::LoginNeeded`]; 429 for who has too many open; otherwise as the page itself.
pub(in crate::web) async fn answer<W: Watched + 'static>(
    hub: web::Data<Hub>,
    visit: &Visit,
    caller: &Arc<Caller>,
    mut watched: W,
) -> Result<HttpResponse, PageError> {
    let login = visit.login(&hub).ok_or(PageError::LoginNeeded)?;
    let user = caller.user().ok_or(PageError::LoginNeeded)?.id;
    let place = hub.streams.open(user).ok_or_else(too_many)?;
    let (generation, glance) = (hub.store.generation(), watched.glance(&hub));
    let version = watched.read(&hub, caller).await?;
    let back_after = BACK_AFTER.saturating_add(digest(&(user, Utc::now())) % SPREAD);
    let source = Source { hub, login, watched, glance, generation, place };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx holds back what it does not know to be a stream
        .insert_header(("x-accel-buffering", "no"))
        .streaming(told(Teller::new(source, version, back_after))))
}

fn too_many() -> Refused {
    Refused::new(StatusCode::TOO_MANY_REQUESTS, "You have too many pages open. Close some of them.")
}

/// Tells one thing from the next; no secret, and nobody gains by a collision.
pub(in crate::web) fn digest(seen: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    seen.hash(&mut hasher);
    hasher.finish()
}

fn told<S: Versions>(teller: Teller<S>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(teller, |mut teller| async move {
        let bytes = teller.next().await?;
        Some((Ok(bytes), teller))
    })
}

/// Where the versions of a page come from.
trait Versions {
    /// Whether something changed that shows at once.
    fn is_other(&self) -> bool;
    /// Whether the database has changed since everything was read.
    fn is_older(&self) -> bool;
    /// Returns when the hub ends.
    async fn ended(&mut self);
    /// Reads everything; `None` for who may not see the page any more, or is signed out.
    async fn read(&mut self) -> Option<String>;
}

/// The page of somebody who is signed in.
struct Source<W: Watched> {
    hub: web::Data<Hub>,
    login: Login,
    watched: W,
    glance: W::Glance,
    generation: u64,
    place: Place,
}

impl<W: Watched> Versions for Source<W> {
    fn is_other(&self) -> bool {
        self.watched.glance(&self.hub) != self.glance
    }

    fn is_older(&self) -> bool {
        self.generation != self.hub.store.generation()
    }

    async fn ended(&mut self) {
        self.place.ended().await;
    }

    async fn read(&mut self) -> Option<String> {
        // both from before: what happens while everything is read is read once more
        self.generation = self.hub.store.generation();
        self.glance = self.watched.glance(&self.hub);
        let caller = self.hub.caller_by_login(&self.login, Notice::Nothing).await.ok()??;
        self.watched.read(&self.hub, &caller).await.ok()
    }
}

/// One page's place in its stream.
struct Teller<S> {
    source: S,
    version: String,
    /// [`LOOK`].
    look: Duration,
    /// How long the browser waits before it comes back; `None` once it knows.
    back_after: Option<u64>,
    looks: u32,
    /// The look at which everything was read last.
    read_at: u32,
}

impl<S: Versions> Teller<S> {
    fn new(source: S, version: String, back_after: u64) -> Self {
        Self { source, version, look: LOOK, back_after: Some(back_after), looks: 0, read_at: 0 }
    }

    /// What is sent next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(back_after) = self.back_after.take() {
            return Some(Bytes::from(format!("retry: {back_after}\ndata: {}\n\n", self.version)));
        }
        for silent in 1.. {
            if timeout(self.look, self.source.ended()).await.is_ok() {
                return None;
            }
            self.looks = self.looks.saturating_add(1);
            if self.looks >= LONGEST {
                return None;
            }
            if self.has_reason() {
                self.read_at = self.looks;
                let version = self.source.read().await?;
                if version != self.version {
                    self.version = version;
                    return Some(Bytes::from(format!("data: {}\n\n", self.version)));
                }
            }
            if silent >= ALWAYS {
                break;
            }
        }
        Some(Bytes::from_static(SILENCE))
    }

    /// Whether reading everything is worth while.
    fn has_reason(&self) -> bool {
        let since = self.looks.saturating_sub(self.read_at);
        self.source.is_other() || since >= ALWAYS || (since >= CHANGED && self.source.is_older())
    }
}
