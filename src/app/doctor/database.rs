//! The database: can it be reached, and are its tables those of this program?

use super::Finding;
use crate::app::parts;
use crate::app::upkeep::{schema_state, way_back};
use crate::config::Config;
use crate::config::database::Database;

const CHECK: &str = "database";

pub(super) fn examine(config: &Config) -> Finding {
    if let Ok(Database::Memory) = config.database.target() {
        let found = "it is in memory: users, servers and tokens are forgotten when the hub ends";
        return Finding::warning(CHECK, found, "set database.url to a file or to PostgreSQL");
    }
    if let Err(wrong) = parts::store(config) {
        return Finding::wrong(CHECK, wrong.to_string(), "correct database.url");
    }
    match schema_state(config) {
        Err(failed) => {
            Finding::wrong(CHECK, failed.to_string(), "check database.url, and that the database runs")
        }
        Ok(state) if !state.unknown.is_empty() => {
            let found = format!("a newer Orrery has used it (it has {})", state.unknown.join(", "));
            let copy = way_back(config, &state);
            let copy = copy.map_or_else(|| "FILE".to_owned(), |copy| copy.display().to_string());
            let advice = format!(
                "install that version, or go back to the copy made before the upgrade: `orrery db restore {copy}`"
            );
            Finding::wrong(CHECK, found, advice)
        }
        Ok(state) if state.applied.is_empty() => {
            Finding::ok(CHECK, "it can be reached and is empty; the hub makes its tables")
        }
        Ok(state) if !state.pending.is_empty() => {
            let found =
                format!("its tables are older than this program ({} missing)", state.pending.join(", "));
            Finding::wrong(CHECK, found, "run `orrery db migrate`, or set database.upgrade_on_start")
        }
        Ok(state) => {
            let last = state.applied.last().cloned().unwrap_or_default();
            Finding::ok(CHECK, format!("it can be reached, and its tables are up to date ({last})"))
        }
    }
}
