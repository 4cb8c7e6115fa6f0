//! Rules of `[spawner]` between its own keys: what groups and options may change, what hooks there may be.

use crate::config::load::Report;
use crate::config::setting::Key;
use crate::config::spawner::variant::{Variant, check_target};
use crate::config::spawner::{ServerEnvironment, SpawnerConfig, SpawnerType, Transport};
use crate::domain::names::GroupName;

/// Keys that let whoever sets them run or reach what they like.
const POWERFUL: [&str; 6] =
    ["args", "cmd", "env_keep", "environment", "hub_connect_url", "server_token_scopes"];

/// Checks what makes starts different from each other, and what is special about processes of this machine.
pub(super) fn check(spawner: &SpawnerConfig, report: &mut Report) {
    local(spawner, report);
    super::profiles::check(spawner, report);
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

fn local(spawner: &SpawnerConfig, report: &mut Report) {
    let local = &spawner.local;
    if !local.cwd.as_os_str().is_empty() && !local.cwd.is_absolute() {
        report.wrong_at("spawner.local.cwd", "expected a path that begins with a slash");
    }
    if local.umask.is_some_and(|umask| umask.0 > 0o777) {
        report.wrong_at("spawner.local.umask", "expected a umask from 0000 to 0777");
    }
    let socket = local.socket_args.iter().any(|argument| argument.contains("{socket}"));
    let listens_on_one = spawner.transport != Some(Transport::Tcp);
    if spawner.r#type == SpawnerType::Local && listens_on_one && !socket {
        let problem = "one argument must hold {socket}, or the server does not learn where it is to listen";
        report.wrong_at("spawner.local.socket_args", problem);
    }
    if spawner.r#type != SpawnerType::Local {
        only_local(spawner, report);
    }
}

/// What only works for servers that run as their users.
fn only_local(spawner: &SpawnerConfig, report: &mut Report) {
    let local = &spawner.local;
    let kind = spawner.r#type.as_str();
    let chosen = [
        ("spawner.transport", spawner.transport == Some(Transport::Unix)),
        ("spawner.local.umask", local.umask.is_some()),
        ("spawner.local.environment", local.environment != ServerEnvironment::Clean),
        ("spawner.local.shell", local.shell),
    ];
    for (key, _) in chosen.into_iter().filter(|(_, chosen)| *chosen) {
        report.wrong_at(key, format!("this needs spawner.type = \"local\", not \"{kind}\""));
    }
}
