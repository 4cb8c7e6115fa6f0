//! What handlers of the REST API take from a request: who asks ([`caller`]), names in the path ([`path`]), the query,
//! the body, the wanted page. Each is its own type, so that a handler's signature says what it depends on.

pub mod body;
pub mod caller;
pub mod pagination;
pub mod path;
pub mod query;
