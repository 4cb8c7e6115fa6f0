//! Whether a Jupyter server's kernels are busy: asked of its own REST API.

use std::future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::Address;
use crate::secret::Secret;

/// The most that a server may answer.
const LARGEST_ANSWER: usize = 4 << 20;

/// What a server's kernels do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelState {
    /// At least one executes something.
    Busy,
    /// None does, or the server has none: other programs than Jupyter do not know the question.
    Idle,
}

#[derive(Deserialize)]
struct Kernel {
    #[serde(default)]
    execution_state: Option<String>,
}

/// Asks the server below the URL path `prefix` for its kernels, without counting as activity there.
///
/// # Errors
/// In words, if it gave no answer in `patience`, or one that says that it is at fault.
pub async fn ask_kernels(
    address: &Address,
    prefix: &str,
    token: &Secret,
    patience: Duration,
) -> Result<KernelState, String> {
    let address = Address::reaching(&address.ip, address.port);
    let path = format!("{prefix}api/kernels?no_track_activity=1");
    match tokio::time::timeout(patience, exchange(&address, &path, token)).await {
        Err(_) => Err(format!("no answer in {} seconds", patience.as_secs_f64())),
        Ok(Err(failed)) => Err(failed.to_string()),
        Ok(Ok((status, _))) if status >= 500 => Err(format!("status {status}")),
        Ok(Ok((200, body))) => Ok(state(&body)),
        Ok(Ok(_)) => Ok(KernelState::Idle),
    }
}

fn state(body: &[u8]) -> KernelState {
    let kernels: Vec<Kernel> = serde_json::from_slice(body).unwrap_or_default();
    let busy = |kernel: &Kernel| kernel.execution_state.as_deref() == Some("busy");
    if kernels.iter().any(busy) { KernelState::Busy } else { KernelState::Idle }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// One request on a connection of its own: status and body.
async fn exchange(address: &Address, path: &str, token: &Secret) -> Result<(u16, Bytes), AnyError> {
    let mut authorization = header::HeaderValue::try_from(format!("token {}", token.expose()))?;
    authorization.set_sensitive(true);
    let request = Request::get(path)
        .header(header::HOST, address.to_string())
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let stream = TcpStream::connect((address.ip.as_str(), address.port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = async {
        // its error, if any, arrives with the response too
        let _ = connection.await;
        future::pending::<Result<(u16, Bytes), AnyError>>().await
    };
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await?;
        Ok((status, body.to_bytes()))
    };
    match select(pin!(answer), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((never, _)) => never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_busy_kernel_makes_a_server_busy() {
        assert_eq!(
            state(br#"[{"execution_state": "idle"}, {"execution_state": "busy"}]"#),
            KernelState::Busy
        );
        for idle in [&br#"[{"execution_state": "idle"}, {"id": "x"}]"#[..], b"[]", b"{}", b"<html>", b""] {
            assert_eq!(state(idle), KernelState::Idle);
        }
    }
}
