//! The journal: who did what to whom, for admins and auditors. Rows are added and, when old, removed; never changed.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::columns::{self, Json, stored, utc};
use super::db::on_backend;
use super::schema::journal;
use super::{Db, StoreError};

/// How many rows one statement inserts; SQLite bounds the number of values.
const CHUNK: usize = 500;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who: `user:ada`, `service:culler`, `hub`.
    pub actor: String,
    /// What, as one word: `server.start`, `token.delete`.
    pub action: String,
    /// To what: `server:ada/lab`, `user:ada`.
    pub target: String,
    /// Anything else worth keeping; never a secret.
    pub detail: Option<Value>,
}

/// A stored entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Never reused; larger is later.
    pub id: i64,
    /// What happened.
    pub entry: Entry,
}

/// Which records to read, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// Only those about this target.
    pub target: Option<String>,
    /// Only those by this actor.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only those older than this record: the last one of the page before.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = journal)]
struct Row {
    id: i64,
    at: NaiveDateTime,
    actor: String,
    action: String,
    target: String,
    detail: Option<Json<Value>>,
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        let entry = Entry {
            at: utc(row.at),
            actor: row.actor,
            action: row.action,
            target: row.target,
            detail: columns::value(row.detail),
        };
        Self { id: row.id, entry }
    }
}

/// Adds entries, in order.
///
/// # Errors
/// If a query fails.
pub fn append(db: &mut Db, entries: &[Entry]) -> Result<(), StoreError> {
    for chunk in entries.chunks(CHUNK) {
        let row = |entry: &Entry| {
            (
                journal::at.eq(stored(entry.at)),
                journal::actor.eq(entry.actor.clone()),
                journal::action.eq(entry.action.clone()),
                journal::target.eq(entry.target.clone()),
                journal::detail.eq(columns::json_text(entry.detail.as_ref())),
            )
        };
        let rows: Vec<_> = chunk.iter().map(row).collect();
        on_backend!(db, c => diesel::insert_into(journal::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// Records, newest first.
///
/// # Errors
/// If the query fails.
pub fn page(db: &mut Db, filter: &JournalFilter) -> Result<Vec<Record>, StoreError> {
    let mut query =
        journal::table.order(journal::id.desc()).limit(filter.limit).select(Row::as_select()).into_boxed();
    if let Some(target) = &filter.target {
        query = query.filter(journal::target.eq(target));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(journal::actor.eq(actor));
    }
    if let Some(action) = &filter.action {
        query = query.filter(journal::action.eq(action));
    }
    if let Some(before) = filter.before {
        query = query.filter(journal::id.lt(before));
    }
    let rows: Vec<Row> = query.load(db)?;
    Ok(rows.into_iter().map(Record::from).collect())
}

/// Removes the records older than `before`.
///
/// # Errors
/// If the query fails.
pub fn purge(db: &mut Db, before: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(journal::table.filter(journal::at.lt(stored(before)))).execute(db)?)
}

#[cfg(test)]
mod tests;
