//! What administrators told single users. A message is there until its reader puts it away, until it expires, or until
//! newer ones push it out; it goes with the user.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;

use super::columns::{optional_utc, stored, utc};
use super::schema::messages;
use super::{Db, StoreError};
use crate::domain::ids::{MessageId, UserId};

/// So many of one user are kept; of more, the oldest go.
pub const MOST: i64 = 20;

/// A message to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Who is to read it.
    pub user: UserId,
    /// What is to be read; plain text.
    pub text: String,
    /// Who wrote it, as the journal names it: `user:ada`.
    pub sender: String,
    /// When.
    pub sent: DateTime<Utc>,
    /// When it goes by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A message that waits to be put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Never reused; larger is later.
    pub id: MessageId,
    /// What is to be read; plain text.
    pub text: String,
    /// Who wrote it, as the journal names it: `user:ada`.
    pub sender: String,
    /// When.
    pub sent: DateTime<Utc>,
    /// When it goes by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
struct Row {
    id: i64,
    text: String,
    sender: String,
    sent: NaiveDateTime,
    expires_at: Option<NaiveDateTime>,
}

impl From<Row> for Message {
    fn from(row: Row) -> Self {
        Self {
            id: MessageId(row.id),
            text: row.text,
            sender: row.sender,
            sent: utc(row.sent),
            expires_at: optional_utc(row.expires_at),
        }
    }
}

/// Keeps a message, and drops the oldest of the same reader where there are too many.
///
/// # Errors
/// [`StoreError::Gone`] if the user has been deleted; if a query fails.
pub fn add(db: &mut Db, new: &NewMessage) -> Result<Message, StoreError> {
    diesel::insert_into(messages::table)
        .values((
            messages::user_id.eq(new.user.0),
            messages::text.eq(&new.text),
            messages::sender.eq(&new.sender),
            messages::sent.eq(stored(new.sent)),
            messages::expires_at.eq(new.expires_at.map(stored)),
        ))
        .execute(db)?;
    let of_user = || messages::table.filter(messages::user_id.eq(new.user.0)).order(messages::id.desc());
    // another message may have come since
    let row: Row = of_user()
        .filter(messages::text.eq(&new.text))
        .filter(messages::sender.eq(&new.sender))
        .filter(messages::sent.eq(stored(new.sent)))
        .select(Row::as_select())
        .first(db)?;
    let too_many: Option<i64> = of_user().select(messages::id).offset(MOST).first(db).optional()?;
    if let Some(newest) = too_many {
        let old = messages::table.filter(messages::user_id.eq(new.user.0)).filter(messages::id.le(newest));
        diesel::delete(old).execute(db)?;
    }
    Ok(Message::from(row))
}

/// What waits for a user, newest first; never more than [`MOST`].
///
/// # Errors
/// If the query fails.
pub fn of_user(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<Row> = messages::table
        .filter(messages::user_id.eq(user.0))
        .filter(messages::expires_at.is_null().or(messages::expires_at.gt(stored(now))))
        .order(messages::id.desc())
        .limit(MOST)
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// Puts a message of this user away, for good. Whether there was one; those of others are left alone.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, user: UserId, id: MessageId) -> Result<bool, StoreError> {
    let one = messages::table.find(id.0).filter(messages::user_id.eq(user.0));
    Ok(diesel::delete(one).execute(db)? > 0)
}

/// Removes those that have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(messages::table.filter(messages::expires_at.le(stored(now)))).execute(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, each_database, user_id};
    use crate::store::users;

    fn message(user: UserId, text: &str, sent: i64, expires_at: Option<i64>) -> NewMessage {
        NewMessage {
            user,
            text: text.to_owned(),
            sender: "user:boss".to_owned(),
            sent: at(sent),
            expires_at: expires_at.map(at),
        }
    }

    fn texts(db: &mut Db, user: UserId, now: i64) -> Vec<String> {
        of_user(db, user, at(now)).unwrap().into_iter().map(|message| message.text).collect()
    }

    #[test]
    fn a_message_waits_for_its_reader_until_it_is_put_away_or_expires() {
        each_database(|db| {
            let (ada, bob) = (user_id(db, "ada"), user_id(db, "bob"));
            let hostile = "<script>alert(1)</script>\nzweite Zeile \u{202e}x";
            let first = add(db, &message(ada, hostile, 0, Some(10))).unwrap();
            let second = add(db, &message(ada, "2", 1, None)).unwrap();
            let other = add(db, &message(bob, "bob's", 2, Some(10))).unwrap();
            assert_eq!(
                (first.text.as_str(), first.sender.as_str(), first.sent, first.expires_at),
                (hostile, "user:boss", at(0), Some(at(10)))
            );
            assert_eq!(of_user(db, ada, at(9)).unwrap(), [second.clone(), first]);
            assert_eq!(texts(db, ada, 10), ["2"], "not shown any more, if still stored");
            assert!(!delete(db, ada, other.id).unwrap(), "it is not hers");
            assert_eq!(purge_expired(db, at(9)).unwrap(), 0);
            assert_eq!(purge_expired(db, at(10)).unwrap(), 2);
            assert!(delete(db, ada, second.id).unwrap() && !delete(db, ada, second.id).unwrap());
            assert!(texts(db, ada, 0).is_empty());
        });
    }

    #[test]
    fn of_too_many_the_oldest_go_and_nobody_elses() {
        each_database(|db| {
            let (ada, bob) = (user_id(db, "ada"), user_id(db, "bob"));
            add(db, &message(bob, "bob's", 0, None)).unwrap();
            for number in 0..MOST + 3 {
                add(db, &message(ada, &number.to_string(), number, None)).unwrap();
            }
            let left = texts(db, ada, 0);
            assert_eq!(left.len(), usize::try_from(MOST).unwrap());
            assert_eq!((left[0].as_str(), left.last().unwrap().as_str()), ("22", "3"));
            assert_eq!(texts(db, bob, 0), ["bob's"]);
        });
    }

    /// DB-005: what is said to a user goes with the user; who is gone is told nothing.
    #[test]
    fn db_005_a_deleted_user_takes_messages_along() {
        each_database(|db| {
            let ada = user_id(db, "ada");
            let kept = add(db, &message(ada, "1", 0, None)).unwrap();
            users::delete(db, ada).unwrap();
            assert!(texts(db, ada, 0).is_empty() && !delete(db, ada, kept.id).unwrap());
            let late = add(db, &message(ada, "2", 0, None)).unwrap_err();
            assert!(matches!(late, StoreError::Gone(_)), "{late:?}");
        });
    }
}
