//! The JSON that clients are promised (rest-api.md 2): never a row of the store, and only the fields that the caller's
//! scopes reveal.

pub mod group;
pub mod server;
pub mod service;
pub mod share;
pub mod stamp;
pub mod token;
pub mod user;

use serde::{Serialize, Serializer};

/// Shows `null` for an unset value that the caller may see; a field that is not to be seen is `None` and left out.
pub(crate) type Shown<T> = Option<T>;

/// An empty JSON object.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Serialize for Nothing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(std::iter::empty::<(&str, &str)>())
    }
}
