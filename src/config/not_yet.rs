//! Keys whose feature is not in this build. Building a feature deletes its lines here.

use serde_json::Value as Json;

use super::Config;
use super::load::Given;
use super::setting::{Key, Problem, Setting, Shape};

/// Keys of which only some values work: key, those values, why.
const ONLY: &[(&str, &[&str], &str)] = &[
    (
        "auth.type",
        &["pam", "dummy", "null", "shared-password", "remote-user", "command"],
        "signing in with a directory or another site is not in this build; \
         for a trial, auth.type = \"dummy\" lets everyone in, which is for tests only",
    ),
    ("spawner.type", &["local", "simple"], "servers that a program starts are not in this build"),
];

/// Keys that only work with their default: key or table (`*` is any name), why.
const DEFAULT_ONLY: &[(&str, &str)] = &[
    ("hub.http_client", "the limits of the hub's own requests are fixed in this build"),
    ("spawner.ssl_alt_names", TLS),
    ("spawner.ssl_alt_names_include_local", TLS),
    ("spawner.local.stdout", OUTPUT),
    ("spawner.local.stderr", OUTPUT),
    ("tls.internal", TLS),
];

const OUTPUT: &str = "the output of servers is kept, and shown to their owners: in /var/log/orrery/servers with the type \
     `local`, in spawner.log_dir with `simple`";
const TLS: &str =
    "HTTPS between the hub and its servers is not in this build; browsers are served by `tls.cert`";

/// The keys that ask for something that this build does not have.
#[must_use]
pub fn not_yet(config: &Config, shape: &Shape, given: &Given) -> Vec<Problem> {
    let shown = Config::show(config);
    let mut changed = Vec::new();
    collect_changed(&shown, &Json::Null, &Key::default(), shape, &mut changed);
    let chosen = ONLY.iter().filter_map(|(key, works, why)| {
        let key = Key::new(key.split('.'));
        let value = key.parts().iter().try_fold(&shown, |value, name| value.get(name))?;
        let fine = value.as_str().is_some_and(|value| works.contains(&value));
        (!fine).then(|| refusal(key, value, why, given))
    });
    let differing = changed.into_iter().filter_map(|(key, value)| {
        let why = reason_for(&key)?;
        given.origin(&key).is_some().then(|| refusal(key, value, why, given))
    });
    chosen.chain(differing).collect()
}

/// Why a key has no effect in this build, if it has none.
#[must_use]
pub fn reason_for(key: &Key) -> Option<&'static str> {
    let covers = |pattern: &str| {
        let mut parts = key.parts().iter();
        pattern.split('.').all(|name| parts.next().is_some_and(|part| name == "*" || name == part))
    };
    DEFAULT_ONLY.iter().find(|(pattern, _)| covers(pattern)).map(|(_, why)| *why)
}

/// The values of `key` that work in this build, if not all do.
#[must_use]
pub fn values_of(key: &Key) -> Option<&'static [&'static str]> {
    let name = key.to_string();
    ONLY.iter().find(|(only, ..)| *only == name).map(|(_, values, _)| *values)
}

fn refusal(key: Key, value: &Json, why: &str, given: &Given) -> Problem {
    let origin = given.origin(&key).unwrap_or("the default").to_owned();
    Problem { origin, key, reason: format!("{value} is not supported yet: {why}") }
}

/// All values below `value` that are not the default.
fn collect_changed<'v>(
    value: &'v Json,
    default: &Json,
    at: &Key,
    shape: &Shape,
    found: &mut Vec<(Key, &'v Json)>,
) {
    match (shape, value) {
        (Shape::Table(fields), Json::Object(table)) => {
            for field in fields {
                if let Some(value) = table.get(field.name) {
                    collect_changed(value, &field.default, &at.child(field.name), &field.shape, found);
                }
            }
        }
        (Shape::Named(inner), Json::Object(table)) => {
            for (name, value) in table {
                collect_changed(value, &Json::Null, &at.child(name), inner, found);
            }
        }
        _ if value != default => found.push((at.clone(), value)),
        _ => {}
    }
}

/// All keys and tables that have no effect in this build, `*` for any name.
#[cfg(test)]
pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
    DEFAULT_ONLY.iter().map(|(key, _)| *key).chain(ONLY.iter().map(|(key, ..)| *key))
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::super::testing::{Case, not_yet, reading};

    const TRIAL: &str = "auth.type = \"dummy\"\nspawner.type = \"simple\"\n";

    #[test]
    fn the_defaults_work_and_a_kind_that_does_not_names_what_works_instead() {
        load(&Case::file("").sources).unwrap();
        let found = not_yet("auth.type = \"oidc\"\nspawner.type = \"command\"");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["auth.type", "spawner.type"]);
        assert!(found["auth.type"].contains("auth.type = \"dummy\""), "{found:?}");
    }

    #[test]
    fn a_key_without_its_feature_is_refused_with_file_key_and_value() {
        let text = "[tls.internal]\ndir = \"k\"\n[spawner.local]\nstdout = \"/x\"";
        let found = not_yet(&format!("{TRIAL}{text}"));
        assert!(
            found["tls.internal.dir"]
                .starts_with("orrery.toml: `tls.internal.dir`: \"k\" is not supported yet: "),
            "{found:?}"
        );
        assert!(found.contains_key("spawner.local.stdout"), "{found:?}");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_key_without_its_feature_may_have_its_default() {
        let case = Case::file(&format!(
            "{TRIAL}[tls]\nkey = \"\"\n[culler]\ntimeout = 600\n[proxy]\ntype = \"builtin\""
        ));
        load(&case.sources).unwrap();
    }

    #[test]
    fn what_is_not_supported_can_still_be_shown() {
        assert_eq!(reading("hub.http_client.timeout = 5").not_yet.len(), 1);
    }

    #[test]
    fn a_configuration_for_a_trial_runs() {
        let text = r#"
            [proxy]
            bind_url = "http://127.0.0.1:8123/lab/x/"
            api_url = "http://127.0.0.1:8124"
            auth_token = "parity-proxy-token-0123456789abcdef"
            [hub]
            bind_url = "http://127.0.0.1:8125"
            cookie_secret_file = "/tmp/x/cookie_secret"
            base_url = "/lab/x/"
            public_url = "https://hub.example.org/lab/x/"
            named_servers = { enabled = true }
            limits = { concurrent_spawns = 2, active_servers = 3, named_servers_per_user = 2, retry_after = [1, 2] }
            timeouts = { slow_spawn = 0.3, slow_stop = 0.3 }
            cookie_max_age = 172800
            ui = { template_vars = { announcement = "<i>x</i>" } }
            api = { page_default_limit = 3, page_max_limit = 5 }
            tokens = { max_lifetime = 600 }
            oauth = { require_pkce = true, token_lifetime = 60 }
            implicit_spawn_after = 1.5
            [database]
            url = "sqlite:////tmp/x/orrery.sqlite"
            [spawner]
            type = "simple"
            simple = { home_dir_template = "/tmp/x/home/{username}" }
            cmd = ["python3", "fake.py"]
            poll_interval = 30
            environment = { FAKE_START_DELAY = "1.5" }
            local = { interrupt_timeout = 1, term_timeout = 1, kill_timeout = 1 }
            [auth]
            type = "shared-password"
            shared_password = { user_password = "user-password-1", admin_password = "admin-password-0123456789-0123456789" }
            allow_all = true
            admin_users = ["boss"]
            blocked_users = ["mallory"]
            username_map = { oldname = "newname" }
            username_pattern = "^[a-z][a-z0-9-]{1,30}$"
            [services]
            parity = { api_token = "parity-admin-token-0123456789abcdef", admin = true }
            external = { url = "http://127.0.0.1:9", api_token = "external-secret-0123456789", oauth_no_confirm = true, timeout = 1 }
            asks = { api_token = "asks-secret", oauth_redirect_uri = "http://127.0.0.1:9/asks", oauth_client_allowed_scopes = ["self"], display = false, info = { a = 1 } }
            [roles]
            parity-admin = { scopes = ["admin:users"], services = ["parity"] }
            user = { extra_scopes = ["custom:lab:none"] }
            [groups]
            ops = { users = ["olga"], properties = { tier = 2 } }
            [scopes]
            "custom:lab:none" = { description = "Nothing" }
        "#;
        let loaded = load(&Case::file(text).sources).unwrap();
        let found = loaded.config.addresses().unwrap();
        assert_eq!(found.hub_prefix, "/lab/x/hub/");
        assert_eq!(found.connect_url, "http://127.0.0.1:8125");
        assert_eq!(loaded.config.hub.limits.retry_after, [1, 2]);
        assert_eq!(loaded.config.services["parity"].oauth_no_confirm, None);
    }
}
