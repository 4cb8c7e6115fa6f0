//! Removes what has expired: tokens, OAuth codes, shares, share codes (database.md 4), messages to users, and old
//! records of the journal.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context};
use chrono::{DateTime, Utc};
use log::{error, info};

use super::obituary::Obituary;
use super::supervision::Supervision;
use crate::store::{
    Db, Store, StoreError, ended_logins, journal, logins, messages, oauth_codes, share_codes, shares, tokens,
};

/// Cleans up, at its start and then at every interval.
pub struct JanitorActor {
    store: Store,
    interval: Duration,
    /// How long the journal is kept; `None` for ever.
    keep_journal: Option<chrono::Duration>,
    cleaning: bool,
    _obituary: Obituary,
}

impl JanitorActor {
    pub(crate) fn new(parts: &Arc<Supervision>, obituary: Obituary) -> Self {
        Self {
            store: parts.store.clone(),
            interval: parts.intervals.purge,
            keep_journal: parts.journal.keep(),
            cleaning: false,
            _obituary: obituary,
        }
    }

    fn clean(&mut self, context: &mut Context<Self>) {
        if std::mem::replace(&mut self.cleaning, true) {
            return;
        }
        let store = self.store.clone();
        let keep_journal = self.keep_journal;
        let work = async move {
            let now = Utc::now();
            if let Some(oldest) = keep_journal.and_then(|keep| now.checked_sub_signed(keep)) {
                store.write_quietly(move |db| journal::purge(db, oldest)).await?;
            }
            store.write(move |db| purge(db, now)).await
        };
        let done = actix::fut::wrap_future::<_, Self>(work);
        context.spawn(actix::fut::ActorFutureExt::map(done, |result, janitor: &mut Self, _| {
            janitor.cleaning = false;
            match result {
                Ok(0) => {}
                Ok(rows) => info!(rows; "removed what has expired"),
                Err(failed) => error!(error:% = failed; "what has expired could not be removed"),
            }
        }));
    }
}

/// Removes what has expired by `now`. How many rows there were.
pub(crate) fn purge(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let expired = tokens::purge_expired(db, now)? + oauth_codes::purge_expired(db, now)?;
    let logins = ended_logins::purge_expired(db, now)? + logins::purge_expired(db, now)?;
    let shared = shares::purge_expired(db, now)? + share_codes::purge_expired(db, now)?;
    let told = messages::purge_expired(db, now)?;
    Ok(expired + logins + shared + told)
}

impl Actor for JanitorActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.clean(context);
        if !self.interval.is_zero() {
            context.run_interval(self.interval, Self::clean);
        }
    }
}
