//! The hub's pages, one file each, and what they share.
//!
//! Pages know visitors by the login cookie only (`visitor`), take forms only with the XSRF token that belongs to it
//! (`form`), and send people on (`destination`, `address`). What goes wrong becomes a page on the way out (`errors`).

pub mod accept_share;
pub mod account;
pub mod address;
pub mod admin;
pub mod destination;
pub mod errors;
pub mod failure;
pub mod form;
pub mod home;
mod hooked;
pub mod keep;
pub mod language;
pub mod login;
pub mod logout;
pub mod messages;
pub mod metrics;
pub mod multipart;
pub mod own_host;
pub mod ready;
pub mod redirects;
pub mod root;
mod sessions;
pub mod sharing;
pub mod small;
pub mod spawn;
pub mod spawn_pending;
pub mod start;
pub mod stop;
pub mod stopped;
pub mod target;
pub mod token;
pub mod user_redirect;
pub mod visitor;
