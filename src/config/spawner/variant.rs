//! Another `[spawner]` for one start: what groups, a user's options and hooks change of it (lifecycle.md 10 and 11).
//!
//! Values go through the same readers as those of the file, so that nothing gets in that the file could not say.

use config::{Value, ValueKind};
use serde_json::{Map, Value as Json};

use super::SpawnerConfig;
use crate::config::setting::{Key, Setting};

/// The keys that can differ from start to start.
pub const CHANGEABLE: [&str; 20] = [
    "args",
    "cmd",
    "cpu_guarantee",
    "cpu_limit",
    "debug",
    "default_url",
    "disable_user_config",
    "env_keep",
    "environment",
    "http_timeout",
    "hub_connect_url",
    "ip",
    "mem_guarantee",
    "mem_limit",
    "notebook_dir",
    "oauth_client_allowed_scopes",
    "port",
    "process_limit",
    "server_token_scopes",
    "start_timeout",
];

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariantError {
    /// No key that can differ.
    #[error("`{0}` is no key of [spawner] that can differ from start to start; those are {known}", known = CHANGEABLE.join(", "))]
    Key(String),
    /// Not a value of this key. It is not repeated: it may be a secret.
    #[error("spawner.{key}: {reason}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

/// A `[spawner]` that is being changed.
#[derive(Debug, Clone)]
pub struct Variant(Map<String, Json>);

impl Variant {
    /// Begins with what the file says.
    #[must_use]
    pub fn of(base: &SpawnerConfig) -> Self {
        let shown = match SpawnerConfig::show(base) {
            Json::Object(table) => table,
            _ => Map::new(),
        };
        Self(shown.into_iter().filter(|(key, _)| CHANGEABLE.contains(&key.as_str())).collect())
    }

    /// Tables are merged at every depth, null deletes, other values replace.
    ///
    /// # Errors
    /// [`VariantError`]; some of the changes may have been made.
    pub fn merge(&mut self, changes: &Map<String, Json>) -> Result<(), VariantError> {
        for (key, value) in changes {
            insist(key)?;
            merge_one(&mut self.0, key, value);
            self.check(key)?;
        }
        Ok(())
    }

    /// Sets the key `target`, or with `environment.NAME` one variable. Text that is no value of the key may be one in
    /// quotes: `"10"` for 10, `"true"` for true.
    ///
    /// # Errors
    /// [`VariantError`]; then nothing has changed.
    pub fn set(&mut self, target: &str, value: &Json) -> Result<(), VariantError> {
        let key = target.split_once('.').map_or(target, |(key, _)| key);
        insist(key)?;
        let before = self.0.get(key).cloned();
        let mut outcome = Ok(());
        for tried in [Some(value.clone()), unquoted(value)].into_iter().flatten() {
            self.put(target, tried);
            let checked = self.check(key);
            if checked.is_ok() {
                return Ok(());
            }
            // what is said is about the value as it came
            outcome = outcome.and(checked);
        }
        match before {
            Some(before) => self.0.insert(key.to_owned(), before),
            None => self.0.remove(key),
        };
        outcome
    }

    /// Sets a key as a profile says it: tables are merged, anything else replaces and may be a text in quotes.
    ///
    /// # Errors
    /// [`VariantError`].
    pub fn apply(&mut self, key: &str, value: &Json) -> Result<(), VariantError> {
        match value {
            Json::Object(_) => self.merge(&[(key.to_owned(), value.clone())].into_iter().collect()),
            _ => self.set(key, value),
        }
    }

    fn put(&mut self, target: &str, value: Json) {
        match target.split_once('.') {
            None => {
                self.0.insert(target.to_owned(), value);
            }
            Some((key, name)) => {
                let table = self.0.entry(key).or_insert_with(|| Json::Object(Map::new()));
                if let Json::Object(table) = table {
                    table.insert(name.to_owned(), value);
                }
            }
        }
    }

    /// The whole of it; keys that cannot differ have their defaults.
    ///
    /// # Errors
    /// [`VariantError`].
    pub fn read(&self) -> Result<SpawnerConfig, VariantError> {
        read(&self.0)
    }

    fn check(&self, key: &str) -> Result<(), VariantError> {
        let one = self.0.get(key).map(|value| (key.to_owned(), value.clone()));
        let config = read(&one.into_iter().collect())?;
        let reason = match key {
            "cmd" if config.cmd.first().is_none_or(String::is_empty) => "expected a program",
            "cpu_limit" if config.cpu_limit.is_some_and(|cores| cores <= 0.0) => "expected a number above 0",
            "cpu_guarantee" if config.cpu_guarantee.is_some_and(|cores| cores <= 0.0) => {
                "expected a number above 0"
            }
            _ => return Ok(()),
        };
        Err(VariantError::Value { key: key.to_owned(), reason: reason.to_owned() })
    }
}

/// Whether a user's option may set this: a key, or one environment variable.
///
/// # Errors
/// [`VariantError::Key`].
pub fn check_target(target: &str) -> Result<(), VariantError> {
    match target.split_once('.') {
        None => insist(target),
        Some(("environment", name)) if !name.is_empty() => Ok(()),
        Some(_) => Err(VariantError::Key(target.to_owned())),
    }
}

fn insist(key: &str) -> Result<(), VariantError> {
    if CHANGEABLE.contains(&key) { Ok(()) } else { Err(VariantError::Key(key.to_owned())) }
}

fn merge_one(table: &mut Map<String, Json>, key: &str, value: &Json) {
    match (table.get_mut(key), value) {
        (_, Json::Null) => {
            table.remove(key);
        }
        (Some(Json::Object(old)), Json::Object(new)) => {
            for (name, value) in new {
                merge_one(old, name, value);
            }
        }
        _ => {
            table.insert(key.to_owned(), value.clone());
        }
    }
}

/// What a text says as a number, a list, true or false.
fn unquoted(value: &Json) -> Option<Json> {
    let text = value.as_str()?.trim();
    match text {
        "True" => Some(true.into()),
        "False" => Some(false.into()),
        _ => serde_json::from_str(text).ok().filter(|read: &Json| !read.is_string() && !read.is_null()),
    }
}

fn read(table: &Map<String, Json>) -> Result<SpawnerConfig, VariantError> {
    let mut problems = Vec::new();
    let found = SpawnerConfig::read(&plain(&Json::Object(table.clone())), &Key::default(), &mut problems);
    match (found, problems.into_iter().next()) {
        (Some(found), None) => Ok(found),
        (_, problem) => {
            let (key, reason) =
                problem.map(|problem| (problem.key.to_string(), problem.reason)).unwrap_or_default();
            // up to the value
            let reason = reason.split(", not ").next().unwrap_or_default().to_owned();
            Err(VariantError::Value { key, reason })
        }
    }
}

/// JSON as the readers of the configuration take it. Null is left out: it means that nothing is set.
fn plain(value: &Json) -> Value {
    let kind = match value {
        Json::Null => ValueKind::Nil,
        Json::Bool(flag) => ValueKind::Boolean(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => ValueKind::I64(whole),
            (None, Some(number)) => ValueKind::Float(number),
            (None, None) => ValueKind::Nil,
        },
        Json::String(text) => ValueKind::String(text.clone()),
        Json::Array(items) => ValueKind::Array(items.iter().map(plain).collect()),
        Json::Object(table) => {
            let set = table.iter().filter(|(_, value)| !value.is_null());
            ValueKind::Table(set.map(|(name, value)| (name.clone(), plain(value))).collect())
        }
    };
    Value::new(None, kind)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn base() -> SpawnerConfig {
        let environment = [("A", "1"), ("B", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        SpawnerConfig { environment: environment.into(), mem_limit: None, ..SpawnerConfig::default() }
    }

    fn merged(changes: &[Json]) -> Result<SpawnerConfig, VariantError> {
        let mut variant = Variant::of(&base());
        for change in changes {
            variant.merge(change.as_object().unwrap())?;
        }
        variant.read()
    }

    #[test]
    fn without_changes_everything_stays() {
        let changed = merged(&[]).unwrap();
        assert_eq!(SpawnerConfig::show(&changed), SpawnerConfig::show(&base()));
    }

    #[test]
    fn life_030_maps_merge_null_deletes_and_other_values_replace() {
        let changed = merged(&[
            json!({"environment": {"B": "two", "C": "3"}, "mem_limit": "1G", "args": ["--x"]}),
            json!({"environment": {"A": null}, "mem_limit": "2G", "default_url": "/lab", "args": null}),
        ])
        .unwrap();
        assert_eq!(json!(changed.environment), json!({"B": "two", "C": "3"}));
        assert_eq!(changed.mem_limit.map(|size| size.0), Some(2 << 30));
        assert_eq!((changed.default_url.as_str(), changed.args.len()), ("/lab", 0));
    }

    #[test]
    fn life_030_what_the_file_could_not_say_is_refused() {
        for wrong in [
            json!({"type": "command"}),
            json!({"hooks": {}}),
            json!({"colour": 1}),
            json!({"port": 70000}),
            json!({"cmd": []}),
            json!({"cpu_limit": -1}),
            json!({"environment": ["A"]}),
            json!({"environment": {"A": 1}}),
            json!({"environment": 1}),
        ] {
            assert!(merged(std::slice::from_ref(&wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn life_029_text_is_read_as_the_type_of_its_key() {
        let mut variant = Variant::of(&base());
        for (target, value) in [
            ("start_timeout", json!("10")),
            ("http_timeout", json!(7)),
            ("debug", json!("true")),
            ("disable_user_config", json!("True")),
            ("cpu_limit", json!("0.5")),
            ("mem_limit", json!("1G")),
            ("port", json!("8888")),
            ("args", json!(["--a"])),
            ("environment.SIZE", json!("10")),
        ] {
            variant.set(target, &value).unwrap_or_else(|wrong| panic!("{target}: {wrong}"));
        }
        let read = variant.read().unwrap();
        assert_eq!(
            (read.start_timeout, read.http_timeout),
            (Duration::from_secs(10), Duration::from_secs(7))
        );
        assert!(read.debug && read.disable_user_config);
        assert_eq!((read.cpu_limit, read.port), (Some(0.5), 8888));
        assert_eq!(read.environment["SIZE"], "10");
        assert_eq!(read.environment["A"], "1");
    }

    #[test]
    fn life_029_what_cannot_be_read_changes_nothing_and_is_not_repeated() {
        let mut variant = Variant::of(&base());
        for (target, value) in [
            ("port", json!("many-secrets")),
            ("port", json!(["8888"])),
            ("start_timeout", json!(null)),
            ("debug", json!("perhaps")),
            ("mem_limit", json!("10X")),
            ("environment.A", json!({"x": 1})),
        ] {
            if value.is_null() {
                continue;
            }
            let wrong = variant.set(target, &value).unwrap_err().to_string();
            assert!(!wrong.contains("many-secrets"), "{wrong}");
        }
        assert_eq!(SpawnerConfig::show(&variant.read().unwrap()), SpawnerConfig::show(&base()));
        assert_eq!(variant.set("type", &json!("local")), Err(VariantError::Key("type".to_owned())));
    }

    #[test]
    fn options_set_keys_and_single_variables() {
        for fine in ["mem_limit", "environment", "environment.GPU"] {
            assert_eq!(check_target(fine), Ok(()));
        }
        for wrong in ["hooks", "environment.", "args.0", "local.shell", ""] {
            assert!(check_target(wrong).is_err(), "{wrong}");
        }
    }
}
