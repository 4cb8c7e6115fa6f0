//! Everything the program listens on.

use std::io;
use std::path::{Path, PathBuf};

use super::ProgramError;
use super::certificates::Certificates;
use super::place::{Access, listen, means, shown};
use super::role::{Given, Role};
use crate::cli::{Place, Settings};
use crate::own_file::{OwnFile, is_hidden_name};
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
    /// Socket files that a predecessor has made; ours once it has handed over.
    pub(super) placed: Vec<PathBuf>,
    /// What this process has opened itself; what systemd keeps of it is to be replaced.
    pub(super) opened: Vec<Role>,
}

impl Ports {
    /// All sockets once more.
    pub(super) fn sockets(&self) -> io::Result<Vec<(Role, Socket)>> {
        let ports = [
            (Role::Public, Some(&self.public)),
            (Role::Api, Some(&self.api)),
            (Role::Metrics, self.metrics.as_ref()),
            (Role::Redirect, self.redirect.as_ref()),
        ];
        let listeners = ports
            .into_iter()
            .flat_map(|(role, port)| port.into_iter().map(move |port| (role, port)))
            .flat_map(|(role, port)| port.listeners.iter().map(move |listener| (role, listener)));
        listeners.map(|(role, listener)| Ok((role, listener.socket.try_clone()?))).collect()
    }

    pub(super) fn open(
        settings: &Settings,
        certificates: &Certificates,
        given: Given,
    ) -> Result<Self, ProgramError> {
        let Given { sockets: inherited, kept } = given;
        let mut opener =
            Opener { inherited, kept, files: Vec::new(), placed: Vec::new(), opened: Vec::new() };
        let public = opener.open(Role::Public, "the public port", &settings.public, Access::Umask)?;
        // Without a secret, the file's mode is what protects the API.
        let access = if settings.token.is_none() { Access::Owner } else { Access::Umask };
        let api = opener.open(Role::Api, "the REST API", &settings.api, access)?;
        let metrics = match &settings.metrics {
            Some(place) => Some(opener.open(Role::Metrics, "the metrics", place, Access::Umask)?),
            None => opener.inherit(Role::Metrics, None),
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
        // What systemd keeps in vain is to be forgotten, too.
        opener.opened.extend(opener.kept.iter().map(|(role, _)| *role));
        Ok(Self {
            public: encrypt(public, &certificates.public, "http"),
            api: encrypt(api, &certificates.api, "http"),
            metrics: metrics.map(|port| encrypt(port, &None, "http")),
            redirect: redirect.map(|port| encrypt(port, &None, "http")),
            files: opener.files,
            placed: opener.placed,
            opened: opener.opened,
        })
    }
}

struct Opener {
    inherited: Vec<(Role, Socket)>,
    kept: Vec<(Role, Socket)>,
    files: Vec<OwnFile>,
    placed: Vec<PathBuf>,
    opened: Vec<Role>,
}

impl Opener {
    /// Inherited sockets go before the options, which say where they are otherwise. Kept ones do if the options mean them.
    fn open(
        &mut self,
        role: Role,
        what: &'static str,
        place: &Place,
        access: Access,
    ) -> Result<Port, ProgramError> {
        if let Some(port) = self.inherit(role, Some(place)) {
            return Ok(port);
        }
        let kept = self.kept.extract_if(.., |(found, _)| *found == role);
        let kept: Vec<(Role, Socket)> = kept.collect();
        if !kept.is_empty() && kept.iter().all(|(_, socket)| is_at(socket, place)) {
            self.inherited.extend(kept);
            return self.open(role, what, place, access);
        }
        // Their addresses may be wanted.
        drop(kept);
        self.opened.push(role);
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

    fn inherit(&mut self, role: Role, place: Option<&Place>) -> Option<Port> {
        let sockets: Vec<Socket> =
            self.inherited.extract_if(.., |(found, _)| *found == role).map(|(_, socket)| socket).collect();
        let mut shown_place = sockets.first().map(address)?;
        if let Some(Place::Unix(path)) = place
            && sockets.iter().any(|socket| is_placed_at(socket, path))
        {
            self.placed.push(path.clone());
            shown_place = shown(&Place::Unix(path.clone()));
        }
        Some(Port { shown: shown_place, listeners: plain(sockets) })
    }
}

/// Whether this is where a socket of ours listens.
fn is_at(socket: &Socket, place: &Place) -> bool {
    match (socket, place) {
        (Socket::Tcp(listener), Place::Tcp(host, port)) => {
            listener.local_addr().is_ok_and(|address| means(host, *port, address))
        }
        (Socket::Unix(_), Place::Unix(path)) => is_placed_at(socket, path),
        _ => false,
    }
}

/// Whether it is a socket that a predecessor has made and put there; systemd's own are not ours to remove.
fn is_placed_at(socket: &Socket, path: &Path) -> bool {
    let Socket::Unix(listener) = socket else { return false };
    let address = listener.local_addr().ok();
    let bound = address.as_ref().and_then(|address| address.as_pathname());
    bound.is_some_and(|bound| is_hidden_name(bound, path))
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
