//! Rules of `[spawner]` between its own keys: what groups and options may change, what hooks there may be.

use crate::config::load::Report;
use crate::config::setting::Key;
use crate::config::spawner::SpawnerConfig;
use crate::config::spawner::variant::{Variant, check_target};
use crate::domain::names::GroupName;

/// Keys that let whoever sets them run or reach what they like.
const POWERFUL: [&str; 6] =
    ["args", "cmd", "env_keep", "environment", "hub_connect_url", "server_token_scopes"];

/// Checks what makes starts different from each other.
pub(super) fn check(spawner: &SpawnerConfig, report: &mut Report) {
    for (name, wanted) in &spawner.group_overrides {
        let key = Key::new(["spawner", "group_overrides", name]);
        for error in wanted.groups.iter().filter_map(|group| GroupName::parse(group).err()) {
            report.wrong(key.child("groups"), error.to_string());
        }
        if let Err(wrong) = Variant::of(spawner).merge(&wanted.r#override) {
            report.wrong(key.child("override"), wrong.to_string());
        }
    }
    for (option, target) in &spawner.user_options {
        if let Err(wrong) = check_target(target) {
            report.wrong(Key::new(["spawner", "user_options", option]), wrong.to_string());
        }
        if POWERFUL.contains(&target.as_str()) {
            report.warn(format!(
                "`spawner.user_options.{option}`: users choose `{target}` as they like; is that meant?"
            ));
        }
    }
    if spawner.hooks.progress.as_ref().is_some_and(|hook| hook.command.is_empty()) {
        report.wrong_at(
            "spawner.hooks.progress",
            "must be a `command`: it tells how a start goes line by line",
        );
    }
}
