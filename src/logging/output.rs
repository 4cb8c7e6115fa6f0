//! Where lines go: gathered in memory, written in order.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// How long lines gather before they are written: a wake-up for each would cost more than the lines.
const GATHER: Duration = Duration::from_millis(3);
/// Bytes that may wait for a slow reader; lines about ordinary requests beyond that are dropped and counted.
const MOST_WAITING: usize = 4 << 20;

#[derive(Default)]
struct Waiting {
    shown: Vec<u8>,
    kept: Vec<u8>,
    dropped: u64,
}

pub(super) struct Output {
    waiting: Mutex<Waiting>,
    /// Held while writing, so that lines keep their order.
    file: Mutex<Option<File>>,
    has_file: bool,
    writer: OnceLock<Thread>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Output {
    pub(super) fn start(file: Option<File>) -> io::Result<Arc<Self>> {
        let output = Arc::new(Self {
            waiting: Mutex::default(),
            has_file: file.is_some(),
            file: Mutex::new(file),
            writer: OnceLock::new(),
        });
        let mine = Arc::clone(&output);
        let writer = thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                thread::park();
                thread::sleep(GATHER);
                mine.flush();
            }
        })?;
        // it was empty: this is its only use
        let _ = output.writer.set(writer.thread().clone());
        Ok(output)
    }

    pub(super) const fn has_file(&self) -> bool {
        self.has_file
    }

    /// Takes a line, and another one for the file. Unless it can wait, it is written when this returns.
    pub(super) fn push(&self, shown: &str, kept: Option<&str>, can_wait: bool) {
        {
            let mut waiting = locked(&self.waiting);
            if can_wait && waiting.shown.len() > MOST_WAITING {
                waiting.dropped += 1;
                return;
            }
            waiting.shown.extend_from_slice(shown.as_bytes());
            waiting.kept.extend_from_slice(kept.unwrap_or_default().as_bytes());
        }
        match self.writer.get() {
            Some(writer) if can_wait => writer.unpark(),
            _ => self.flush(),
        }
    }

    pub(super) fn flush(&self) {
        let mut file = locked(&self.file);
        let waiting = std::mem::take(&mut *locked(&self.waiting));
        // there is nowhere left to tell that the log cannot be written
        let _ = io::stderr().write_all(&waiting.shown);
        if waiting.dropped > 0 {
            let _ = writeln!(io::stderr(), "{} lines about requests were dropped", waiting.dropped);
        }
        if let Some(file) = file.as_mut() {
            let _ = file.write_all(&waiting.kept);
        }
    }
}
