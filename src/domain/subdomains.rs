//! Host names of users and services below the hub's own (tls-network.md 4).

use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest, Sha256};

use crate::secret::hex;

/// What a part of a host name can hold.
const LONGEST_LABEL: usize = 63;
/// Letters of the name, and digits of its digest, in a hashed label.
const STEM: usize = 8;
const DIGEST: usize = 7;

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test below")]
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

/// Letters, digits and marks: what IDNA 2008 allows without looking at what stands beside it (RFC 5892).
static LETTERS: LazyLock<Regex> =
    LazyLock::new(|| constant(r"\A[-0-9\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]+\z"));

/// Who lives at a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user.
    User,
    /// A service.
    Service,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
        }
    }
}

/// How a host name is made of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// The name itself, its international form, or a hashed one: a label that resolves for every name.
    Idna,
    /// What the reference did before: escapes with underscores, one host for all services.
    Legacy,
    /// `{name}` as with [`Self::Idna`], `{kind}` and `{domain}` in a pattern.
    Template(HostTemplate),
}

/// A pattern for host names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTemplate(String);

/// Why a text is no pattern for host names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostTemplateError {
    /// Something would share a host.
    #[error("must contain {0}: without it, some would share a host name and could reach each other's pages")]
    Missing(&'static str),
    /// Cookies and redirects would not fit.
    #[error("must end with .{{domain}}: host names lie below the hub's own")]
    Elsewhere,
    /// What is left cannot be a host name.
    #[error("only letters, digits, `-`, `.`, {{name}}, {{kind}} and {{domain}} may stand in it")]
    NotAHost,
}

impl HostTemplate {
    /// Checks a pattern such as `{name}.{kind}.{domain}`.
    ///
    /// # Errors
    /// [`HostTemplateError`].
    pub fn parse(text: &str) -> Result<Self, HostTemplateError> {
        for needed in ["{name}", "{kind}"] {
            if !text.contains(needed) {
                return Err(HostTemplateError::Missing(if needed == "{name}" { "{name}" } else { "{kind}" }));
            }
        }
        if !text.ends_with(".{domain}") {
            return Err(HostTemplateError::Elsewhere);
        }
        let example = Self(text.to_ascii_lowercase()).fill("name", Kind::User, "domain");
        let plain = |label: &str| {
            is_dns_safe_text(label) && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        };
        if example.split('.').all(plain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(HostTemplateError::NotAHost)
        }
    }

    fn fill(&self, label: &str, kind: Kind, domain: &str) -> String {
        self.0.replace("{name}", label).replace("{kind}", kind.as_str()).replace("{domain}", domain)
    }
}

/// Host names for users and services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subdomains {
    /// `http` or `https`.
    pub scheme: String,
    /// The hub's host name, lower case and without port.
    pub domain: String,
    /// The port if it is not the scheme's own.
    pub port: Option<u16>,
    /// How names become host names.
    pub naming: Naming,
}

impl Subdomains {
    /// The host name of a user or service: lower case, without port.
    #[must_use]
    pub fn host(&self, name: &str, kind: Kind) -> String {
        let domain = &self.domain;
        match (&self.naming, kind) {
            (Naming::Legacy, Kind::User) => format!("{}.{domain}", legacy(name)),
            (Naming::Legacy, Kind::Service) => format!("services.{domain}"),
            (Naming::Idna, Kind::User) => format!("{}.{domain}", label(name)),
            (Naming::Idna, Kind::Service) => fitting(name, |label| format!("{label}--service.{domain}")),
            (Naming::Template(template), kind) => fitting(name, |label| template.fill(label, kind, domain)),
        }
    }

    /// `host[:port]`, as URLs name it.
    #[must_use]
    pub fn authority(&self, host: &str) -> String {
        self.port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// `scheme://host[:port]` of a user or service.
    #[must_use]
    pub fn origin(&self, name: &str, kind: Kind) -> String {
        format!("{}://{}", self.scheme, self.authority(&self.host(name, kind)))
    }

    /// Whether a `Host` header names a place below the hub's own: a user's or service's.
    #[must_use]
    pub fn is_below(&self, host_header: &str) -> bool {
        let host = host_header.rsplit_once(':').map_or(host_header, |(host, _)| host);
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        host.strip_suffix(&self.domain).is_some_and(|below| below.ends_with('.'))
    }
}

/// A host name with the plainest label that leaves all its parts short enough.
fn fitting(name: &str, host: impl Fn(&str) -> String) -> String {
    let plain = host(&label(name));
    if plain.split('.').all(|part| part.len() <= LONGEST_LABEL) { plain } else { host(&hashed(name)) }
}

/// The idna algorithm: the name itself, its international form, or a hashed one. Unlike in the reference also where there
/// are capitals: hosts have none, and `Ada` and `ada` must not share one (SEC-034).
fn label(name: &str) -> String {
    if name.contains("--") || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return hashed(name);
    }
    if is_dns_safe(name) {
        return name.to_owned();
    }
    international(name).unwrap_or_else(|| hashed(name))
}

fn is_dns_safe_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_dns_safe(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && is_dns_safe_text(label)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ASCII form of a name that is in its final form already; nothing is mapped, as in IDNA 2008.
fn international(name: &str) -> Option<String> {
    if name.is_ascii() || !LETTERS.is_match(name) {
        return None;
    }
    let ascii = idna::domain_to_ascii_strict(name).ok()?;
    let (back, sound) = idna::domain_to_unicode(&ascii);
    (sound.is_ok() && back == name && is_dns_safe(&ascii)).then_some(ascii)
}

fn hashed(name: &str) -> String {
    let plain = name.chars().flat_map(char::to_lowercase);
    let stem: String = plain.filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit()).take(STEM).collect();
    let stem = if stem.is_empty() { "x" } else { &stem };
    let digest = hex(&Sha256::digest(name));
    format!("u-{stem}--{}", digest.get(..DIGEST).unwrap_or(&digest))
}

/// Lower case; everything but letters, digits, `-` and `.` as `_` and its bytes.
fn legacy(name: &str) -> String {
    let mut host = String::new();
    for byte in name.bytes() {
        match byte {
            b'-' | b'.' => host.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => host.push(char::from(byte.to_ascii_lowercase())),
            byte => host.push_str(&format!("_{byte:02x}")),
        }
    }
    host
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(naming: Naming) -> Subdomains {
        Subdomains { scheme: "https".to_owned(), domain: "d".to_owned(), port: Some(8443), naming }
    }

    #[test]
    fn net_004_hosts_are_those_of_the_reference() {
        let long = "a".repeat(64);
        let longer = format!("{}.d", "a".repeat(64));
        for (name, idna, legacy) in [
            ("zoe", "zoe.d", "zoe.d"),
            ("50fia", "50fia.d", "50fia.d"),
            ("秀樹", "xn--kdw344a.d", "_e7_a7_80_e6_a8_b9.d"),
            ("josé", "xn--jos-dma.d", "jos_c3_a9.d"),
            ("straße", "xn--strae-oqa.d", "stra_c3_9fe.d"),
            ("مثال", "xn--mgbh0fb.d", "_d9_85_d8_ab_d8_a7_d9_84.d"),
            ("Üser", "u-ser--5cc9ca3.d", "_c3_9cser.d"),
            ("éA", "u-a--d1d7ea2.d", "_c3_a9a.d"),
            ("~TestJH", "u-testjh--0f5b275.d", "_7etestjh.d"),
            ("has@x", "u-hasx--3973067.d", "has_40x.d"),
            ("has%40x", "u-has40x--70bac5f.d", "has_2540x.d"),
            ("a--b", "u-ab--90827a2.d", "a--b.d"),
            ("xn--foo", "u-xnfoo--74de31e.d", "xn--foo.d"),
            ("123", "u-123--a665a45.d", "123.d"),
            ("１２", "u-x--cdac416.d", "_ef_bc_91_ef_bc_92.d"),
            ("٣", "u-x--1a4fd52.d", "_d9_a3.d"),
            ("☃", "u-x--5164336.d", "_e2_98_83.d"),
            ("a_b", "u-ab--648fa9b.d", "a_5fb.d"),
            ("-x", "u-x--a420962.d", "-x.d"),
            ("x-", "u-x--c8b60ef.d", "x-.d"),
            ("user.name", "u-username--c69f268.d", "user.name.d"),
            (&long, "u-aaaaaaaa--ffe054f.d", &longer),
        ] {
            assert_eq!(with(Naming::Idna).host(name, Kind::User), idna, "{name}");
            assert_eq!(with(Naming::Legacy).host(name, Kind::User), legacy, "{name}");
        }
    }

    #[test]
    fn net_004_services_are_told_apart_from_users() {
        let idna = with(Naming::Idna);
        assert_eq!(idna.host("plane", Kind::Service), "plane--service.d");
        assert_eq!(idna.host("秀樹", Kind::Service), "xn--kdw344a--service.d");
        assert_eq!(idna.host("a_b", Kind::Service), "u-ab--648fa9b--service.d");
        assert_eq!(with(Naming::Legacy).host("plane", Kind::Service), "services.d");
        let long = idna.host(&"a".repeat(60), Kind::Service);
        assert!(long.starts_with("u-aaaaaaaa--") && long.ends_with("--service.d"), "{long}");
    }

    #[test]
    fn a_pattern_names_user_and_kind_below_the_domain() {
        let template = HostTemplate::parse("{name}.{kind}s.{domain}").unwrap();
        let hosts = with(Naming::Template(template));
        assert_eq!(hosts.host("ada", Kind::User), "ada.users.d");
        assert_eq!(hosts.host("a b", Kind::Service), "u-ab--c8687a0.services.d");
        for (text, error) in [
            ("{kind}.{domain}", HostTemplateError::Missing("{name}")),
            ("{name}.{domain}", HostTemplateError::Missing("{kind}")),
            ("{name}.{kind}.example.org", HostTemplateError::Elsewhere),
            ("{name}{kind}{domain}", HostTemplateError::Elsewhere),
            ("{name}_{kind}.{domain}", HostTemplateError::NotAHost),
            ("{name}..{kind}.{domain}", HostTemplateError::NotAHost),
            ("{name}-.{kind}.{domain}", HostTemplateError::NotAHost),
            ("{other}.{name}.{kind}.{domain}", HostTemplateError::NotAHost),
        ] {
            assert_eq!(HostTemplate::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn net_005_urls_have_the_port() {
        let hosts = with(Naming::Idna);
        assert_eq!(hosts.origin("ada", Kind::User), "https://ada.d:8443");
        assert_eq!(Subdomains { port: None, ..hosts }.origin("ada", Kind::User), "https://ada.d");
    }

    #[test]
    fn hosts_of_users_are_below_the_hubs() {
        let hosts = Subdomains { domain: "hub.test".to_owned(), ..with(Naming::Idna) };
        for below in ["ada.hub.test", "ADA.Hub.Test:8000", "a.b.hub.test.", "x--service.hub.test"] {
            assert!(hosts.is_below(below), "{below}");
        }
        for other in ["hub.test", "hub.test:8000", "evilhub.test", "127.0.0.1:8000", "", "hub.test.evil.org"]
        {
            assert!(!hosts.is_below(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_name_has_a_host_that_resolves(name in "\\PC{1,70}", service: bool) {
            let kind = if service { Kind::Service } else { Kind::User };
            let host = with(Naming::Idna).host(&name, kind);
            let label = host.strip_suffix(".d").unwrap();
            prop_assert!(is_dns_safe(label), "{}", label);
        }

        #[test]
        fn different_names_have_different_hosts(one in "[a-c_-]{1,4}", other in "[a-c_-]{1,4}") {
            let hosts = with(Naming::Idna);
            prop_assert_eq!(hosts.host(&one, Kind::User) == hosts.host(&other, Kind::User), one == other);
        }
    }
}
