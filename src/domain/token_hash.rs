//! How secrets rest in the database: `sha512:<rounds>:<salt>:<digest>` (database.md 3, cookies-xsrf.md 7).
//!
//! It only turns tokens into hashes and compares them; finding the rows with a token's [`prefix`] is the store's
//! work. The format is JupyterHub's, so that imported tokens stay valid.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;

use crate::domain::hexadecimal;
use crate::secret::hex;

/// Rounds for secrets that the hub drew itself: they are random enough.
pub const GENERATED_ROUNDS: u32 = 1;
/// Rounds for tokens that an operator chose, and for every OAuth client secret.
pub const SUPPLIED_ROUNDS: u32 = 16_384;
/// The fewest characters of a token.
pub const MIN_TOKEN_CHARS: usize = 8;
/// The most characters of a token; longer candidates are refused before they cost a hash.
pub const MAX_TOKEN_CHARS: usize = 64;

/// More rounds than any row may ask for: a damaged row must not keep a thread busy.
const MAX_ROUNDS: u32 = 1 << 20;
const PREFIX_CHARS: usize = 4;
const DIGEST_BYTES: usize = 64;

/// Why a token cannot be hashed or a stored hash cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenHashError {
    /// Fewer than [`MIN_TOKEN_CHARS`] characters; says the prefix only.
    #[error("the token '{0}...' is too short: use {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} characters")]
    TooShort(String),
    /// More than [`MAX_TOKEN_CHARS`] characters; says the prefix only.
    #[error("the token '{0}...' is too long: use {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} characters")]
    TooLong(String),
    /// The salt is not 1 to 64 hexadecimal digits.
    #[error("the salt of a token hash must be 1 to 64 hexadecimal digits")]
    Salt,
    /// No rounds at all would make every token match; too many would be a way to keep us busy.
    #[error("a token hash must have 1 to {MAX_ROUNDS} rounds")]
    Rounds,
    /// The stored text is not `sha512:<rounds>:<salt>:<128 hexadecimal digits>`.
    #[error("a stored token hash must read sha512:<rounds>:<salt>:<128 hexadecimal digits>")]
    Format,
}

/// The salted hash of one token. It prints in full through `Display` (for the store), never through `Debug`.
#[derive(Clone)]
pub struct TokenHash {
    rounds: u32,
    salt: String,
    digest: [u8; DIGEST_BYTES],
}

impl TokenHash {
    /// Hashes a token that is about to be stored. `salt_hex` should be 16 fresh random hexadecimal digits.
    ///
    /// # Errors
    /// If the token has fewer than 8 or more than 64 characters, or `rounds` or `salt_hex` are out of bounds.
    pub fn new(token: &str, rounds: u32, salt_hex: &str) -> Result<Self, TokenHashError> {
        check_length(token)?;
        Self::compute(token, rounds, salt_hex)
    }

    fn compute(token: &str, rounds: u32, salt: &str) -> Result<Self, TokenHashError> {
        check_parameters(rounds, salt)?;
        Ok(Self { rounds, salt: salt.to_owned(), digest: digest(token, rounds, salt) })
    }

    /// Whether `token` is the one that was hashed. Takes the same time for every token of the same length; one of
    /// more than 64 characters is refused without hashing.
    #[must_use]
    pub fn verify(&self, token: &str) -> bool {
        if chars(token) > MAX_TOKEN_CHARS {
            return false;
        }
        digest(token, self.rounds, &self.salt).as_slice().ct_eq(&self.digest).into()
    }
}

/// The first four characters of a token: stored in the clear, to find its row.
#[must_use]
pub fn prefix(token: &str) -> &str {
    let end = token.char_indices().nth(PREFIX_CHARS).map(|(at, _)| at);
    end.and_then(|end| token.get(..end)).unwrap_or(token)
}

/// Checks that a token has 8 to 64 characters (DB-004, COOK-091).
///
/// # Errors
/// [`TokenHashError::TooShort`] or [`TokenHashError::TooLong`].
pub fn check_length(token: &str) -> Result<(), TokenHashError> {
    match chars(token) {
        count if count < MIN_TOKEN_CHARS => Err(TokenHashError::TooShort(prefix(token).to_owned())),
        count if count > MAX_TOKEN_CHARS => Err(TokenHashError::TooLong(prefix(token).to_owned())),
        _ => Ok(()),
    }
}

/// Counts characters, giving up as soon as there are too many.
fn chars(token: &str) -> usize {
    token.chars().take(MAX_TOKEN_CHARS + 1).count()
}

fn check_parameters(rounds: u32, salt: &str) -> Result<(), TokenHashError> {
    if !(1..=MAX_ROUNDS).contains(&rounds) {
        return Err(TokenHashError::Rounds);
    }
    let fine = (1..=64).contains(&salt.len()) && salt.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fine { Ok(()) } else { Err(TokenHashError::Salt) }
}

fn digest(token: &str, rounds: u32, salt: &str) -> [u8; DIGEST_BYTES] {
    let mut hasher = Sha512::new_with_prefix(salt);
    for _ in 0..rounds {
        hasher.update(token);
    }
    hasher.finalize().into()
}

impl FromStr for TokenHash {
    type Err = TokenHashError;

    fn from_str(stored: &str) -> Result<Self, TokenHashError> {
        let fields: Vec<&str> = stored.split(':').collect();
        let ["sha512", rounds, salt, digest] = fields.as_slice() else {
            return Err(TokenHashError::Format);
        };
        let rounds: u32 = rounds.parse().map_err(|_| TokenHashError::Format)?;
        check_parameters(rounds, salt)?;
        Ok(Self {
            rounds,
            salt: (*salt).to_owned(),
            digest: digest_bytes(digest).ok_or(TokenHashError::Format)?,
        })
    }
}

fn digest_bytes(text: &str) -> Option<[u8; DIGEST_BYTES]> {
    hexadecimal::decode(text)?.try_into().ok()
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha512:{}:{}:{}", self.rounds, self.salt, hex(&self.digest))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash(sha512:{}:***)", self.rounds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VECTORS: [(&str, u32, &str, &str); 4] = [
        (
            "test-token",
            1,
            "0123456789abcdef",
            "d2018d051e824b9b4782ba7e79cce7341d7ab1bae73aefae0a3f9f7c2276aeb6f5793a01d7cdc91351a76a4f38680e072292e5f5295b973864907784ae462df0",
        ),
        (
            "ext-token-123",
            SUPPLIED_ROUNDS,
            "b068ff234e7473ec",
            "395a7a3cebfd45fd27285b7f260993ce49b5692268f7e1deb80fb61dcb13aea5a1547e8da3e17fad9613744576ad2d85a79dd5cd6ccfd3a282d8a5df42faba8b",
        ),
        (
            "éx",
            2,
            "00",
            "dd5a888ce703a802c604d84b3623709da7645957ace595545f89bf85806f99f617352d7266ba93e980e948eda2b7868a5eece24277db60dba9cda0b7e7ad862c",
        ),
        (
            "abc",
            GENERATED_ROUNDS,
            "0011223344556677",
            "97f0287ec8de969bc842670b1848bf08e7a1fe4638dde2fa4aa4170e2952cd504178fdcbf3742ef0a4e0f91544a54b45622ec0554c678630d473661d7fd6228c",
        ),
    ];

    #[test]
    fn db_002_cook_092_vectors_hash_to_what_jupyterhub_stores() {
        for (token, rounds, salt, digest) in VECTORS {
            let stored = format!("sha512:{rounds}:{salt}:{digest}");
            assert_eq!(TokenHash::compute(token, rounds, salt).unwrap().to_string(), stored);
            let hash: TokenHash = stored.parse().unwrap();
            assert!(hash.verify(token), "{token}");
            assert!(!hash.verify(&format!("{token}x")), "{token}");
            assert!(!hash.verify(""), "{token}");
        }
    }

    #[test]
    fn db_004_tokens_have_8_to_64_characters_and_errors_show_the_prefix_only() {
        let hash = |token: &str| TokenHash::new(token, 1, "00").map(|_| ());
        assert_eq!(hash("hunter2"), Err(TokenHashError::TooShort("hunt".to_owned())));
        assert_eq!(hash("hunter22"), Ok(()));
        assert_eq!(hash(&"é".repeat(64)), Ok(()));
        let long = "x".repeat(65);
        assert_eq!(hash(&long), Err(TokenHashError::TooLong("xxxx".to_owned())));
        assert!(!hash("hunter2").unwrap_err().to_string().contains("hunter2"));
        // a row that holds such a hash all the same never matches
        assert!(!TokenHash::compute(&long, 1, "00").unwrap().verify(&long));
    }

    #[test]
    fn damaged_rows_are_refused() {
        let digest = VECTORS[0].3;
        for bad in [
            "",
            "sha512",
            "sha512:1:00",
            &format!("sha256:1:00:{digest}"),
            &format!("sha512:0:00:{digest}"),
            &format!("sha512:-1:00:{digest}"),
            &format!("sha512:4294967295:00:{digest}"),
            &format!("sha512:1::{digest}"),
            &format!("sha512:1:xy:{digest}"),
            &format!("sha512:1:00:{digest}:"),
            &format!("sha512:1:00:{digest}0"),
            &format!("sha512:1:00:{}", &digest[1..]),
            &format!("sha512:1:00:{}g", &digest[1..]),
            &format!("sha512:1:00:{}é", &digest[2..]),
        ] {
            assert!(bad.parse::<TokenHash>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_is_four_characters_or_the_whole_token() {
        assert_eq!(prefix("abcdefgh"), "abcd");
        assert_eq!(prefix("éüöäx"), "éüöä");
        assert_eq!(prefix("ab"), "ab");
    }

    #[test]
    fn debug_hides_salt_and_digest() {
        let hash = TokenHash::new("test-token", 1, "0123456789abcdef").unwrap();
        assert_eq!(format!("{hash:?}"), "TokenHash(sha512:1:***)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,200}") {
            let _ = text.parse::<TokenHash>();
        }

        #[test]
        fn only_the_token_itself_verifies(token in ".{8,64}", other in ".{8,64}", rounds in 1_u32..4) {
            let hash = TokenHash::new(&token, rounds, "0123456789abcdef").unwrap();
            prop_assert!(hash.verify(&token));
            prop_assert_eq!(hash.verify(&other), token == other);
            let again: TokenHash = hash.to_string().parse().unwrap();
            prop_assert!(again.verify(&token));
        }
    }
}
