//! A request head: what it asks for, and whether every reader would understand the same.

use super::field::{Field, Options, content_length};
use super::head::{Fields, Malformed, room};

/// Why a request is refused. The connection is closed afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("the head is larger than this server accepts")]
    TooLarge,
    #[error("CONNECT is not supported: this is not a forward proxy")]
    Connect,
    #[error("the URL holds raw bytes outside ASCII or a fragment; percent-encode them")]
    RawBytes,
    #[error("the URL is neither a path nor an http URL")]
    Target,
    #[error("a request needs exactly one Host field")]
    HostCount,
    #[error("the Host field is not of the form host[:port]")]
    HostForm,
    #[error("the Host field contradicts the host in the request line")]
    HostConflict,
    #[error("the only supported transfer coding is chunked, named once, in HTTP/1.1")]
    Coding,
    #[error("the length of the body is not one plain number")]
    Length,
    #[error("the body has both a length and a transfer coding")]
    LengthAndCoding,
    #[error("the chunked body is malformed: {0}")]
    Chunk(#[from] super::chunked::ChunkError),
    #[error("HTTP version not supported")]
    Version,
}

impl Refusal {
    /// The status code that says so.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Connect => 405,
            Self::TooLarge | Self::Malformed(Malformed::TooManyFields) => 431,
            Self::Version => 505,
            Self::Malformed(_)
            | Self::RawBytes
            | Self::Target
            | Self::HostCount
            | Self::HostForm
            | Self::HostConflict
            | Self::Coding
            | Self::Length
            | Self::LengthAndCoding
            | Self::Chunk(_) => 400,
        }
    }
}

/// How a body is delimited on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Empty,
    Length(u64),
    Chunked,
    /// Only in answers: the body ends with the connection.
    UntilClose,
}

/// A checked request head.
pub(crate) struct RequestHead<'h, 'b> {
    pub(crate) method: &'b str,
    /// Path and query as received; begins with `/`, or is `*`.
    pub(crate) path: &'b str,
    /// The value of `Host`, else the authority of an absolute URL.
    pub(crate) host: Option<&'b str>,
    pub(crate) is_http11: bool,
    pub(crate) framing: Framing,
    pub(crate) options: Options<'b>,
    pub(crate) upgrade: Option<&'b [u8]>,
    pub(crate) expects_continue: bool,
    pub(crate) fields: Fields<'h, 'b>,
}

/// Reads a complete head (see [`super::head::length`]) and hands it to `then`.
///
/// A callback, because the fields live on the stack of this function.
pub(crate) fn read<T>(
    head: &[u8],
    then: impl FnOnce(&RequestHead<'_, '_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut room = room();
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, &mut room) {
        Ok(httparse::Status::Complete(_)) => {}
        // The end was seen, so the grammar sees a head that goes on after it.
        Ok(httparse::Status::Partial) => return Err(Malformed::Grammar(httparse::Error::NewLine).into()),
        Err(httparse::Error::Version) => return Err(version_refusal(head)),
        Err(error) => return Err(Malformed::from(error).into()),
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(Malformed::Grammar(httparse::Error::Token).into());
    };
    then(&check(head, method, target, minor, parsed.headers)?)
}

/// `HTTP/2.0` and the like are versions; anything else in that place is nonsense.
fn version_refusal(head: &[u8]) -> Refusal {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    match version {
        [b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', b'.', b'0'..=b'9'] => Refusal::Version,
        _ => Malformed::Grammar(httparse::Error::Version).into(),
    }
}

fn check<'h, 'b>(
    head: &'b [u8],
    method: &'b str,
    target: &'b str,
    minor: u8,
    fields: &'h [httparse::Header<'b>],
) -> Result<RequestHead<'h, 'b>, Refusal> {
    if method == "CONNECT" {
        return Err(Refusal::Connect);
    }
    let is_http11 = minor == 1;
    let fields = Fields::new(head, fields);
    let mut survey = Survey::default();
    for line in fields.iter() {
        survey.see(line.kind, line.value)?;
    }
    let (authority, path) = split_target(target)?;
    if path == "*" && method != "OPTIONS" {
        return Err(Refusal::Target);
    }
    Ok(RequestHead {
        method,
        path,
        host: host(survey.host, authority, is_http11)?,
        is_http11,
        framing: survey.framing(is_http11)?,
        options: survey.options,
        upgrade: survey.upgrade,
        expects_continue: survey.expects_continue && is_http11,
        fields,
    })
}

#[derive(Default)]
struct Survey<'b> {
    host: Option<&'b [u8]>,
    length: Option<u64>,
    is_chunked: bool,
    options: Options<'b>,
    upgrade: Option<&'b [u8]>,
    expects_continue: bool,
}

impl<'b> Survey<'b> {
    fn see(&mut self, kind: Field, value: &'b [u8]) -> Result<(), Refusal> {
        match kind {
            Field::Host if self.host.is_some() => return Err(Refusal::HostCount),
            Field::Host => self.host = Some(value),
            Field::ContentLength if self.length.is_some() => return Err(Refusal::Length),
            Field::ContentLength => self.length = Some(content_length(value).ok_or(Refusal::Length)?),
            Field::TransferEncoding if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") => {
                return Err(Refusal::Coding);
            }
            Field::TransferEncoding => self.is_chunked = true,
            Field::Connection => self.options.read(value),
            Field::Upgrade => self.upgrade = Some(value),
            Field::Expect => self.expects_continue = value.eq_ignore_ascii_case(b"100-continue"),
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, is_http11: bool) -> Result<Framing, Refusal> {
        match (self.is_chunked, self.length) {
            (true, Some(_)) => Err(Refusal::LengthAndCoding),
            (true, None) if !is_http11 => Err(Refusal::Coding),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(length)) if length > 0 => Ok(Framing::Length(length)),
            (false, _) => Ok(Framing::Empty),
        }
    }
}

/// Authority and path of a request target in origin, absolute or asterisk form.
fn split_target(target: &str) -> Result<(Option<&str>, &str), Refusal> {
    if !target.is_ascii() || target.contains('#') {
        return Err(Refusal::RawBytes);
    }
    if target.starts_with('/') || target == "*" {
        return Ok((None, target));
    }
    let (scheme, rest) = target.split_once("://").ok_or(Refusal::Target)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(Refusal::Target);
    }
    match rest.find(['/', '?']).and_then(|at| rest.split_at_checked(at)) {
        Some((authority, path)) if path.starts_with('/') => Ok((Some(authority), path)),
        Some(_) => Err(Refusal::Target),
        None => Ok((Some(rest), "/")),
    }
}

fn host<'b>(
    field: Option<&'b [u8]>,
    authority: Option<&'b str>,
    is_http11: bool,
) -> Result<Option<&'b str>, Refusal> {
    if field.is_none() && is_http11 {
        return Err(Refusal::HostCount);
    }
    let field = field.map(std::str::from_utf8).transpose().map_err(|_| Refusal::HostForm)?;
    if !field.into_iter().chain(authority).all(is_host_and_port) {
        return Err(Refusal::HostForm);
    }
    match (field, authority) {
        (Some(field), Some(authority)) if !field.eq_ignore_ascii_case(authority) => {
            Err(Refusal::HostConflict)
        }
        (field, authority) => Ok(field.or(authority)),
    }
}

/// Whether this is `host[:port]`, in a form in which every reader finds the same host.
fn is_host_and_port(form: &str) -> bool {
    let (host, port) = match form.strip_prefix('[') {
        Some(rest) => {
            let Some((address, after)) = rest.split_once(']') else { return false };
            if address.is_empty()
                || !address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.%-_~".contains(&byte))
            {
                return false;
            }
            let Some(port) = after.strip_prefix(':').or(after.is_empty().then_some("")) else { return false };
            (address, port)
        }
        None => form.split_once(':').unwrap_or((form, "")),
    };
    let is_name = !host.is_empty() && !host.starts_with('.') && !host.contains("..");
    is_name
        && (form.starts_with('[') || host.bytes().all(may_be_in_host))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Characters of a host. Without `@`, `/` and `,`, with which a host that a server reflects or compares could become another
/// one.
fn may_be_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing(fields: &str) -> Result<Framing, Refusal> {
        let head = format!("POST /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        read(head.as_bytes(), |head| Ok(head.framing))
    }

    fn outcome(line: &str, fields: &str) -> Result<(String, Option<String>), Refusal> {
        let head = format!("{line}\r\n{fields}\r\n");
        read(head.as_bytes(), |head| Ok((head.path.to_owned(), head.host.map(str::to_owned))))
    }

    #[test]
    fn a_body_is_framed_in_one_way() {
        assert_eq!(framing(""), Ok(Framing::Empty));
        assert_eq!(framing("Content-Length: 0\r\n"), Ok(Framing::Empty));
        assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
    }

    #[test]
    fn sec_091_a_body_framed_ambiguously_is_refused() {
        for (fields, refusal) in [
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Refusal::Length),
            ("Content-Length: 5, 5\r\n", Refusal::Length),
            ("Content-Length: +5\r\n", Refusal::Length),
            ("Content-Length:\r\n", Refusal::Length),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Refusal::LengthAndCoding),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", Refusal::LengthAndCoding),
            ("Transfer-Encoding: gzip, chunked\r\n", Refusal::Coding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Refusal::Coding),
            ("Transfer-Encoding: \"chunked\"\r\n", Refusal::Coding),
            ("Transfer-Encoding:\r\n", Refusal::Coding),
        ] {
            assert_eq!(framing(fields), Err(refusal), "{fields}");
        }
        let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(read(old, |_| Ok(())), Err(Refusal::Coding));
    }

    #[test]
    fn sec_091_lines_that_some_readers_fold_or_repair_are_refused() {
        for fields in [
            "Host: h\r\nA : b\r\n",
            "Host: h\r\n A: b\r\n",
            "Host: h\r\nA: b\r\n c\r\n",
            "Host: h\r\nA: b\rc\r\n",
            "Host: h\r\nA: \0\r\n",
            "Host: h\r\n: b\r\n",
        ] {
            assert!(matches!(outcome("GET / HTTP/1.1", fields), Err(Refusal::Malformed(_))), "{fields:?}");
        }
        for line in [
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET / HTTP/01.1",
            "GET /",
            "GET\t/ HTTP/1.1",
            "GET / http/1.1",
            "NONSENSE",
        ] {
            assert!(matches!(outcome(line, "Host: h\r\n"), Err(Refusal::Malformed(_))), "{line}");
        }
        assert_eq!(outcome("GET / HTTP/3.0", "Host: h\r\n"), Err(Refusal::Version));
    }

    #[test]
    fn a_request_names_its_host_once_and_consistently() {
        let (new, old) = ("GET / HTTP/1.1", "GET / HTTP/1.0");
        let found = |host: Option<&str>| Ok(("/".to_owned(), host.map(str::to_owned)));
        assert_eq!(outcome(new, "Host: [::1]:80\r\n"), found(Some("[::1]:80")));
        assert_eq!(outcome(new, ""), Err(Refusal::HostCount));
        assert_eq!(outcome(old, ""), found(None));
        assert_eq!(outcome(new, "Host: a\r\nHost: a\r\n"), Err(Refusal::HostCount));
        assert_eq!(outcome("GET http://A:1/ HTTP/1.1", "Host: a:1\r\n"), found(Some("a:1")));
        assert_eq!(outcome("GET http://b/ HTTP/1.1", "Host: a\r\n"), Err(Refusal::HostConflict));
        assert_eq!(outcome("GET http:/// HTTP/1.1", "Host: a\r\n"), Err(Refusal::HostForm));
        assert_eq!(outcome("GET http://u@b/ HTTP/1.0", ""), Err(Refusal::HostForm));
        for host in [
            "", ":80", "::1", "[::1", "[]", "[::1]x", "a:b", "a..b", ".", ".a", "a/b", "a@b", "a,b", "a b",
            "a\"", "a?b", "<a>",
        ] {
            assert_eq!(outcome(new, &format!("Host: {host}\r\n")), Err(Refusal::HostForm), "{host}");
        }
    }

    #[test]
    fn targets_are_paths_or_http_urls() {
        for (line, expected) in [
            ("GET http://a HTTP/1.1", Ok("/")),
            ("GET http://a/x?y HTTP/1.1", Ok("/x?y")),
            ("OPTIONS * HTTP/1.1", Ok("*")),
            ("GET * HTTP/1.1", Err(Refusal::Target)),
            ("GET http://a?b HTTP/1.1", Err(Refusal::Target)),
            ("GET ftp://a/ HTTP/1.1", Err(Refusal::Target)),
            ("GET x HTTP/1.1", Err(Refusal::Target)),
            ("GET /a#b HTTP/1.1", Err(Refusal::RawBytes)),
            ("GET /é HTTP/1.1", Err(Refusal::RawBytes)),
            ("CONNECT a:1 HTTP/1.1", Err(Refusal::Connect)),
        ] {
            assert_eq!(
                outcome(line, "Host: a\r\n").map(|(path, _)| path),
                expected.map(str::to_owned),
                "{line}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_head_panics(head in "\\PC{0,60}") {
            let _ = read(format!("{head}\r\n\r\n").as_bytes(), |_| Ok(()));
        }
    }
}
