//! Messages as fast as they come back: each socket keeps `window` of them under way (1: lockstep).

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use crate::latency::Latencies;
use crate::{frame, handshake, ready};

/// What a kernel message or a keystroke in a terminal has at least.
const PAYLOAD: &[u8] = b"{\"t\":\"stdin\",\"content\":\"x = 1\"}\n";

/// How much load, and how long.
pub(crate) struct Plan {
    pub(crate) sockets: usize,
    pub(crate) window: usize,
    pub(crate) time: Duration,
}

/// Opens the sockets, waits for the caller's go, measures, prints.
pub(crate) async fn run(address: &str, path: &str, plan: &Plan) -> io::Result<()> {
    let mut streams = Vec::new();
    for _ in 0..plan.sockets {
        streams.push(handshake::open(address, path).await?);
    }
    ready().await?;
    let began = Instant::now();
    let end = began + plan.time;
    let mut sockets = JoinSet::new();
    for stream in streams {
        sockets.spawn(exchange(stream, plan.window, end));
    }
    let mut all = Latencies::default();
    while let Some(result) = sockets.join_next().await {
        all.join(result.map_err(io::Error::other)??);
    }
    let seconds = began.elapsed().as_secs_f64();
    all.sort();
    println!(
        "{{\"messages\": {}, \"seconds\": {seconds:.6}, \"p50_us\": {:.2}, \"p99_us\": {:.2}}}",
        all.len(),
        all.percentile(50),
        all.percentile(99)
    );
    Ok(())
}

async fn exchange(mut stream: TcpStream, window: usize, end: Instant) -> io::Result<Latencies> {
    let (sent, echoed) = frame::message(PAYLOAD);
    let burst = sent.repeat(window);
    let (mut latencies, mut under_way) = (Latencies::default(), VecDeque::with_capacity(window));
    let (mut received, mut place, mut due) = (vec![0; 16 * 1024], 0, window);
    while Instant::now() < end {
        let now = Instant::now();
        under_way.extend(std::iter::repeat_n(now, due));
        stream.write_all(burst.get(..sent.len() * due).unwrap_or(&burst)).await?;
        let Ok(read) = timeout_at(end.into(), stream.read(&mut received)).await else { break };
        let bytes = received.get(..read?).unwrap_or_default();
        if bytes.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        due = check(&echoed, &mut place, bytes)?;
        let now = Instant::now();
        for began in under_way.drain(..due) {
            latencies.add(now - began);
        }
    }
    Ok(latencies)
}

/// Compares what came with repetitions of the echo, from `place` in it on; says how many were completed.
fn check(echoed: &[u8], place: &mut usize, mut bytes: &[u8]) -> io::Result<usize> {
    let mut complete = 0;
    while !bytes.is_empty() {
        let rest = echoed.get(*place..).unwrap_or_default();
        let length = rest.len().min(bytes.len());
        let (part, later) = bytes.split_at(length);
        if !rest.starts_with(part) {
            return Err(io::Error::other("an echo differs from what was sent"));
        }
        bytes = later;
        *place += length;
        if *place == echoed.len() {
            *place = 0;
            complete += 1;
        }
    }
    Ok(complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_counted_over_any_pieces_and_a_wrong_byte_is_noticed() {
        let mut place = 0;
        assert_eq!(check(b"abc", &mut place, b"abcab").unwrap(), 1);
        assert_eq!(check(b"abc", &mut place, b"cabc").unwrap(), 2);
        assert!(check(b"abc", &mut place, b"x").is_err());
    }
}
