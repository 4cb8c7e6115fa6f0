//! One line a request, written by a thread of its own (off by default).
//!
//! Workers never wait for a disk: what does not fit into the channel is dropped and
//! counted. Queries are cut off, since they carry tokens.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use crate::clock::{iso, unix_millis};
use crate::metrics::Metrics;

/// Lines that may wait for the disk.
const WAITING: usize = 8192;

/// What is known about one request at its end.
#[derive(Debug, Clone)]
pub struct AccessEntry {
    /// The client, unless it came through a UNIX socket.
    pub peer: Option<IpAddr>,
    /// `GET`.
    pub method: String,
    /// The `Host` field, if there is one.
    pub host: Option<String>,
    /// As received; a query is cut off here.
    pub target: String,
    /// What the client was answered; 101 for a tunnel.
    pub status: u16,
    /// Bytes of the answer's body; 0 for a tunnel, which is logged when it begins.
    pub sent: u64,
    /// From the request's head to the answer's end.
    pub duration: Duration,
    /// The path prefix of the route, if one was found.
    pub route: Option<String>,
}

/// What the writer's thread is told.
#[derive(Debug)]
enum News {
    Entry(AccessEntry),
    /// Answer when all before this is written.
    Flush(SyncSender<()>),
}

/// Where lines go. Clones write to the same place; the last one gone, the rest is
/// written and the file closed.
#[derive(Debug, Clone)]
pub struct AccessLog {
    news: SyncSender<News>,
    metrics: Arc<Metrics>,
}

impl AccessLog {
    /// Appends to a file, made with mode 0640; `-` is the standard output.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread be started.
    pub fn open(path: &Path, metrics: &Arc<Metrics>) -> io::Result<Self> {
        match path.as_os_str() == "-" {
            true => Self::to(io::stdout(), metrics),
            false => {
                let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
                Self::to(file, metrics)
            }
        }
    }

    fn to(sink: impl Write + Send + 'static, metrics: &Arc<Metrics>) -> io::Result<Self> {
        let (news, waiting) = mpsc::sync_channel(WAITING);
        thread::Builder::new().name("access-log".to_owned()).spawn(move || write_all(&waiting, sink))?;
        Ok(Self { news, metrics: Arc::clone(metrics) })
    }

    /// Hands over one entry, or counts it as dropped. Never waits.
    pub fn log(&self, entry: AccessEntry) {
        if self.news.try_send(News::Entry(entry)).is_err() {
            self.metrics.access_log_dropped();
        }
    }

    /// Waits until what was logged so far is written, but not longer than `limit` once
    /// the writer has been told.
    pub fn flush(&self, limit: Duration) {
        let (done, is_done) = mpsc::sync_channel(1);
        // Without a writer there is nothing to wait for.
        if self.news.send(News::Flush(done)).is_ok() && is_done.recv_timeout(limit).is_err() {
            log::warn!("the end of the access log was not written in time");
        }
    }
}

/// Writes until the last sender is gone. A pause in the news is when to flush.
fn write_all(waiting: &Receiver<News>, sink: impl Write) {
    let mut sink = BufWriter::with_capacity(64 * 1024, sink);
    let mut has_failed = false;
    while let Ok(first) = waiting.recv() {
        let mut asked = Vec::new();
        let mut outcome = Ok(());
        for news in std::iter::once(first).chain(waiting.try_iter().take(WAITING)) {
            match news {
                News::Entry(entry) => {
                    let written = sink.write_all(line(&entry, unix_millis()).as_bytes());
                    outcome = outcome.and(written);
                }
                News::Flush(done) => asked.push(done),
            }
        }
        // A failing disk does not end the thread: it may be emptied.
        match outcome.and_then(|()| sink.flush()) {
            Ok(()) => has_failed = false,
            Err(error) if !has_failed => {
                has_failed = true;
                log::error!(error:%; "the access log cannot be written");
            }
            Err(_) => {}
        }
        for done in asked {
            // Whoever asked may have lost patience.
            let _ = done.try_send(());
        }
    }
}

/// `<time> <peer> "<method> <path>" <status> <bytes> <seconds> host=<host> route=<route>`.
fn line(entry: &AccessEntry, millis: u64) -> String {
    let mut line = format!("{} ", iso(millis));
    let peer = entry.peer.map_or_else(|| "-".to_owned(), |peer| peer.to_canonical().to_string());
    let path = entry.target.split(['?', '#']).next().unwrap_or_default();
    let millis = entry.duration.as_millis();
    // Writing to a string never fails.
    let _ = writeln!(
        line,
        "{peer} \"{} {}\" {} {} {}.{:03} host={} route={}",
        plain(&entry.method),
        plain(path),
        entry.status,
        entry.sent,
        millis / 1000,
        millis % 1000,
        entry.host.as_deref().map_or_else(|| "-".to_owned(), plain),
        entry.route.as_deref().map_or_else(|| "-".to_owned(), plain),
    );
    line
}

/// A client's bytes can neither end a line nor a field.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' | ' ' => {
                let _ = write!(plain, "\\x{:02x}", u32::from(character));
            }
            _ if character.is_control() => {
                let _ = write!(plain, "\\x{:02x}", u32::from(character));
            }
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    fn entry(target: &str) -> AccessEntry {
        AccessEntry {
            peer: Some("::ffff:10.0.0.1".parse().unwrap()),
            method: "GET".to_owned(),
            host: Some("hub:8000".to_owned()),
            target: target.to_owned(),
            status: 200,
            sent: 42,
            duration: Duration::from_millis(1234),
            route: Some("/user/ada/".to_owned()),
        }
    }

    #[test]
    fn proxy_031_a_line_tells_everything_but_the_query() {
        assert_eq!(
            line(&entry("/user/ada/lab?token=secret#x"), 0),
            "1970-01-01T00:00:00.000Z 10.0.0.1 \"GET /user/ada/lab\" 200 42 1.234 host=hub:8000 route=/user/ada/\n"
        );
    }

    #[test]
    fn a_clients_bytes_cannot_forge_a_line() {
        let shown = line(&entry("/a\" 200\nx\u{1b}[2J"), 0);
        assert_eq!(shown.matches('\n').count(), 1);
        assert!(shown.contains(r#""GET /a\x22\x20200\x0ax\x1b[2J" 200"#), "{shown}");
    }

    /// Takes what is written, and waits before each write for permission.
    struct Slow(mpsc::Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // A closed channel is permission as well.
            let _ = self.0.recv();
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_disk_costs_lines_but_no_time_and_the_rest_is_written_at_the_end() {
        let (permit, permits) = channel();
        let (written, sink) = channel();
        let metrics = Metrics::new();
        let log = AccessLog::to(Slow(permits, written), &metrics).unwrap();
        // One batch is with the thread, one in the channel, and the rest is too much.
        for _ in 0..3 * WAITING {
            log.log(entry("/"));
        }
        let text = metrics.text();
        let dropped =
            text.lines().find_map(|line| line.strip_prefix("orrery_proxy_access_log_dropped_total "));
        let dropped: usize = dropped.unwrap().parse().unwrap();
        assert!(dropped > 0, "{text}");
        drop((log, permit));
        let lines: usize = sink.iter().map(|bytes| bytes.iter().filter(|byte| **byte == b'\n').count()).sum();
        assert_eq!(lines + dropped, 3 * WAITING);
    }

    #[test]
    fn after_a_flush_everything_is_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("access.log");
        let log = AccessLog::open(&path, &Metrics::new()).unwrap();
        (0..100).for_each(|_| log.log(entry("/")));
        log.flush(Duration::from_secs(10));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 100);
    }

    #[test]
    fn an_access_log_that_cannot_be_opened_is_an_error() {
        assert!(AccessLog::open(Path::new("/nonexistent/access.log"), &Metrics::new()).is_err());
    }
}
