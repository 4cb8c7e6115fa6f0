//! From when until when a certificate is good.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

const SOON: u64 = 14 * 24 * 3600;

/// Seconds since 1970, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: u64,
    pub(super) not_after: u64,
}

impl Validity {
    /// `None` for a certificate too odd to be read. It is used all the same:
    /// whether it is good is for the other end to decide.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = Certificate::from_der(certificate).ok()?;
        let validity = parsed.tbs_certificate().validity();
        Some(Self {
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
        })
    }

    pub(super) fn contains(&self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// How long it is good for in all.
    pub(super) fn span(&self) -> u64 {
        self.not_after.saturating_sub(self.not_before)
    }
}

/// Now, in seconds since 1970.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// Says in the log what people should know about a certificate's end.
pub(super) fn warn_of_end(path: &Path, certificate: &CertificateDer<'_>) {
    let Some(validity) = Validity::of(certificate) else { return };
    let (now, file) = (unix_now(), path.display());
    let left = validity.not_after.saturating_sub(now);
    if now > validity.not_after {
        log::warn!(file:%; "the certificate has expired; others refuse it");
    } else if now < validity.not_before {
        log::warn!(file:%; "the certificate is not valid yet; others refuse it");
    } else if left < SOON.min(validity.span() / 4) {
        log::warn!(file:%, days_left = left / 86400; "the certificate expires soon");
    }
}
