//! Each test starts a hub on one or several configurations after each other, over one database, and looks at the rows.

mod idempotence;
mod people;
mod programs;
mod roles;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{BootstrapError, Synchronised, synchronise};
use crate::config::{self, Config, ConfigError, Sources};
use crate::domain::allow::{AllowRules, AllowSettings};
use crate::domain::names::{GroupName, Username};
use crate::store::roles::{self as role_rows, Bearer};
use crate::store::services::{self as service_rows, Service};
use crate::store::tokens::{self as token_rows, Token, TokenOwner};
use crate::store::users::{self as user_rows, NewUser, User};
use crate::store::{Db, OpenMode, Store, StoreConfig, StoreError, groups as group_rows};

/// A database that hubs are started over.
struct Database {
    store: Store,
    runtime: tokio::runtime::Runtime,
}

impl Database {
    fn new() -> Self {
        let config = StoreConfig {
            url: ":memory:".into(),
            pool_size: 1,
            busy_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            ..StoreConfig::default()
        };
        let store = Store::open(&config, OpenMode::CreateOrCurrent).unwrap();
        Self { store, runtime: tokio::runtime::Builder::new_current_thread().build().unwrap() }
    }

    /// A database on which a hub with this configuration has been started.
    fn started(text: &str) -> Self {
        let database = Self::new();
        database.start(text);
        database
    }

    fn start(&self, text: &str) -> Synchronised {
        self.try_start(&configuration(text).unwrap()).unwrap()
    }

    fn try_start(&self, config: &Config) -> Result<Synchronised, BootstrapError> {
        self.runtime.block_on(synchronise(&self.store, config, &rules(config)))
    }

    /// What a start says that fails.
    fn refused(&self, text: &str) -> String {
        self.try_start(&configuration(text).unwrap()).unwrap_err().to_string()
    }

    fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.store.write(f)).unwrap()
    }

    fn user(&self, name: &str) -> Option<User> {
        let name = Username::from_stored(name);
        self.write(move |db| user_rows::find(db, &name))
    }

    /// A user who was made before the hub started, as an import does.
    fn make_user(&self, name: &str, admin: bool) -> User {
        let new = NewUser {
            name: Username::from_stored(name),
            admin,
            created: chrono::Utc::now(),
            cookie_id: format!("cookie-{name}"),
        };
        self.write(move |db| user_rows::create(db, &new))
    }

    /// The names of the roles that a user bears, in one text.
    fn roles_of(&self, user: &str) -> String {
        let id = self.user(user).unwrap().id;
        self.roles_of_bearer(Bearer::User(id))
    }

    fn roles_of_bearer(&self, bearer: Bearer) -> String {
        let roles = self.write(move |db| role_rows::of_bearer(db, bearer));
        roles.into_iter().map(|role| role.name).collect::<Vec<_>>().join(" ")
    }

    fn role(&self, name: &'static str) -> Option<role_rows::Role> {
        self.write(move |db| role_rows::find(db, name))
    }

    fn group(&self, name: &str) -> Option<group_rows::GroupDetails> {
        let name = GroupName::from_stored(name);
        self.write(move |db| {
            let found = group_rows::find(db, &name)?;
            Ok(group_rows::details(db, found.into_iter().collect())?.pop())
        })
    }

    fn service(&self, name: &'static str) -> Option<Service> {
        self.write(move |db| service_rows::find(db, name))
    }

    fn roles_of_service(&self, name: &'static str) -> String {
        let id = self.service(name).unwrap().id;
        self.roles_of_bearer(Bearer::Service(id))
    }

    fn tokens_of_service(&self, name: &'static str) -> Vec<Token> {
        let owner = TokenOwner::Service(self.service(name).unwrap().id);
        self.write(move |db| token_rows::of_owner(db, owner, chrono::Utc::now()))
    }
}

/// The configuration that the text means.
fn configuration(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orrery.toml"), text).unwrap();
    let directory = folder.path().to_owned();
    Ok(config::read(&Sources { directory, ..Sources::default() })?.config)
}

fn rules(config: &Config) -> AllowRules {
    let auth = &config.auth;
    let settings = AllowSettings {
        allow_all: auth.allow_all,
        allowed_users: auth.allowed_users.iter().cloned().collect(),
        allow_existing_users: Some(auth.allow_existing_users),
        blocked_users: auth.blocked_users.iter().cloned().collect(),
        admin_users: auth.admin_users.iter().cloned().collect(),
        username_map: auth.username_map.clone(),
        username_pattern: auth.username_pattern.clone(),
        ..AllowSettings::default()
    };
    AllowRules::new(&settings).unwrap()
}

/// Whether one of the warnings says all of `parts`.
fn warns(start: &Synchronised, parts: &[&str]) -> bool {
    start.warnings.iter().any(|warning| parts.iter().all(|part| warning.contains(part)))
}

/// Every row of every table, as text; time stamps and salts among them.
fn dump(database: &Database) -> BTreeMap<String, Vec<String>> {
    database.write(|db| {
        let Db::Sqlite(connection) = db else { unreachable!("these tests run in memory") };
        Ok(lines(
            connection,
            "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        )
        .into_iter()
        .map(|table| {
            let columns = format!("SELECT 'quote(' || name || ')' AS line FROM pragma_table_info('{table}')");
            let row = lines(connection, &columns).join(" || ',' || ");
            let rows = lines(connection, &format!("SELECT {row} AS line FROM {table} ORDER BY 1"));
            (table, rows)
        })
        .collect())
    })
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

fn lines(connection: &mut diesel::SqliteConnection, sql: &str) -> Vec<String> {
    use diesel::RunQueryDsl;
    let rows: Vec<Line> = diesel::sql_query(sql).load(connection).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}
