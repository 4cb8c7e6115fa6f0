//! What the operator tells everybody: in the store, and at hand for every page and every start.

use std::sync::Arc;

use chrono::Utc;
use serde_json::json;
use tokio::sync::Mutex;

use super::journal::Journal;
use super::live::Live;
use crate::domain::notice::{Closed, Notice, NoticeKind, Notices};
use crate::domain::timestamp;
use crate::store::{Store, StoreError, notices};

/// The notices that stand. A clone sees every change.
#[derive(Debug, Clone, Default)]
pub struct Board {
    standing: Live<Notices>,
    /// Held while one is changed, so that what is stored and what is shown agree.
    changing: Arc<Mutex<()>>,
}

impl Board {
    /// The notices as they are now; some may be over.
    #[must_use]
    pub fn now(&self) -> Arc<Notices> {
        self.standing.now()
    }

    /// Why no server is started now, if so.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.now().closed(Utc::now())
    }

    /// Takes over what an earlier hub was told.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        self.standing.set(store.read(notices::load).await?);
        Ok(())
    }

    /// Puts a notice in place of the last one of its kind; `None` takes that away. Done, and kept, when this returns.
    ///
    /// # Errors
    /// If the store does not answer; nothing has changed then.
    pub async fn set(
        &self,
        store: &Store,
        journal: &Journal,
        by: &str,
        kind: NoticeKind,
        notice: Option<Notice>,
    ) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        let kept = notice.clone();
        store.write(move |db| notices::set(db, kind, kept.as_ref())).await?;
        let action = format!("{}.{}", kind.as_str(), if notice.is_some() { "set" } else { "clear" });
        let detail = notice.as_ref().map(|notice| {
            json!({
                "message": notice.message,
                "from": timestamp::format(notice.from),
                "until": notice.until.map(timestamp::format),
            })
        });
        journal.record(by, &action, "hub", detail);
        self.standing.set((*self.now()).clone().with(kind, notice));
        Ok(())
    }
}
