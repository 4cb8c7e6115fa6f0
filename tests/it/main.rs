//! Black-box tests: the built binary over HTTP, real processes, a database of its own for each hub.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its hub misbehaves"
)]

mod activation;
mod auth;
mod config;
mod contract;
mod cookies;
mod oauth;
mod observability;
mod operations;
mod pages;
mod proxy;
mod rbac;
mod rest;
mod security;
mod services;
mod startup;
mod subdomains;
mod supervision;

mod support {
    pub(crate) mod browser;
    pub(crate) mod chp;
    pub(crate) mod hub;
}
