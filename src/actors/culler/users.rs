//! Users who were not seen for long and have no server that runs.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use log::info;
use serde_json::json;

use super::{CULLER, CullerSettings};
use crate::actors::removal;
use crate::actors::supervision::Supervision;
use crate::domain::names::{ServerKey, Username};
use crate::domain::timestamp;
use crate::store::{StoreError, users};

/// How many are deleted in a round; the next round goes on.
const A_ROUND: i64 = 500;

/// Deletes users who are due, but for those who have a server by now, or were seen meanwhile.
pub(super) async fn cull(
    parts: &Arc<Supervision>,
    settings: &CullerSettings,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let before = |limit| {
        let limit = TimeDelta::from_std(limit).ok().filter(|limit| !limit.is_zero());
        limit.and_then(|limit| now.checked_sub_signed(limit))
    };
    let due = users::Unused {
        idle_since: before(settings.policy.timeout),
        created_before: before(settings.policy.max_age),
        admins: settings.admins,
    };
    let found = parts.store.read(move |db| users::unused(db, due, A_ROUND)).await?;
    // those whose servers just stop or start are left for the next round
    let busy: HashSet<Username> =
        parts.directory.select(|status| status.is_active()).into_iter().map(|key| key.user).collect();
    for user in found.into_iter().filter(|user| !busy.contains(&user.name)) {
        let (id, seen, directory) = (user.id, user.last_activity, parts.directory.clone());
        let gone = parts.store.write(move |db| {
            let seen_since = users::find_by_id(db, id)?.is_none_or(|user| user.last_activity != seen);
            if seen_since { Ok(None) } else { removal::user(db, &directory, id) }
        });
        let Some(rows) = gone.await? else { continue };
        for server in rows {
            parts.directory.remove(&ServerKey::new(user.name.clone(), server.name));
        }
        info!(user:% = user.name; "a user is culled");
        parts.metrics.culled("user");
        let detail = json!({ "last_activity": user.last_activity.map(timestamp::format) });
        parts.journal.record(CULLER, "user.cull", &format!("user:{}", user.name), Some(detail));
    }
    Ok(())
}
