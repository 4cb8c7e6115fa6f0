//! What a configuration key is: its shape, how its value is read and how it is shown.
//!
//! Sections are declared with `section!`: one line per key with type, default and documentation. From that line come
//! the struct field, the reader (which reports every problem, not the first), the output of `orrery config show` and
//! the manual. serde's derive was not used because it stops at the first mistake and cannot say which file held it.

pub mod kinds;
pub mod nearest;

use std::fmt;

use config::{Value, ValueKind};
use serde_json::Value as Json;

use nearest::nearest;

/// The path of a key: `hub.limits.concurrent_spawns`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<String>);

impl Key {
    /// Takes the parts of a path.
    #[must_use]
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// The key called `name` in the table that this key names.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.to_owned());
        Self(parts)
    }

    /// The parts of the path.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|part| quote(part)).collect();
        f.write_str(&parts.join("."))
    }
}

/// A key's name as TOML writes it: quoted unless it is bare.
#[must_use]
pub fn quote(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        toml::Value::String(name.to_owned()).to_string()
    }
}

/// One thing that is wrong with the configuration, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {}{reason}", if key.parts().is_empty() { String::new() } else { format!("`{key}`: ") })]
pub struct Problem {
    /// The file, environment variable or option that holds the key.
    pub origin: String,
    /// The key; empty for a problem with the file as a whole.
    pub key: Key,
    /// What is wrong, what was expected, what to do.
    pub reason: String,
}

impl Problem {
    /// A problem with `value`, found under `key`.
    #[must_use]
    pub fn at(value: &Value, key: &Key, reason: impl Into<String>) -> Self {
        let origin = origin_of(value).unwrap_or("configuration").to_owned();
        Self { origin, key: key.clone(), reason: reason.into() }
    }
}

/// Where a value was written; for a table, where its first value was.
#[must_use]
pub fn origin_of(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::Table(table) if value.origin().is_none() => table.values().find_map(origin_of),
        _ => value.origin(),
    }
}

/// What may be written at a place of the configuration.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A table with these keys and no others.
    Table(Vec<Field>),
    /// A table of any names, with values of one shape.
    Named(Box<Shape>),
    /// A table of any names and values.
    Free,
    /// A secret text, which may also be written as `<key>_file` or `<key>_env`.
    Secret,
    /// A value.
    Leaf {
        /// What is expected, in words.
        expected: String,
        /// Whether a value is acceptable here.
        accepts: fn(&Value) -> bool,
    },
}

impl Shape {
    /// The shape of the key called `name` in a table of this shape, if there may be one.
    #[must_use]
    pub fn inner(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Table(fields) => fields.iter().find(|field| field.name == name).map(|field| &field.shape),
            Self::Named(inner) => Some(inner),
            Self::Free => Some(self),
            Self::Secret | Self::Leaf { .. } => None,
        }
    }
}

/// One key of a table.
#[derive(Debug, Clone)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it does.
    pub doc: String,
    /// What may be written there.
    pub shape: Shape,
    /// The value when nothing is written; `null` means none.
    pub default: Json,
}

/// A kind of value that a key can have.
pub trait Setting {
    /// The type that the program works with.
    type Value;

    /// What may be written.
    fn shape() -> Shape;

    /// Reads a value; `None` after adding to `problems`.
    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self::Value>;

    /// The value as JSON. Secrets become `***`.
    fn show(value: &Self::Value) -> Json;

    /// The value as JSON that differs whenever the value does: secrets become digests. To compare, never to show.
    fn print(value: &Self::Value) -> Json {
        Self::show(value)
    }
}

/// Declares a section: a struct of settings with their defaults. The documentation lines become the manual.
macro_rules! section {
    ($(#[doc = $about:literal])+ pub struct $name:ident {
        $( $(#[doc = $doc:literal])+ pub $field:ident: $ty:ty $(as $kind:ty)? = $default:expr, )+
    }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $ty, )+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        impl $crate::config::setting::Setting for $name {
            type Value = Self;

            fn shape() -> $crate::config::setting::Shape {
                use $crate::config::setting::{Field, Setting, Shape, field_name, kind};
                let defaults = Self::default();
                Shape::Table(vec![ $( Field {
                    name: field_name(stringify!($field)),
                    doc: [$($doc),+].map(str::trim).join(" "),
                    shape: <kind!($ty $(, $kind)?) as Setting>::shape(),
                    default: <kind!($ty $(, $kind)?) as Setting>::show(&defaults.$field),
                }, )+ ])
            }

            fn read(
                value: &::config::Value,
                at: &$crate::config::setting::Key,
                problems: &mut Vec<$crate::config::setting::Problem>,
            ) -> Option<Self> {
                use $crate::config::setting::{Setting, field_name, kind, known_table};
                let names = [ $( field_name(stringify!($field)) ),+ ];
                let table = known_table(value, at, &names, problems)?;
                let mut section = Self::default();
                $( if let Some(value) = table.get(field_name(stringify!($field))) {
                    let at = at.child(field_name(stringify!($field)));
                    if let Some(value) = <kind!($ty $(, $kind)?) as Setting>::read(value, &at, problems) {
                        section.$field = value;
                    }
                } )+
                Some(section)
            }

            fn show(section: &Self) -> ::serde_json::Value {
                use $crate::config::setting::{Setting, field_name, kind};
                let mut table = ::serde_json::Map::new();
                $( table.insert(
                    field_name(stringify!($field)).to_owned(),
                    <kind!($ty $(, $kind)?) as Setting>::show(&section.$field),
                ); )+
                ::serde_json::Value::Object(table)
            }

            fn print(section: &Self) -> ::serde_json::Value {
                use $crate::config::setting::{Setting, field_name, kind};
                let mut table = ::serde_json::Map::new();
                $( table.insert(
                    field_name(stringify!($field)).to_owned(),
                    <kind!($ty $(, $kind)?) as Setting>::print(&section.$field),
                ); )+
                ::serde_json::Value::Object(table)
            }
        }
    };
}

/// The second type if there is one, else the first.
macro_rules! kind {
    ($ty:ty) => {
        $ty
    };
    ($ty:ty, $kind:ty) => {
        $kind
    };
}

/// Declares an enum whose variants are words of the configuration, compared without regard to case. Further words are
/// accepted spellings.
macro_rules! choice {
    ($(#[doc = $about:literal])+ pub enum $name:ident {
        $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal $(| $alias:literal)*, )+
    }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            /// The word that the configuration uses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }

            fn of_kind(kind: &::config::ValueKind) -> Option<Self> {
                let ::config::ValueKind::String(word) = kind else { return None };
                match word.to_ascii_lowercase().as_str() {
                    $( $word $(| $alias)* => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }

        $crate::config::setting::leaf!(
            $name,
            format!("one of {}", [ $( concat!("\"", $word, "\"") ),+ ].join(", ")),
            Self::of_kind,
            |choice: &Self| choice.as_str().into()
        );
    };
}

/// Implements [`Setting`] for a type that is read from a single value: kind, what is expected, reader, shower.
macro_rules! leaf {
    ($kind:ty, $expected:expr, $read:expr, $show:expr) => {
        $crate::config::setting::leaf!($kind => $kind, $expected, $read, $show);
    };
    ($kind:ty => $value:ty, $expected:expr, $read:expr, $show:expr) => {
        impl $crate::config::setting::Setting for $kind {
            type Value = $value;

            fn shape() -> $crate::config::setting::Shape {
                let accepts = |value: &::config::Value| {
                    let read: fn(&::config::ValueKind) -> Option<$value> = $read;
                    read(&value.kind).is_some()
                };
                $crate::config::setting::Shape::Leaf { expected: String::from($expected), accepts }
            }

            fn read(
                value: &::config::Value,
                at: &$crate::config::setting::Key,
                problems: &mut Vec<$crate::config::setting::Problem>,
            ) -> Option<$value> {
                let read: fn(&::config::ValueKind) -> Option<$value> = $read;
                let found = read(&value.kind);
                if found.is_none() {
                    problems.push($crate::config::setting::misfit(value, at, &String::from($expected)));
                }
                found
            }

            fn show(value: &$value) -> ::serde_json::Value {
                let show: fn(&$value) -> ::serde_json::Value = $show;
                show(value)
            }
        }
    };
}

pub(crate) use {choice, kind, leaf, section};

/// A field's key: its name without the mark of a raw identifier.
#[must_use]
pub fn field_name(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The problem of a value that is not what the key expects.
#[must_use]
pub fn misfit(value: &Value, at: &Key, expected: &str) -> Problem {
    Problem::at(value, at, format!("expected {expected}, not {}", words(&value.kind)))
}

/// A value as a message names it.
fn words(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
        ValueKind::Nil => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// The table in `value`, after reporting each key that is not among `names`.
pub fn known_table<'v>(
    value: &'v Value,
    at: &Key,
    names: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<&'v config::Map<String, Value>> {
    let ValueKind::Table(table) = &value.kind else {
        problems.push(misfit(value, at, "a table"));
        return None;
    };
    for (name, value) in table.iter().filter(|(name, _)| !names.contains(&name.as_str())) {
        problems.push(unknown_key(value, at, name, names));
    }
    Some(table)
}

fn unknown_key(value: &Value, table: &Key, name: &str, names: &[&str]) -> Problem {
    let hint = nearest(name, names).map_or_else(
        || " (docs/configuration.md lists all keys)".to_owned(),
        |near| format!("; did you mean `{}`?", table.child(near)),
    );
    Problem::at(value, &table.child(name), format!("there is no such key{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_toml_writes_them() {
        assert_eq!(
            Key::new(["scopes", "custom:x", "description"]).to_string(),
            "scopes.\"custom:x\".description"
        );
    }
}
