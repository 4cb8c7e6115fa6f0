//! Values that carry their own proof: the login cookie and the XSRF token (cookies-xsrf.md 2).
//!
//! The format is version 2 of tornado's signed values, so that browser sessions survive a migration from
//! JupyterHub. The value is readable by whoever holds it; it cannot be altered, moved to another name or kept past
//! its age. Version 1 is not accepted.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::hexadecimal;
use crate::secret::hex;

/// `2` is the format's version, `0` the number of the only key.
const HEAD: &str = "2|1:0|";

/// Signs `value` for `name` at `now_unix` (seconds since 1970).
#[must_use]
pub fn sign(secret: &[u8], name: &str, value: &[u8], now_unix: i64) -> String {
    let mut signed = HEAD.to_owned();
    for field in [&now_unix.to_string(), name, &STANDARD.encode(value)] {
        signed.push_str(&format!("{}:{field}|", field.len()));
    }
    if let Some(mac) = mac(secret, signed.as_bytes()) {
        signed.push_str(&hex(&mac.finalize().into_bytes()));
    }
    signed
}

/// The value that was signed, if the signature is ours, was made for `name`, and is at most `max_age` old.
#[must_use]
pub fn verify(secret: &[u8], name: &str, signed: &str, now_unix: i64, max_age: Duration) -> Option<Vec<u8>> {
    verify_dated(secret, name, signed, now_unix, max_age).map(|(value, _)| value)
}

/// As [`verify`], with the time at which it was signed.
#[must_use]
pub fn verify_dated(
    secret: &[u8],
    name: &str,
    signed: &str,
    now_unix: i64,
    max_age: Duration,
) -> Option<(Vec<u8>, i64)> {
    let end = signed.rfind('|')?.checked_add(1)?;
    let (covered, signature) = signed.split_at_checked(end)?;
    mac(secret, covered.as_bytes())?.verify_slice(&hexadecimal::decode(signature)?).ok()?;

    let (time, rest) = field(covered.strip_prefix(HEAD)?)?;
    let (signed_name, rest) = field(rest)?;
    let (value, rest) = field(rest)?;
    let time = time.parse().ok()?;
    let fits = is_fresh(time, now_unix, max_age) && signed_name == name && rest.is_empty();
    if fits { Some((STANDARD.decode(value).ok()?, time)) } else { None }
}

/// `None` never happens: HMAC takes keys of every length.
fn mac(secret: &[u8], covered: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(covered);
    Some(mac)
}

/// Splits `<length in bytes>:<text>|` off the front.
fn field(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    let (field, rest) = rest.split_at_checked(length.parse().ok()?)?;
    Some((field, rest.strip_prefix('|')?))
}

fn is_fresh(signed_at: i64, now: i64, max_age: Duration) -> bool {
    let age = now.saturating_sub(signed_at);
    // a negative age is a clock set back; the signature vouches for the time
    u64::try_from(age).map_or(true, |age| Duration::from_secs(age) <= max_age)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const NOW: i64 = 1_795_305_540;

    fn secret() -> Vec<u8> {
        (0..32).collect()
    }

    /// Made by tornado 6.6.1: `create_signed_value(bytes(range(32)), name, value, version=2, clock=...)`.
    const BY_TORNADO: [(&str, &[u8], i64, &str); 4] = [
        (
            "jupyterhub-hub-login",
            b"0123456789abcdef0123456789abcdef",
            NOW,
            "2|1:0|10:1795305540|20:jupyterhub-hub-login|44:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=|561dc1aa805619994884fdb5ae0dc92f0a27eb36d5ac3abdec0a6285fa028aa4",
        ),
        (
            "_xsrf",
            b"None:abc=",
            NOW,
            "2|1:0|10:1795305540|5:_xsrf|12:Tm9uZTphYmM9|7c34ce63b1e2e34433ce79615ef24cb491e63813eb75eff7f58b7132b8af5dba",
        ),
        (
            "a|n",
            &[0, 255, 254, 124, 58],
            5,
            "2|1:0|1:5|3:a|n|8:AP/+fDo=|26fd37cc6cc1287fd63a376555e926f191aa5adce24ace260f3001fc51d25b91",
        ),
        (
            "empty",
            b"",
            0,
            "2|1:0|1:0|5:empty|0:|deba8d4ed74c8f7a9a01e8df7485b7c4ed42159338579f8d361ea76603841043",
        ),
    ];

    #[test]
    fn cook_012_values_are_those_of_tornado() {
        for (name, value, at, signed) in BY_TORNADO {
            assert_eq!(sign(&secret(), name, value, at), signed);
            assert_eq!(verify(&secret(), name, signed, at, DAY).as_deref(), Some(value));
        }
    }

    #[test]
    fn cook_007_old_foreign_and_renamed_values_are_refused() {
        let (name, value, at, signed) = BY_TORNADO[0];
        let max = DAY * 14;
        let read = |secret: &[u8], name, now| verify(secret, name, signed, now, max);
        assert_eq!(read(&secret(), name, at + 1_209_600).as_deref(), Some(value));
        assert_eq!(read(&secret(), name, at + 1_209_601), None);
        assert_eq!(read(&secret(), "_xsrf", at), None);
        assert_eq!(read(b"another secret", name, at), None);
    }

    #[test]
    fn well_signed_texts_of_another_shape_are_refused() {
        for covered in [
            "2|1:1|1:0|1:n|0:|",
            "1|1:0|1:0|1:n|0:|",
            "2|1:0|1:0|1:n|0:|0:|",
            "2|1:0|2:0|1:n|0:|",
            "2|1:0|1:x|1:n|0:|",
            "2|1:0|1:0|1:n|1:!|",
            "2|1:0|1:0|1:n|",
            "2|1:0|1:0|9:n|0:|",
        ] {
            let tag = hex(&mac(&secret(), covered.as_bytes()).unwrap().finalize().into_bytes());
            let signed = format!("{covered}{tag}");
            assert_eq!(verify(&secret(), "n", &signed, 0, DAY), None, "{covered}");
        }
    }

    proptest! {
        #[test]
        fn what_was_signed_verifies(value: Vec<u8>, name in ".{0,20}", now in 0..i64::MAX, key: Vec<u8>) {
            let signed = sign(&key, &name, &value, now);
            prop_assert_eq!(verify(&key, &name, &signed, now, Duration::ZERO), Some(value));
        }

        #[test]
        fn any_changed_character_fails(value: Vec<u8>, at: prop::sample::Index, other in "[ -~]") {
            let mut signed = sign(&secret(), "name", &value, NOW);
            let at = at.index(signed.len());
            prop_assume!(signed[at..=at] != other);
            signed.replace_range(at..=at, &other);
            prop_assert_eq!(verify(&secret(), "name", &signed, NOW, DAY), None);
        }

        #[test]
        fn reading_strangers_text_never_panics(text in ".{0,80}", tail in "(2\\|1:0\\|)?[0-9]{0,3}:[^|]{0,9}\\|.{0,20}") {
            prop_assert_eq!(verify(&secret(), "name", &text, NOW, DAY), None);
            prop_assert_eq!(verify(&secret(), "name", &tail, NOW, DAY), None);
            let _ = field(&text);
            let _ = field(&tail);
        }
    }
}
