//! Cipher lists as OpenSSL writes them, over the suites that rustls has.
//!
//! A list is words between colons. A word is a name of a suite (OpenSSL's or
//! IANA's), or of many (`HIGH`, `ECDHE+AESGCM`); `!word` takes out for good.
//! All suites of rustls have forward secrecy and authenticated encryption, so
//! words for weaker ones choose nothing and exclude nothing: CHP's own list,
//! and lists made for OpenSSL, work as they are. A word that nobody knows is an
//! error, because it is a slip of the pen.

use std::fmt;
use std::str::FromStr;

use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};
use rustls::{CipherSuite, SupportedCipherSuite};

/// OpenSSL's name, IANA's name, the suite; in order of preference.
const TLS12: &[(&str, &str, SupportedCipherSuite)] = &[
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

const TLS13: &[(&str, &str, SupportedCipherSuite)] = &[
    ("TLS_AES_256_GCM_SHA384", "TLS13_AES_256_GCM_SHA384", cipher_suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", "TLS13_AES_128_GCM_SHA256", cipher_suite::TLS13_AES_128_GCM_SHA256),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS13_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
];

/// Words of OpenSSL for what rustls does not have.
const ABSENT_WORDS: &[&str] = &[
    "aNULL",
    "eNULL",
    "NULL",
    "EXPORT",
    "EXP",
    "LOW",
    "MEDIUM",
    "DES",
    "3DES",
    "RC4",
    "RC2",
    "IDEA",
    "SEED",
    "CAMELLIA",
    "CAMELLIA128",
    "CAMELLIA256",
    "ARIA",
    "ARIA128",
    "ARIA256",
    "ARIAGCM",
    "MD5",
    "SHA1",
    "SHA",
    "PSK",
    "aPSK",
    "kPSK",
    "kECDHEPSK",
    "kDHEPSK",
    "kRSAPSK",
    "SRP",
    "aSRP",
    "kSRP",
    "DSS",
    "aDSS",
    "DH",
    "kDH",
    "aDH",
    "DHE",
    "EDH",
    "kDHE",
    "kEDH",
    "ADH",
    "AECDH",
    "kRSA",
    "RSA",
    "ECDH",
    "aECDH",
    "kECDH",
    "SSLv2",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
    "AESCCM",
    "AESCCM8",
    "CBC",
    "GOST",
    "aGOST",
    "kGOST",
];

/// Words of OpenSSL that all suites of rustls answer to.
const EVERY: &[&str] = &[
    "ALL",
    "HIGH",
    "DEFAULT",
    "COMPLEMENTOFDEFAULT",
    "ECDHE",
    "EECDH",
    "kECDHE",
    "kEECDH",
    "TLSv1.2",
    "FIPS",
    "SECURE128",
    "AEAD",
];

/// The suites that may be negotiated, best first.
#[derive(Clone, PartialEq)]
pub struct Ciphers(Vec<SupportedCipherSuite>);

/// A word of a cipher list that means nothing, or a list that leaves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCipher {
    /// Nobody knows the word.
    #[error("unknown cipher {word:?}; known are {}", known())]
    Word {
        /// The word as given.
        word: String,
    },
    /// All words are for ciphers that are not supported.
    #[error("no cipher of {list:?} is supported; supported are {}", known())]
    NoneLeft {
        /// The list as given.
        list: String,
    },
}

impl Ciphers {
    pub(super) fn suites(&self) -> &[SupportedCipherSuite] {
        &self.0
    }

    /// Reads a list of words, each of which may itself be a list.
    ///
    /// # Errors
    /// A word is unknown, or none is left.
    pub fn from_words<S: AsRef<str>>(words: &[S]) -> Result<Self, UnknownCipher> {
        if words.is_empty() {
            return Ok(Self::default());
        }
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        words.join(":").parse()
    }
}

impl Default for Ciphers {
    /// All that rustls has: none of them is weak.
    fn default() -> Self {
        Self(ALL_CIPHER_SUITES.to_vec())
    }
}

impl FromStr for Ciphers {
    type Err = UnknownCipher;

    fn from_str(list: &str) -> Result<Self, UnknownCipher> {
        let (mut chosen, mut banned, mut names_tls13) = (Vec::new(), Vec::new(), false);
        for word in list.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
            let unknown = || UnknownCipher::Word { word: word.to_owned() };
            if word.starts_with('@') {
                continue; // @STRENGTH, @SECLEVEL=n
            }
            if let Some(out) = word.strip_prefix(['!', '-']) {
                banned.extend(choose(out).ok_or_else(unknown)?);
                continue;
            }
            let word = word.strip_prefix('+').unwrap_or(word);
            let suites = choose(word).ok_or_else(unknown)?;
            names_tls13 |= find_tls13(word).is_some();
            let new: Vec<_> = suites.into_iter().filter(|suite| !chosen.contains(suite)).collect();
            chosen.extend(new);
        }
        // As with OpenSSL, a list for TLS 1.2 says nothing about TLS 1.3.
        if !names_tls13 {
            chosen.splice(0..0, TLS13.iter().map(|(_, _, suite)| *suite));
        }
        chosen.retain(|suite| !banned.contains(suite));
        let says_something = chosen.iter().any(|suite| names_tls13 || suite.tls13().is_none());
        if chosen.is_empty() || !says_something {
            return Err(UnknownCipher::NoneLeft { list: list.to_owned() });
        }
        Ok(Self(chosen))
    }
}

impl fmt::Debug for Ciphers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suites: Vec<CipherSuite> = self.0.iter().map(SupportedCipherSuite::suite).collect();
        f.debug_tuple("Ciphers").field(&suites).finish()
    }
}

/// The suites that a word means: none for a word about what rustls lacks,
/// `None` for a word that is not known.
fn choose(word: &str) -> Option<Vec<SupportedCipherSuite>> {
    if let Some(suite) = find_tls13(word) {
        return Some(vec![suite]);
    }
    let mut parts = word.split('+');
    let mut suites = simple(parts.next()?)?;
    for part in parts {
        let also = simple(part)?;
        suites.retain(|suite| also.contains(suite));
    }
    Some(suites)
}

fn find_tls13(word: &str) -> Option<SupportedCipherSuite> {
    let named = TLS13.iter().find(|(openssl, iana, _)| *openssl == word || *iana == word);
    named.map(|(_, _, suite)| *suite)
}

fn simple(word: &str) -> Option<Vec<SupportedCipherSuite>> {
    let those = |fits: &dyn Fn(&str) -> bool| {
        let suites = TLS12.iter().filter(|(openssl, _, _)| fits(openssl)).map(|(_, _, suite)| *suite);
        Some(suites.collect())
    };
    if let Some((_, _, suite)) = TLS12.iter().find(|(openssl, iana, _)| *openssl == word || *iana == word) {
        return Some(vec![*suite]);
    }
    match word {
        "AESGCM" => those(&|name| name.contains("-GCM-")),
        "AES" => those(&|name| name.contains("-AES")),
        "AES128" | "AES256" | "CHACHA20" => those(&|name| name.contains(word)),
        "ECDSA" | "aECDSA" => those(&|name| name.contains("-ECDSA-")),
        "aRSA" => those(&|name| name.contains("-RSA-")),
        "SHA256" | "SHA384" => those(&|name| name.ends_with(word)),
        _ if EVERY.contains(&word) => those(&|_| true),
        _ if ABSENT_WORDS.contains(&word) || is_absent_suite(word) => Some(Vec::new()),
        _ => None,
    }
}

/// Whether a word has the form of a suite that OpenSSL has and rustls does not,
/// such as `DHE-RSA-AES128-SHA256` or `TLS_RSA_WITH_AES_128_CBC_SHA`.
fn is_absent_suite(word: &str) -> bool {
    const PARTS: &[&str] = &[
        "ECDHE",
        "DHE",
        "EDH",
        "ECDH",
        "DH",
        "RSA",
        "ECDSA",
        "DSS",
        "PSK",
        "SRP",
        "AES128",
        "AES256",
        "AES",
        "128",
        "256",
        "GCM",
        "CCM",
        "CCM8",
        "8",
        "CBC",
        "CBC3",
        "SHA",
        "SHA256",
        "SHA384",
        "MD5",
        "CHACHA20",
        "POLY1305",
        "DES",
        "3DES",
        "EDE",
        "CAMELLIA",
        "CAMELLIA128",
        "CAMELLIA256",
        "ARIA",
        "ARIA128",
        "ARIA256",
        "RC4",
        "SEED",
        "IDEA",
        "NULL",
        "ADH",
        "AECDH",
        "TLS",
        "WITH",
        "anon",
        "KRB5",
        "EXP",
    ];
    let separator = if word.starts_with("TLS_") { '_' } else { '-' };
    let mut parts = word.split(separator).peekable();
    word.contains(separator) && parts.all(|part| PARTS.contains(&part))
}

fn known() -> String {
    let names: Vec<&str> = TLS13.iter().chain(TLS12).map(|(openssl, _, _)| *openssl).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<String> {
        let ciphers: Ciphers = list.parse().unwrap();
        let name = |suite: &SupportedCipherSuite| {
            let mut all = TLS13.iter().chain(TLS12);
            all.find(|(_, _, other)| other == suite).unwrap().0.to_owned()
        };
        ciphers.suites().iter().filter(|suite| suite.tls13().is_none()).map(name).collect()
    }

    #[test]
    fn every_suite_of_rustls_has_its_names() {
        let named: Vec<CipherSuite> = TLS13.iter().chain(TLS12).map(|(_, _, suite)| suite.suite()).collect();
        let all: Vec<CipherSuite> = ALL_CIPHER_SUITES.iter().map(SupportedCipherSuite::suite).collect();
        assert_eq!(named, all);
        for (openssl, iana, suite) in TLS13.iter().chain(TLS12) {
            assert_eq!(*iana, format!("{:?}", suite.suite()), "{openssl}");
        }
    }

    #[test]
    fn the_list_that_chp_uses_by_default_is_taken_as_it_is() {
        let list = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:\
            ECDHE-ECDSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:\
            DHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:DHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA256:\
            DHE-RSA-AES256-SHA256:HIGH:!RC4:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA";
        let expected = [
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-CHACHA20-POLY1305",
            "ECDHE-RSA-CHACHA20-POLY1305",
        ];
        assert_eq!(names(list), expected);
        assert_eq!(names(&list.replacen("!RC4", "RC4", 1)), expected);
    }

    #[test]
    fn lists_choose_order_and_exclude() {
        let one = ["ECDHE-RSA-AES128-GCM-SHA256"];
        assert_eq!(names("ECDHE-RSA-AES128-GCM-SHA256"), one);
        assert_eq!(names("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), one);
        assert_eq!(names("EECDH+AESGCM+aRSA:!AES256"), one);
        assert_eq!(names("HIGH:!ECDSA:!CHACHA20:!AES256:@STRENGTH"), one);
        assert_eq!(names("ECDHE+CHACHA20, ECDHE-RSA-AES128-GCM-SHA256").len(), 3);
    }

    #[test]
    fn tls_1_3_stays_whole_unless_its_suites_are_named() {
        let count = |list: &str| {
            let ciphers: Ciphers = list.parse().unwrap();
            ciphers.suites().iter().filter(|suite| suite.tls13().is_some()).count()
        };
        assert_eq!(count("ECDHE-RSA-AES128-GCM-SHA256"), 3);
        assert_eq!(count("ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256"), 1);
        assert_eq!(count("TLS13_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"), 2);
        assert_eq!(count("HIGH:!TLS_AES_128_GCM_SHA256"), 2);
    }

    #[test]
    fn unknown_words_are_refused_with_the_known_ones() {
        for list in ["ECDHE-RSA-AES128-GCM-SHA265", "HIGH:!CHACAH20", "FOO", "ECDHE+BAR", "+", "!"] {
            let error = list.parse::<Ciphers>().unwrap_err();
            assert!(matches!(&error, UnknownCipher::Word { .. }), "{list}: {error}");
            assert!(error.to_string().contains("ECDHE-RSA-CHACHA20-POLY1305"), "{error}");
        }
    }

    #[test]
    fn a_list_that_leaves_nothing_is_refused() {
        for list in
            ["RC4", "DHE-RSA-AES128-SHA256:AES256-SHA", "", "HIGH:!ALL", "TLS_RSA_WITH_AES_128_CBC_SHA"]
        {
            let error = list.parse::<Ciphers>().unwrap_err();
            assert!(matches!(error, UnknownCipher::NoneLeft { .. }), "{list}: {error}");
        }
        assert_eq!(Ciphers::from_words::<&str>(&[]), Ok(Ciphers::default()));
    }
}
