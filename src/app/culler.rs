//! `[culler]` for the actor that does it.

use std::sync::Arc;

use super::AppError;
use crate::actors::culler::CullerSettings;
use crate::config::Config;
use crate::domain::culling::{Limits, Policy};
use crate::domain::names::GroupName;
use crate::hooks::{Hook, Turns};

/// The culler's settings; `None` if it is switched off.
pub(super) fn settings(config: &Config) -> Result<Option<Arc<CullerSettings>>, AppError> {
    let culler = &config.culler;
    if !culler.enabled {
        return Ok(None);
    }
    let refused = |reason: String| AppError::Setting { key: "culler.hook", reason };
    let hook = culler.hook.as_ref().map(|hook| Hook::new("culler.hook", hook, &Turns::default()));
    let limits = culler.groups.iter().map(|(name, limits)| {
        let limits = Limits { timeout: limits.timeout, max_age: limits.max_age };
        (GroupName::from_stored(name.clone()), limits)
    });
    Ok(Some(Arc::new(CullerSettings {
        policy: Arc::new(Policy {
            timeout: culler.timeout,
            max_age: culler.max_age,
            default_servers: culler.cull_default_servers,
            named_servers: culler.cull_named_servers,
            groups: limits.collect(),
            warning: culler.warning,
            max_keep: culler.max_keep,
        }),
        interval: culler.interval,
        users: culler.cull_users,
        admins: culler.cull_admin_users,
        remove_named: culler.remove_named_servers,
        concurrency: usize::try_from(culler.concurrency).unwrap_or(usize::MAX),
        ask_kernels: culler.ask_kernels,
        cpu_threshold: culler.cpu_threshold,
        hook: hook.transpose().map_err(|wrong| refused(wrong.to_string()))?,
    })))
}
