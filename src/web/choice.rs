//! What may be started with which options: the same rules for the form, for links and for REST bodies.

use serde_json::Value;

use super::error::Refused;
use super::state::Hub;
use crate::domain::ids::UserId;
use crate::domain::names::GroupName;
use crate::domain::profiles::Unfit;
use crate::domain::user_options::Options;
use crate::store::users;

impl From<Unfit> for Refused {
    fn from(unfit: Unfit) -> Self {
        Self::bad(unfit.to_string())
    }
}

/// The groups of a server's owner, by which profiles are open.
///
/// # Errors
/// If the database fails.
pub async fn groups(hub: &Hub, owner: UserId) -> Result<Vec<GroupName>, Refused> {
    Ok(hub.store.read(move |db| users::groups_of(db, owner)).await?)
}

/// Options as they are kept: with profiles only what they offer, with the types that they have.
///
/// # Errors
/// [`Unfit`] for what no profile offers.
pub fn fitted(hub: &Hub, given: Options, groups: &[GroupName]) -> Result<Options, Unfit> {
    let profiles = &hub.settings.profiles;
    if profiles.is_empty() { Ok(given) } else { Ok(profiles.choose(&given, groups)?.options()) }
}

/// Options that are kept for a later start. None, and none at all, stay what they are.
///
/// # Errors
/// [`Unfit`] for what no profile offers.
pub fn kept(hub: &Hub, given: Option<Value>, groups: &[GroupName]) -> Result<Option<Value>, Unfit> {
    match given {
        Some(Value::Object(options)) if !options.is_empty() => {
            fitted(hub, options, groups).map(|options| Some(Value::Object(options)))
        }
        other => Ok(other),
    }
}

/// The options of a start for which `given` were asked: without any those of the last time, and at the first time what is
/// preset. None keeps what is kept.
///
/// # Errors
/// [`Unfit`] for what no profile offers, be it asked for or kept.
pub fn settled(
    hub: &Hub,
    given: Option<Value>,
    last: Option<&Value>,
    groups: &[GroupName],
) -> Result<Option<Value>, Unfit> {
    if hub.settings.profiles.is_empty() {
        return Ok(given);
    }
    let asked = given.as_ref().or(last).and_then(Value::as_object).cloned().unwrap_or_default();
    fitted(hub, asked, groups).map(|options| Some(Value::Object(options)))
}
