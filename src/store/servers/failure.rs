//! Why a server failed the last time. The lines that its process wrote are kept apart: lists of servers do not need them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::ids::ServerId;
use crate::domain::server_state::Failure;
use crate::store::schema::servers;
use crate::store::{Db, StoreError, columns};

/// Why a server's last start failed, or why it ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// Why; without the lines that the process wrote, see [`last_failure_log`].
    #[serde(flatten)]
    pub failure: Failure,
    /// When.
    pub at: DateTime<Utc>,
}

/// Records why the server failed, in place of what was recorded before.
///
/// # Errors
/// If the query fails.
pub fn set_last_failure(
    db: &mut Db,
    id: ServerId,
    failure: &Failure,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let log = json!(failure.last_lines).to_string();
    let short = Failure { last_lines: Vec::new(), ..failure.clone() };
    let short = json!(LastFailure { failure: short, at }).to_string();
    diesel::update(servers::table.find(id.0))
        .set((servers::last_failure.eq(short), servers::last_failure_log.eq(log)))
        .execute(db)?;
    Ok(())
}

/// The last lines that the process wrote before the last failure.
///
/// # Errors
/// If the query fails.
pub fn last_failure_log(db: &mut Db, id: ServerId) -> Result<Vec<String>, StoreError> {
    let log: Option<columns::List> =
        servers::table.find(id.0).select(servers::last_failure_log).first(db).optional()?;
    Ok(columns::items(log.flatten()))
}
