//! The kinds of value that every section uses: flags, numbers, texts, paths, lists, tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use config::{Value, ValueKind};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{Key, Problem, Setting, Shape, leaf, misfit};
use crate::secret::Secret;

/// The whole number in a value.
pub fn integer(kind: &ValueKind) -> Option<i64> {
    match kind {
        ValueKind::I64(number) => Some(*number),
        _ => None,
    }
}

/// The number in a value, whole or not.
pub fn number(kind: &ValueKind) -> Option<f64> {
    match kind {
        ValueKind::I64(whole) => whole.to_string().parse().ok(),
        ValueKind::Float(number) if number.is_finite() => Some(*number),
        _ => None,
    }
}

/// The text in a value.
pub fn text(kind: &ValueKind) -> Option<&str> {
    match kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    }
}

leaf!(
    bool,
    "true or false",
    |kind| match kind {
        ValueKind::Boolean(flag) => Some(*flag),
        _ => None,
    },
    |flag| (*flag).into()
);
leaf!(String, "a text in quotes", |kind| text(kind).map(str::to_owned), |text| text.as_str().into());
leaf!(PathBuf, "a path in quotes", |kind| text(kind).map(PathBuf::from), |path| path
    .display()
    .to_string()
    .into());
leaf!(f64, "a number", number, |number| (*number).into());

macro_rules! whole_numbers {
    ($($ty:ty),+) => { $(
        leaf!(
            $ty,
            format!("a whole number from 0 to {}", <$ty>::MAX),
            |kind| integer(kind).and_then(|number| <$ty>::try_from(number).ok()),
            |number| (*number).into()
        );
    )+ };
}
whole_numbers!(u16, u32, usize);

leaf!(
    [u32; 2],
    "a list of two whole numbers",
    |kind| match kind {
        ValueKind::Array(items) => {
            let numbers = items.iter().map(|item| u32::try_from(integer(&item.kind)?).ok());
            numbers.collect::<Option<Vec<u32>>>()?.try_into().ok()
        }
        _ => None,
    },
    |pair| Json::from(pair.to_vec())
);

impl Setting for Secret {
    type Value = Self;

    fn shape() -> Shape {
        Shape::Secret
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self> {
        let found = text(&value.kind).map(Self::new);
        if found.is_none() {
            problems.push(Problem::at(value, at, "expected a text in quotes"));
        }
        found
    }

    fn show(secret: &Self) -> Json {
        if secret.is_empty() { "".into() } else { "***".into() }
    }

    fn print(secret: &Self) -> Json {
        let digest = Sha256::digest(secret.expose());
        crate::secret::hex(&digest).into()
    }
}

impl<T: Setting> Setting for Option<T> {
    type Value = Option<T::Value>;

    fn shape() -> Shape {
        T::shape()
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self::Value> {
        T::read(value, at, problems).map(Some)
    }

    fn show(value: &Self::Value) -> Json {
        value.as_ref().map_or(Json::Null, T::show)
    }

    fn print(value: &Self::Value) -> Json {
        value.as_ref().map_or(Json::Null, T::print)
    }
}

/// Reads each item of a list; items with problems are left out.
fn items<T: Setting>(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Vec<T::Value>> {
    let ValueKind::Array(items) = &value.kind else {
        problems.push(misfit(value, at, "a list"));
        return None;
    };
    Some(items.iter().filter_map(|item| T::read(item, at, problems)).collect())
}

fn list_shape() -> Shape {
    Shape::Leaf { expected: "a list".to_owned(), accepts: |value| matches!(value.kind, ValueKind::Array(_)) }
}

impl<T: Setting> Setting for Vec<T> {
    type Value = Vec<T::Value>;

    fn shape() -> Shape {
        list_shape()
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self::Value> {
        items::<T>(value, at, problems)
    }

    fn show(values: &Self::Value) -> Json {
        values.iter().map(T::show).collect()
    }

    fn print(values: &Self::Value) -> Json {
        values.iter().map(T::print).collect()
    }
}

impl Setting for BTreeSet<String> {
    type Value = Self;

    fn shape() -> Shape {
        list_shape()
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self> {
        items::<String>(value, at, problems).map(|items| items.into_iter().collect())
    }

    fn show(values: &Self) -> Json {
        values.iter().map(|item| Json::from(item.as_str())).collect()
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    type Value = BTreeMap<String, T::Value>;

    fn shape() -> Shape {
        Shape::Named(Box::new(T::shape()))
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self::Value> {
        let ValueKind::Table(table) = &value.kind else {
            problems.push(misfit(value, at, "a table"));
            return None;
        };
        let entry = |(name, value): (&String, &Value)| {
            Some((name.clone(), T::read(value, &at.child(name), problems)?))
        };
        Some(table.iter().filter_map(entry).collect())
    }

    fn show(values: &Self::Value) -> Json {
        values.iter().map(|(name, value)| (name.clone(), T::show(value))).collect()
    }

    fn print(values: &Self::Value) -> Json {
        values.iter().map(|(name, value)| (name.clone(), T::print(value))).collect()
    }
}

impl Setting for serde_json::Map<String, Json> {
    type Value = Self;

    fn shape() -> Shape {
        Shape::Free
    }

    fn read(value: &Value, at: &Key, problems: &mut Vec<Problem>) -> Option<Self> {
        let found = match plain(&value.kind) {
            Json::Object(table) => Some(table),
            _ => None,
        };
        if found.is_none() {
            problems.push(misfit(value, at, "a table"));
        }
        found
    }

    fn show(table: &Self) -> Json {
        Json::Object(table.clone())
    }
}

/// A value as JSON, tables in the order of their names.
#[must_use]
pub fn plain(kind: &ValueKind) -> Json {
    match kind {
        ValueKind::Nil => Json::Null,
        ValueKind::Boolean(flag) => (*flag).into(),
        ValueKind::I64(number) => (*number).into(),
        ValueKind::Float(number) => (*number).into(),
        ValueKind::Array(items) => items.iter().map(|item| plain(&item.kind)).collect(),
        ValueKind::Table(table) => {
            let sorted: BTreeMap<&String, &Value> = table.iter().collect();
            sorted.into_iter().map(|(name, value)| (name.clone(), plain(&value.kind))).collect()
        }
        other => other.to_string().into(),
    }
}
