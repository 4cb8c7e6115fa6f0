//! `home`: the visitor's servers.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{TimeDelta, Utc};

use super::failure;
use super::target::links;
use super::visitor::SignedIn;
use crate::domain::culling::{Policy, spoken};
use crate::domain::names::{GroupName, ServerKey, ServerName, Username};
use crate::domain::timestamp;
use crate::store::servers::{self, Server};
use crate::store::{StoreError, users};
use crate::web::error::PageError;
use crate::web::render::pages::{HomePage, HomeServer};
use crate::web::state::Hub;

/// Shows them.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let owner = visitor.id;
    let read = hub.store.read(move |db| {
        let admin = users::find_by_id(db, owner)?.is_some_and(|user| user.admin);
        Ok::<_, StoreError>((admin, servers::of_user(db, owner)?, users::groups_of(db, owner)?))
    });
    let (admin, mut rows, groups) = read.await?;
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    let (default, named): (Vec<Server>, Vec<Server>) =
        rows.into_iter().partition(|server| server.name.is_default());
    let settings = &hub.settings;
    let invalid = named.iter().filter(|server| ServerName::parse_new(server.name.as_str()).is_err());
    let page = HomePage {
        user_api_url: hub.path(&format!("api/users/{}", visitor.name.escaped())),
        invalid_server_names: invalid.map(|server| server.name.to_string()).collect(),
        default_server: entry(&hub, &visitor.name, ServerName::default_server(), default.first(), &groups),
        named_servers: named
            .iter()
            .map(|server| entry(&hub, &visitor.name, server.name.clone(), Some(server), &groups))
            .collect(),
        allow_named_servers: settings.named_servers,
        named_server_limit_per_user: settings.named_server_limit(admin),
    };
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

fn entry(
    hub: &Hub,
    owner: &Username,
    name: ServerName,
    row: Option<&Server>,
    groups: &[GroupName],
) -> HomeServer {
    let key = ServerKey::new(owner.clone(), name);
    let status = hub.servers.status(&key);
    let warned_from = hub
        .servers
        .culling()
        .and_then(|policy| TimeDelta::from_std(policy.warning).ok())
        .and_then(|warning| Utc::now().checked_add_signed(warning));
    let cull_at = row.and_then(|row| hub.servers.cull_at(row, &status, groups));
    let cull_at = cull_at.filter(|at| warned_from.is_some_and(|from| *at <= from));
    // one that goes because of its age is not helped by being kept
    let is_helped = |policy: &Policy| {
        let kept = row.map(|row| Server { keep_until: policy.longest_keep(Utc::now()), ..row.clone() });
        kept.is_some_and(|kept| hub.servers.cull_at(&kept, &status, groups) > cull_at)
    };
    let keeping = hub.servers.culling().filter(|policy| cull_at.is_some() && is_helped(policy));
    HomeServer {
        name: key.server.to_string(),
        display_name: row.map(|server| server.display_name.clone()).unwrap_or_default(),
        state: failure::state(&status),
        links: links(hub, &key),
        last_activity: row.and_then(|server| server.last_activity).map(timestamp::format),
        failure: failure::of(&status),
        cull_at: cull_at.map(timestamp::format),
        keep_for: keeping.map(|policy| spoken(policy.max_keep)),
    }
}
