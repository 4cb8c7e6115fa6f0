//! `{option}` in the texts that a profile sets.
//!
//! What people type never becomes a template itself: where the text is one (`{username}`), braces in values are doubled.

use serde_json::Value;

/// Keys whose texts are templates later (lifecycle.md 13).
const TEMPLATES: [&str; 3] = ["default_url", "environment", "notebook_dir"];

/// A value as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (None, Some(number)) => number.to_string(),
            _ => number.to_string(),
        },
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The value of a key with options filled in, at every depth.
pub(super) fn filled(key: &str, value: &Value, texts: &[(&str, String)]) -> Value {
    match value {
        Value::String(written) => fill(written, texts, TEMPLATES.contains(&key)).into(),
        Value::Array(items) => items.iter().map(|item| filled(key, item, texts)).collect(),
        Value::Object(table) => {
            let entries = table.iter().map(|(name, value)| (name.clone(), filled(key, value, texts)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

fn fill(written: &str, texts: &[(&str, String)], is_template: bool) -> String {
    let mut filled = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some((value, behind)) = placed(from, texts) {
            match is_template {
                true => filled.push_str(&value.replace('{', "{{").replace('}', "}}")),
                false => filled.push_str(value),
            }
            rest = behind;
            continue;
        }
        // a doubled brace stays doubled: a template reads it later
        let taken = if from.starts_with("{{") || from.starts_with("}}") { 2 } else { 1 };
        let (brace, behind) = from.split_at(taken);
        filled.push_str(brace);
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// The value for the `{option}` at the beginning, and what follows it.
fn placed<'a>(from: &'a str, texts: &'a [(&str, String)]) -> Option<(&'a str, &'a str)> {
    let (name, behind) = from.strip_prefix('{')?.split_once('}')?;
    let (_, value) = texts.iter().find(|(option, _)| *option == name)?;
    Some((value, behind))
}

/// The names of options that a value asks for.
pub fn asked_for<'n>(value: &Value, names: &[&'n str]) -> Vec<&'n str> {
    let marked: Vec<(&str, String)> = names.iter().map(|name| (*name, "\u{1}".to_owned())).collect();
    let asks = |name: &&&str| {
        let only: Vec<(&str, String)> = marked.iter().filter(|(of, _)| of == *name).cloned().collect();
        filled("", value, &only) != *value
    };
    names.iter().filter(asks).copied().collect()
}
