//! What tests of other layers need of the wire.

use std::io;

use tokio::net::UnixStream;

/// Reads one frame.
pub(crate) async fn read_frame(from: &mut UnixStream) -> io::Result<Vec<u8>> {
    super::channel::read(from).await
}
