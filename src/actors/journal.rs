//! The journal: who did what, written down together with what others did at the same time.
//!
//! Nobody waits for it. News that comes while a write is under way gathers, and the next write takes all of it; when
//! the database cannot keep up, or is away, as much as fits into the queue waits for it, and the rest is dropped and
//! counted. A record never holds a secret: it is made of names, never of the bodies of requests.

pub mod window;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, ResponseFuture};
use chrono::Utc;
use log::error;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use self::window::Window;
use super::obituary::Obituary;
use super::slot::Slot;
use super::supervision::Supervision;
use crate::logging::escape::bounded;
use crate::metrics::{Loss, Metrics};
use crate::store::journal::{self, Entry};
use crate::store::{Store, StoreError};

/// How many records may wait for the database.
const QUEUE: usize = 10_000;
/// How many refused sign-ins are written down in a minute: anybody can cause them.
const REFUSED_A_MINUTE: u32 = 60;
/// How long the journal waits before it tries a failed write again.
const RETRY: Duration = Duration::from_secs(5);
/// The longest name in a record, in characters.
const LONGEST_NAME: usize = 255;

/// Where records are handed in; cheap to clone, usable from every thread.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    slot: Slot<JournalActor>,
    waiting: AtomicUsize,
    written: AtomicU64,
    metrics: Arc<Metrics>,
    refused: Window,
    settings: Settings,
}

/// What the configuration says about the journal.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// `journal.enabled`.
    pub enabled: bool,
    /// `journal.keep`; zero for ever.
    pub keep: Duration,
}

impl Journal {
    /// A journal whose actor is still to be started.
    #[must_use]
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Self {
        let refused = Window::new(REFUSED_A_MINUTE, Duration::from_secs(60));
        Self(Arc::new(Shared {
            slot: Slot::default(),
            waiting: AtomicUsize::new(0),
            written: AtomicU64::new(0),
            metrics,
            refused,
            settings,
        }))
    }

    pub(crate) fn slot(&self) -> &Slot<JournalActor> {
        &self.0.slot
    }

    /// How long records are kept; `None` for ever.
    pub(crate) fn keep(&self) -> Option<chrono::Duration> {
        chrono::Duration::from_std(self.0.settings.keep).ok().filter(|keep| !keep.is_zero())
    }

    /// Whether there is a journal at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.settings.enabled
    }

    /// How many records are not stored yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Counts what was stored: there is something new to read when it is another number.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    /// Writes down that `actor` did `action` to `target`.
    pub fn record(&self, actor: &str, action: &str, target: &str, detail: Option<Value>) {
        if !self.is_enabled() {
            return;
        }
        let shared = &self.0;
        if shared.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            shared.waiting.fetch_sub(1, Ordering::Relaxed);
            shared.metrics.lost(Loss::Journal, 1);
            return;
        }
        // NUL is nothing that PostgreSQL keeps in a text
        let name = |text: &str| bounded(text, LONGEST_NAME).replace('\0', "\u{fffd}");
        let entry =
            Entry { at: Utc::now(), actor: name(actor), action: name(action), target: name(target), detail };
        shared.slot.tell(Record(entry));
    }

    /// Somebody signed in; `how` is the way: `form`, `api`, ...
    pub fn signed_in(&self, user: &str, how: &str, from: Option<IpAddr>) {
        let user = format!("user:{user}");
        self.record(&user, "login", &user, Some(json!({ "how": how, "remote_ip": shown(from) })));
    }

    /// Somebody signed out.
    pub fn signed_out(&self, user: &str, from: Option<IpAddr>) {
        let user = format!("user:{user}");
        self.record(&user, "logout", &user, Some(json!({ "remote_ip": shown(from) })));
    }

    /// Somebody tried to sign in as `typed` and was refused. Anybody can do that, as often as they like: some are written
    /// down, all are counted.
    pub fn sign_in_refused(&self, typed: &str, how: &str, reason: &str, from: Option<IpAddr>) {
        if !self.0.refused.admits(Instant::now()) {
            self.0.metrics.lost(Loss::RefusedSignIns, 1);
            return;
        }
        let detail = json!({ "how": how, "reason": reason, "remote_ip": shown(from) });
        self.record("nobody", "login.refused", &format!("user:{typed}"), Some(detail));
    }

    /// Waits until everything that was handed in is stored, at most this long.
    pub async fn flush(&self, at_most: Duration) {
        // too late or gone: the hub ends now in any case
        let _ = tokio::time::timeout(at_most, self.0.slot.ask(Flush)).await;
    }

    fn done_with(&self, count: usize) {
        let left = |waiting: usize| Some(waiting.saturating_sub(count));
        // the closure always gives a value
        let _ = self.0.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }
}

fn shown(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| address.to_string())
}

/// Writes the journal.
pub struct JournalActor {
    store: Store,
    journal: Journal,
    news: Vec<Entry>,
    writing: bool,
    flushing: Vec<oneshot::Sender<()>>,
    _obituary: Obituary,
}

impl JournalActor {
    pub(crate) fn new(parts: &Arc<Supervision>, obituary: Obituary) -> Self {
        // what its predecessor had not written is lost with it
        parts.journal.0.waiting.store(0, Ordering::Relaxed);
        Self {
            store: parts.store.clone(),
            journal: parts.journal.clone(),
            news: Vec::new(),
            writing: false,
            flushing: Vec::new(),
            _obituary: obituary,
        }
    }

    fn write(&mut self, context: &Context<Self>) {
        if self.writing {
            return;
        }
        if self.news.is_empty() {
            for waiter in self.flushing.drain(..) {
                // it does not wait any more: fine
                let _ = waiter.send(());
            }
            return;
        }
        self.writing = true;
        let news = Arc::new(std::mem::take(&mut self.news));
        let store = self.store.clone();
        let me = context.address();
        actix::spawn(async move {
            let entries = Arc::clone(&news);
            let failed = store.write_quietly(move |db| journal::append(db, &entries)).await.err();
            me.do_send(Written { news, failed });
        });
    }
}

impl Actor for JournalActor {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Record(Entry);

impl Handler<Record> for JournalActor {
    type Result = ();

    fn handle(&mut self, Record(entry): Record, context: &mut Context<Self>) {
        self.news.push(entry);
        self.write(context);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Written {
    news: Arc<Vec<Entry>>,
    failed: Option<StoreError>,
}

impl Handler<Written> for JournalActor {
    type Result = ();

    fn handle(&mut self, written: Written, context: &mut Context<Self>) {
        let Some(failed) = written.failed else {
            self.writing = false;
            self.journal.0.written.fetch_add(1, Ordering::Relaxed);
            self.journal.done_with(written.news.len());
            return self.write(context);
        };
        error!(records = written.news.len(), error:% = failed; "the journal could not be stored");
        let again = failed.is_absence();
        if again {
            let newer = std::mem::replace(&mut self.news, written.news.to_vec());
            self.news.extend(newer);
        } else {
            self.journal.done_with(written.news.len());
            self.journal.0.metrics.lost(Loss::Journal, written.news.len());
        }
        // `writing` stays set meanwhile: news gathers
        context.run_later(RETRY, |journal, context| {
            journal.writing = false;
            journal.write(context);
        });
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

impl Handler<Flush> for JournalActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Flush, context: &mut Context<Self>) -> Self::Result {
        let (sender, written) = oneshot::channel();
        self.flushing.push(sender);
        self.write(context);
        Box::pin(async move {
            // an error says that the actor is gone, and with it what there was to wait for
            let _ = written.await;
        })
    }
}

#[cfg(test)]
mod tests;
