//! One line per event on stderr: time, level, message, key-values. Secrets never reach it.

use std::io::Write;

use env_logger::{Builder, Target};
use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Record};

/// Starts logging at `level`; `ORRERY_LOG` (env_logger's syntax) refines it per module.
///
/// Under systemd (`JOURNAL_STREAM` is set) the lines carry the priority that journald understands, not the time.
pub fn start(level: LevelFilter) {
    let journald = std::env::var_os("JOURNAL_STREAM").is_some();
    let mut builder = Builder::new();
    builder
        .filter_level(LevelFilter::Warn)
        .filter_module("orrery", level)
        .filter_module("orrery_proxy", level);
    if let Ok(filters) = std::env::var("ORRERY_LOG") {
        builder.parse_filters(&filters);
    }
    builder.target(Target::Stderr).format(move |out, record| {
        let head = if journald { priority(record) } else { stamped(record) };
        let mut line = format!("{head}{}", record.args());
        // the visitor below never fails
        let _ = record.key_values().visit(&mut Pairs(&mut line));
        writeln!(out, "{line}")
    });
    // A second start (tests in one process) keeps the first logger.
    let _ = builder.try_init();
}

/// The prefix of sd-daemon(3).
fn priority(record: &Record<'_>) -> String {
    let number = match record.level() {
        log::Level::Error => 3,
        log::Level::Warn => 4,
        log::Level::Info => 6,
        log::Level::Debug | log::Level::Trace => 7,
    };
    format!("<{number}>")
}

fn stamped(record: &Record<'_>) -> String {
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ");
    format!("{now} {:<5} {}: ", record.level(), record.target())
}

struct Pairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        use std::fmt::Write as _;
        let text = value.to_string();
        // A value with white space or control characters is quoted, so that one event stays one line.
        let plain =
            !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '"');
        // writing to a String cannot fail
        let _ = if plain { write!(self.0, " {key}={text}") } else { write!(self.0, " {key}={text:?}") };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_second_line() {
        let mut line = String::new();
        let mut pairs = Pairs(&mut line);
        pairs.visit_pair(Key::from("user"), Value::from("eve\nroot signed in")).unwrap();
        pairs.visit_pair(Key::from("pid"), Value::from(7)).unwrap();
        assert_eq!(line, " user=\"eve\\nroot signed in\" pid=7");
    }
}
