//! The token format of the reference's auth state: AES-128-CBC and HMAC-SHA256 (authenticators.md 6), from the
//! primitives of RustCrypto. Nothing else of the hub uses it.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet::URL_SAFE as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const VERSION: u8 = 0x80;
/// Version, time, initialisation vector.
const HEAD: usize = 1 + 8 + 16;
const MAC: usize = 32;

/// Python writes the padding; a hand may have cut it off.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One key: the first half signs, the second encrypts.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    pub(super) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    fn halves(&self) -> ([u8; 16], [u8; 16]) {
        let (mut signing, mut encrypting) = ([0; 16], [0; 16]);
        let (first, second) = self.0.split_at(16);
        signing.copy_from_slice(first);
        encrypting.copy_from_slice(second);
        (signing, encrypting)
    }

    fn mac(&self, signed: &[u8]) -> Option<Hmac<Sha256>> {
        let (signing, _) = self.halves();
        let mut mac = Hmac::<Sha256>::new_from_slice(&signing).ok()?;
        mac.update(signed);
        Some(mac)
    }

    /// The token of `clear`; `None` only if the primitives refuse their own key sizes.
    pub(super) fn encrypt(&self, clear: &[u8], seconds: u64, iv: [u8; 16]) -> Option<String> {
        let (_, encrypting) = self.halves();
        let mut token = vec![VERSION];
        token.extend_from_slice(&seconds.to_be_bytes());
        token.extend_from_slice(&iv);
        let cipher = cbc::Encryptor::<Aes128>::new(&encrypting.into(), &iv.into());
        token.extend_from_slice(&cipher.encrypt_padded_vec::<Pkcs7>(clear));
        let mac = self.mac(&token)?.finalize().into_bytes();
        token.extend_from_slice(&mac);
        Some(BASE64.encode(token))
    }

    /// What was encrypted; `None` if the token is damaged or of another key.
    pub(super) fn decrypt(&self, token: &str) -> Option<Zeroizing<Vec<u8>>> {
        let token = BASE64.decode(token.trim()).ok()?;
        let (signed, mac) = token.split_at_checked(token.len().checked_sub(MAC)?)?;
        self.mac(signed)?.verify_slice(mac).ok()?;
        let (head, encrypted) = signed.split_at_checked(HEAD)?;
        if head.first() != Some(&VERSION) {
            return None;
        }
        let iv: [u8; 16] = head.get(9..)?.try_into().ok()?;
        let (_, encrypting) = self.halves();
        let cipher = cbc::Decryptor::<Aes128>::new(&encrypting.into(), &iv.into());
        cipher.decrypt_padded_vec::<Pkcs7>(encrypted).ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the public Fernet specification.
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn key() -> Key {
        let bytes = BASE64.decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
        Key::new(Zeroizing::new(bytes.try_into().unwrap()))
    }

    #[test]
    fn auth_015_tokens_are_those_of_the_specification() {
        let iv = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(key().encrypt(b"hello", 499_162_800, iv).unwrap(), TOKEN);
        assert_eq!(key().decrypt(TOKEN).unwrap().as_slice(), b"hello");
    }

    #[test]
    fn auth_015_damaged_and_foreign_tokens_are_nothing() {
        let other = Key::new(Zeroizing::new([7; 32]));
        assert!(other.decrypt(TOKEN).is_none());
        for at in 0..TOKEN.len() - 2 {
            let mut damaged = TOKEN.to_owned();
            damaged.replace_range(at..=at, if &TOKEN[at..=at] == "A" { "B" } else { "A" });
            assert!(key().decrypt(&damaged).is_none(), "{at}");
        }
        for odd in ["", "gA", "not base64 at all!", &TOKEN[..60]] {
            assert!(key().decrypt(odd).is_none(), "{odd}");
        }
    }
}
