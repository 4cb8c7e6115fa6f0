//! The other end of the admin socket: what the commands of operators ask the running hub. Blocks.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

/// More than any answer has.
const LARGEST_ANSWER: usize = 256 << 20;
/// How long the hub may take: a reload that changes services is the slowest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why there is no answer; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no hub answers at {}: {source}; is it running, and is this its `hub.admin_socket`? (--socket names another)", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The account must not.
    #[error("{} is not for this account; ask as root, as the hub's account, or as a member of the socket's group", path.display())]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// The configuration says that there is none.
    #[error("hub.admin_socket is \"none\": the hub does not answer commands")]
    Off,
    /// It broke off.
    #[error("the hub's answer broke off: {0}")]
    Broken(String),
    /// It takes too long.
    #[error("the hub does not answer; `kill -USR1` its process, and its log says what it does")]
    Late,
    /// The hub says no.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        message: String,
    },
}

/// A hub, seen from its admin socket.
#[derive(Debug, Clone)]
pub struct AdminClient {
    path: PathBuf,
}

impl AdminClient {
    /// The hub that listens at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ask(&self, method: &str, target: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|failed| ClientError::Broken(failed.to_string()))?;
        let asked = self.exchange(method, target, body);
        runtime
            .block_on(async { tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(ClientError::Late)) })
    }

    async fn exchange(&self, method: &str, target: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let broken = |failed: &dyn std::fmt::Display| ClientError::Broken(failed.to_string());
        let stream = UnixStream::connect(&self.path).await.map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => ClientError::Denied { path: self.path.clone() },
            _ => ClientError::Unreachable { path: self.path.clone(), source },
        })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|failed| broken(&failed))?;
        tokio::spawn(connection);
        let method: Method = method.parse().map_err(|wrong| broken(&wrong))?;
        let sent = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, "orrery")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(sent)))
            .map_err(|wrong| broken(&wrong))?;
        let answer = sender.send_request(request).await.map_err(|failed| broken(&failed))?;
        let status = answer.status();
        let read = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await;
        let bytes = read.map_err(|failed| broken(&failed))?.to_bytes();
        let said: Value = serde_json::from_slice(&bytes).map_err(|wrong| broken(&wrong))?;
        if status.is_success() {
            return Ok(said);
        }
        let message = said.get("message").and_then(Value::as_str).unwrap_or("the hub refused").to_owned();
        Err(ClientError::Refused { status: status.as_u16(), message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_that_is_not_there_is_named_with_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let failed = AdminClient::new(&path).ask("GET", "/status", None).unwrap_err();
        assert!(matches!(failed, ClientError::Unreachable { .. }));
        assert!(failed.to_string().contains("admin.sock"), "{failed}");
    }
}
