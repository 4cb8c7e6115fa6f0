//! The connection type. In a private module of its own: the derive writes undocumented public items beside it.

use diesel::{PgConnection, SqliteConnection};

/// A connection to whichever backend the configuration names. Queries are written once, against this.
#[derive(diesel::MultiConnection)]
pub enum Db {
    /// An SQLite file or memory.
    Sqlite(SqliteConnection),
    /// A PostgreSQL server.
    Postgres(PgConnection),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Db::Sqlite",
            Self::Postgres(_) => "Db::Postgres",
        })
    }
}
