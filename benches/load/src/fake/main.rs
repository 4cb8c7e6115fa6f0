//! A user server that costs next to nothing, so that what is measured is the hub: one thread, no runtime.
//!
//! Answers every request below `JUPYTERHUB_SERVICE_URL` with its own name and the microseconds that it took from its
//! `main` to its listening socket. `BENCH_DELAY_MS` makes it take longer, as real servers do. Writes its process id to
//! `BENCH_PIDS/<user>`, so that the caller can end it whatever the hub thinks of it.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// Longer requests are cut off.
const LONGEST_REQUEST: usize = 64 << 10;

fn main() -> io::Result<()> {
    let began = Instant::now();
    if let (Ok(folder), Ok(user)) = (env::var("BENCH_PIDS"), env::var("JUPYTERHUB_USER")) {
        fs::write(Path::new(&folder).join(user), process::id().to_string())?;
    }
    let delay = env::var("BENCH_DELAY_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    thread::sleep(Duration::from_millis(delay));
    let url = env::var("JUPYTERHUB_SERVICE_URL").map_err(io::Error::other)?;
    let address = url.split('/').nth(2).ok_or_else(|| io::Error::other("no address in the URL"))?;
    let listener = TcpListener::bind(address)?;
    let answer = answer(began.elapsed());
    for client in listener.incoming() {
        // one that goes away again is no reason to end
        let _ = client.and_then(|client| serve(client, &answer));
    }
    Ok(())
}

fn answer(took: Duration) -> String {
    let body = format!("{{\"version\": \"fake\", \"listening_after_us\": {}}}", took.as_micros());
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         X-JupyterHub-Version: 6.1.1\r\nX-Bench-Fake: 1\r\n\r\n{body}",
        body.len()
    )
}

fn serve(mut client: TcpStream, answer: &str) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut request, mut piece) = (Vec::<u8>::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LONGEST_REQUEST {
        let read = client.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        request.extend(piece.iter().take(read));
    }
    client.write_all(answer.as_bytes())
}
