//! The hub's log on the standard error, and in a file if asked: for people, as JSON, or as JupyterHub writes it.
//!
//! One event is one line, however odd the names in it are: what could move a cursor, begin a line or turn text around
//! is escaped, and every value is bounded (SEC-013). Secrets never reach it: who logs leaves them out, and addresses go
//! through [`redact`]. Lines about ordinary requests are written by a thread of its own, so that a slow reader of the
//! log delays nobody; a line about anything else is written before its author goes on.

pub mod escape;
mod line;
mod output;
pub mod redact;
mod wording;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use env_logger::Builder;
use log::{Level, LevelFilter, Log, Metadata, Record};

pub use self::line::Format;
use self::line::Style;
use self::output::Output;

/// The target of the access log's lines.
pub const ACCESS: &str = "orrery::access";

/// What is logged, how, and where besides the standard error.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How much; `ORRERY_LOG` (env_logger's syntax) refines it per module.
    pub level: LevelFilter,
    /// How lines look.
    pub format: Format,
    /// A file that gets the same lines.
    pub file: Option<PathBuf>,
}

/// Starts logging. A second start (tests in one process) keeps the first logger.
///
/// # Errors
/// If the file cannot be opened.
pub fn start(settings: &Settings) -> io::Result<()> {
    let open = |path: &PathBuf| OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let file = settings.file.as_ref().map(open).transpose()?;
    let mut filter = Builder::new();
    filter
        .filter_level(LevelFilter::Warn)
        .filter_module("orrery", settings.level)
        .filter_module("orrery_proxy", settings.level);
    if let Ok(filters) = std::env::var("ORRERY_LOG") {
        filter.parse_filters(&filters);
    }
    let filter = filter.build();
    let most = filter.filter();
    let style = if is_journal() {
        Style::Journal
    } else if io::stderr().is_terminal() {
        Style::Terminal
    } else {
        Style::Plain
    };
    let output = Output::start(file)?;
    let log = HubLog { filter, format: settings.format, style, output };
    if log::set_boxed_logger(Box::new(log)).is_ok() {
        log::set_max_level(most);
    }
    Ok(())
}

/// Writes what is still waiting; for the end of the process.
pub fn flush() {
    log::logger().flush();
}

/// Whether the standard error is the one that the service manager reads: `JOURNAL_STREAM` is inherited by programs
/// whose output goes elsewhere.
fn is_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    let found = std::fs::metadata("/proc/self/fd/2").map(|file| format!("{}:{}", file.dev(), file.ino()));
    found.is_ok_and(|found| found == named)
}

struct HubLog {
    filter: env_logger::Logger,
    format: Format,
    style: Style,
    output: Arc<Output>,
}

impl Log for HubLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.filter.matches(record) {
            return;
        }
        let line = line::of(self.format, record);
        let shown = line.styled(self.style);
        let kept = self.output.has_file().then(|| line.styled(Style::Plain));
        let can_wait = record.target() == ACCESS && record.level() >= Level::Info;
        self.output.push(&shown, kept.as_deref(), can_wait);
    }

    fn flush(&self) {
        self.output.flush();
    }
}
