//! Sockets that were used once and then do nothing, as those of notebooks left open.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{frame, handshake, ready};

/// Sockets opened at the same time.
const AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the sockets, sends one message over each, waits for the caller's go, counts those that still work.
pub(crate) async fn run(address: &str, path: &str, sockets: usize) -> io::Result<()> {
    let began = Instant::now();
    let mut streams = Vec::with_capacity(sockets);
    while streams.len() < sockets {
        let mut opening = JoinSet::new();
        for _ in 0..AT_ONCE.min(sockets - streams.len()) {
            let (address, path) = (address.to_owned(), path.to_owned());
            opening.spawn(async move { use_once(handshake::open(&address, &path).await?).await });
        }
        while let Some(opened) = opening.join_next().await {
            streams.push(opened.map_err(io::Error::other)??);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    ready().await?;
    let mut alive = 0;
    for stream in streams {
        alive += usize::from(use_once(stream).await.is_ok());
    }
    println!("{{\"opened_in\": {seconds:.3}, \"alive\": {alive}}}");
    Ok(())
}

async fn use_once(mut stream: TcpStream) -> io::Result<TcpStream> {
    let (sent, echoed) = frame::message(b"still here");
    let mut received = vec![0; echoed.len()];
    stream.write_all(&sent).await?;
    timeout(PATIENCE, stream.read_exact(&mut received)).await??;
    if received == echoed { Ok(stream) } else { Err(io::Error::other("an echo differs from what was sent")) }
}
