//! The oldest version of TLS that is spoken.

use std::fmt;
use std::str::FromStr;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

static FROM_12: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
static FROM_13: &[&SupportedProtocolVersion] = &[&TLS13];

/// The oldest version of TLS that is accepted. Older ones than 1.2 are broken,
/// and rustls does not have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

/// A version that is not known, or no longer safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?}: the oldest version of TLS is `1.2` (`TLSv1_2`) or `1.3` (`TLSv1_3`)")]
pub struct UnknownVersion(String);

impl MinVersion {
    pub(super) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => FROM_12,
            Self::Tls13 => FROM_13,
        }
    }
}

impl FromStr for MinVersion {
    type Err = UnknownVersion;

    /// Reads `1.2`, `TLSv1.2`, and the names of OpenSSL that CHP takes:
    /// `TLSv1_2`, and `TLS` or `SSLv23` for whatever is safe.
    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let plain = text.trim().trim_end_matches("_method").to_ascii_lowercase().replace('_', ".");
        match plain.as_str() {
            "1.2" | "tls1.2" | "tlsv1.2" | "tls" | "sslv23" => Ok(Self::Tls12),
            "1.3" | "tls1.3" | "tlsv1.3" => Ok(Self::Tls13),
            _ => Err(UnknownVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for MinVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_by_number_and_by_the_names_of_openssl() {
        for text in ["1.2", "TLSv1_2", "TLSv1.2", "TLSv1_2_method", "TLS", "SSLv23"] {
            assert_eq!(text.parse(), Ok(MinVersion::Tls12), "{text}");
        }
        for text in ["1.3", "TLSv1_3", "tlsv1.3"] {
            assert_eq!(text.parse(), Ok(MinVersion::Tls13), "{text}");
        }
    }

    #[test]
    fn versions_that_are_broken_or_unknown_are_refused_by_name() {
        for text in ["1.1", "TLSv1_1", "TLSv1", "SSLv3", "", "1.4"] {
            let error = text.parse::<MinVersion>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")) && error.contains("`1.3`"), "{error}");
        }
    }
}
