//! How values are kept in columns: times as UTC in whole microseconds, JSON and lists as text.

use chrono::{DateTime, DurationRound, NaiveDateTime, TimeDelta, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::Text;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A column that holds JSON.
#[derive(Debug, Clone, FromSqlRow)]
pub(super) struct Json<T>(pub(super) T);

impl<T, DB> FromSql<Text, DB> for Json<T>
where
    T: DeserializeOwned,
    DB: Backend,
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(bytes)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

/// A list in a column that may be NULL, which means empty (DB-006).
pub(super) type List = Option<Json<Vec<String>>>;

/// The items of a list column.
pub(super) fn items(list: List) -> Vec<String> {
    list.map(|Json(items)| items).unwrap_or_default()
}

/// The value of an optional JSON column.
pub(super) fn value(column: Option<Json<Value>>) -> Option<Value> {
    column.map(|Json(value)| value)
}

/// The text of an optional JSON column.
pub(super) fn json_text(value: Option<&Value>) -> Option<String> {
    value.map(Value::to_string)
}

/// The text of a list column, in the order given.
pub(super) fn list_text(items: &[String]) -> String {
    Value::from(items.to_vec()).to_string()
}

/// The text of a column that holds a set: sorted, each item once (DB-006).
pub(super) fn set_text(items: &[String]) -> String {
    list_text(&sorted_set(items.to_vec()))
}

/// `items` sorted, each once.
pub(super) fn sorted_set(mut items: Vec<String>) -> Vec<String> {
    items.sort_unstable();
    items.dedup();
    items
}

/// What a time column holds for `at`: whole microseconds, the most that PostgreSQL keeps, so that a stored time equals
/// the one read back on every backend.
pub(super) fn stored(at: DateTime<Utc>) -> NaiveDateTime {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at).naive_utc()
}

/// The time that a column holds.
pub(super) fn utc(at: NaiveDateTime) -> DateTime<Utc> {
    at.and_utc()
}

/// The time that an optional column holds.
pub(super) fn optional_utc(at: Option<NaiveDateTime>) -> Option<DateTime<Utc>> {
    at.map(utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn db_006_a_null_list_reads_as_empty_and_a_set_is_written_sorted() {
        assert!(items(None).is_empty());
        let scopes = ["tokens".to_owned(), "self".to_owned(), "tokens".to_owned()];
        assert_eq!(set_text(&scopes), r#"["self","tokens"]"#);
        assert_eq!(list_text(&scopes), r#"["tokens","self","tokens"]"#);
    }

    #[test]
    fn times_are_cut_to_microseconds() {
        let at = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        assert_eq!(utc(stored(at)), DateTime::from_timestamp(1_700_000_000, 123_456_000).unwrap());
        let far = DateTime::<Utc>::MAX_UTC;
        assert_eq!(utc(stored(far)).timestamp(), far.timestamp());
    }
}
