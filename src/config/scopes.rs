//! `[scopes."custom:<name>"]`: scopes that services check.

use super::setting::section;

section! {
    /// `[scopes."custom:<name>"]`: a scope that the hub gives out and services check.
    pub struct CustomScopeConfig {
        /// What it allows; shown when someone is asked to consent. Must be given.
        pub description: String = String::new(),
        /// Custom scopes that it includes.
        pub subscopes: Vec<String> = Vec::new(),
    }
}
