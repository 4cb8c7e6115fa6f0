//! The server: every message goes back as it came, unmasked.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::{frame, handshake};

const BACKLOG: u32 = 4096;

/// Serves until the process is ended.
pub(crate) async fn serve(address: &str) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.parse().map_err(io::Error::other)?)?;
    let listener = socket.listen(BACKLOG)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    handshake::accept(&mut stream).await?;
    let (mut received, mut out) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    while stream.read_buf(&mut received).await? > 0 {
        let used = answer(&received, &mut out);
        received.drain(..used);
        stream.write_all(&out).await?;
        out.clear();
    }
    Ok(())
}

/// Appends the answers to all whole frames of `received`; says how many bytes those were.
fn answer(received: &[u8], out: &mut Vec<u8>) -> usize {
    let mut used = 0;
    while let Some(rest) = received.get(used..)
        && let Some(frame) = frame::parse(rest)
        && let Some(payload) = rest.get(frame.head..frame.head + frame.payload)
    {
        frame::put_head(out, frame.kind, frame.payload);
        let mask = frame.mask.unwrap_or_default();
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        used += frame.head + frame.payload;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_are_answered_and_the_rest_is_kept() {
        let (sent, echoed) = frame::message(b"hello");
        let mut received = sent.repeat(2);
        received.extend_from_slice(&sent[..4]);
        let mut out = Vec::new();
        assert_eq!(answer(&received, &mut out), sent.len() * 2);
        assert_eq!(out, echoed.repeat(2));
    }
}
