//! `hub.named_servers.invalid_names = "autorename"`: servers whose names today's rules refuse get names that they allow
//! (LIFE-036). Happens once, before anybody can start one.

use log::{error, info};

use super::AppError;
use crate::domain::names::{ServerKey, ServerName};
use crate::domain::slug::{SlugHash, slug};
use crate::store::{Db, Store, StoreError, servers};

/// Gives every stopped server with an invalid name a new one; the old one is what people see.
///
/// # Errors
/// If such a server has a display name already, which no rule explains, or the database fails.
pub(super) async fn invalid_names(store: &Store) -> Result<(), AppError> {
    let refused = store.write(rename_all).await?;
    match refused {
        None => Ok(()),
        Some(key) => Err(AppError::Setting {
            key: "hub.named_servers.invalid_names",
            reason: format!(
                "the server {} has an invalid name and a display name, so it cannot be renamed without losing one of them; \
                 rename or delete it first, or set \"allow-start\"",
                key.log_name()
            ),
        }),
    }
}

/// The first server that must not be renamed, if there is one; then nothing has changed.
fn rename_all(db: &mut Db) -> Result<Option<ServerKey>, StoreError> {
    let all = servers::named(db)?;
    let invalid: Vec<_> =
        all.into_iter().filter(|(_, server)| ServerName::parse_new(server.name.as_str()).is_err()).collect();
    let has_other_name = |server: &servers::Server| {
        !server.display_name.is_empty() && server.display_name != server.name.as_str()
    };
    if let Some((user, server)) = invalid.iter().find(|(_, server)| has_other_name(server)) {
        return Ok(Some(ServerKey::new(user.clone(), server.name.clone())));
    }
    for (user, server) in invalid {
        let key = ServerKey::new(user, server.name.clone());
        if server.address.is_some() {
            error!(server:? = key; "a running server keeps its invalid name until the hub starts without it running");
            continue;
        }
        match free_name(db, &server)? {
            Some(name) => {
                servers::set_display_name(db, server.id, server.name.as_str())?;
                servers::rename(db, server.id, &name)?;
                info!(server:? = key, name = name.as_str(); "a server with an invalid name is renamed");
            }
            None => error!(server:? = key; "no valid name is free for a server with an invalid one"),
        }
    }
    Ok(None)
}

fn free_name(db: &mut Db, server: &servers::Server) -> Result<Option<ServerName>, StoreError> {
    for hash in [SlugHash::Without, SlugHash::With] {
        let name = ServerName::from_stored(slug(server.name.as_str(), hash));
        if servers::find(db, server.user_id, &name)?.is_none() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::domain::names::Username;
    use crate::store::{OpenMode, StoreConfig, users};

    fn store() -> Store {
        let limit = std::time::Duration::from_secs(30);
        let config = StoreConfig {
            url: ":memory:".to_owned(),
            pool_size: 1,
            busy_timeout: limit,
            connect_timeout: limit,
            ..StoreConfig::default()
        };
        Store::open(&config, OpenMode::CreateOrCurrent).unwrap()
    }

    async fn with(store: &Store, names: &'static [(&'static str, &'static str)]) {
        let made = store.write(move |db| {
            let name = Username::from_stored("ada");
            let new = users::NewUser { name, admin: false, created: Utc::now(), cookie_id: "c".repeat(32) };
            let user = users::create(db, &new)?;
            for (name, shown) in names {
                let server = servers::create(db, user.id, &ServerName::from_stored(*name))?;
                servers::set_display_name(db, server.id, shown)?;
                if *name == "RUNS" {
                    let (proto, base_url) = ("http".to_owned(), "/user/ada/RUNS/".to_owned());
                    let address = servers::Address { proto, ip: "127.0.0.1".to_owned(), port: 1, base_url };
                    servers::set_address(db, server.id, &address)?;
                }
            }
            Ok::<_, StoreError>(())
        });
        made.await.unwrap();
    }

    async fn names(store: &Store) -> Vec<(String, String)> {
        let all = store.read(servers::named).await.unwrap();
        all.into_iter().map(|(_, server)| (server.name.to_string(), server.display_name)).collect()
    }

    #[actix::test]
    async fn life_036_invalid_names_become_slugs_and_running_servers_keep_theirs() {
        let store = store();
        with(&store, &[("a-b-c", ""), ("A.b.C", ""), ("1abc", "1abc"), ("RUNS", ""), ("fine", "Fine")]).await;
        invalid_names(&store).await.unwrap();
        let hashed = slug("A.b.C", SlugHash::With);
        let expected =
            [("a-b-c", ""), (hashed.as_str(), "A.b.C"), ("x-1abc", "1abc"), ("RUNS", ""), ("fine", "Fine")];
        assert_eq!(names(&store).await, expected.map(|(name, shown)| (name.to_owned(), shown.to_owned())));
        invalid_names(&store).await.unwrap();
        assert_eq!(names(&store).await.len(), 5);
    }

    #[actix::test]
    async fn life_036_an_invalid_name_with_a_display_name_stops_the_hub_and_changes_nothing() {
        let store = store();
        with(&store, &[("Ab", ""), ("1abc", "My lab")]).await;
        let refused = invalid_names(&store).await.unwrap_err().to_string();
        assert!(refused.contains("ada:1abc"), "{refused}");
        assert_eq!(names(&store).await[0].0, "Ab");
    }
}
