//! `[hub.limits]` for the actor that decides who may start.

use crate::config::hub::{LimitsConfig, WhenFull};
use crate::domain::admission::{self, GroupLimits, Limits};
use crate::domain::names::GroupName;

pub(super) fn of(config: &LimitsConfig) -> Limits {
    let [low, high] = config.retry_after;
    let groups = config.groups.iter().map(|(name, limits)| {
        let limits = GroupLimits {
            starting: limits.concurrent_spawns,
            active: limits.active_servers,
            active_per_user: limits.active_servers_per_user,
        };
        (GroupName::from_stored(name.as_str()), limits)
    });
    Limits {
        starting: config.concurrent_spawns,
        active: config.active_servers,
        active_per_user: config.active_servers_per_user,
        groups: groups.collect(),
        retry_after: (low, high),
        when_full: match config.when_full {
            WhenFull::Reject => admission::WhenFull::Reject,
            WhenFull::Queue => admission::WhenFull::Queue,
        },
    }
}
