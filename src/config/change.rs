//! How one configuration differs from another, and which keys a running hub cannot change.
//!
//! Secrets are compared by their digests and shown as `***` on both sides; so is everything in environments and what
//! an address says between `//` and `@`.

use serde_json::Value as Json;

use super::setting::{Key, Setting, field_name};
use super::{Config, ServiceConfig};
use crate::domain::reload::Change;

/// How long a value may be in a report.
const LONGEST: usize = 500;
/// What stands for a secret.
const HIDDEN: &str = "***";

/// Declares the keys that only a new start changes.
macro_rules! fixed {
    ($( $first:ident $(. $rest:ident)* ),+ $(,)?) => {
        /// The keys and tables that only a new start of the hub changes.
        #[must_use]
        pub fn fixed_keys() -> Vec<Key> {
            vec![ $( Key::new([field_name(stringify!($first)) $(, field_name(stringify!($rest)))*]) ),+ ]
        }

        /// Gives `wanted` what only a new start changes from `running`.
        fn keep_fixed(running: &Config, wanted: &mut Config) {
            $( wanted.$first$(.$rest)*.clone_from(&running.$first$(.$rest)*); )+
        }
    };
}

fixed! {
    database,
    events,
    journal,
    logging,
    proxy,
    tls,
    metrics.active_users,
    metrics.active_users_interval,
    metrics.loop_latency,
    metrics.loop_resolution,
    metrics.loop_log_threshold,
    metrics.compat_labels,
    hub.base_url,
    hub.public_url,
    hub.subdomain_host,
    hub.subdomain_strategy,
    hub.subdomain_template,
    hub.bind_url,
    hub.ip,
    hub.port,
    hub.advertise_url,
    hub.advertise_ip,
    hub.socket_mode,
    hub.trusted_proxies,
    hub.data_dir,
    hub.cookie_secret,
    hub.cookie_secret_file,
    hub.cookie_host_prefix,
    hub.csp_report_uri,
    hub.pid_file,
    hub.service_check_interval,
    hub.activity.interval,
    hub.tokens.purge_interval,
    hub.timeouts.init_servers,
    hub.http_client,
    auth.r#type,
    auth.remote_user,
    spawner.r#type,
    spawner.simple,
    spawner.log_dir,
    spawner.poll_interval,
    spawner.poll_jitter,
}

/// What differs between two configurations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Keys that a running hub can change.
    pub live: Vec<Change>,
    /// Keys that need a new start.
    pub fixed: Vec<Change>,
}

/// The configuration that `running` can become without a new start to be as close to `wanted` as possible, and what that
/// changes.
#[must_use]
pub fn become_like(running: &Config, wanted: &Config) -> (Config, Difference) {
    let mut target = wanted.clone();
    keep_fixed(running, &mut target);
    let live = changes(running, &target);
    let fixed = changes(&target, wanted);
    (target, Difference { live, fixed })
}

/// The services whose own table differs, or that only one of the two has.
#[must_use]
pub fn changed_services(before: &Config, after: &Config) -> Vec<String> {
    let names = before
        .services
        .keys()
        .chain(after.services.keys().filter(|name| !before.services.contains_key(*name)));
    let print = |config: &Config, name: &String| config.services.get(name).map(ServiceConfig::print);
    names.filter(|name| print(before, name) != print(after, name)).cloned().collect()
}

fn changes(before: &Config, after: &Config) -> Vec<Change> {
    let mut found = Vec::new();
    let sides = Sides {
        prints: (&Config::print(before), &Config::print(after)),
        shown: (&Config::show(before), &Config::show(after)),
    };
    compare(&Key::default(), sides, &mut found);
    found
}

/// One place of two configurations, as it is compared and as it is shown.
#[derive(Clone, Copy)]
struct Sides<'v> {
    prints: (&'v Json, &'v Json),
    shown: (&'v Json, &'v Json),
}

impl<'v> Sides<'v> {
    fn child(self, name: &str) -> Self {
        let get = |value: &'v Json| value.get(name).unwrap_or(&Json::Null);
        Self {
            prints: (get(self.prints.0), get(self.prints.1)),
            shown: (get(self.shown.0), get(self.shown.1)),
        }
    }
}

fn compare(at: &Key, sides: Sides<'_>, found: &mut Vec<Change>) {
    if sides.prints.0 == sides.prints.1 {
        return;
    }
    let empty = serde_json::Map::new();
    let tables = match sides.prints {
        (Json::Object(before), Json::Object(after)) => Some((before, after)),
        (Json::Object(before), Json::Null) => Some((before, &empty)),
        (Json::Null, Json::Object(after)) => Some((&empty, after)),
        _ => None,
    };
    let Some((before, after)) = tables.filter(|(before, after)| !before.is_empty() || !after.is_empty())
    else {
        found.push(Change {
            key: at.to_string(),
            before: visible(at, sides.shown.0),
            after: visible(at, sides.shown.1),
        });
        return;
    };
    let added = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(added) {
        compare(&at.child(name), sides.child(name), found);
    }
}

/// A value without what others must not see.
fn visible(at: &Key, value: &Json) -> Json {
    let holds_secrets = at.parts().iter().any(|part| part == "environment" || part == "static_tokens");
    match value {
        Json::String(text) if holds_secrets && !text.is_empty() => HIDDEN.into(),
        Json::String(text) => shortened(&super::database::redact_password(text)).into(),
        Json::Array(items) => items.iter().map(|item| visible(at, item)).collect(),
        Json::Object(table) => {
            table.iter().map(|(name, value)| (name.clone(), visible(&at.child(name), value))).collect()
        }
        other => other.clone(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
