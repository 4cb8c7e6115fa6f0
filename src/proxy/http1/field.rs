//! Which fields the proxy knows, and lists in their values.

/// A field by what the proxy does with it. All others pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Connection,
    ContentLength,
    Cookie,
    Date,
    Expect,
    Host,
    /// Meant for one connection only (RFC 9110 section 7.6.1), and needed nowhere here.
    HopByHop,
    /// Says who or where a client is, in words that only a reverse proxy in front may choose (SEC-095).
    Identity,
    Location,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    XForwardedFor,
    XForwardedHost,
    XForwardedPort,
    XForwardedProto,
    KeepAlive,
    Other,
}

impl Field {
    /// The kind of the field with this name.
    pub(crate) fn of(name: &str) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            2 if is("te") => Self::Te,
            4 if is("host") => Self::Host,
            4 if is("date") => Self::Date,
            6 if is("cookie") => Self::Cookie,
            6 if is("expect") => Self::Expect,
            7 if is("upgrade") => Self::Upgrade,
            8 if is("x-scheme") => Self::Identity,
            9 if is("x-real-ip") || is("forwarded") => Self::Identity,
            11 if is("remote-user") => Self::Identity,
            13 if is("x-remote-user") => Self::Identity,
            16 if is("x-forwarded-user") => Self::Identity,
            7 if is("trailer") => Self::Trailer,
            8 if is("location") => Self::Location,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::KeepAlive,
            14 if is("content-length") => Self::ContentLength,
            14 if is("http2-settings") => Self::HopByHop,
            15 if is("x-forwarded-for") => Self::XForwardedFor,
            16 if is("x-forwarded-host") => Self::XForwardedHost,
            16 if is("x-forwarded-port") => Self::XForwardedPort,
            16 if is("proxy-connection") => Self::HopByHop,
            17 if is("x-forwarded-proto") => Self::XForwardedProto,
            17 if is("transfer-encoding") => Self::TransferEncoding,
            18 if is("proxy-authenticate") => Self::HopByHop,
            19 if is("proxy-authorization") => Self::HopByHop,
            _ => Self::Other,
        }
    }

    /// Whether the field never passes from one connection to the next.
    pub(crate) fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::HopByHop
                | Self::KeepAlive
                | Self::Te
                | Self::TransferEncoding
                | Self::Upgrade
        )
    }
}

/// The comma-separated elements of a value.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Fields that tell who sent a message, or frame it. A `Connection` field that names one is an attempt to erase it on the
/// way (SEC-101).
const NEVER_NOMINATED: [&str; 18] = [
    "authorization",
    "cache-control",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "origin",
    "referer",
    "remote-user",
    "set-cookie",
    "via",
    "www-authenticate",
    "x-auth",
    "x-real-ip",
    "x-scheme",
];
const NEVER_NOMINATED_PREFIXES: [&str; 3] = ["x-forwarded-", "x-auth-", "sec-"];

/// What the `Connection` fields of a message ask for.
#[derive(Debug, Default)]
pub(crate) struct Options<'b> {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
    /// Further names: fields that end at this hop. Empty, and so without allocation, for what browsers really send.
    nominated: Vec<&'b str>,
}

impl<'b> Options<'b> {
    /// Adds one `Connection` field.
    pub(crate) fn read(&mut self, value: &'b [u8]) {
        for option in elements(value) {
            let is = |known: &str| option.eq_ignore_ascii_case(known.as_bytes());
            if is("close") {
                self.close = true;
            } else if is("keep-alive") {
                self.keep_alive = true;
            } else if is("upgrade") {
                self.upgrade = true;
            } else if let Some(name) = nominable(option) {
                self.nominated.push(name);
            }
        }
    }

    /// Whether a field of this name ends here.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.nominated.iter().any(|nominated| nominated.eq_ignore_ascii_case(name))
    }
}

fn nominable(option: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(option).ok()?;
    let begins = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(prefix))
    };
    let is_protected = NEVER_NOMINATED.iter().any(|known| known.eq_ignore_ascii_case(name))
        || NEVER_NOMINATED_PREFIXES.iter().any(begins);
    (!is_protected).then_some(name)
}

/// A `Content-Length`: digits only, and small enough for arithmetic.
pub(crate) fn content_length(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        for (name, kind) in [
            ("Host", Field::Host),
            ("TRANSFER-ENCODING", Field::TransferEncoding),
            ("x-forwarded-For", Field::XForwardedFor),
            ("HTTP2-Settings", Field::HopByHop),
            ("hosts", Field::Other),
            ("", Field::Other),
        ] {
            assert_eq!(Field::of(name), kind, "{name}");
        }
    }

    #[test]
    fn the_options_of_a_connection_are_read_from_all_its_fields() {
        let mut options = Options::default();
        options.read(b"Keep-Alive, X-Hop");
        options.read(b"UPGRADE,,");
        assert!(options.keep_alive && options.upgrade && !options.close);
        assert!(options.names("x-hop") && !options.names("x-other"));
    }

    #[test]
    fn sec_101_a_client_cannot_have_identity_fields_removed() {
        let mut options = Options::default();
        options.read(
            b"close, X-Forwarded-For, Cookie, authorization, x-auth, host, Sec-Fetch-Site, content-length",
        );
        for name in [
            "x-forwarded-for",
            "cookie",
            "authorization",
            "x-auth",
            "host",
            "sec-fetch-site",
            "content-length",
        ] {
            assert!(!options.names(name), "{name}");
        }
    }

    #[test]
    fn sec_091_a_length_is_digits() {
        for (value, length) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("1000000000000000000", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("1,1", None),
            ("0x1", None),
            ("1 1", None),
        ] {
            assert_eq!(content_length(value.as_bytes()), length, "{value}");
        }
    }
}
