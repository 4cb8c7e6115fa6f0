//! Values of options.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use log::LevelFilter;

/// Far beyond any use, and near enough to be added to a clock.
const MAX_MILLIS: u64 = 365 * 24 * 60 * 60 * 1000;

/// Reads whole milliseconds.
pub(super) fn millis(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(millis) if millis <= MAX_MILLIS => Ok(Duration::from_millis(millis)),
        _ => Err("expected a number of milliseconds".to_owned()),
    }
}

/// A level of the log by the names of CHP's logger, and of JupyterHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLevel(pub LevelFilter);

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text.to_ascii_lowercase().as_str() {
            "error" | "critical" | "fatal" => LevelFilter::Error,
            "warn" | "warning" => LevelFilter::Warn,
            "info" | "http" => LevelFilter::Info,
            "debug" | "verbose" => LevelFilter::Debug,
            "silly" | "trace" => LevelFilter::Trace,
            "silent" | "off" => LevelFilter::Off,
            _ => return Err("expected debug, info, warn or error".to_owned()),
        }))
    }
}

/// A field to set in requests. Read without a check, because CHP has words of its own
/// for what is wrong with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomHeader(String);

impl FromStr for CustomHeader {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl CustomHeader {
    /// Splits at the first colon; both sides are trimmed.
    pub(super) fn field(&self) -> Result<(HeaderName, HeaderValue), String> {
        let text = &self.0;
        let (name, value) =
            text.split_once(':').ok_or_else(|| format!("A colon was expected in custom header: {text}"))?;
        let name = HeaderName::from_str(name.trim());
        let value = HeaderValue::from_str(value.trim());
        match (name, value) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            // Not repeated: the value may be a secret.
            (Ok(name), Err(_)) => Err(format!("The value of custom header {name} holds control characters")),
            (Err(_), _) => Err(format!("Not a header name, in custom header: {text}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chp_037_a_custom_header_is_split_at_the_first_colon_and_trimmed() {
        for (text, expected) in
            [("k1:v1", ("k1", "v1")), (" X-A :  b:c ", ("x-a", "b:c")), ("empty:", ("empty", ""))]
        {
            let (name, value) = CustomHeader(text.to_owned()).field().unwrap();
            assert_eq!((name.as_str(), value.to_str().unwrap()), expected);
        }
        let problem = CustomHeader("nocolon".to_owned()).field().unwrap_err();
        assert_eq!(problem, "A colon was expected in custom header: nocolon");
        for text in [":v", "a b:c", "a:b\nc"] {
            assert!(CustomHeader(text.to_owned()).field().is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_whole_and_bounded() {
        assert_eq!(millis("1500"), Ok(Duration::from_millis(1500)));
        for text in ["", "-1", "1.5", "abc", "99999999999999999999", "40000000000"] {
            assert!(millis(text).is_err(), "{text}");
        }
    }
}
