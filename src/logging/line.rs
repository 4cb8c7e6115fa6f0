//! One record as one line.

use std::fmt::Write;

use chrono::{DateTime, Local, Utc};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};
use serde_json::{Map, Number};

use super::escape::{LONGEST_VALUE, bounded, escape, escape_json, is_unsafe};
use super::{ACCESS, wording};

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 4096;
/// The key whose value is JSON by itself.
const HEADERS: &str = "headers";

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// As JupyterHub.
    Jupyterhub,
}

/// Who reads the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A file or a pipe.
    Plain,
    /// A person.
    Terminal,
    /// journald, which knows the time and learns the priority from the prefix of sd-daemon(3).
    Journal,
}

/// A line in two parts: what a journal does not need, and the rest.
pub(super) struct Line {
    format: Format,
    level: Level,
    head: String,
    body: String,
}

impl Line {
    pub(super) fn styled(&self, style: Style) -> String {
        let Self { format, head, body, level } = self;
        match (style, format) {
            (Style::Journal, Format::Text) => format!("<{}>{body}\n", priority(*level)),
            (Style::Journal, _) => format!("<{}>{head}{body}\n", priority(*level)),
            (Style::Terminal, Format::Jupyterhub) => {
                format!("\u{1b}[{}m{head}\u{1b}[0m{body}\n", colour(*level))
            }
            _ => format!("{head}{body}\n"),
        }
    }
}

const fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::Error => "1;31",
        Level::Warn => "1;33",
        Level::Info => "1;32",
        Level::Debug | Level::Trace => "1;34",
    }
}

pub(super) fn of(format: Format, record: &Record<'_>) -> Line {
    let now = Utc::now();
    let message = record.args().as_str().map_or_else(|| record.args().to_string(), str::to_owned);
    let message = bounded(&message, LONGEST_MESSAGE);
    let (head, body) = match format {
        Format::Text => (text_head(record, now), text(record, &message)),
        Format::Json => (String::new(), json(record, &message, now)),
        Format::Jupyterhub => (bracketed(record, now), jupyterhub(record, &message)),
    };
    Line { format, level: record.level(), head, body }
}

fn text_head(record: &Record<'_>, now: DateTime<Utc>) -> String {
    format!("{} {:<5} {}: ", now.format("%Y-%m-%dT%H:%M:%S%.3fZ"), record.level(), record.target())
}

/// An access line has all its values in the message, but for the request's id.
fn text(record: &Record<'_>, message: &str) -> String {
    let mut body = escape(message).into_owned();
    let hidden: &[&str] = match record.target() {
        ACCESS => &["status", "method", "uri", "location", "user", "remote_ip", "duration_ms"],
        _ => &[],
    };
    pairs(record, &mut body, hidden);
    body
}

fn pairs(record: &Record<'_>, body: &mut String, hidden: &[&str]) {
    // the visitor never fails
    let _ = record.key_values().visit(&mut Pairs { body, hidden });
}

/// `[I 2026-01-31 12:00:00.123 JupyterHub login:106] `
fn bracketed(record: &Record<'_>, now: DateTime<Utc>) -> String {
    let letter = match record.level() {
        Level::Error => 'E',
        Level::Warn => 'W',
        Level::Info => 'I',
        Level::Debug | Level::Trace => 'D',
    };
    let module = match record.target() {
        ACCESS => "log",
        target => record.module_path().unwrap_or(target).rsplit("::").next().unwrap_or(target),
    };
    let now = now.with_timezone(&Local);
    let line = record.line().unwrap_or_default();
    format!("[{letter} {} JupyterHub {module}:{line}] ", now.format("%Y-%m-%d %H:%M:%S%.3f"))
}

fn jupyterhub(record: &Record<'_>, message: &str) -> String {
    let source = record.key_values();
    if record.target() == ACCESS {
        let headers = source.get(Key::from(HEADERS)).map(|headers| headers.to_string());
        return match headers.and_then(|headers| serde_json::from_str::<serde_json::Value>(&headers).ok()) {
            Some(headers) => escape_json(&format!("{headers:#}")).into_owned(),
            None => escape(message).into_owned(),
        };
    }
    let value = |key: &str| source.get(Key::from(key)).map(|value| escape(&cut(&value)).into_owned());
    let (mut body, used) =
        wording::sentence(message, value).unwrap_or_else(|| (escape(message).into_owned(), Vec::new()));
    pairs(record, &mut body, &used);
    body
}

fn cut(value: &Value<'_>) -> String {
    bounded(&value.to_string(), LONGEST_VALUE).into_owned()
}

fn json(record: &Record<'_>, message: &str, now: DateTime<Utc>) -> String {
    let mut object = Map::new();
    let mut text = |key: &str, value: String| object.insert(key.to_owned(), value.into());
    text("ts", now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    text("level", record.level().as_str().to_ascii_lowercase());
    text("target", record.target().to_owned());
    text("msg", message.to_owned());
    // the visitor never fails
    let _ = record.key_values().visit(&mut Members(&mut object));
    escape_json(&serde_json::Value::Object(object).to_string()).into_owned()
}

struct Pairs<'a> {
    body: &'a mut String,
    hidden: &'a [&'a str],
}

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        if self.hidden.contains(&key.as_str()) {
            return Ok(());
        }
        if key.as_str() == HEADERS {
            let _ = write!(self.body, " {key}={}", escape(&value.to_string()));
            return Ok(());
        }
        let text = cut(&value);
        // A value with white space or unsafe characters is quoted, so that one event stays one line.
        let plain =
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || is_unsafe(c) || c == '"');
        // writing to a String cannot fail
        let _ = if plain { write!(self.body, " {key}={text}") } else { write!(self.body, " {key}={text:?}") };
        Ok(())
    }
}

struct Members<'a>(&'a mut Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Members<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let own = ["ts", "level", "target", "msg"].contains(&key.as_str());
        let name = if own { format!("{key}_") } else { key.to_string() };
        let member = if key.as_str() == HEADERS {
            serde_json::from_str(&value.to_string()).unwrap_or_default()
        } else if let Some(truth) = value.to_bool() {
            truth.into()
        } else if let Some(number) = value.to_u64() {
            number.into()
        } else if let Some(number) = value.to_i64() {
            number.into()
        } else if let Some(number) = value.to_f64().and_then(Number::from_f64) {
            number.into()
        } else {
            cut(&value).into()
        };
        self.0.insert(name, member);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
