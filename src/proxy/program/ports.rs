//! Everything the program listens on.

use super::activation::{Inherited, Role};
use super::certificates::Certificates;
use super::place::{Access, listen, shown};
use super::{Environment, ProgramError};
use crate::cli::{Place, Settings};
use crate::own_file::OwnFile;
use crate::socket::{Listener, Socket};

/// One kind of listener: where it is, for the log, and its sockets.
#[derive(Debug, Default)]
pub(super) struct Port {
    pub(super) shown: String,
    pub(super) listeners: Vec<Listener>,
}

impl Port {
    /// Its number, if it is on TCP: the one that was asked for, chosen by the kernel, or inherited.
    pub(super) fn number(&self) -> Option<u16> {
        self.listeners.iter().find_map(|listener| number(&listener.socket))
    }
}

#[derive(Debug)]
pub(super) struct Ports {
    pub(super) public: Port,
    pub(super) api: Port,
    pub(super) metrics: Option<Port>,
    pub(super) redirect: Option<Port>,
    /// Socket files, removed at the end.
    pub(super) files: Vec<OwnFile>,
}

impl Ports {
    pub(super) fn open(
        settings: &Settings,
        certificates: &Certificates,
        environment: Environment<'_>,
    ) -> Result<Self, ProgramError> {
        let names = environment("LISTEN_FDNAMES");
        let inherited = Inherited::take(names.as_deref()).map_err(ProgramError::Activation)?;
        let mut opener = Opener { inherited, files: Vec::new() };
        let public = opener.open(Role::Public, "the public port", &settings.public, Access::Umask)?;
        // Without a secret, the file's mode is what protects the API.
        let access = if settings.token.is_none() { Access::Owner } else { Access::Umask };
        let api = opener.open(Role::Api, "the REST API", &settings.api, access)?;
        let metrics = match &settings.metrics {
            Some(place) => Some(opener.open(Role::Metrics, "the metrics", place, Access::Umask)?),
            None => opener.inherit(Role::Metrics),
        };
        let redirect = match &settings.redirect {
            Some(redirect) => {
                Some(opener.open(Role::Redirect, "--redirect-port", &redirect.place, Access::Umask)?)
            }
            None => None,
        };
        let encrypt = |mut port: Port, tls: &Option<_>, scheme: &str| {
            port.listeners.iter_mut().for_each(|listener| listener.tls.clone_from(tls));
            let scheme = if tls.is_some() { format!("{scheme}s") } else { scheme.to_owned() };
            port.shown = format!("{scheme}://{}", port.shown);
            port
        };
        Ok(Self {
            public: encrypt(public, &certificates.public, "http"),
            api: encrypt(api, &certificates.api, "http"),
            metrics: metrics.map(|port| encrypt(port, &None, "http")),
            redirect: redirect.map(|port| encrypt(port, &None, "http")),
            files: opener.files,
        })
    }
}

struct Opener {
    inherited: Inherited,
    files: Vec<OwnFile>,
}

impl Opener {
    /// Inherited sockets go before the options, which say where they are otherwise.
    fn open(
        &mut self,
        role: Role,
        what: &'static str,
        place: &Place,
        access: Access,
    ) -> Result<Port, ProgramError> {
        if let Some(port) = self.inherit(role) {
            return Ok(port);
        }
        let listening = listen(what, place, access)?;
        self.files.extend(listening.file);
        let place = match place {
            Place::Tcp(host, 0) => {
                Place::Tcp(host.clone(), listening.sockets.iter().find_map(number).unwrap_or(0))
            }
            _ => place.clone(),
        };
        Ok(Port { shown: shown(&place), listeners: plain(listening.sockets) })
    }

    fn inherit(&mut self, role: Role) -> Option<Port> {
        let sockets = self.inherited.of(role);
        let shown = sockets.first().map(address)?;
        Some(Port { shown, listeners: plain(sockets) })
    }
}

fn plain(sockets: Vec<Socket>) -> Vec<Listener> {
    sockets.into_iter().map(|socket| Listener { socket, tls: None }).collect()
}

fn number(socket: &Socket) -> Option<u16> {
    match socket {
        Socket::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
        Socket::Unix(_) => None,
    }
}

fn address(socket: &Socket) -> String {
    match socket {
        Socket::Tcp(listener) => {
            listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string())
        }
        Socket::Unix(listener) => {
            let address = listener.local_addr().ok();
            let path = address.as_ref().and_then(|address| address.as_pathname());
            path.map_or_else(|| "unix:?".to_owned(), |path| format!("unix:{}", path.display()))
        }
    }
}
