//! Orrery: an own web server for every person on a shared machine.
//!
//! The map, top to bottom; a module may import from those below it, never from one above
//! (`tests/architecture.rs` checks it):
//!
//! | Module | For |
//! | --- | --- |
//! | [`app`] | the composition root: configuration, store, actors, web; the order of start and stop |
//! | [`web`] | every page and REST endpoint of the hub |
//! | [`actors`] | supervision: one actor per user server, the owner of the proxy routes, periodic work |
//! | [`auth`] | who someone is |
//! | [`spawn`] | how a server is started, watched and ended |
//! | [`store`] | the database |
//! | [`proxy_client`], [`proxy_child`] | a separate proxy: its REST API; its process, if the hub starts it |
//! | [`privileged`] | the one client of `orrery-launch`: signing in with PAM, starting servers as their users |
//! | [`accounts`] | the accounts and groups of this machine |
//! | [`hooks`] | programs and URLs that decide in place of built-in rules |
//! | [`config`] | `orrery.toml`: parsed once, checked once, passed down |
//! | [`domain`] | pure rules: no I/O, no clock, no framework |
//! | [`metrics`], [`logging`], [`events`] | numbers for Prometheus; the log; the event log |
//! | [`secret`] | random secrets that do not print themselves |

#![forbid(unsafe_code)]

pub mod accounts;
pub mod actors;
pub mod app;
pub mod auth;
pub mod config;
pub mod domain;
pub mod events;
pub mod hooks;
pub mod logging;
pub mod metrics;
pub mod privileged;
pub mod proxy_child;
pub mod proxy_client;
pub mod secret;
pub mod spawn;
pub mod store;
pub mod web;
