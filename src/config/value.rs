//! Values with a spelling of their own: durations, sizes, commands, file modes, address ranges, log levels.

use std::time::Duration;

use config::ValueKind;
use serde_json::Value as Json;

use super::setting::kinds::{integer, number, text};
use super::setting::{leaf, section};
use orrery_proxy::network::Network;

/// A text, a number, or true or false.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar(pub Json);

leaf!(
    Scalar,
    "a text in quotes, a number, or true or false",
    |kind| match kind {
        ValueKind::String(_) | ValueKind::Boolean(_) | ValueKind::I64(_) | ValueKind::Float(_) => {
            Some(Scalar(super::setting::kinds::plain(kind)))
        }
        _ => None,
    },
    |scalar| scalar.0.clone()
);

/// A duration of so many minutes; for defaults.
#[must_use]
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// A duration of so many days; for defaults.
#[must_use]
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86400)
}

const DURATION: &str =
    "a duration of 0 or more: seconds as a number, or text such as \"90s\", \"5m\", \"12h\", \"14d\"";

/// The seconds in a number or a text such as `90s`, `5m`, `14d` (also `ms`, `h`); may be negative.
fn signed_seconds(kind: &ValueKind) -> Option<f64> {
    let Some(text) = text(kind) else {
        return number(kind);
    };
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (count, unit) = text.split_at_checked(split)?;
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    count.trim_end().parse::<f64>().ok().filter(|count| count.is_finite()).map(|count| count * scale)
}

fn seconds(kind: &ValueKind) -> Option<Duration> {
    Duration::try_from_secs_f64(signed_seconds(kind)?).ok()
}

/// A duration as a number of seconds, whole if it is.
fn show_seconds(duration: &Duration) -> Json {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

leaf!(Duration, DURATION, seconds, show_seconds);

/// A duration where every negative number means 0, which switches something off.
pub struct SecondsOrOff;
leaf!(
    SecondsOrOff => Duration,
    DURATION,
    |kind| match signed_seconds(kind)? {
        negative if negative < 0.0 => Some(Duration::ZERO),
        _ => seconds(kind),
    },
    show_seconds
);

/// A duration where every negative number means a day (config.md 2.5, `init_spawners_timeout`).
pub struct SecondsOrDay;
leaf!(
    SecondsOrDay => Duration,
    DURATION,
    |kind| match signed_seconds(kind)? {
        negative if negative < 0.0 => Some(days(1)),
        _ => seconds(kind),
    },
    show_seconds
);

/// An amount of bytes: a number, or text with `K`, `M`, `G` or `T` (powers of 1024; CFG-040).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    fn of_kind(kind: &ValueKind) -> Option<Self> {
        let bytes = match text(kind) {
            None => number(kind)?,
            Some(text) => {
                let unit = text.chars().next_back()?;
                let power = [('K', 1), ('M', 2), ('G', 3), ('T', 4)]
                    .into_iter()
                    .find(|(letter, _)| *letter == unit)?
                    .1;
                text.strip_suffix(unit)?.parse::<f64>().ok()? * 1024_f64.powi(power)
            }
        };
        // there is no checked conversion from float to integer; the text form truncates and refuses all that is not one
        format!("{:.0}", bytes.trunc()).parse().ok().map(Self)
    }
}

leaf!(
    ByteSize,
    "a number of bytes, or text such as \"512M\" or \"1.5G\" (K, M, G, T)",
    Self::of_kind,
    |size| size.0.into()
);

/// A command: a list of words, or one text that is the program alone. No shell reads it.
pub struct Command;
leaf!(
    Command => Vec<String>,
    "a list of texts, or one text that names a program",
    |kind| match kind {
        ValueKind::String(program) => Some(vec![program.clone()]),
        ValueKind::Array(words) => words.iter().map(|word| text(&word.kind).map(str::to_owned)).collect(),
        _ => None,
    },
    |words| Json::from(words.clone())
);

/// Permission bits of a file, or the bits that a umask takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(pub u32);

leaf!(
    FileMode,
    "permission bits such as \"0600\" or 0o600",
    |kind| {
        let bits = match text(kind) {
            Some(text) => u32::from_str_radix(text.trim_start_matches("0o"), 8).ok()?,
            None => u32::try_from(integer(kind)?).ok()?,
        };
        (bits <= 0o7777).then_some(Self(bits))
    },
    |mode| format!("{:04o}", mode.0).into()
);

leaf!(
    Network,
    "an IP address or a block such as \"10.0.0.0/8\"",
    |kind| text(kind)?.parse().ok(),
    |network| network.to_string().into()
);

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLevel(pub log::Level);

leaf!(
    LogLevel,
    "one of \"debug\", \"info\", \"warn\", \"error\", or Python's 10, 20, 30, 40",
    |kind| {
        let level = match (text(kind).map(str::to_ascii_lowercase).as_deref(), integer(kind)) {
            (Some("trace" | "0"), _) | (_, Some(0)) => log::Level::Trace,
            (Some("debug" | "10"), _) | (_, Some(10)) => log::Level::Debug,
            (Some("info" | "20"), _) | (_, Some(20)) => log::Level::Info,
            (Some("warn" | "warning" | "30"), _) | (_, Some(30)) => log::Level::Warn,
            (Some("error" | "critical" | "40" | "50"), _) | (_, Some(40 | 50)) => log::Level::Error,
            _ => return None,
        };
        Some(Self(level))
    },
    |level| level.0.as_str().to_ascii_lowercase().into()
);

section! {
    /// A program or URL that takes a decision instead of a built-in rule (config.md 10).
    pub struct Hook {
        /// The program and its arguments.
        pub command: Vec<String> as Command = Vec::new(),
        /// The URL to post to, instead of a program.
        pub url: String = String::new(),
        /// How long to wait for the answer.
        pub timeout: Duration = Duration::from_secs(10),
        /// The account that the program runs as.
        pub user: String = String::new(),
    }
}

#[cfg(test)]
mod tests {
    use config::Value;

    use super::super::setting::{Key, Setting};
    use super::*;

    fn read<T: Setting>(kind: impl Into<ValueKind>) -> Option<T::Value> {
        T::read(&Value::new(None, kind), &Key::default(), &mut Vec::new())
    }

    #[test]
    fn durations_are_numbers_of_seconds_or_text_with_a_unit() {
        for (text, seconds) in
            [("90s", 90.0), ("5m", 300.0), ("14d", 1_209_600.0), ("1.5h", 5400.0), ("250ms", 0.25)]
        {
            assert_eq!(read::<Duration>(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        assert_eq!(read::<Duration>(7), Some(Duration::from_secs(7)));
        assert_eq!(read::<Duration>(0.3), Some(Duration::from_secs_f64(0.3)));
        for bad in ["", "s", "5", "5 weeks", "-5s", "1e999s", "nans", "5M"] {
            assert_eq!(read::<Duration>(bad), None, "{bad}");
        }
        assert_eq!(read::<Duration>(-1), None);
        assert_eq!(read::<SecondsOrOff>(-1), Some(Duration::ZERO));
        assert_eq!(read::<SecondsOrDay>(-1), Some(days(1)));
    }

    #[test]
    fn cfg_040_byte_sizes() {
        for (text, bytes) in [("1.5G", 1_610_612_736), ("2K", 2048), ("1T", 1 << 40), ("3M", 3 << 20)] {
            assert_eq!(read::<ByteSize>(text), Some(ByteSize(bytes)), "{text}");
        }
        assert_eq!(read::<ByteSize>(10), Some(ByteSize(10)));
        assert_eq!(read::<ByteSize>(10.9), Some(ByteSize(10)));
        for bad in ["1g", "10X", "abc", "", "G", "-1G", "infG", "nanG", "é"] {
            assert_eq!(read::<ByteSize>(bad), None, "{bad}");
        }
        assert_eq!(read::<ByteSize>(-1), None);
    }

    #[test]
    fn a_command_is_a_list_or_one_program() {
        assert_eq!(read::<Command>("jupyter lab"), Some(vec!["jupyter lab".to_owned()]));
        assert_eq!(read::<Command>(vec!["a", "b"]), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read::<Command>(5), None);
    }

    #[test]
    fn file_modes_are_octal() {
        assert_eq!(read::<FileMode>("0600"), Some(FileMode(0o600)));
        assert_eq!(read::<FileMode>("0o27"), Some(FileMode(0o27)));
        assert_eq!(read::<FileMode>(0o600_i64), Some(FileMode(0o600)));
        assert_eq!(read::<FileMode>("0800"), None);
        assert_eq!(FileMode::show(&FileMode(0o7)), Json::from("0007"));
    }

    #[test]
    fn log_levels_have_pythons_names_and_numbers() {
        assert_eq!(read::<LogLevel>("WARNING"), Some(LogLevel(log::Level::Warn)));
        assert_eq!(read::<LogLevel>(10), Some(LogLevel(log::Level::Debug)));
        assert_eq!(read::<LogLevel>("loud"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in ".*") {
            read::<Duration>(text.as_str());
            read::<ByteSize>(text.as_str());
            read::<FileMode>(text.as_str());
            read::<Network>(text.as_str());
        }
    }
}
