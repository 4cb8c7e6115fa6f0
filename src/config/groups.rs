//! `[groups.<name>]`: groups of users.

use serde_json::{Map, Value as Json};

use super::setting::section;

section! {
    /// `[groups.<name>]`: a group of users.
    pub struct GroupConfig {
        /// Users who are added to the group; nobody is removed.
        pub users: Vec<String> = Vec::new(),
        /// Anything; replaces what the group had.
        pub properties: Option<Map<String, Json>> = None,
    }
}
