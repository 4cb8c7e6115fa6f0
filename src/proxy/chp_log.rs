//! The log as CHP writes it (proxy.md section 12): one line an event, on the standard
//! output, with a coloured level on terminals.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::clock::{iso, unix_millis};

/// Starts logging for the whole process.
pub(crate) fn start(level: LevelFilter) -> Result<(), SetLoggerError> {
    let colours = match io::stdout().is_terminal() {
        true => Colours::Some,
        false => Colours::None,
    };
    log::set_boxed_logger(Box::new(ChpLog { colours }))?;
    log::set_max_level(level);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    Some,
    None,
}

struct ChpLog {
    colours: Colours,
}

impl Log for ChpLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Of other crates only what a human has to know.
        metadata.target().starts_with("orrery_proxy") || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = line(record, unix_millis(), self.colours);
            // Nobody is left to tell when this fails.
            let _ = io::stdout().lock().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {
        let _ = io::stdout().lock().flush();
    }
}

fn line(record: &Record<'_>, millis: u64, colours: Colours) -> String {
    let (word, colour) = match record.level() {
        Level::Error => ("error", 31),
        Level::Warn => ("warn", 33),
        Level::Info => ("info", 32),
        Level::Debug => ("debug", 34),
        Level::Trace => ("silly", 35),
    };
    let word = match colours {
        Colours::Some => format!("\u{1b}[{colour}m{word}\u{1b}[39m"),
        Colours::None => word.to_owned(),
    };
    // A client's bytes may be in a message; they start no line of their own.
    let message = record.args().to_string().replace(char::is_control, " ");
    let mut line = format!("{} [ConfigProxy] {word}: {message}", iso(millis));
    // Our visitor never fails.
    let _ = record.key_values().visit(&mut Fields(&mut line));
    line.push('\n');
    line
}

/// Appends ` key=value`.
struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = value.to_string().replace(char::is_control, " ");
        let _ = write!(self.0, " {key}={value}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(level: Level, message: &str, colours: Colours) -> String {
        let fields = [("status", 503)];
        let mut record = Record::builder();
        let record = record.level(level).target("orrery_proxy").key_values(&fields);
        line(&record.args(format_args!("{message}")).build(), 0, colours)
    }

    #[test]
    fn a_line_has_time_name_level_message_and_fields() {
        assert_eq!(
            shown(Level::Info, "Route added / -> x", Colours::None),
            "1970-01-01T00:00:00.000Z [ConfigProxy] info: Route added / -> x status=503\n"
        );
        assert_eq!(
            shown(Level::Warn, "a", Colours::Some),
            "1970-01-01T00:00:00.000Z [ConfigProxy] \u{1b}[33mwarn\u{1b}[39m: a status=503\n"
        );
    }

    #[test]
    fn a_message_is_always_one_line() {
        assert_eq!(
            shown(Level::Error, "a\nb\r\u{1b}[2J", Colours::None).matches(['\n', '\r', '\u{1b}']).count(),
            1
        );
    }
}
