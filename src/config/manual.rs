//! Writes `docs/configuration.md` and `etc/orrery.toml` from the declarations, and fails when they are out of date.
//! `ORRERY_WRITE_MANUAL=1 cargo test --lib manual` brings them up to date.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value as Json;

use super::Config;
use super::not_yet::{reason_for, values_of};
use super::setting::{Field, Key, Setting, Shape};

const INTRODUCTION: &str = include_str!("manual/introduction.md");

/// How a kind of value is called in the manual.
fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Secret => "a text; also as `<key>_file`, `<key>_env`".to_owned(),
        Shape::Named(inner) => format!("a table; each value {}", kind(inner)),
        Shape::Free => "a table".to_owned(),
        Shape::Table(fields) => {
            let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            format!("a table of {}", names.join(", "))
        }
        // what follows a colon is explained once in the introduction
        Shape::Leaf { expected, .. } => expected.split(':').next().unwrap().to_owned(),
    }
}

/// A value as TOML; none if there is no value.
fn toml_of(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::Object(table) if table.is_empty() => Some("{}".to_owned()),
        other => Some(toml::Value::try_from(other).unwrap().to_string()),
    }
}

/// The table below a key: its own fields, or those of each of its named entries. An optional table is a value.
fn table_of(key: &Key, field: &Field) -> Option<(Key, Vec<Field>)> {
    match &field.shape {
        Shape::Table(_) if field.default.is_null() => None,
        Shape::Table(fields) => Some((key.child(field.name), fields.clone())),
        Shape::Named(inner) => match inner.as_ref() {
            Shape::Table(fields) => Some((key.child(field.name).child("NAME"), fields.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// All tables in order: key, what it is for, fields.
fn tables(key: &Key, about: &str, fields: Vec<Field>, found: &mut Vec<(Key, String, Vec<Field>)>) {
    found.push((key.clone(), about.to_owned(), fields.clone()));
    for field in &fields {
        if let Some((key, fields)) = table_of(key, field) {
            tables(&key, &field.doc, fields, found);
        }
    }
}

fn all_tables() -> Vec<(Key, String, Vec<Field>)> {
    let Shape::Table(fields) = Config::shape() else { panic!("the configuration is a table") };
    let mut found = Vec::new();
    tables(&Key::default(), "", fields, &mut found);
    found.remove(0);
    found
}

/// A table's name as people write it.
fn title(key: &Key) -> String {
    key.to_string().replace("NAME", "<name>").replace("scopes.<name>", "scopes.\"custom:<name>\"")
}

fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (table, about, fields) in all_tables() {
        let keys: Vec<&Field> = fields.iter().filter(|field| table_of(&table, field).is_none()).collect();
        if keys.is_empty() {
            continue;
        }
        write!(
            text,
            "\n## `[{}]`\n\n{about}\n\n| Key | Default | Meaning |\n| --- | --- | --- |\n",
            title(&table)
        )
        .unwrap();
        for field in keys {
            let default = toml_of(&field.default).map_or("none".to_owned(), |value| format!("`{value}`"));
            let meaning = format!("{} *{}*", field.doc, kind(&field.shape)).replace('|', "\\|");
            let limits =
                limits(&table.child(field.name)).map_or(String::new(), |limits| format!(" **{limits}**"));
            writeln!(text, "| `{}` | {} | {meaning}{limits} |", field.name, default.replace('|', "\\|"))
                .unwrap();
        }
    }
    text
}

/// What of a key is not in this build.
fn limits(key: &Key) -> Option<String> {
    match values_of(key) {
        Some(values) => Some(format!("Only {} in this build.", values.join(", "))),
        None => reason_for(key).map(|_| "Not in this build.".to_owned()),
    }
}

/// A text as comment lines of at most 100 letters.
fn comment(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 100 => *line += &format!(" {word}"),
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}

fn default_file() -> String {
    let mut text = String::from(
        "# Orrery's configuration. Every key is here with its default; remove the # before a key to change it.\n\
         # The manual is docs/configuration.md. `orrery config check` tells what is wrong with this file.\n",
    );
    for (table, about, fields) in all_tables() {
        let keys: Vec<&Field> = fields.iter().filter(|field| table_of(&table, field).is_none()).collect();
        let named = table.parts().iter().any(|part| part == "NAME");
        let head = if named { format!("# [{}]", title(&table)) } else { format!("[{table}]") };
        write!(text, "\n{}{head}\n", comment(&about)).unwrap();
        for field in keys {
            let limits =
                limits(&table.child(field.name)).map_or(String::new(), |limits| format!(" ({limits})"));
            text.push_str(&comment(&format!("{}{limits}", field.doc)));
            match toml_of(&field.default) {
                Some(value) if !named => writeln!(text, "#{} = {value}", field.name).unwrap(),
                Some(value) => writeln!(text, "#    {} = {value}", field.name).unwrap(),
                None => writeln!(text, "#    {} is not set", field.name).unwrap(),
            }
        }
    }
    text
}

/// A text as roff shows it: no backslash, no line that begins with a request, code in bold.
pub(crate) fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let mut parts = escaped.split('`');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        let font = if number % 2 == 0 { "\\fB" } else { "\\fR" };
        shown.push_str(font);
        shown.push_str(part);
    }
    match shown.chars().next() {
        Some('.' | '\'') => format!("\\&{shown}"),
        _ => shown,
    }
}

/// `orrery.toml(5)`.
fn page() -> String {
    let mut text = String::from(
        ".TH orrery.toml 5 \"\" \"Orrery\" \"File formats\"\n.SH NAME\norrery.toml \\- configuration of orrery(1)\n",
    );
    text.push_str(PAGE_INTRODUCTION);
    for (table, about, fields) in all_tables() {
        let keys: Vec<&Field> = fields.iter().filter(|field| table_of(&table, field).is_none()).collect();
        if keys.is_empty() {
            continue;
        }
        writeln!(text, ".SH [{}]\n{}", roff(&title(&table)), roff(&about)).unwrap();
        for field in keys {
            let default = toml_of(&field.default).map_or("none".to_owned(), |value| format!("`{value}`"));
            let limits =
                limits(&table.child(field.name)).map_or(String::new(), |limits| format!(" ({limits})"));
            writeln!(
                text,
                ".TP\n\\fB{}\\fR ({})\n{}\nDefault: {}.",
                roff(field.name),
                roff(&kind(&field.shape)),
                roff(&format!("{}{limits}", field.doc)),
                roff(&default)
            )
            .unwrap();
        }
    }
    text.push_str(".SH SEE ALSO\n.BR orrery (1),\n.BR orrery\\-launch (8)\n");
    text
}

const PAGE_INTRODUCTION: &str = include_str!("manual/introduction.roff");

/// Compares a file of the source tree with what it should be, or writes it when asked to.
pub(crate) fn is_current(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("ORRERY_WRITE_MANUAL").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{file} is out of date: ORRERY_WRITE_MANUAL=1 cargo test --lib manual");
}

#[test]
fn the_manual_holds_every_key_as_declared() {
    is_current("docs/configuration.md", &markdown());
}

#[test]
fn the_manual_page_holds_every_key_as_declared() {
    is_current("packaging/man/orrery.toml.5", &page());
}

#[test]
fn the_default_file_holds_every_key_as_declared() {
    is_current("etc/orrery.toml", &default_file());
}

#[test]
fn every_key_of_the_default_file_has_its_default() {
    let commented_in: String = super::command::DEFAULT_FILE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let table: toml::Table = commented_in.parse().unwrap();
    assert!(table["hub"].as_table().unwrap().len() > 30, "the keys are commented in");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("orrery.toml"), commented_in).unwrap();
    let sources = super::Sources { directory: dir.path().to_owned(), ..super::Sources::default() };
    let written = super::read(&sources).unwrap();
    let nothing =
        super::read(&super::Sources { directory: "/nonexistent".into(), ..Default::default() }).unwrap();
    assert_eq!(Config::show(&written.config), Config::show(&nothing.config));
}

#[test]
fn every_key_that_is_not_in_this_build_exists() {
    let mut keys = Vec::new();
    for (table, _, fields) in all_tables() {
        keys.extend(fields.iter().map(|field| table.child(field.name).to_string().replace("NAME", "*")));
        keys.push(table.to_string().replace("NAME", "*"));
    }
    for pattern in super::not_yet::patterns() {
        assert!(keys.iter().any(|key| key == pattern), "{pattern}");
    }
}
