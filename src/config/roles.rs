//! `[roles.<name>]`: who may do what.

use std::collections::BTreeSet;

use super::setting::section;

section! {
    /// `[roles.<name>]`: who may do what. A list of holders that is given is complete: others lose the role.
    pub struct RoleConfig {
        /// What the role is for.
        pub description: Option<String> = None,
        /// What its holders may do.
        pub scopes: Option<Vec<String>> = None,
        /// Users who hold it.
        pub users: Option<Vec<String>> = None,
        /// Groups whose members hold it.
        pub groups: Option<Vec<String>> = None,
        /// Services that hold it.
        pub services: Option<Vec<String>> = None,
        /// Scopes on top of the built-in ones; only for the role `user`.
        pub extra_scopes: BTreeSet<String> = BTreeSet::new(),
    }
}
