//! Who asks for the configuration to be read again: SIGHUP, the REST API and the admin socket all come here.
//!
//! The work itself is the composition root's, which knows what is made from which key; it does one reload after the
//! other.

use tokio::sync::{mpsc, oneshot};

use super::slot::Absent;
use crate::domain::reload::ReloadReport;

/// How many may wait for their turn.
const WAITING: usize = 16;

/// Asks for the configuration to be read again. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Reloader(mpsc::Sender<Request>);

/// What somebody wants who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To know what a reload would change.
    Preview,
    /// The reload.
    Reload,
}

/// One who asks.
#[derive(Debug)]
pub struct Request {
    /// What is wanted.
    pub wish: Wish,
    /// Who, as the journal writes it: `user:ada`, `signal:SIGHUP`.
    pub by: String,
    /// Gets the report.
    pub reply: oneshot::Sender<ReloadReport>,
}

impl Reloader {
    /// A way to ask, and what the one who does the work reads.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Request>) {
        let (sender, requests) = mpsc::channel(WAITING);
        (Self(sender), requests)
    }

    /// Reads the configuration again: validates all of it, then puts what can change at run time into force, or changes
    /// nothing. Returns when that is done.
    ///
    /// # Errors
    /// [`Absent`] if the hub starts or ends just now.
    pub async fn reload(&self, by: &str) -> Result<ReloadReport, Absent> {
        self.ask(Wish::Reload, by).await
    }

    /// What [`Reloader::reload`] would change: everything is read and validated, nothing is put into force.
    ///
    /// # Errors
    /// [`Absent`] if the hub starts or ends just now.
    pub async fn preview(&self, by: &str) -> Result<ReloadReport, Absent> {
        self.ask(Wish::Preview, by).await
    }

    async fn ask(&self, wish: Wish, by: &str) -> Result<ReloadReport, Absent> {
        let (reply, report) = oneshot::channel();
        self.0.send(Request { wish, by: by.to_owned(), reply }).await.map_err(|_| Absent)?;
        report.await.map_err(|_| Absent)
    }
}
