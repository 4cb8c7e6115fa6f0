//! Asking again who somebody is (authenticators.md 5). Only some authenticators have anything to ask; for the others
//! none of this costs anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use log::{info, warn};
use tokio::sync::Mutex as AsyncMutex;

use super::{SignIn, SignInError, persist};
use crate::auth::{RefreshRequest, Refreshed, Said};
use crate::domain::ids::UserId;
use crate::store::roles::{self, Bearer};
use crate::store::users::{self, User};
use crate::store::{Db, StoreError};

/// Users whose last check is remembered: beyond it all are forgotten, and checked again.
const MOST: usize = 100_000;

/// Whether somebody is still who they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Yes, or the last check was not long ago.
    Fresh,
    /// Yes, but what is known of them may have changed just now: look again.
    Renewed,
    /// No: they have to sign in again.
    Expired,
}

impl Freshness {
    /// Whether the sign-in is still good.
    #[must_use]
    pub fn is_good(self) -> bool {
        self != Self::Expired
    }
}

/// What is about to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Any request.
    Request,
    /// A server of the user is started.
    Spawn,
    /// A server of the user is stopped.
    Stop,
}

/// When each user was checked last. A user's lock is held during a check, so that many requests make one.
#[derive(Debug, Default)]
pub(super) struct Checks(Mutex<HashMap<UserId, Arc<AsyncMutex<Option<Instant>>>>>);

impl Checks {
    fn of(&self, id: UserId) -> Arc<AsyncMutex<Option<Instant>>> {
        let mut checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.len() >= MOST {
            checks.clear();
        }
        Arc::clone(checks.entry(id).or_default())
    }

    /// The user has just signed in. A check under way makes its own note.
    pub(super) fn passed(&self, id: UserId) {
        if let Ok(mut last) = self.of(id).try_lock() {
            *last = Some(Instant::now());
        }
    }
}

impl SignIn {
    /// Whether there is anything to ask.
    #[must_use]
    pub fn can_refresh(&self) -> bool {
        self.authenticator.can_refresh()
    }

    /// `auth.refresh.strict`: a failed check ends what tokens may do, too.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.settings.refresh.strict
    }

    /// Asks again if it is time, or if the moment calls for it.
    ///
    /// # Errors
    /// If the authenticator or the database does not work; the next request asks again.
    pub async fn refresh(&self, user: &User, moment: Moment) -> Result<Freshness, SignInError> {
        if !self.can_refresh() {
            return Ok(Freshness::Fresh);
        }
        let check = self.checks.of(user.id);
        let asked = Instant::now();
        let mut last = check.lock().await;
        // what was checked while this waited for its turn is new enough for anybody
        if last.is_some_and(|last| last >= asked) {
            return Ok(Freshness::Renewed);
        }
        if !self.is_due(moment, *last) {
            return Ok(Freshness::Fresh);
        }
        let freshness = self.ask(user).await?;
        *last = freshness.is_good().then(Instant::now);
        Ok(freshness)
    }

    fn is_due(&self, moment: Moment, last: Option<Instant>) -> bool {
        let settings = &self.settings.refresh;
        let forced = match moment {
            Moment::Request => false,
            Moment::Spawn => settings.before_spawn || self.authenticator.asks_at_starts(),
            Moment::Stop => settings.before_stop,
        };
        let aged = last.is_none_or(|last| last.elapsed() >= settings.max_age);
        forced || (moment == Moment::Request && !settings.max_age.is_zero() && aged)
    }

    async fn ask(&self, user: &User) -> Result<Freshness, SignInError> {
        let id = user.id;
        let read = move |db: &mut Db| {
            let roles = roles::of_bearer(db, Bearer::User(id))?.into_iter().map(|role| role.name).collect();
            let groups = users::groups_of(db, id)?.into_iter().map(String::from).collect();
            Ok::<_, StoreError>((roles, groups))
        };
        let (roles, groups): (Vec<String>, Vec<String>) = self.store.read(read).await?;
        let auth_state =
            if self.settings.keeps_state { self.auth_state(user).await? } else { Default::default() };
        let request =
            RefreshRequest { name: user.name.as_str(), admin: user.admin, groups, roles, auth_state };
        match self.authenticator.refresh(&request).await? {
            Refreshed::Unchanged => Ok(Freshness::Fresh),
            Refreshed::Expired => {
                info!(user = user.name.as_str(); "the sign-in is no longer good");
                Ok(Freshness::Expired)
            }
            Refreshed::Changed(mut identity) => {
                if !self.settings.keeps_state {
                    identity.auth_state = Said::Nothing;
                } else if identity.auth_state != Said::Nothing && self.authenticator.reconciles_state() {
                    let merged = self.authenticator.reconcile_state(&identity, &request.auth_state).await?;
                    identity.auth_state = Said::Value(merged);
                }
                let state = self.sealed(&identity.auth_state)?;
                self.write(move |db, context| persist::refresh(db, context, id, &identity, &state)).await?;
                Ok(Freshness::Renewed)
            }
        }
    }

    /// [`SignIn::refresh`] where a failure counts as expired: it is logged, and nobody is let in by it.
    pub async fn freshness(&self, user: &User, moment: Moment) -> Freshness {
        match self.refresh(user, moment).await {
            Ok(freshness) => freshness,
            Err(failed) => {
                warn!(user = user.name.as_str(), error:% = failed; "the sign-in could not be checked again");
                Freshness::Expired
            }
        }
    }
}
