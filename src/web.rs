//! Every page and REST endpoint of the hub, on actix-web.
//!
//! `routes` is the one table of paths. A handler finds out who asks (`caller`, `visit`), checks what they may do, makes
//! one store call or asks the actors, and shows the result through a view or a page. It opens no connection, starts no
//! process and publishes no route itself.

pub mod admin;
pub mod api;
pub mod assets;
pub mod caller;
pub mod choice;
pub mod cookies;
pub mod dialogues;
pub mod error;
pub mod extract;
pub mod headers;
pub mod logins;
pub mod oauth;
pub mod observe;
pub mod openapi;
pub mod pages;
pub mod render;
pub mod routes;
pub mod sessions;
pub mod sign_in;
pub mod sign_out;
pub mod state;
pub mod static_files;
pub mod texts;
pub mod views;
pub mod visit;
