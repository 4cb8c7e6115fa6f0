//! How servers are started, as `[spawner]` and `[auth]` say.

use std::collections::BTreeSet;

use super::AppError;
use crate::config::Config;
use crate::config::spawner::{ServerEnvironment, SpawnerConfig, SpawnerType, Transport};
use crate::domain::allow::AllowRules;
use crate::privileged::{Launcher, policy};
use crate::spawn::{self, AccountRule, LocalOptions, LocalSpawner, SimpleSpawner, Spawner};

/// The spawner of this configuration.
pub(super) fn of(config: &Config, launcher: Launcher) -> Spawner {
    match config.spawner.r#type {
        SpawnerType::Local => Spawner::Local(LocalSpawner::new(launcher)),
        SpawnerType::Simple | SpawnerType::Command => Spawner::Simple(SimpleSpawner::new(
            config.server_log_dir(),
            &config.spawner.simple.home_dir_template,
        )),
    }
}

/// What every start has in common; the limits follow with the rest of what may vary.
pub(super) fn local_options(config: &Config) -> Result<LocalOptions, AppError> {
    let spawner = &config.spawner;
    let local = &spawner.local;
    Ok(LocalOptions {
        transport: match (spawner.r#type, spawner.transport) {
            (SpawnerType::Local, None | Some(Transport::Unix)) => spawn::Transport::Unix,
            _ => spawn::Transport::Tcp,
        },
        socket_arguments: local.socket_args.clone(),
        folder: local.cwd.to_string_lossy().into_owned(),
        shell: local.shell_cmd.clone(),
        login_shell: local.shell || local.environment == ServerEnvironment::Login,
        umask: local.umask.map(|umask| umask.0),
        accounts: accounts(config)?,
        ..LocalOptions::default()
    })
}

fn accounts(config: &Config) -> Result<AccountRule, AppError> {
    let auth = &config.auth;
    let rules = AllowRules::new(&crate::auth::allow_settings(auth)).map_err(crate::auth::AuthError::from)?;
    Ok(AccountRule::new(auth.local.allowed_groups.clone(), rules))
}

/// Tells the operator once what the policy will not let through.
pub(super) async fn compare_with_policy(spawner: &SpawnerConfig, hub: impl Fn(&str) -> bool) {
    if spawner.r#type != SpawnerType::Local {
        return;
    }
    let known = policy::read().await;
    let Some(policy) = known.policy() else {
        return log::error!(problem:? = known; "no server can be started: /etc/orrery/launch.policy cannot be used");
    };
    missing_program(spawner, &policy.commands);
    let refused = |name: &&String| !policy.admits_variable(name);
    let configured: Vec<&str> = spawner.environment.keys().filter(refused).map(String::as_str).collect();
    if !configured.is_empty() {
        log::error!(variables:? = configured; "no server can be started: spawner.environment sets variables that `environment` in /etc/orrery/launch.policy does not name");
    }
    let usual: BTreeSet<String> = SpawnerConfig::default().env_keep.into_iter().collect();
    let wanted = spawner.env_keep.iter().filter(|name| !usual.contains(*name) && hub(name));
    let dropped: Vec<&str> = wanted.filter(refused).map(String::as_str).collect();
    if !dropped.is_empty() {
        log::warn!(variables:? = dropped; "servers do not get variables of spawner.env_keep that `environment` in /etc/orrery/launch.policy does not name");
    }
}

/// A fresh installation has no JupyterLab yet.
fn missing_program(spawner: &SpawnerConfig, permitted: &[String]) {
    let Some(name) = spawner.cmd.first().filter(|name| name.contains("singleuser") && !name.contains('/')) else {
        return;
    };
    let places = permitted.iter().filter(|place| place.rsplit('/').next() == Some(name));
    let places: Vec<&str> = places.map(String::as_str).collect();
    if !places.is_empty() && !places.iter().any(|place| std::path::Path::new(place).exists()) {
        log::warn!(places:? = places; "there is no JupyterLab to start yet: `sudo orrery user-env create` installs it for everybody");
    }
}
