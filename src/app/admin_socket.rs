//! The admin socket: bound, guarded, served.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use chrono::Utc;
use log::{info, warn};
use orrery_proxy::{OwnFile, Socket};

use super::{AppError, SharedHub, listen};
use crate::actors::live::Live;
use crate::config::database::Database;
use crate::config::{Addresses, Config};
use crate::web::admin::Facts;

/// Answers operators until it is dropped; then the socket's file is removed.
pub(super) struct AdminSocket {
    _file: OwnFile,
    handle: actix_web::dev::ServerHandle,
}

impl AdminSocket {
    /// Ends it; nobody is waited for.
    pub(super) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// What operators are told of this hub.
pub(super) fn facts(config: &Config, addresses: &Addresses) -> Facts {
    Facts {
        started: Utc::now(),
        hub_url: addresses.connect_url.clone(),
        public_url: addresses.public_url.clone().unwrap_or_else(|| config.proxy.bind_url.clone()),
        database: match config.database.target() {
            Ok(Database::Postgres(_)) => "postgresql",
            _ => "sqlite",
        },
        proxy: config.proxy.r#type.as_str().to_owned(),
        group: None,
    }
}

/// Listens where the configuration says. A socket that nobody asked for by name and that cannot be had is no reason not to
/// run.
pub(super) fn open(
    config: &Config,
    facts: &Facts,
    hub: Live<SharedHub>,
) -> Result<Option<AdminSocket>, AppError> {
    let Some(path) = config.admin_socket() else { return Ok(None) };
    match listen_at(&path, config.hub.admin_socket_mode.0, facts, hub) {
        Ok(socket) => {
            info!(path:% = path.display(); "operators are answered");
            Ok(Some(socket))
        }
        Err(failed) if config.hub.admin_socket.as_os_str().is_empty() => {
            warn!(path:% = path.display(), error:% = failed; "there is no admin socket; set hub.admin_socket to another path");
            Ok(None)
        }
        Err(source) => Err(AppError::Listen {
            key: "hub.admin_socket",
            address: path.display().to_string(),
            advice: "check that its folder exists and is ours, and that no other hub serves it",
            source,
        }),
    }
}

fn listen_at(path: &Path, mode: u32, facts: &Facts, hub: Live<SharedHub>) -> io::Result<AdminSocket> {
    let (listener, file) = orrery_proxy::listen_unix(path, Some(mode))?;
    // the folder may give its own group to what is made in it; a socket that its group may not use lets no group in
    let group = std::fs::metadata(path)?.gid();
    let facts = Facts { group: (mode & 0o060 == 0o060).then_some(group), ..facts.clone() };
    let handle = listen::admin(Socket::Unix(listener), hub, facts)?;
    Ok(AdminSocket { _file: file, handle })
}
