//! The keys of signed values (SEC-114): the first signs, all verify. A new first one makes the one before it verify only, and
//! whatever was signed with a key that is dropped is void.

use std::time::Duration;

use zeroize::Zeroizing;

use super::signed_value;

/// At least one key, the newest first.
#[derive(Clone)]
pub struct SigningKeys {
    first: Zeroizing<Vec<u8>>,
    older: Vec<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} keys", 1 + self.older.len())
    }
}

impl SigningKeys {
    /// The keys, newest first; `None` without any, or with one that is empty.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = Zeroizing<Vec<u8>>>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let (first, older) = (keys.next()?, keys.collect::<Vec<_>>());
        let empty = first.is_empty() || older.iter().any(|key| key.is_empty());
        (!empty).then_some(Self { first, older })
    }

    /// The key that signs.
    #[must_use]
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// All keys, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.first).chain(&self.older).map(|key| key.as_slice())
    }

    /// [`signed_value::verify`] with whichever key fits.
    #[must_use]
    pub fn verify(&self, name: &str, signed: &str, now_unix: i64, max_age: Duration) -> Option<Vec<u8>> {
        self.verify_dated(name, signed, now_unix, max_age).map(|(value, _)| value)
    }

    /// [`signed_value::verify_dated`] with whichever key fits.
    #[must_use]
    pub fn verify_dated(
        &self,
        name: &str,
        signed: &str,
        now_unix: i64,
        max_age: Duration,
    ) -> Option<(Vec<u8>, i64)> {
        self.iter().find_map(|key| signed_value::verify_dated(key, name, signed, now_unix, max_age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&[u8]]) -> Option<SigningKeys> {
        SigningKeys::new(keys.iter().map(|key| key.to_vec().into()))
    }

    #[test]
    fn sec_114_an_older_key_verifies_until_it_is_dropped_and_signs_nothing() {
        let day = Duration::from_secs(86_400);
        let before = keys(&[b"one"]).unwrap();
        let signed = signed_value::sign(before.first(), "n", b"ada", 0);
        let rotated = keys(&[b"two", b"one"]).unwrap();
        assert_eq!(rotated.first(), b"two");
        assert_eq!(rotated.verify("n", &signed, 0, day).as_deref(), Some(&b"ada"[..]));
        assert_eq!(rotated.verify("other", &signed, 0, day), None);
        assert_eq!(rotated.verify("n", &signed, 86_401, day), None, "age counts whatever the key");
        assert_eq!(keys(&[b"three", b"two"]).unwrap().verify("n", &signed, 0, day), None);
        assert_eq!(format!("{rotated:?}"), "2 keys");
    }

    #[test]
    fn there_is_no_ring_without_a_key_or_with_an_empty_one() {
        assert!(keys(&[]).is_none() && keys(&[b""]).is_none() && keys(&[b"one", b""]).is_none());
    }
}
