//! The thread that writes events down.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender};

use super::Sink;

/// What the writer is asked for.
pub(super) enum Order {
    /// Write this.
    Line(String),
    /// Say when everything before is written.
    Flush(SyncSender<()>),
}

pub(super) type Output = Box<dyn Write + Send>;

pub(super) fn open(sinks: &[Sink]) -> Result<Vec<Output>, (PathBuf, io::Error)> {
    let open = |sink: &Sink| -> Result<Output, (PathBuf, io::Error)> {
        Ok(match sink {
            Sink::File(path) => {
                let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
                Box::new(file.map_err(|refused| (path.clone(), refused))?)
            }
            Sink::Stdout => Box::new(io::stdout()),
            Sink::Stderr => Box::new(io::stderr()),
        })
    };
    sinks.iter().map(open).collect()
}

/// Writes until nobody can hand in anything any more.
pub(super) fn run(orders: &Receiver<Order>, mut outputs: Vec<Output>) {
    let mut failed = false;
    for order in orders {
        match order {
            Order::Line(line) => {
                for output in &mut outputs {
                    let written = output.write_all(line.as_bytes()).and_then(|()| output.flush());
                    match written {
                        Ok(()) => failed = false,
                        // told once, not for every event while the disk is full
                        Err(error) if !failed => {
                            failed = true;
                            log::error!(error:% = error; "events cannot be written");
                        }
                        Err(_) => {}
                    }
                }
            }
            Order::Flush(done) => {
                // nobody waits any more: fine
                let _ = done.try_send(());
            }
        }
    }
}
