//! What the operator tells everybody, so that a restart of the hub does not forget it.

use diesel::prelude::*;

use super::columns::Json;
use super::schema::notices;
use super::{Db, StoreError};
use crate::domain::notice::{Notice, NoticeKind, Notices};

/// All notices.
///
/// # Errors
/// If a query fails.
pub fn load(db: &mut Db) -> Result<Notices, StoreError> {
    let mut found = Notices::default();
    for kind in NoticeKind::ALL {
        let notice = notices::table.find(kind.as_str()).select(notices::notice);
        let notice: Option<Json<Notice>> = notice.first(db).optional()?;
        found = found.with(kind, notice.map(|Json(notice)| notice));
    }
    Ok(found)
}

/// Keeps a notice in place of the last one of its kind; `None` forgets that.
///
/// # Errors
/// If a query fails.
pub fn set(db: &mut Db, kind: NoticeKind, notice: Option<&Notice>) -> Result<(), StoreError> {
    diesel::delete(notices::table.find(kind.as_str())).execute(db)?;
    if let Some(text) = notice.and_then(|notice| serde_json::to_string(notice).ok()) {
        let values = (notices::kind.eq(kind.as_str()), notices::notice.eq(text));
        diesel::insert_into(notices::table).values(values).execute(db)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::domain::timestamp;
    use crate::store::testing::each_database;

    #[test]
    fn a_notice_is_remembered_until_it_is_taken_away_or_another_comes() {
        each_database(|db| {
            assert_eq!(load(db).unwrap(), Notices::default());
            let until = Some(timestamp::parse("2999-01-02T03:04:05.678901Z").unwrap());
            let first = Notice::new("<i>1</i>", (None, until), "user:ada", Utc::now()).unwrap();
            let second = Notice::new("2", (None, None), "user:ada", Utc::now()).unwrap();
            set(db, NoticeKind::Announcement, Some(&second)).unwrap();
            set(db, NoticeKind::Announcement, Some(&first)).unwrap();
            set(db, NoticeKind::Maintenance, Some(&second)).unwrap();
            let both = Notices { maintenance: Some(second), announcement: Some(first) };
            assert_eq!(load(db).unwrap(), both);
            set(db, NoticeKind::Maintenance, None).unwrap();
            set(db, NoticeKind::Maintenance, None).unwrap();
            assert_eq!(load(db).unwrap(), Notices { maintenance: None, ..both });
        });
    }
}
