//! One layer of the configuration: a file, an environment variable, an option of the command line.
//!
//! A layer is brought into its plain form before it is laid over others: aliases are replaced, and a secret that is
//! named by file or environment variable is fetched, so that any spelling of a later layer wins over any of an earlier.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use config::{ConfigError, Map, Source, Value, ValueKind};

use super::database::redact_password;
use super::setting::{Field, Key, Problem, Shape};

/// What is read while layers are made, and what is found wrong.
#[derive(Debug, Default)]
pub struct Workshop {
    /// The environment, for secrets named by variable.
    pub environment: BTreeMap<String, String>,
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is doubtful.
    pub warnings: Vec<String>,
}

/// Values from one place.
#[derive(Debug, Clone)]
pub struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

impl Layer {
    /// Reads a TOML file.
    pub fn from_file(file: &Path, shape: &Shape, shop: &mut Workshop) -> Option<Self> {
        let origin = file.display().to_string();
        let whole = |reason: String| Problem { origin: origin.clone(), key: Key::default(), reason };
        let text = match std::fs::read_to_string(shop.directory.join(file)) {
            Ok(text) => text,
            Err(error) => {
                shop.problems.push(whole(format!("the configuration file cannot be read: {error}")));
                return None;
            }
        };
        match toml::from_str::<toml::Table>(&text) {
            Ok(table) => {
                let tree = toml::Value::Table(table);
                if holds_secret(&tree, Some(shape)) && is_open_to_others(&shop.directory.join(file)) {
                    let advice =
                        "it holds secrets, and every user of this machine can read it; chmod o-rwx it";
                    shop.warnings.push(format!("{origin}: {advice}"));
                }
                Self::plain_form(tree, &origin, shape, shop)
            }
            Err(error) => {
                let line = error
                    .span()
                    .map_or(0, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count());
                shop.problems.push(whole(format!("line {}: not valid TOML: {}", line + 1, error.message())));
                None
            }
        }
    }

    /// Takes one key and its value as text: TOML if it is that and fits the key, else the text itself.
    pub fn from_text(
        key: &Key,
        text: &str,
        origin: &str,
        shape: &Shape,
        shop: &mut Workshop,
    ) -> Option<Self> {
        let leaf = read_text(text, shape_of(key, shape));
        let tree =
            key.parts().iter().rev().fold(leaf, |inner, name| {
                toml::Value::Table(toml::Table::from_iter([(name.clone(), inner)]))
            });
        Self::plain_form(tree, origin, shape, shop)
    }

    fn plain_form(tree: toml::Value, origin: &str, shape: &Shape, shop: &mut Workshop) -> Option<Self> {
        let mut value = with_origin(tree, &origin.to_owned());
        shop.plain(&mut value, &Key::default(), shape);
        value.into_table().ok().map(Self)
    }
}

/// A TOML value as a value of the `config` crate that knows where it comes from.
fn with_origin(value: toml::Value, origin: &String) -> Value {
    let kind: ValueKind = match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => {
            ValueKind::Array(items.into_iter().map(|item| with_origin(item, origin)).collect())
        }
        toml::Value::Table(table) => ValueKind::Table(
            table.into_iter().map(|(name, value)| (name, with_origin(value, origin))).collect(),
        ),
    };
    Value::new(Some(origin), kind)
}

/// The shape of a key, if there is such a key.
fn shape_of<'s>(key: &Key, shape: &'s Shape) -> Option<&'s Shape> {
    key.parts().iter().try_fold(shape, |shape, name| shape.inner(name))
}

/// Whether a secret stands in the tree itself. A database URL without a password is none.
fn holds_secret(value: &toml::Value, shape: Option<&Shape>) -> bool {
    match (value, shape) {
        (toml::Value::Table(table), Some(shape)) => {
            table.iter().any(|(name, value)| holds_secret(value, shape.inner(name)))
        }
        (toml::Value::String(text), Some(Shape::Secret)) => {
            !text.is_empty() && (!text.contains("://") || redact_password(text) != *text)
        }
        _ => false,
    }
}

fn read_text(text: &str, shape: Option<&Shape>) -> toml::Value {
    let plain = || toml::Value::String(text.to_owned());
    let Ok(mut table) = toml::from_str::<toml::Table>(&format!("value = {text}")) else {
        return plain();
    };
    let Some(value) = table.remove("value").filter(|_| table.is_empty()) else {
        return plain();
    };
    let fits = match shape {
        Some(Shape::Secret) => value.is_str(),
        Some(Shape::Leaf { accepts, .. }) => {
            let typed = with_origin(value.clone(), &String::new());
            accepts(&typed) || !accepts(&with_origin(plain(), &String::new()))
        }
        _ => true,
    };
    if fits { value } else { plain() }
}

/// The key that the parts of an environment variable's name mean: keys of the configuration in any case, names that
/// people chose as they are written.
#[must_use]
pub fn key_of_variable(parts: &str, shape: &Shape) -> Key {
    let mut shape = Some(shape);
    let mut names = Vec::new();
    for part in parts.split("__") {
        let chosen_by_people = matches!(shape, Some(Shape::Named(_) | Shape::Free));
        let name = if chosen_by_people { part.to_owned() } else { part.to_ascii_lowercase() };
        shape = shape.and_then(|shape| shape.inner(&name));
        names.push(name);
    }
    Key::new(names)
}

/// The key that `section.key` or `section."a.b".key` means, as TOML reads it.
#[must_use]
pub fn key_of_option(dotted: &str) -> Option<Key> {
    let mut value = toml::Value::Table(toml::from_str(&format!("{dotted} = 0")).ok()?);
    let mut names = Vec::new();
    while let toml::Value::Table(table) = value {
        let mut entries = table.into_iter();
        let (name, inner) = entries.next()?;
        if entries.next().is_some() {
            return None;
        }
        names.push(name);
        value = inner;
    }
    (value == toml::Value::Integer(0)).then(|| Key::new(names))
}

impl Workshop {
    /// Replaces other spellings in `value` by the plain one.
    fn plain(&mut self, value: &mut Value, at: &Key, shape: &Shape) {
        let parts: Vec<&str> = at.parts().iter().map(String::as_str).collect();
        if let (["groups", _], ValueKind::Array(_)) = (parts.as_slice(), &value.kind) {
            self.warnings.push(format!("`{at}`: write a group as a table: {{ users = [...] }}"));
            let origin = value.origin().map(str::to_owned);
            let users = std::mem::replace(value, Value::new(None, ValueKind::Nil));
            *value = Value::new(origin.as_ref(), Map::from_iter([("users".to_owned(), users)]));
        }
        let ValueKind::Table(table) = &mut value.kind else {
            return;
        };
        if parts == ["hub"]
            && let Some(url) = table.remove("connect_url")
        {
            table.insert("advertise_url".to_owned(), url);
        }
        match shape {
            Shape::Table(fields) => {
                for field in fields {
                    if matches!(field.shape, Shape::Secret) {
                        self.secret(table, at, field.name, fields);
                    }
                    if let Some(value) = table.get_mut(field.name) {
                        self.plain(value, &at.child(field.name), &field.shape);
                    }
                }
            }
            Shape::Named(inner) => {
                for (name, value) in table.iter_mut() {
                    self.plain(value, &at.child(name), inner);
                }
            }
            Shape::Free | Shape::Secret | Shape::Leaf { .. } => {}
        }
    }

    /// Fetches a secret that is written as `<name>_file` or `<name>_env`.
    fn secret(&mut self, table: &mut Map<String, Value>, at: &Key, name: &str, fields: &[Field]) {
        for suffix in ["_file", "_env"] {
            let spelling = format!("{name}{suffix}");
            if fields.iter().any(|field| field.name == spelling) {
                continue;
            }
            let Some(source) = table.remove(&spelling) else {
                continue;
            };
            let key = at.child(&spelling);
            if table.contains_key(name) {
                let reason = format!("write one of `{name}`, `{name}_file` and `{name}_env`, not several");
                self.problems.push(Problem::at(&source, &key, reason));
                continue;
            }
            match self.fetch(&source, suffix, &key) {
                Ok(secret) => {
                    let origin = source.origin().map(str::to_owned);
                    table.insert(name.to_owned(), Value::new(origin.as_ref(), secret));
                }
                Err(reason) => self.problems.push(Problem::at(&source, &key, reason)),
            }
        }
    }

    fn fetch(&mut self, source: &Value, suffix: &str, key: &Key) -> Result<String, String> {
        let ValueKind::String(place) = &source.kind else {
            return Err("expected a text in quotes".to_owned());
        };
        if suffix == "_env" {
            let found = self.environment.get(place).filter(|secret| !secret.is_empty());
            return found.cloned().ok_or_else(|| format!("the environment variable {place} is not set"));
        }
        let file = self.directory.join(place);
        let text =
            std::fs::read_to_string(&file).map_err(|error| format!("{place} cannot be read: {error}"))?;
        if is_open_to_others(&file) {
            self.warnings
                .push(format!("`{key}`: every user of this machine can read {place}; chmod o-rwx it"));
        }
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() { Err(format!("{place} is empty")) } else { Ok(secret.to_owned()) }
    }
}

/// Whether users other than owner and group may read a file.
#[must_use]
pub fn is_open_to_others(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}
