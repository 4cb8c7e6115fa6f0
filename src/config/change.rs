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
    hub.admin_socket,
    hub.admin_socket_mode,
    hub.trusted_proxies,
    hub.cookie_secret,
    hub.cookie_secret_file,
    hub.cookie_host_prefix,
    hub.csp_report_uri,
    hub.pid_file,
    hub.launch_program,
    hub.launch_socket,
    hub.ticket_dir,
    hub.service_check_interval,
    hub.named_servers.invalid_names,
    hub.activity.interval,
    hub.tokens.purge_interval,
    hub.timeouts.init_servers,
    hub.http_client,
    auth.r#type,
    auth.remote_user,
    auth.pam.threads,
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

#[cfg(test)]
mod tests {
    use super::super::testing::reading;
    use super::*;
    use crate::config::setting::Shape;

    fn config(text: &str) -> Config {
        reading(text).config
    }

    fn keys(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|change| change.key.as_str()).collect()
    }

    #[test]
    fn every_fixed_key_is_a_key() {
        let known = |key: &Key| {
            key.parts().iter().try_fold(Config::shape(), |shape, part| shape.inner(part).cloned()).is_some()
        };
        assert!(matches!(Config::shape(), Shape::Table(_)));
        for key in fixed_keys() {
            assert!(known(&key), "{key}");
        }
    }

    #[test]
    fn what_only_a_new_start_can_change_stays_and_is_told() {
        let running = config("hub.limits.active_servers = 5\nproxy.bind_url = \"http://:8000\"");
        let wanted =
            config("hub.limits.active_servers = 6\nproxy.bind_url = \"http://:9000\"\nhub.port = 8083");
        let (target, difference) = become_like(&running, &wanted);
        assert_eq!((target.hub.limits.active_servers, target.hub.port), (6, 8081));
        assert_eq!(target.proxy.bind_url, running.proxy.bind_url);
        assert_eq!(keys(&difference.live), ["hub.limits.active_servers"]);
        assert_eq!((&difference.live[0].before, &difference.live[0].after), (&5.into(), &6.into()));
        assert_eq!(keys(&difference.fixed), ["hub.port", "proxy.bind_url"]);
        // told again until it is done
        let (_, again) = become_like(&target, &wanted);
        assert!(again.live.is_empty() && keys(&again.fixed) == ["hub.port", "proxy.bind_url"], "{again:?}");
        assert_eq!(become_like(&running, &running).1, Difference::default());
    }

    #[test]
    fn sec_a_changed_secret_is_noticed_and_not_shown() {
        let before = r#"
            auth.dummy.password = "hunter1"
            spawner.environment = { KEY = "hunter1", SAME = "x" }
            database.url = "postgresql://me:hunter1@db/x"
            services.s = { api_token = "hunter1-0123456789" }
            culler.hook = { url = "http://u:hunter1@h/x" }
            auth.shared_password.groups = [{ password = "hunter1", groups = ["g"] }]
        "#;
        let difference = become_like(&config(before), &config(&before.replace("hunter1", "hunter2"))).1;
        let mut live = keys(&difference.live);
        live.sort_unstable();
        let found = [live, keys(&difference.fixed)].concat();
        assert_eq!(
            found,
            [
                "auth.dummy.password",
                "auth.shared_password.groups",
                "culler.hook.url",
                "services.s.api_token",
                "spawner.environment.KEY",
                "database.url"
            ]
        );
        let shown = serde_json::to_string(&(difference.live, difference.fixed)).unwrap();
        assert!(!shown.contains("hunter"), "{shown}");
        let digest = crate::secret::hex(&<sha2::Sha256 as sha2::Digest>::digest("hunter2"));
        assert!(!shown.contains(&digest), "{shown}");
    }

    #[test]
    fn tables_that_come_and_go_are_told_key_by_key() {
        let with =
            config("[services.s]\nurl = \"http://127.0.0.1:9\"\n[roles.readers]\nscopes = [\"users\"]");
        let without = config("");
        let come = become_like(&without, &with).1.live;
        assert!(
            keys(&come).contains(&"services.s.url") && keys(&come).contains(&"roles.readers.scopes"),
            "{come:?}"
        );
        let gone = become_like(&with, &without).1.live;
        assert_eq!(keys(&gone), keys(&come));
        assert!(gone.iter().all(|change| change.after.is_null()), "{gone:?}");
        assert_eq!(changed_services(&with, &without), ["s"]);
        assert_eq!(changed_services(&without, &with), ["s"]);
        assert!(changed_services(&with, &with).is_empty());
    }

    #[test]
    fn a_long_value_is_cut() {
        let long = config(&format!("spawner.options_form = \"{}\"", "é".repeat(2 * LONGEST)));
        let change = become_like(&config(""), &long).1.live.remove(0);
        assert_eq!(change.after.as_str().unwrap().chars().count(), LONGEST + 1);
    }
}
