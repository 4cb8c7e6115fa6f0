//! What the home page shows of servers.

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::domain::culling::{Policy, spoken};
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, ServerKey, ServerName, Username};
use crate::domain::profiles::Profiles;
use crate::domain::timestamp;
use crate::domain::usage::Usage;
use crate::store::messages::{self, Message};
use crate::store::servers::{self, Server};
use crate::store::shares::{self, Grantee, Share, ShareFilter};
use crate::store::{Db, StoreError, users};
use crate::web::error::Refused;
use crate::web::pages::failure;
use crate::web::pages::messages as messages_page;
use crate::web::pages::spawn::options::has_form;
use crate::web::pages::target::links;
use crate::web::render::pages::{HomePage, HomeServer, ServerState, SharedServer, ShownOption, version};
use crate::web::state::Hub;

/// So many options of a server are shown; the form has all.
const OPTIONS: usize = 4;
/// So long may the value of one be.
const OPTION_CHARACTERS: usize = 60;
/// So many shared servers are shown.
const SHARED: i64 = 100;

struct Rows {
    admin: bool,
    servers: Vec<Server>,
    groups: Vec<GroupName>,
    shared: Vec<Share>,
    messages: Vec<Message>,
}

fn read(db: &mut Db, owner: UserId) -> Result<Rows, StoreError> {
    let now = Utc::now();
    Ok(Rows {
        admin: users::find_by_id(db, owner)?.is_some_and(|user| user.admin),
        servers: servers::of_user(db, owner)?,
        groups: users::groups_of(db, owner)?,
        shared: shares::page(db, ShareFilter::User(owner), now, 0, SHARED)?.items,
        messages: messages::of_user(db, owner, now)?,
    })
}

/// All of it, as of now.
///
/// # Errors
/// If the database fails.
pub(super) async fn of(hub: &Hub, owner: UserId, name: &Username) -> Result<HomePage, Refused> {
    let Rows { admin, servers: mut rows, groups, shared, messages } =
        hub.store.read(move |db| read(db, owner)).await?;
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    let (default, named): (Vec<Server>, Vec<Server>) =
        rows.into_iter().partition(|server| server.name.is_default());
    let invalid = named.iter().filter(|server| ServerName::parse_new(server.name.as_str()).is_err());
    let invalid = invalid.map(|server| server.name.to_string()).collect();
    let one = |name_of: ServerName, row: Option<&Server>| entry(hub, name, name_of, row, &groups);
    let mut named: Vec<_> = named.iter().map(|row| one(row.name.clone(), Some(row))).collect();
    named.sort_by_key(|server| !is_active(server.state));
    let mut page = HomePage {
        messages: messages.into_iter().map(messages_page::shown).collect(),
        user_api_url: hub.path(&format!("api/users/{}", name.escaped())),
        invalid_server_names: invalid,
        default_server: one(ServerName::default_server(), default.first()),
        named_servers: named,
        allow_named_servers: hub.settings.named_servers,
        named_server_limit_per_user: hub.settings.named_server_limit(admin),
        // what is shared with a group is shared with its owner too, who has it above
        shared_servers: { shared.iter().filter(|share| share.server.user != *name) }
            .map(|share| shared_server(hub, name, share))
            .collect(),
        sharing_url: None,
        version: String::new(),
    };
    page.version = version(&page);
    Ok(page)
}

fn is_active(state: ServerState) -> bool {
    matches!(state, ServerState::Starting | ServerState::Running | ServerState::Stopping)
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
    let failed_at = row.and_then(|row| row.last_failure.as_ref()).map(|failure| failure.at);
    let state = failure::state(&status);
    HomeServer {
        name: key.server.to_string(),
        display_name: row.map(|server| server.display_name.clone()).unwrap_or_default(),
        links: links(hub, &key),
        last_activity: row.and_then(|server| server.last_activity).map(timestamp::format),
        started: row.and_then(|row| row.started).filter(|_| is_active(state)).map(timestamp::format),
        step: status
            .progress
            .last()
            .map(|step| step.message.clone())
            .filter(|_| state == ServerState::Starting),
        options: row
            .and_then(|row| row.user_options.as_ref())
            .map(|chosen| options(&hub.settings.profiles, chosen))
            .unwrap_or_default(),
        has_last: has_form(hub) && row.is_some_and(was_chosen),
        failure: failure::of(&status).map(|failure| match state {
            ServerState::Failed => failure.happened(failed_at.map(timestamp::format)),
            _ => failure,
        }),
        cull_at: cull_at.map(timestamp::format),
        keep_for: keeping.map(|policy| spoken(policy.max_keep)),
        usage: status.usage.as_ref().and_then(Usage::in_short),
        usage_warning: status.usage.as_ref().and_then(Usage::warning),
        state,
    }
}

/// Whether there is a choice with which the server may start again.
fn was_chosen(row: &Server) -> bool {
    row.user_options.as_ref().and_then(Value::as_object).is_some_and(|chosen| !chosen.is_empty())
}

/// The words of the profile, or the first options that are plain texts, numbers or switches; forms send each as a list of one.
fn options(profiles: &Profiles, chosen: &Value) -> Vec<ShownOption> {
    let Some(chosen) = chosen.as_object() else { return Vec::new() };
    let described = profiles.described(chosen);
    if !described.is_empty() {
        let shown = described.into_iter().take(OPTIONS + 1);
        return shown.map(|(name, value)| ShownOption { name, value: brief(value) }).collect();
    }
    let shown = chosen.iter().filter_map(|(name, value)| {
        let value = plain(value).filter(|value| value != "")?;
        Some(ShownOption { name: Some(shortened(name)), value: brief(value) })
    });
    shown.take(OPTIONS).collect()
}

/// A text or a switch; `None` for what cannot be told in short.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) | Value::Bool(_) => Some(value.clone()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(|value| value.as_str()).collect();
            texts.map(|texts| texts.join(", ").into())
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn brief(value: Value) -> Value {
    match value {
        Value::String(text) => shortened(&text).into(),
        other => other,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(OPTION_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn shared_server(hub: &Hub, receiver: &Username, share: &Share) -> SharedServer {
    let key = &share.server;
    let own = matches!(share.grantee, Grantee::User(..));
    let (receiver, owner, server) = (receiver.escaped(), key.user.escaped(), key.server.escaped());
    SharedServer {
        owner: key.user.to_string(),
        name: key.server.to_string(),
        ready: hub.servers.status(key).ready,
        url: hub.servers.url(key),
        leave_url: own.then(|| hub.path(&format!("api/users/{receiver}/shared/{owner}/{server}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ui_039_options_are_shown_in_short() {
        let chosen = json!({
            "image": ["lab"], "memory": 4, "gpu": false, "nothing": null, "deep": {"a": 1}, "empty": "",
            "long": "x".repeat(200), "more": "not shown",
        });
        let shown: Vec<_> = options(&Profiles::default(), &chosen)
            .into_iter()
            .map(|option| (option.name.unwrap(), option.value))
            .collect();
        let long = json!(format!("{}…", "x".repeat(60)));
        let expected =
            [("image", json!("lab")), ("memory", json!("4")), ("gpu", json!(false)), ("long", long)];
        assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value)));
        assert!(options(&Profiles::default(), &json!("not an object")).is_empty());
    }
}
