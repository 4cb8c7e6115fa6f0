//! One request on a connection of its own, over TCP or a UNIX socket.

use std::future::{self, Future};
use std::io;
use std::pin::pin;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Response, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::config::address::{ApiUrl, Endpoint, Host};
use crate::secret::Secret;

/// A table of a million routes is smaller.
const LARGEST_ANSWER: usize = 512 << 20;

/// What is asked.
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    /// Below `/api/routes`.
    pub(super) path: &'a str,
    pub(super) body: &'a str,
    pub(super) token: &'a Secret,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) body: Bytes,
}

/// Why one try gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Unreachable(#[from] io::Error),
    #[error("{0}")]
    Broken(#[from] hyper::Error),
    #[error("{0}")]
    BadRequest(#[from] hyper::http::Error),
    #[error("{0}")]
    BadBody(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("it took too long")]
    Late,
    #[error("it answered with status {0}")]
    Failed(u16),
    #[error("it refused with status {0}")]
    Refused(u16),
}

/// Sends a request and reads the whole answer.
pub(super) async fn exchange(url: &ApiUrl, asked: Request<'_>) -> Result<Answer, Failure> {
    let host = match &url.endpoint {
        Endpoint::Tcp { host, port } => format!("{}:{port}", Host(host)),
        Endpoint::Unix(_) => "localhost".to_owned(),
    };
    let mut request = hyper::Request::builder()
        .method(asked.method)
        .uri(format!("{}/api/routes{}", url.base, asked.path))
        .header(header::HOST, host)
        .header(header::CONNECTION, "close")
        .header(header::AUTHORIZATION, format!("token {}", asked.token.expose()));
    if !asked.body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(Full::new(Bytes::from(asked.body.to_owned())))?;
    match &url.endpoint {
        Endpoint::Tcp { host, port } => {
            speak(TcpStream::connect((host.as_str(), *port)).await?, request).await
        }
        Endpoint::Unix(path) => speak(UnixStream::connect(path).await?, request).await,
    }
}

async fn speak<S>(stream: S, request: hyper::Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async { read(sender.send_request(request).await?).await };
    let connection = async {
        // its error, if any, arrives with the answer too
        let _ = connection.await;
        future::pending().await
    };
    first(answer, connection).await
}

async fn first<T>(wanted: impl Future<Output = T>, driver: impl Future<Output = T>) -> T {
    match select(pin!(wanted), pin!(driver)).await {
        Either::Left((found, _)) | Either::Right((found, _)) => found,
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, Failure> {
    let status = response.status();
    if status.is_server_error() {
        return Err(Failure::Failed(status.as_u16()));
    }
    if !status.is_success() {
        return Err(Failure::Refused(status.as_u16()));
    }
    match Limited::new(response.into_body(), LARGEST_ANSWER).collect().await {
        Ok(body) => Ok(Answer { body: body.to_bytes() }),
        // larger at the next try too
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::Refused(status.as_u16())),
        Err(error) => Err(Failure::BadBody(error)),
    }
}
