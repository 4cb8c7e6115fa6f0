//! The user list by position instead of by offset: the next page begins behind the last user of this one, however many
//! there are before it, and nobody is skipped or shown twice when somebody comes or goes.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;

use super::list::{Query, filtered};
use super::{Db, Row, SortKey, StoreError, User, UserFilter, users};
use crate::domain::ids::UserId;
use crate::store::columns::stored;

/// Where a user stands in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// By age.
    Id(UserId),
    /// By name.
    Name(String),
    /// By last activity; ties are broken by id.
    Activity(Option<DateTime<Utc>>, UserId),
}

impl Position {
    /// The position of `user` in an order by `key`.
    #[must_use]
    pub fn of(user: &User, key: SortKey) -> Self {
        match key {
            SortKey::Id => Self::Id(user.id),
            SortKey::Name => Self::Name(user.name.to_string()),
            SortKey::LastActivity => Self::Activity(user.last_activity, user.id),
        }
    }

    /// Reads what `Display` wrote; `None` if it is of another order or no position at all.
    #[must_use]
    pub fn parse(text: &str, key: SortKey) -> Option<Self> {
        Some(match key {
            SortKey::Id => Self::Id(UserId(text.parse().ok()?)),
            SortKey::Name => Self::Name(Some(text).filter(|name| !name.is_empty())?.to_owned()),
            SortKey::LastActivity => {
                let (at, id) = text.split_once('.')?;
                let at = match at {
                    "" => None,
                    micros => Some(DateTime::from_timestamp_micros(micros.parse().ok()?)?),
                };
                Self::Activity(at, UserId(id.parse().ok()?))
            }
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{}", id.0),
            Self::Name(name) => f.write_str(name),
            Self::Activity(None, id) => write!(f, ".{}", id.0),
            Self::Activity(Some(at), id) => write!(f, "{}.{}", at.timestamp_micros(), id.0),
        }
    }
}

/// Which part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Its beginning.
    First,
    /// Its end.
    Last,
    /// What comes behind somebody.
    After(Position),
    /// What comes before somebody.
    Before(Position),
}

/// Part of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The users, in the order that was asked for.
    pub items: Vec<User>,
    /// How many come before the first of them.
    pub before: i64,
    /// How many there are.
    pub total: i64,
}

/// At most `filter.limit` of the users that `filter` lets through, on one side; `filter.offset` does not matter.
///
/// # Errors
/// If a query fails.
pub fn window(db: &mut Db, filter: &UserFilter, side: &Side) -> Result<Window, StoreError> {
    let total = filtered(filter).count().get_result(db)?;
    let descending = filter.sort.descending;
    let (from, backwards) = match side {
        Side::First => (None, false),
        Side::Last => (None, true),
        Side::After(position) => (Some(position), false),
        Side::Before(position) => (Some(position), true),
    };
    let mut items = walk(db, filter, descending != backwards, from)?;
    if backwards {
        items.reverse();
    }
    let before = match items.first() {
        Some(first) if *side != Side::First => {
            let position = Position::of(first, filter.sort.key);
            count(db, filter, !descending, &position)?
        }
        _ => 0,
    };
    Ok(Window { items, before, total })
}

fn walk(
    db: &mut Db,
    filter: &UserFilter,
    descending: bool,
    from: Option<&Position>,
) -> Result<Vec<User>, StoreError> {
    let mut found: Vec<User> = Vec::new();
    for segment in segments(filter, descending, from) {
        let missing = filter.limit.saturating_sub(i64::try_from(found.len()).unwrap_or(i64::MAX));
        if missing <= 0 {
            break;
        }
        let ordered = ordered(segment, filter.sort.key, descending).limit(missing);
        let rows: Vec<Row> = ordered.select(Row::as_select()).load(db)?;
        found.extend(rows.into_iter().map(User::from));
    }
    Ok(found)
}

fn count(db: &mut Db, filter: &UserFilter, descending: bool, from: &Position) -> Result<i64, StoreError> {
    let mut all = 0;
    for segment in segments(filter, descending, Some(from)) {
        all += segment.count().get_result::<i64>(db)?;
    }
    Ok(all)
}

/// What comes behind `from`, in pieces that an index has in order: whether NULL is large or small differs between
/// databases, so users without activity are a piece of their own, before all others when ascending.
fn segments<'a>(filter: &'a UserFilter, descending: bool, from: Option<&Position>) -> Vec<Query<'a>> {
    match from {
        None if filter.sort.key == SortKey::LastActivity => {
            let mut both = vec![unseen(filter), seen(filter)];
            if descending {
                both.reverse();
            }
            both
        }
        None => vec![filtered(filter)],
        Some(Position::Id(id)) => vec![beyond_id(filtered(filter), *id, descending)],
        Some(Position::Name(name)) => {
            let name = name.clone();
            let query = filtered(filter);
            vec![if descending {
                query.filter(users::name.lt(name))
            } else {
                query.filter(users::name.gt(name))
            }]
        }
        Some(Position::Activity(None, id)) => {
            let rest = beyond_id(unseen(filter), *id, descending);
            if descending { vec![rest] } else { vec![rest, seen(filter)] }
        }
        Some(Position::Activity(Some(at), id)) => {
            let rest = beyond_activity(seen(filter), stored(*at), *id, descending);
            if descending { vec![rest, unseen(filter)] } else { vec![rest] }
        }
    }
}

fn unseen(filter: &UserFilter) -> Query<'_> {
    filtered(filter).filter(users::last_activity.is_null())
}

fn seen(filter: &UserFilter) -> Query<'_> {
    filtered(filter).filter(users::last_activity.is_not_null())
}

fn beyond_id(query: Query<'_>, id: UserId, descending: bool) -> Query<'_> {
    if descending { query.filter(users::id.lt(id.0)) } else { query.filter(users::id.gt(id.0)) }
}

/// The first condition is one that an index can be entered with; the second says the same of ties.
fn beyond_activity(query: Query<'_>, at: NaiveDateTime, id: UserId, descending: bool) -> Query<'_> {
    if descending {
        query
            .filter(users::last_activity.le(at))
            .filter(users::last_activity.lt(at).or(users::id.lt(id.0)).assume_not_null())
    } else {
        query
            .filter(users::last_activity.ge(at))
            .filter(users::last_activity.gt(at).or(users::id.gt(id.0)).assume_not_null())
    }
}

fn ordered(query: Query<'_>, key: SortKey, descending: bool) -> Query<'_> {
    match (key, descending) {
        (SortKey::Id, false) => query.order(users::id.asc()),
        (SortKey::Id, true) => query.order(users::id.desc()),
        (SortKey::Name, false) => query.order(users::name.asc()),
        (SortKey::Name, true) => query.order(users::name.desc()),
        (SortKey::LastActivity, false) => query.order((users::last_activity.asc(), users::id.asc())),
        (SortKey::LastActivity, true) => query.order((users::last_activity.desc(), users::id.desc())),
    }
}

#[cfg(test)]
mod tests;
