//! `[database]`: where everything is stored.

use std::path::PathBuf;
use std::time::Duration;

use config::{Value, ValueKind};
use serde_json::Value as Json;

use super::setting::{Key, Problem, Setting, Shape, section};
use crate::secret::Secret;

section! {
    /// `[database]`: where users, servers and tokens are stored.
    pub struct DatabaseConfig {
        /// The database: `sqlite:///file`, a file name, or `postgresql://user:password@host/name`.
        pub url: Secret as DatabaseUrl = Secret::new("sqlite:///orrery.sqlite"),
        /// Connections that are open at the same time.
        pub pool_size: u32 = 5,
        /// How long to wait for a free connection.
        pub connect_timeout: Duration = Duration::from_secs(30),
        /// How long to wait while another process writes to a SQLite database.
        pub busy_timeout: Duration = Duration::from_secs(10),
        /// Replaces connections of this age; 0 never does.
        pub pool_recycle: Duration = Duration::ZERO,
        /// Upgrades the database's schema at the start of the hub.
        pub upgrade_on_start: bool = false,
        /// Copies of a SQLite file that were made before upgrades and are kept, at least 1; older ones are deleted.
        pub backups: u32 = 5,
        /// Deletes everything that the hub stored, at each start of it.
        pub reset: bool = false,
        /// Logs all statements, without the values in them.
        pub log_statements: bool = false,
    }
}

/// What `database.url` names.
#[derive(Debug, Clone)]
pub enum Database {
    /// A SQLite database that ends with the process.
    Memory,
    /// A SQLite file; relative to the current directory.
    Sqlite(PathBuf),
    /// PostgreSQL; a URL that libpq understands. It may hold a password.
    Postgres(Secret),
}

impl DatabaseConfig {
    /// What the URL names (CFG-035). SQLAlchemy's spellings are understood.
    ///
    /// # Errors
    /// If it names nothing that is supported; the text says what is.
    pub fn target(&self) -> Result<Database, String> {
        let url = self.url.expose();
        let Some((scheme, rest)) = url.split_once("://") else {
            return Ok(file(url));
        };
        match scheme.split('+').next().unwrap_or_default() {
            // sqlite:///relative.sqlite, sqlite:////absolute.sqlite: the host between the slashes is empty
            "sqlite" => match rest.strip_prefix('/') {
                Some(path) => Ok(file(path)),
                None if rest.is_empty() => Ok(Database::Memory),
                None => {
                    Err("a SQLite file is written sqlite:///relative.sqlite or sqlite:////absolute.sqlite"
                        .into())
                }
            },
            "postgresql" | "postgres" => Ok(Database::Postgres(Secret::new(format!("postgresql://{rest}")))),
            "mysql" | "mariadb" => {
                Err("MySQL and MariaDB are not supported; use SQLite or PostgreSQL".to_owned())
            }
            other => {
                Err(format!("{other:?} is no database that is supported; use sqlite:// or postgresql://"))
            }
        }
    }
}

fn file(path: &str) -> Database {
    if path.is_empty() || path == ":memory:" { Database::Memory } else { Database::Sqlite(path.into()) }
}

/// A URL whose password is not shown (CFG-036).
pub struct DatabaseUrl;

impl Setting for DatabaseUrl {
    type Value = Secret;

    fn shape() -> Shape {
        Shape::Secret
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Secret> {
        match &value.kind {
            ValueKind::String(url) if url.is_empty() => {
                problems.push(Problem::at(
                    value,
                    at,
                    "expected a database URL or a file name, not an empty text",
                ));
                None
            }
            _ => Secret::read(value, at, problems),
        }
    }

    fn show(url: &Secret) -> Json {
        redact_password(url.expose()).into()
    }

    fn print(url: &Secret) -> Json {
        Secret::print(url)
    }
}

/// A URL with `***` in place of a password, also of one in the query.
#[must_use]
pub fn redact_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, query)) if query.contains("password") => format!("{path}?***"),
        _ => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Database, String> {
        DatabaseConfig { url: Secret::new(url), ..DatabaseConfig::default() }.target()
    }

    #[test]
    fn cfg_035_spellings_of_sqlite() {
        let rows = [
            ("hub.sqlite", "hub.sqlite"),
            ("/var/lib/hub.sqlite", "/var/lib/hub.sqlite"),
            ("sqlite:///hub.sqlite", "hub.sqlite"),
            ("sqlite:////var/lib/hub.sqlite", "/var/lib/hub.sqlite"),
            ("sqlite+pysqlite:///hub.sqlite", "hub.sqlite"),
        ];
        for (url, path) in rows {
            let Ok(Database::Sqlite(found)) = target(url) else { panic!("{url}") };
            assert_eq!(found, PathBuf::from(path), "{url}");
        }
        for url in ["sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:"] {
            assert!(matches!(target(url), Ok(Database::Memory)), "{url}");
        }
        assert!(target("sqlite://hub.sqlite").is_err());
    }

    #[test]
    fn cfg_035_spellings_of_postgresql() {
        for scheme in ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg"] {
            let Ok(Database::Postgres(url)) = target(&format!("{scheme}://u:p@db/hub")) else {
                panic!("{scheme}")
            };
            assert_eq!(url.expose(), "postgresql://u:p@db/hub");
        }
    }

    #[test]
    fn cfg_035_other_databases_are_refused_by_name() {
        assert!(target("mysql+pymysql://u@db/hub").unwrap_err().contains("MySQL"));
        assert!(target("oracle://x").unwrap_err().contains("\"oracle\""));
    }

    #[test]
    fn cfg_036_passwords_are_not_shown() {
        let rows = [
            ("postgresql://u:s3cret@db/hub", "postgresql://u:***@db/hub"),
            (
                "postgresql://u:s3@cret@db:5432/hub?sslmode=require",
                "postgresql://u:***@db:5432/hub?sslmode=require",
            ),
            ("postgresql://db/hub?user=u&password=s3cret", "postgresql://db/hub?***"),
            ("postgresql://u@db/hub", "postgresql://u@db/hub"),
            ("sqlite:///hub.sqlite", "sqlite:///hub.sqlite"),
        ];
        for (url, shown) in rows {
            assert_eq!(redact_password(url), shown);
        }
    }
}
