//! Requests to the authority: one connection each, since there are few.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::uri::Authority;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::super::client::ClientTls;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Chains and directories are a few kilobytes.
const MAX_ANSWER: usize = 1024 * 1024;
const HTTPS_PORT: u16 = 443;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Sent = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

/// Speaks HTTPS as the given trust says.
pub(super) struct Http(pub(super) Arc<ClientTls>);

impl HttpClient for Http {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Sent {
        let tls = Arc::clone(&self.0);
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            match timeout(REQUEST_TIMEOUT, send(&tls, request)).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(failure)) => Err(Error::Other(format!("{host}: {failure}").into())),
                Err(_) => Err(Error::Other(format!("{host}: no answer in time").into())),
            }
        })
    }
}

async fn send(tls: &ClientTls, mut request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Failure> {
    let uri = std::mem::take(request.uri_mut());
    let authority = uri.authority().cloned().ok_or("not a URL")?;
    if uri.scheme_str() != Some("https") {
        return Err("not an https URL".into());
    }
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((bare, port(&authority))).await?;
    let stream = TlsConnector::from(tls.config()).connect(ClientTls::server_name(host)?, socket).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse::<Uri>()?;
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
    driver.abort();
    Ok(Response::from_parts(head, Full::new(body)).into())
}

fn port(authority: &Authority) -> u16 {
    authority.port_u16().unwrap_or(HTTPS_PORT)
}
