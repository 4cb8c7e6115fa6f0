//! What a sign-in leaves, encrypted: keys in the spellings of the reference, and their rotation (authenticators.md 6).

use std::sync::Arc;

use chrono::Utc;
use log::warn;
use serde_json::Value;
use zeroize::Zeroizing;

use super::fernet::{BASE64, Key};
use crate::secret::{self, RandomError, Secret};
use base64::Engine;

/// Why there are no keys that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is on, but there is none.
    #[error(
        "auth.state.enabled needs a key: set the environment variable JUPYTERHUB_CRYPT_KEY (or auth.state.keys) \
         to the output of `openssl rand -hex 32`"
    )]
    Missing,
    /// Not 32 bytes in any spelling.
    #[error(
        "auth.state.keys: key number {0} is not 32 bytes as 64 hexadecimal digits, as base64, or as 32 characters"
    )]
    Unreadable(usize),
}

/// Why something could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// There is no key.
    #[error("there is no key to encrypt with: set auth.state.keys or JUPYTERHUB_CRYPT_KEY")]
    NoKey,
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The keys: the first encrypts, all decrypt.
#[derive(Clone, Default)]
pub struct StateKeys(Arc<[Key]>);

impl std::fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// What was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// In clear; null if there is nothing or no key fits.
    pub state: Value,
    /// Whether it should be stored anew, with the first key: there are several.
    pub is_stale: bool,
}

impl StateKeys {
    /// Reads the keys: 64 hexadecimal digits, base64, or 32 characters as they are. Several may stand in one text,
    /// with `;` between them.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`].
    pub fn parse(texts: &[Secret]) -> Result<Self, KeyError> {
        let spelled = texts.iter().flat_map(|text| text.expose().split(';'));
        let spelled = spelled.filter(|text| !text.trim().is_empty()).enumerate();
        let keys = spelled.map(|(at, text)| key(text).map(Key::new).ok_or(KeyError::Unreadable(at + 1)));
        Ok(Self(keys.collect::<Result<Vec<_>, _>>()?.into()))
    }

    /// Whether there is a key at all.
    #[must_use]
    pub fn exist(&self) -> bool {
        !self.0.is_empty()
    }

    /// Encrypts a state with the first key.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn encrypt(&self, state: &Value) -> Result<String, EncryptError> {
        let key = self.0.first().ok_or(EncryptError::NoKey)?;
        let clear = Zeroizing::new(state.to_string());
        let seconds = u64::try_from(Utc::now().timestamp()).unwrap_or_default();
        key.encrypt(clear.as_bytes(), seconds, secret::random_bytes()?).ok_or(EncryptError::NoKey)
    }

    /// Decrypts what is stored of `user`. What cannot be read counts as nothing, with a warning.
    #[must_use]
    pub fn decrypt(&self, user: &str, stored: Option<&str>) -> Opened {
        let nothing = Opened { state: Value::Null, is_stale: false };
        let Some(stored) = stored else { return nothing };
        let clear = self.0.iter().find_map(|key| key.decrypt(stored));
        match clear.and_then(|clear| serde_json::from_slice(&clear).ok()) {
            Some(state) => Opened { state, is_stale: self.0.len() > 1 },
            None => {
                warn!(user; "the stored auth state cannot be decrypted: is its key still in auth.state.keys?");
                nothing
            }
        }
    }
}

fn key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    let exact = |bytes: Vec<u8>| {
        let bytes = Zeroizing::new(bytes);
        <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
    };
    match text.len() {
        64 => unhex(text).and_then(exact),
        32 => exact(text.as_bytes().to_vec()),
        43 | 44 => BASE64.decode(text.replace('+', "-").replace('/', "_")).ok().and_then(exact),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    digits?
        .chunks(2)
        .map(|pair| {
            let [high, low] = pair else { return None };
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const RAW: &str = "thirty-two characters of a key!!";

    fn keys(texts: &[&str]) -> StateKeys {
        StateKeys::parse(&texts.iter().map(|text| Secret::new(*text)).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn cook_093_cfg_043_keys_are_hexadecimal_base64_or_raw_and_several_are_separated() {
        let state = json!({"token": "t"});
        let sealed = keys(&[HEX]).encrypt(&state).unwrap();
        assert_eq!(keys(&[BASE]).decrypt("ada", Some(&sealed)).state, state, "the same key");
        assert_eq!(keys(&[RAW]).decrypt("ada", Some(&sealed)).state, Value::Null, "another key");
        let both = keys(&[&format!("{RAW};{HEX}")]);
        assert_eq!(both.decrypt("ada", Some(&sealed)), Opened { state, is_stale: true });
        assert!(!keys(&[]).exist() && !keys(&[" ; "]).exist());
        for (texts, at) in [(&["short"][..], 1), (&[HEX, "zz"][..], 2)] {
            let texts: Vec<Secret> = texts.iter().map(|text| Secret::new(*text)).collect();
            assert_eq!(StateKeys::parse(&texts).unwrap_err(), KeyError::Unreadable(at));
        }
        let wrong_digits = Secret::new("g".repeat(64));
        assert_eq!(StateKeys::parse(&[wrong_digits]).unwrap_err(), KeyError::Unreadable(1));
    }

    #[test]
    fn auth_015_what_is_stored_comes_back_and_says_nothing_without_a_key() {
        let state = json!({"access_token": "secret", "groups": ["a"]});
        let sealed = keys(&[HEX]).encrypt(&state).unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(keys(&[HEX]).decrypt("ada", Some(&sealed)), Opened { state, is_stale: false });
        assert_eq!(keys(&[]).decrypt("ada", Some(&sealed)).state, Value::Null);
        assert_eq!(keys(&[HEX]).decrypt("ada", None).state, Value::Null);
        assert!(matches!(keys(&[]).encrypt(&Value::Null), Err(EncryptError::NoKey)));
        assert_eq!(format!("{:?}", keys(&[HEX])), "1 keys");
    }
}
