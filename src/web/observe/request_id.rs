//! A name for each request: the one that it came with, or a new one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{HeaderMap, HeaderValue};

use super::REQUEST_ID;
use crate::secret;

/// The longest name that is taken over.
const LONGEST: usize = 128;

/// A request's name: letters, digits and a few marks, so it is safe in headers and logs.
#[derive(Debug, Clone)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(&REQUEST_ID);
        match (given.next(), given.next()) {
            (Some(only), None) if is_sane(only.as_bytes()) => Self(only.clone()),
            _ => Self::new(),
        }
    }

    /// A number that no other request of this process has, behind one that no other process has.
    fn new() -> Self {
        static PROCESS: OnceLock<String> = OnceLock::new();
        static REQUEST: AtomicU64 = AtomicU64::new(0);
        let process = PROCESS.get_or_init(|| {
            // without random bytes the names are still unique within this process
            secret::random_bytes::<8>().map(|bytes| secret::hex(&bytes)).unwrap_or_default()
        });
        let number = REQUEST.fetch_add(1, Ordering::Relaxed);
        let name = HeaderValue::from_str(&format!("{process}-{number:x}"));
        Self(name.unwrap_or_else(|_| HeaderValue::from_static("none")))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_sane(name: &[u8]) -> bool {
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(byte);
    !name.is_empty() && name.len() <= LONGEST && name.iter().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(REQUEST_ID, HeaderValue::from_str(value).unwrap());
        }
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn a_sane_name_is_kept_and_any_other_replaced() {
        assert_eq!(of(&["req-1.a:B_2"]), "req-1.a:B_2");
        let long = "x".repeat(LONGEST + 1);
        for odd in [&[""][..], &["a b"], &["a\"b"], &[long.as_str()], &["a", "b"], &[]] {
            assert!(!odd.contains(&of(odd).as_str()), "{odd:?}");
        }
        assert_ne!(of(&[]), of(&[]));
    }
}
