//! What `benches/proxy.py` needs and `wrk` does not have: WebSockets.
//!
//! ```text
//! orrery-bench-load relay ADDRESS TARGET                          a proxy that looks at nothing
//! orrery-bench-load echo ADDRESS                                  a server that sends every message back
//! orrery-bench-load ws   ADDRESS PATH SOCKETS WINDOW SECONDS      messages per second, and their latency
//! orrery-bench-load idle ADDRESS PATH SOCKETS                     sockets that do nothing
//! ```
//!
//! One thread each, so that a core can be given to it. `ws` and `idle` print `ready` when their sockets are open and
//! go on after a line on standard input, so that the caller can read the clocks of the proxy in between. Results are
//! one line of JSON.

mod echo;
mod frame;
mod handshake;
mod idle;
mod latency;
mod load;
mod relay;

use std::io;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const USAGE: &str = "relay ADDRESS TARGET | echo ADDRESS | ws ADDRESS PATH SOCKETS WINDOW SECONDS | idle ADDRESS PATH SOCKETS";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orrery-bench-load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[&str]) -> io::Result<()> {
    match *words {
        ["relay", address, target] => relay::serve(address, target).await,
        ["echo", address] => echo::serve(address).await,
        ["ws", address, path, sockets, window, seconds] => {
            let plan = load::Plan {
                sockets: number(sockets)?,
                window: number(window)?,
                time: Duration::from_secs_f64(number(seconds)?),
            };
            load::run(address, path, &plan).await
        }
        ["idle", address, path, sockets] => idle::run(address, path, number(sockets)?).await,
        _ => Err(io::Error::other(format!("expected: {USAGE}"))),
    }
}

fn number<T: FromStr>(word: &str) -> io::Result<T> {
    word.parse().map_err(|_| io::Error::other(format!("`{word}` is not a number; expected: {USAGE}")))
}

/// Says that the sockets are open, and waits for the caller's go.
async fn ready() -> io::Result<()> {
    println!("ready");
    let mut line = String::new();
    BufReader::new(stdin()).read_line(&mut line).await.map(drop)
}
