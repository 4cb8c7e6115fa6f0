//! What the options mean together.

use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

use super::certificates::{ApiCertificates, AutomaticCertificates, ClientCertificates, PublicCertificates};
use super::{Cli, Listening};
use crate::api::ApiToken;
use crate::config::{ErrorTarget, Forwarding, Trust};
use crate::network::Network;
use crate::route::Matching;
use crate::target::TargetError;
use crate::tls::acme::{AcmeOptions, Challenge, Directory, ExternalAccount};
use crate::tls::{ClientAuth, ClientTlsOptions, MinVersion, Passphrase, Protocols, ServerTlsOptions};

const PUBLIC_PORT: u16 = 8000;
const API_HOST: &str = "localhost";

/// Reads a variable of the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Options that make no sense together, in CHP's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Two sources of error pages.
    #[error("Cannot specify both error-target and error-path. Pick one.")]
    TwoErrorSources,
    /// Redirection to a port that is not encrypted.
    #[error("HTTPS redirection specified but certificates not provided.")]
    RedirectWithoutTls,
    /// No port is left above the public one.
    #[error("--port 65535 leaves no port for the REST API: give --api-port")]
    NoApiPort,
    /// An unusable custom header.
    #[error("{0}")]
    Header(String),
    /// An unusable source of error pages.
    #[error("--error-target: {0}")]
    ErrorTarget(TargetError),
    /// A scheme that no browser would follow.
    #[error("--protocol-rewrite: expected http or https")]
    Protocol,
    /// An account without its key.
    #[error("--acme-eab-id needs the account's key in ORRERY_PROXY_ACME_EAB_KEY")]
    NoAccountKey,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host name or address, empty for all, and a port.
    Tcp(String, u16),
    /// The path of a socket.
    Unix(PathBuf),
}

/// A plain port that redirects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Where it listens.
    pub place: Place,
    /// The port in the answers; `None` is the public one.
    pub to: Option<u16>,
}

/// Everything that [`run`](crate::program::run) needs to know.
#[derive(Debug)]
pub struct Settings {
    /// The public port.
    pub public: Place,
    /// The REST API.
    pub api: Place,
    /// The metrics, if they are wanted.
    pub metrics: Option<Place>,
    /// The plain port beside an encrypted one.
    pub redirect: Option<Redirect>,
    /// Encryption of the public port.
    pub public_tls: Option<ServerTlsOptions>,
    /// Where its certificate comes from, if not from files.
    pub acme: Option<AcmeOptions>,
    /// Encryption of the API.
    pub api_tls: Option<ServerTlsOptions>,
    /// Encryption towards targets, if it differs from the usual.
    pub client_tls: Option<ClientTlsOptions>,
    /// Who may use the API.
    pub token: Option<ApiToken>,
    /// What the first segment of a route stands for.
    pub matching: Matching,
    /// The target of the route `/`.
    pub default_target: Option<String>,
    /// Where error pages come from.
    pub error_target: Option<ErrorTarget>,
    /// Or where they lie.
    pub error_path: Option<PathBuf>,
    /// What is changed on the way.
    pub forwarding: Forwarding,
    /// Silence after which a client's connection is dropped.
    pub client_timeout: Option<Duration>,
    /// How long a target may take to answer.
    pub response_timeout: Option<Duration>,
    /// How long an idle client connection is kept.
    pub keep_alive: Option<Duration>,
    /// How long a request head may take.
    pub header_timeout: Option<Duration>,
    /// How long a request body may pause.
    pub body_timeout: Option<Duration>,
    /// How long connecting may take.
    pub connect_timeout: Option<Duration>,
    /// How long requests may go on at the end.
    pub drain_timeout: Option<Duration>,
    /// How long a successor may take until it is ready.
    pub successor_timeout: Option<Duration>,
    /// How long connections may go on after a hand-over.
    pub hand_over_timeout: Option<Duration>,
    /// Worker threads.
    pub workers: Option<usize>,
    /// Client connections at a time.
    pub max_connections: usize,
    /// Client connections of one address.
    pub max_connections_per_address: usize,
    /// Requests under way to one route.
    pub max_requests_per_route: usize,
    /// File for the process id.
    pub pid_file: Option<PathBuf>,
    /// File for a line per request.
    pub access_log: Option<PathBuf>,
    /// What is logged.
    pub log_level: LevelFilter,
    /// What a human may want to know about the options given.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Checks the options against each other.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn new(cli: Cli, environment: Environment<'_>) -> Result<Self, UsageError> {
        let warnings = warnings(&cli);
        let Cli { version: _, listening, public_certificates, .. } = &cli;
        let Cli { api_certificates, client_certificates, forwarding, running, .. } = &cli;
        let public = public_place(listening);
        let acme = acme(&cli.automatic_certificates, listening, environment)?;
        let public_tls = public_tls(public_certificates, acme.is_some(), environment);
        if forwarding.error_target.is_some() && forwarding.error_path.is_some() {
            return Err(UsageError::TwoErrorSources);
        }
        let error_target = forwarding.error_target.as_deref().map(ErrorTarget::new).transpose();
        let headers =
            forwarding.custom_header.iter().map(|header| header.field().map_err(UsageError::Header));
        let timeout = |given: Option<Duration>| given.filter(|limit| !limit.is_zero());
        Ok(Self {
            api: api_place(listening, &public)?,
            metrics: metrics_place(listening),
            redirect: redirect(listening, &public, public_tls.is_some())?,
            public,
            public_tls,
            acme,
            api_tls: api_tls(api_certificates, environment),
            client_tls: client_tls(client_certificates, environment),
            token: environment("CONFIGPROXY_AUTH_TOKEN").and_then(|secret| ApiToken::new(&secret)),
            matching: if forwarding.host_routing { Matching::Host } else { Matching::Path },
            default_target: forwarding.default_target.clone(),
            error_target: error_target.map_err(UsageError::ErrorTarget)?,
            error_path: forwarding.error_path.clone(),
            forwarding: Forwarding {
                x_forwarded: !forwarding.no_x_forward,
                prepend_path: !forwarding.no_prepend_path,
                include_prefix: !forwarding.no_include_prefix,
                auto_rewrite: forwarding.auto_rewrite,
                protocol_rewrite: protocol(forwarding.protocol_rewrite.as_deref())?,
                change_origin: forwarding.change_origin,
                headers: headers.collect::<Result<_, _>>()?,
                withheld_cookies: Vec::new(),
                trust: trust(&forwarding.trusted_proxies),
                confined: None,
            },
            client_timeout: timeout(forwarding.timeout),
            response_timeout: timeout(forwarding.proxy_timeout),
            keep_alive: timeout(forwarding.keep_alive_timeout),
            header_timeout: timeout(forwarding.header_timeout),
            body_timeout: timeout(forwarding.body_timeout),
            connect_timeout: timeout(forwarding.connect_timeout),
            drain_timeout: running.drain_timeout,
            successor_timeout: running.successor_timeout,
            hand_over_timeout: timeout(Some(running.hand_over_timeout)),
            workers: running.workers.map(usize::from),
            max_connections: running.max_connections,
            max_connections_per_address: running.max_connections_per_address,
            max_requests_per_route: running.max_requests_per_route,
            pid_file: running.pid_file.clone(),
            access_log: running.access_log.clone(),
            log_level: running.log_level.0,
            warnings,
        })
    }
}

/// SEC-095: without a list everybody is believed, as by CHP, which leaves it to whoever is in front.
fn trust(listed: &[Network]) -> Option<Trust> {
    if listed.is_empty() {
        return None;
    }
    let listed = listed.to_vec();
    Some(Trust::new(move |peer| listed.iter().any(|network| network.contains(peer))))
}

fn warnings(cli: &Cli) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |applies: bool, text: &str| warnings.extend(applies.then(|| text.to_owned()));
    warn(
        cli.listening.ip == "*",
        "Interpreting ip='*' as all-interfaces. Preferred usage is 0.0.0.0 for all IPv4 or '' for all-interfaces.",
    );
    warn(cli.public_certificates.allow_rc4, "--ssl-allow-rc4 is ignored: RC4 is broken");
    warn(
        cli.public_certificates.dhparam.is_some(),
        "--ssl-dhparam is ignored: key exchange is by elliptic curves",
    );
    warn(cli.running.storage_backend.is_some(), "--storage-backend is ignored: routes are kept in memory");
    warn(cli.client_certificates.insecure, "--insecure: certificates of targets are not checked");
    warnings
}

/// `*` means all, too.
fn host(given: &str) -> String {
    if given == "*" { String::new() } else { given.to_owned() }
}

fn public_place(listening: &Listening) -> Place {
    match &listening.socket {
        Some(path) => Place::Unix(path.clone()),
        None => Place::Tcp(host(&listening.ip), listening.port.unwrap_or(PUBLIC_PORT)),
    }
}

fn api_place(listening: &Listening, public: &Place) -> Result<Place, UsageError> {
    if let Some(path) = &listening.api_socket {
        return Ok(Place::Unix(path.clone()));
    }
    let port = match (listening.api_port, public) {
        (Some(port), _) => port,
        (None, Place::Unix(_)) => PUBLIC_PORT + 1,
        // The kernel chooses both.
        (None, Place::Tcp(_, 0)) => 0,
        (None, Place::Tcp(_, port)) => port.checked_add(1).ok_or(UsageError::NoApiPort)?,
    };
    Ok(Place::Tcp(host(listening.api_ip.as_deref().unwrap_or(API_HOST)), port))
}

fn metrics_place(listening: &Listening) -> Option<Place> {
    match (&listening.metrics_socket, listening.metrics_port) {
        (Some(path), _) => Some(Place::Unix(path.clone())),
        (None, Some(port)) => Some(Place::Tcp(host(&listening.metrics_ip), port)),
        (None, None) => None,
    }
}

fn redirect(
    listening: &Listening,
    public: &Place,
    is_encrypted: bool,
) -> Result<Option<Redirect>, UsageError> {
    let Some(port) = listening.redirect_port else { return Ok(None) };
    if !is_encrypted {
        return Err(UsageError::RedirectWithoutTls);
    }
    let host = match public {
        // Where there is nothing but the plain port, everyone is there already.
        Place::Tcp(_, 80) => return Ok(None),
        Place::Tcp(host, _) => host.clone(),
        Place::Unix(_) => String::new(),
    };
    Ok(Some(Redirect { place: Place::Tcp(host, port), to: listening.redirect_to }))
}

fn public_tls(
    given: &PublicCertificates,
    is_automatic: bool,
    environment: Environment<'_>,
) -> Option<ServerTlsOptions> {
    (is_automatic || given.key.is_some() || given.cert.is_some()).then(|| ServerTlsOptions {
        cert: given.cert.clone(),
        key: given.key.clone(),
        passphrase: environment("CONFIGPROXY_SSL_KEY_PASSPHRASE").map(Passphrase::from),
        ca: given.ca.clone(),
        client_auth: ClientAuth::from_flags(given.request_cert, given.reject_unauthorized),
        min_version: given.protocol.unwrap_or_default(),
        ciphers: given.ciphers.clone().unwrap_or_default(),
        protocols: if given.no_http2 { Protocols::Http1 } else { Protocols::Http2 },
    })
}

fn acme(
    given: &AutomaticCertificates,
    listening: &Listening,
    environment: Environment<'_>,
) -> Result<Option<AcmeOptions>, UsageError> {
    if given.domain.is_empty() {
        return Ok(None);
    }
    let challenges = match (given.challenge.as_slice(), listening.redirect_port) {
        ([], Some(_)) => vec![Challenge::TlsAlpn01, Challenge::Http01],
        ([], None) => vec![Challenge::TlsAlpn01],
        (chosen, _) => chosen.to_vec(),
    };
    let external_account = match (&given.eab_id, environment("ORRERY_PROXY_ACME_EAB_KEY")) {
        (None, _) => None,
        (Some(id), Some(key)) => Some(ExternalAccount { id: id.clone(), key: key.into() }),
        (Some(_), None) => return Err(UsageError::NoAccountKey),
    };
    let directory = match &given.directory {
        Some(url) => Directory::Url(url.clone()),
        None if given.staging => Directory::LetsEncryptStaging,
        None => Directory::LetsEncrypt,
    };
    Ok(Some(AcmeOptions {
        directory,
        contacts: given.contact.clone(),
        domains: given.domain.clone(),
        challenges,
        cache: given.cache.clone(),
        external_account,
        ca: given.acme_ca.clone(),
        ..AcmeOptions::default()
    }))
}

fn api_tls(given: &ApiCertificates, environment: Environment<'_>) -> Option<ServerTlsOptions> {
    given.key.as_ref().or(given.cert.as_ref())?;
    Some(ServerTlsOptions {
        cert: given.cert.clone(),
        key: given.key.clone(),
        passphrase: environment("CONFIGPROXY_API_SSL_KEY_PASSPHRASE").map(Passphrase::from),
        ca: given.ca.clone(),
        client_auth: ClientAuth::from_flags(given.request_cert, given.reject_unauthorized),
        min_version: MinVersion::default(),
        protocols: Protocols::Http1,
        ..ServerTlsOptions::default()
    })
}

fn client_tls(given: &ClientCertificates, environment: Environment<'_>) -> Option<ClientTlsOptions> {
    let is_usual = given.key.is_none() && given.cert.is_none() && given.ca.is_none() && !given.insecure;
    (!is_usual).then(|| ClientTlsOptions {
        cert: given.cert.clone(),
        key: given.key.clone(),
        passphrase: environment("CONFIGPROXY_CLIENT_SSL_KEY_PASSPHRASE").map(Passphrase::from),
        ca: given.ca.clone(),
        insecure: given.insecure,
    })
}

fn protocol(given: Option<&str>) -> Result<Option<String>, UsageError> {
    match given.map(|scheme| scheme.trim_end_matches(':').to_ascii_lowercase()) {
        None => Ok(None),
        Some(scheme) if scheme == "http" || scheme == "https" => Ok(Some(scheme)),
        Some(_) => Err(UsageError::Protocol),
    }
}

#[cfg(test)]
mod tests;
