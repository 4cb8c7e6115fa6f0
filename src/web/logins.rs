//! The browsers that people are signed in with, as requests show them in passing (UI-045). Each is written down at most once in
//! a while, and not by the request itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::state::Hub;
use super::visit::{SignedLogin, Visit};
use crate::actors::activity::SeenLogin;
use crate::domain::browser::Browser;
use crate::store::StoreError;
use crate::store::logins::{self, Login, Sighting};
use crate::store::users::User;

/// How long a login is not written down again.
const EVERY_SECONDS: i64 = 300;
/// Beyond this many, all are forgotten: a bound on memory, not a policy.
const MOST: usize = 20_000;

/// When logins were written down last.
#[derive(Default)]
pub struct Noted(RwLock<HashMap<String, AtomicI64>>);

impl Noted {
    /// Whether it is time to write this login down; if so, that is done now.
    fn is_time(&self, id: &str, now: DateTime<Utc>) -> bool {
        let now = now.timestamp();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(noted) = known.get(id) {
            let last = noted.load(Ordering::Relaxed);
            return now.saturating_sub(last) >= EVERY_SECONDS
                && noted.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.to_owned(), AtomicI64::new(now)).is_none()
    }
}

impl Hub {
    /// What a request shows of the login that it came with.
    #[must_use]
    pub fn sighting(&self, visit: &Visit, signed: &SignedLogin, user: &User) -> Sighting {
        let browser = Browser::of(&visit.user_agent);
        let login = Login {
            id: signed.login.key(user.id),
            user_id: user.id,
            created: signed.at,
            last_seen: Utc::now(),
            expires_at: self.login_ends(signed.at),
            browser: browser.name.to_owned(),
            system: browser.system.to_owned(),
            address: visit.address.to_string(),
            sessions: visit.session_id.iter().cloned().collect(),
        };
        Sighting { login, cookie_id: signed.login.cookie_id.clone() }
    }

    /// When a login cookie that was signed at this time stops being valid.
    #[must_use]
    pub fn login_ends(&self, signed_at: DateTime<Utc>) -> DateTime<Utc> {
        let longest =
            chrono::Duration::from_std(self.settings.cookie_max_age).unwrap_or(chrono::Duration::MAX);
        // PostgreSQL's times end before ours
        let last = DateTime::from_timestamp(LAST_TIME, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        signed_at.checked_add_signed(longest).map_or(last, |end| end.min(last))
    }

    /// Writes a new login down.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remember_login(
        &self,
        visit: &Visit,
        signed: &SignedLogin,
        user: &User,
    ) -> Result<(), StoreError> {
        let sighting = self.sighting(visit, signed, user);
        self.noted.is_time(&sighting.login.id, sighting.login.last_seen);
        self.store.write_quietly(move |db| logins::see(db, &sighting)).await.map(drop)
    }

    /// Takes note of the login that a request came with, if that is due.
    pub fn note_login(&self, visit: &Visit, signed: &SignedLogin, user: &User) {
        if self.noted.is_time(&signed.login.key(user.id), Utc::now()) {
            self.activity.tell(SeenLogin(Box::new(self.sighting(visit, signed, user))));
        }
    }
}

/// The year 9999.
const LAST_TIME: i64 = 253_370_764_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_045_a_login_is_written_down_once_in_a_while() {
        let noted = Noted::default();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert!(noted.is_time("one", at(0)) && noted.is_time("two", at(1)));
        assert!(!noted.is_time("one", at(EVERY_SECONDS - 1)));
        assert!(noted.is_time("one", at(EVERY_SECONDS)));
        assert!(!noted.is_time("one", at(EVERY_SECONDS + 1)) && !noted.is_time("two", at(EVERY_SECONDS)));
    }

    #[test]
    fn logins_beyond_the_bound_cost_no_more_memory() {
        let noted = Noted::default();
        let now = Utc::now();
        for number in 0..MOST + 10 {
            noted.is_time(&number.to_string(), now);
        }
        assert_eq!(noted.0.read().unwrap().len(), 10);
    }
}
