//! The rules for named servers and for what is asked of a server (rest-api.md 4.6, "named checks").

use serde_json::Value;

use super::Found;
use crate::domain::names::{ServerKey, ServerName};
use crate::domain::slug::DisplayName;
use crate::domain::user_options::{OptionsError, ServerBody};
use crate::web::error::Refused;
use crate::web::state::Hub;

/// What a request asks of a server, checked.
pub(super) struct Wanted {
    /// The name that people see; `None` keeps it.
    pub(super) display_name: Option<DisplayName>,
    /// The options; `None` keeps those of the last start.
    pub(super) options: Option<Value>,
}

impl Wanted {
    pub(super) fn read(body: Result<ServerBody, OptionsError>) -> Result<Self, Refused> {
        let body = body.map_err(|wrong| Refused::bad(wrong.to_string()))?;
        let display_name = body.display_name.filter(|name| !name.is_empty());
        Ok(Self {
            display_name: display_name.as_deref().map(shown).transpose()?,
            options: body.user_options.map(Value::Object),
        })
    }
}

/// A display name that may be stored.
pub(super) fn shown(name: &str) -> Result<DisplayName, Refused> {
    DisplayName::parse(name).map_err(|wrong| Refused::bad(wrong.to_string()))
}

/// Whether a server of this name may be used, or made if there is none; the default server always may.
pub(super) fn check(hub: &Hub, key: &ServerKey, found: &Found) -> Result<(), Refused> {
    if key.server.is_default() {
        return Ok(());
    }
    check_enabled(hub)?;
    if found.row.is_some() {
        return hub.settings.refused_name(&key.server).map_or(Ok(()), |why| Err(Refused::bad(why)));
    }
    check_limit(hub, found)?;
    check_name(key.server.as_str()).map(drop)
}

pub(super) fn check_enabled(hub: &Hub) -> Result<(), Refused> {
    if hub.settings.named_servers { Ok(()) } else { Err(Refused::bad("Named servers are not enabled.")) }
}

pub(super) fn check_limit(hub: &Hub, found: &Found) -> Result<(), Refused> {
    let most = hub.settings.named_server_limit(found.owner.admin);
    if most == 0 || found.named < usize::try_from(most).unwrap_or(usize::MAX) {
        return Ok(());
    }
    Err(Refused::bad(format!(
        "User {} already has the maximum of {most} named servers. One must be deleted before a new server can be created",
        found.owner.name
    )))
}

pub(super) fn check_name(name: &str) -> Result<ServerName, Refused> {
    ServerName::parse_new(name).map_err(|wrong| Refused::bad(wrong.to_string()))
}
