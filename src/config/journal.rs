//! `[journal]`: who did what.

use std::time::Duration;

use super::setting::section;
use super::value::days;

section! {
    /// `[journal]`: who did what, for admins and auditors; in the database, read at `GET /hub/api/journal`.
    pub struct JournalConfig {
        /// Keeps a journal.
        pub enabled: bool = true,
        /// How long records are kept; `0` keeps them for ever.
        pub keep: Duration = days(90),
    }
}
