//! The process that each managed service had last, so that a hub which was killed leaves none behind.

use diesel::prelude::*;

use super::schema::service_processes;
use super::{Db, StoreError};

/// Takes note of a service's process, in place of the last one.
///
/// # Errors
/// If a query fails.
pub fn record(db: &mut Db, service: &str, process: &str) -> Result<(), StoreError> {
    diesel::delete(service_processes::table.find(service)).execute(db)?;
    let values = (service_processes::name.eq(service), service_processes::process.eq(process));
    diesel::insert_into(service_processes::table).values(values).execute(db)?;
    Ok(())
}

/// All processes: service and process, by name.
///
/// # Errors
/// If the query fails.
pub fn list(db: &mut Db) -> Result<Vec<(String, String)>, StoreError> {
    let columns = (service_processes::name, service_processes::process);
    Ok(service_processes::table.order(service_processes::name).select(columns).load(db)?)
}

/// Forgets a service's process, if it is still this one.
///
/// # Errors
/// If the query fails.
pub fn forget(db: &mut Db, service: &str, process: &str) -> Result<(), StoreError> {
    let row = service_processes::table.find(service).filter(service_processes::process.eq(process));
    diesel::delete(row).execute(db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::each_database;

    #[test]
    fn a_process_is_remembered_until_it_is_forgotten_or_another_comes() {
        each_database(|db| {
            record(db, "web", "1").unwrap();
            record(db, "web", "2").unwrap();
            record(db, "bot", "3").unwrap();
            let all = [("bot".to_owned(), "3".to_owned()), ("web".to_owned(), "2".to_owned())];
            assert_eq!(list(db).unwrap(), all);
            forget(db, "web", "1").unwrap();
            assert_eq!(list(db).unwrap(), all, "a later one stays");
            forget(db, "web", "2").unwrap();
            assert_eq!(list(db).unwrap(), all[..1]);
        });
    }
}
