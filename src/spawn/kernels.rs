//! Whether a Jupyter server's kernels are busy: asked of its own REST API.

use std::time::Duration;

use serde::Deserialize;

use super::Address;
use super::exchange::{self, Question};
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
    let address = address.reached();
    let path = format!("{prefix}api/kernels?no_track_activity=1");
    let question = Question {
        path: &path,
        accept: "application/json",
        token: Some(token),
        longest_body: LARGEST_ANSWER,
    };
    match tokio::time::timeout(patience, exchange::ask(&address, question)).await {
        Err(_) => Err(format!("no answer in {} seconds", patience.as_secs_f64())),
        Ok(Err(failed)) => Err(failed.to_string()),
        Ok(Ok(answer)) if answer.status.as_u16() >= 500 => Err(format!("status {}", answer.status.as_u16())),
        Ok(Ok(answer)) if answer.status == hyper::StatusCode::OK => Ok(state(&answer.body)),
        Ok(Ok(_)) => Ok(KernelState::Idle),
    }
}

fn state(body: &[u8]) -> KernelState {
    let kernels: Vec<Kernel> = serde_json::from_slice(body).unwrap_or_default();
    let busy = |kernel: &Kernel| kernel.execution_state.as_deref() == Some("busy");
    if kernels.iter().any(busy) { KernelState::Busy } else { KernelState::Idle }
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
