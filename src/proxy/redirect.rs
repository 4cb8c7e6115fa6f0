//! The plain port that sends everyone to the encrypted one (proxy.md section 9).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION};
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::Full;

use crate::side::{self, Closing, Limits};
use crate::socket::Listener;

/// Answers that a certificate authority asks for on the plain port (ACME's HTTP-01).
pub trait PlainAnswers: Send + Sync {
    /// The body for this path, if it is one of the authority's.
    fn answer(&self, path: &str) -> Option<String>;
}

/// Answers everything with a redirection to `https` at `port`, until dropped.
///
/// Fails only when the listener cannot be handed to the runtime.
pub async fn serve(listener: Listener, port: u16, answers: Option<Arc<dyn PlainAnswers>>) -> io::Result<()> {
    serve_until(listener, Closing::default(), port, answers).await
}

/// [`serve`], until it is to close.
pub(crate) async fn serve_until(
    listener: Listener,
    closing: Closing,
    port: u16,
    answers: Option<Arc<dyn PlainAnswers>>,
) -> io::Result<()> {
    side::serve(listener, Limits::default(), closing, move |request| {
        let own = answers.as_ref().and_then(|answers| answers.answer(request.uri().path()));
        let answer = match own {
            Some(body) => Ok(plain(StatusCode::OK, body)),
            None => location(&request, port).map(moved),
        };
        std::future::ready(answer.unwrap_or_else(|words| plain(StatusCode::BAD_REQUEST, words)))
    })
    .await
}

fn moved(location: HeaderValue) -> Response<Full<Bytes>> {
    let mut answer = plain(StatusCode::MOVED_PERMANENTLY, "");
    answer.headers_mut().insert(LOCATION, location);
    answer
}

fn plain(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Where a request belongs, or what is wrong with it.
fn location<B>(request: &Request<B>, port: u16) -> Result<HeaderValue, &'static str> {
    let host = host(request.uri(), request.headers()).ok_or("Host header is missing or malformed\n")?;
    let asked = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    HeaderValue::from_str(&format!("https://{host}{port}{asked}")).map_err(|_| "The URL is malformed\n")
}

/// The host without port; only what can be nothing but a host.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut fields = headers.get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (Some(field), None) => field.to_str().ok()?,
        (None, _) => uri.authority()?.as_str(),
        _ => return None,
    };
    let host = match field.split_once(']') {
        Some((inner, _)) if field.starts_with('[') => field.get(..=inner.len())?,
        _ => field.split(':').next()?,
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]:".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_host)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(uri: &str, hosts: &[&str], port: u16) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let location = location(&request.body(()).unwrap(), port).ok()?;
        Some(location.to_str().unwrap().to_owned())
    }

    #[test]
    fn proxy_018_host_path_and_query_are_kept_and_the_port_is_the_encrypted_one() {
        for (uri, host, port, expected) in [
            ("/a/b?c=d", "hub.example.org", 8443, "https://hub.example.org:8443/a/b?c=d"),
            ("/", "hub.example.org:8080", 443, "https://hub.example.org/"),
            ("/", "[::1]:80", 443, "https://[::1]/"),
            ("/%E7", "h", 9, "https://h:9/%E7"),
            ("http://h/x", "h", 443, "https://h/x"),
        ] {
            assert_eq!(outcome(uri, &[host], port).as_deref(), Some(expected));
        }
    }

    #[test]
    fn proxy_018_without_one_plausible_host_there_is_nowhere_to_go() {
        for hosts in [&[][..], &["a", "b"], &[""], &[":80"], &["a@b"], &["a/b"], &["a b"], &["<a>"]] {
            assert_eq!(outcome("/", hosts, 443), None, "{hosts:?}");
        }
    }
}
