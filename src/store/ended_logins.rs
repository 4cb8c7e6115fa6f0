//! Logins that were ended before their cookie expires (SEC-010). The cookie proves itself, so whoever has a copy of it
//! could go on after a logout; a login that is listed here is over.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;

use super::columns::stored;
use super::schema::ended_logins;
use super::{Db, StoreError};

/// Notes that the login is over; its cookie would be valid until `until`.
///
/// # Errors
/// If a query fails.
pub fn add(db: &mut Db, login: &str, until: DateTime<Utc>) -> Result<(), StoreError> {
    if contains(db, login)? {
        return Ok(());
    }
    diesel::insert_into(ended_logins::table)
        .values((ended_logins::login_id.eq(login), ended_logins::until.eq(stored(until))))
        .execute(db)?;
    Ok(())
}

/// Whether the login is over.
///
/// # Errors
/// If the query fails.
pub fn contains(db: &mut Db, login: &str) -> Result<bool, StoreError> {
    Ok(select(exists(ended_logins::table.find(login))).get_result(db)?)
}

/// Removes those whose cookies have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(ended_logins::table.filter(ended_logins::until.lt(stored(now)))).execute(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, each_database};

    #[test]
    fn a_login_is_over_until_its_cookie_expires_anyway() {
        each_database(|db| {
            assert!(!contains(db, "one").unwrap());
            add(db, "one", at(10)).unwrap();
            add(db, "one", at(10)).unwrap();
            add(db, "two", at(20)).unwrap();
            assert!(contains(db, "one").unwrap() && contains(db, "two").unwrap());
            assert_eq!(purge_expired(db, at(11)).unwrap(), 1);
            assert!(!contains(db, "one").unwrap() && contains(db, "two").unwrap());
        });
    }
}
