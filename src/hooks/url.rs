//! A hook that is a URL: the question is posted, over TCP or a UNIX socket, on a connection of its own.

use std::future::{self, Future};
use std::io;
use std::pin::pin;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::{HookError, LARGEST_ANSWER};
use crate::config::address::{ApiUrl, Endpoint, Host};

/// Posts the question; the body of the answer.
pub(super) async fn ask(name: &str, url: &ApiUrl, question: String) -> Result<Vec<u8>, HookError> {
    let unreachable = |source| HookError::Unreachable { name: name.to_owned(), source };
    let host = match &url.endpoint {
        Endpoint::Tcp { host, port } => format!("{}:{port}", Host(host)),
        Endpoint::Unix(_) => "localhost".to_owned(),
    };
    let path = if url.base.is_empty() { "/" } else { &url.base };
    let request = hyper::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONNECTION, "close")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-orrery-hook", name)
        .body(Full::new(Bytes::from(question)))
        .map_err(|odd| unreachable(io::Error::other(odd)))?;
    let response = match &url.endpoint {
        Endpoint::Tcp { host, port } => match TcpStream::connect((host.as_str(), *port)).await {
            Ok(stream) => speak(stream, request).await,
            Err(error) => Err(error),
        },
        Endpoint::Unix(path) => match UnixStream::connect(path).await {
            Ok(stream) => speak(stream, request).await,
            Err(error) => Err(error),
        },
    };
    let (status, body) = response.map_err(unreachable)?;
    if !status.is_success() {
        return Err(HookError::Failed { name: name.to_owned(), status: format!("HTTP status {status}") });
    }
    Ok(body)
}

async fn speak<S>(stream: S, request: hyper::Request<Full<Bytes>>) -> io::Result<(StatusCode, Vec<u8>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let answer = async { read(sender.send_request(request).await.map_err(io::Error::other)?).await };
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

async fn read(response: Response<Incoming>) -> io::Result<(StatusCode, Vec<u8>)> {
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
    let body = body.map_err(|error| io::Error::other(error.to_string()))?;
    Ok((status, body.to_bytes().to_vec()))
}
