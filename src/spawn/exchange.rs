//! One HTTP exchange with a server: a connection of its own, one `GET`, one answer. No redirect is followed and
//! nothing is kept alive; how long it may take is the caller's business.

use std::future::{self, Future};
use std::io;
use std::pin::pin;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Address;
use crate::secret::Secret;

/// What is asked for.
pub(super) struct Question<'a> {
    /// Path and query, percent-encoded.
    pub path: &'a str,
    /// The value of `Accept`.
    pub accept: &'static str,
    /// The API token to show, if any.
    pub token: Option<&'a Secret>,
    /// The longest body to wait for; 0 does not wait for any.
    pub longest_body: usize,
}

/// What was answered.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Empty if it was not waited for.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error("{0}")]
    Unreachable(#[from] io::Error),
    #[error("{0}")]
    BadAnswer(#[from] hyper::Error),
    #[error("{0}")]
    BadQuestion(#[from] hyper::http::Error),
    #[error("the body of the answer: {0}")]
    BadBody(Box<dyn std::error::Error + Send + Sync>),
}

/// A connection to a server.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Connects to a server; the one place that knows how. What listens on a server's socket as another user is not the server,
/// and gets not a byte.
pub(super) async fn connect(address: &Address) -> io::Result<Box<dyn Connection>> {
    match address {
        Address::Tcp { ip, port } => Ok(Box::new(TcpStream::connect((ip.as_str(), *port)).await?)),
        Address::Unix { path, uid } => {
            let stream = UnixStream::connect(path).await?;
            match stream.peer_cred()?.uid() {
                found if found == *uid => Ok(Box::new(stream)),
                found => Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("user {found} listens on {path}, but user {uid} should"),
                )),
            }
        }
    }
}

/// Asks the server at `address`.
///
/// # Errors
/// [`ExchangeError`], if it cannot be asked or its answer is none.
pub(super) async fn ask(address: &Address, question: Question<'_>) -> Result<Answer, ExchangeError> {
    let request = question.request(address)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(connect(address).await?)).await?;
    let answer = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = match question.longest_body {
            0 => Bytes::new(),
            longest => {
                let body = Limited::new(body, longest).collect().await;
                body.map_err(ExchangeError::BadBody)?.to_bytes()
            }
        };
        Ok(Answer { status: head.status, headers: head.headers, body })
    };
    // the connection's error, if any, arrives with the answer too
    driven(answer, connection).await
}

/// The result of `answer`, while `connection` is worked on.
async fn driven<T>(answer: impl Future<Output = T>, connection: impl Future) -> T {
    let connection = async {
        connection.await;
        future::pending().await
    };
    match select(pin!(answer), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((never, _)) => never,
    }
}

impl Question<'_> {
    fn request(&self, address: &Address) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
        let mut request = Request::get(self.path)
            .header(header::HOST, address.host())
            .header(header::ACCEPT, self.accept)
            .header(header::CONNECTION, "close");
        if let Some(token) = self.token {
            let mut value = HeaderValue::try_from(format!("token {}", token.expose()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        request.body(Empty::new())
    }
}
