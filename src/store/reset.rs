//! `database.reset`: everything that this program stored is deleted, and only that.

use diesel::connection::SimpleConnection;

use super::db::{self, on_backend};
use super::migrate::{MIGRATIONS_TABLE, tables};
use super::{Db, Store, StoreConfig, StoreError};

/// All tables of this program; a test says when one is missing.
const TABLES: [&str; 20] = [
    "users",
    "groups",
    "roles",
    "services",
    "servers",
    "oauth_clients",
    "api_tokens",
    "oauth_codes",
    "group_members",
    "user_roles",
    "group_roles",
    "service_roles",
    "shares",
    "share_codes",
    "journal",
    "ended_logins",
    "logins",
    "service_processes",
    "notices",
    "messages",
];

impl Store {
    /// Deletes the tables of this program with all that is in them; [`Store::open`] makes them anew. A database that is not
    /// this program's is left as it is, and so are other tables.
    ///
    /// # Errors
    /// If the database cannot be reached or refuses.
    pub fn reset(config: &StoreConfig) -> Result<(), StoreError> {
        let mut db = db::open(config)?;
        let found = tables(&mut db)?;
        if !found.iter().any(|table| table == MIGRATIONS_TABLE) {
            return Ok(());
        }
        if let Db::Sqlite(connection) = &mut db {
            // has no effect within a transaction
            connection.batch_execute("PRAGMA foreign_keys = OFF")?;
        }
        db::transaction(&mut db, |db| {
            let ours = |table: &&String| TABLES.contains(&table.as_str()) || *table == MIGRATIONS_TABLE;
            for table in found.iter().filter(ours) {
                let sql = match db {
                    Db::Sqlite(_) => format!("DROP TABLE {table}"),
                    Db::Postgres(_) => format!("DROP TABLE {table} CASCADE"),
                };
                on_backend!(db, connection => connection.batch_execute(&sql))?;
            }
            Ok(())
        })
    }
}
