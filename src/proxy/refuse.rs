//! Requests that are answered with a refusal before anyone looks for a route.
//!
//! hyper already refuses what it cannot parse. Here goes what it accepts but two
//! readers could understand differently (security.md section 7, SEC-091).

use http::header::{HOST, HeaderMap, TRANSFER_ENCODING};
use http::{Method, Request, StatusCode, Uri, Version};

/// Why a request is refused. The connection is closed afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("CONNECT is not supported: this is not a forward proxy")]
    Connect,
    #[error("the URL holds raw bytes outside ASCII; percent-encode them")]
    RawBytes,
    #[error("the URL is too long")]
    TooLong,
    #[error("an HTTP/1.1 request needs exactly one Host field")]
    HostCount,
    #[error("the Host field is not of the form host[:port]")]
    HostForm,
    #[error("the Host field contradicts the host in the request line")]
    HostConflict,
    #[error("the only supported transfer coding is chunked")]
    Coding,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLong => StatusCode::URI_TOO_LONG,
            Self::RawBytes | Self::HostCount | Self::HostForm | Self::HostConflict | Self::Coding => {
                StatusCode::BAD_REQUEST
            }
        }
    }
}

/// Checks a request head as it came from the client.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    if request.uri().path_and_query().is_some_and(|asked| !asked.as_str().is_ascii()) {
        return Err(Refusal::RawBytes);
    }
    check_host(request.version(), request.uri(), request.headers())?;
    check_coding(request.headers())
}

fn check_host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() || (host.is_none() && version == Version::HTTP_11) {
        return Err(Refusal::HostCount);
    }
    let authority = uri.authority().map(|authority| authority.as_str());
    for form in host.map(|host| host.as_bytes()).into_iter().chain(authority.map(str::as_bytes)) {
        if !form.iter().copied().all(may_be_in_host) {
            return Err(Refusal::HostForm);
        }
    }
    match (host, authority) {
        (Some(host), Some(authority)) if !host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) => {
            Err(Refusal::HostConflict)
        }
        _ => Ok(()),
    }
}

/// Characters of `host[:port]`. Without `@`, `/` and `,`, with which a host that a
/// server reflects or compares could become another one.
fn may_be_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+;=".contains(&byte)
}

/// `gzip, chunked` would lose its `gzip` on the way, a repeated field its meaning.
fn check_coding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal::Coding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(uri: &str, version: Version, fields: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut builder = Request::builder().uri(uri).version(version);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        check(&builder.body(()).unwrap())
    }

    #[test]
    fn a_request_names_its_host_once_and_consistently() {
        let one_one = Version::HTTP_11;
        assert_eq!(outcome("/", one_one, &[("host", "a")]), Ok(()));
        assert_eq!(outcome("/", one_one, &[("host", "[::1]:80")]), Ok(()));
        assert_eq!(outcome("/", one_one, &[]), Err(Refusal::HostCount));
        assert_eq!(outcome("/", Version::HTTP_10, &[]), Ok(()));
        assert_eq!(outcome("/", one_one, &[("host", "a"), ("host", "a")]), Err(Refusal::HostCount));
        assert_eq!(outcome("http://A:1/", one_one, &[("host", "a:1")]), Ok(()));
        assert_eq!(outcome("http://b/", one_one, &[("host", "a")]), Err(Refusal::HostConflict));
        assert_eq!(outcome("http://b/", Version::HTTP_2, &[]), Ok(()));
        assert_eq!(outcome("http://u@b/", Version::HTTP_2, &[]), Err(Refusal::HostForm));
    }

    #[test]
    fn a_host_that_is_no_host_is_refused() {
        for host in ["a/b", "a@b", "a,b", "a b", "a\"", "a?b", "a#b", "<a>"] {
            assert_eq!(outcome("/", Version::HTTP_11, &[("host", host)]), Err(Refusal::HostForm), "{host}");
        }
    }

    #[test]
    fn sec_091_only_plain_chunked_is_accepted_as_transfer_coding() {
        for (value, expected) in [
            ("chunked", Ok(())),
            ("Chunked", Ok(())),
            ("gzip, chunked", Err(Refusal::Coding)),
            ("x", Err(Refusal::Coding)),
        ] {
            let fields = [("host", "a"), ("transfer-encoding", value)];
            assert_eq!(outcome("/", Version::HTTP_11, &fields), expected, "{value}");
        }
        let twice = [("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")];
        assert_eq!(outcome("/", Version::HTTP_11, &twice), Err(Refusal::Coding));
    }

    #[test]
    fn raw_bytes_outside_ascii_are_refused() {
        assert_eq!(outcome("/é", Version::HTTP_11, &[("host", "a")]), Err(Refusal::RawBytes));
        assert_eq!(outcome("/a?é", Version::HTTP_11, &[("host", "a")]), Err(Refusal::RawBytes));
    }
}
