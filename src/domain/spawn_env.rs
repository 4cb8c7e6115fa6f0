//! The environment of a user server (lifecycle.md 13, singleuser-contract.md 1).
//!
//! Later wins: what is kept of the hub's own environment, what the hub says, the configured `environment`, the
//! account's `USER`, `HOME` and `SHELL`. Secrets of the hub itself never get in.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::domain::ids::UserId;
use crate::domain::names::ServerKey;
use crate::domain::template::{Template, TemplateError, Values};
use crate::secret::Secret;

/// Secrets of the hub and the proxy. No setting may hand them to a user's server.
const NEVER: [&str; 5] = [
    "CONFIGPROXY_AUTH_TOKEN",
    "CONFIGPROXY_SSL_KEY_PASSPHRASE",
    "CONFIGPROXY_API_SSL_KEY_PASSPHRASE",
    "JPY_COOKIE_SECRET",
    "JUPYTERHUB_CRYPT_KEY",
];

/// What is only said for information, or to programs of long ago: a server works without.
pub const MISSABLE: [&str; 5] = ["CPU_GUARANTEE", "CPU_LIMIT", "JPY_API_TOKEN", "MEM_GUARANTEE", "MEM_LIMIT"];

/// Every `ORRERY_<SECTION>__<KEY>` is configuration of the hub, possibly a password: not kept either.
const HUB_CONFIGURATION: &str = "ORRERY_";

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindAddress {
    /// On a port.
    Tcp {
        /// With the hub's internal TLS.
        tls: bool,
        /// An address without brackets, or empty for all interfaces.
        ip: String,
        /// The port.
        port: u16,
    },
    /// On a UNIX socket with this path.
    Unix(String),
}

impl BindAddress {
    /// `http://ip:port`, with brackets around IPv6; `http+unix://<percent-encoded path>` for a socket.
    #[must_use]
    pub fn origin(&self) -> String {
        match self {
            Self::Tcp { tls, ip, port } => {
                let scheme = if *tls { "https" } else { "http" };
                let ip = if ip.contains(':') { format!("[{ip}]") } else { ip.clone() };
                format!("{scheme}://{ip}:{port}")
            }
            Self::Unix(path) => format!("http+unix://{}", utf8_percent_encode(path, NON_ALPHANUMERIC)),
        }
    }
}

/// How the server and its browsers reach the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubAddresses {
    /// The deployment's base path: starts and ends with `/`.
    pub base_url: String,
    /// The REST API as the server reaches it: ends with `/hub/api`.
    pub api_url: String,
    /// `scheme://host[:port]` of `public_url` or `subdomain_host`; empty if neither is set.
    pub public_origin: String,
    /// `scheme://host[:port]` of this server's own host with subdomains; empty without.
    pub server_origin: String,
}

/// Paths of the files of internal TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's key.
    pub key: String,
    /// The server's certificate.
    pub certificate: String,
    /// The authority that signs its clients' certificates.
    pub client_authority: String,
}

/// Limits and guarantees that the server is told; `None` and zero mean none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Resources {
    /// Bytes.
    pub memory_limit: Option<u64>,
    /// Bytes.
    pub memory_guarantee: Option<u64>,
    /// Cores.
    pub cpu_limit: Option<f64>,
    /// Cores.
    pub cpu_guarantee: Option<f64>,
}

/// What the configuration says about every server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// `spawner.env_keep`: names to take over from the hub's environment.
    pub keep: Vec<String>,
    /// `[spawner.environment]`.
    pub environment: Environment,
    /// `spawner.oauth_client_allowed_scopes`, without the access scope.
    pub client_allowed_scopes: Vec<String>,
    /// `cookie_options`.
    pub cookie_options: Map<String, Value>,
    /// `cookie_host_prefix_enabled`.
    pub cookie_host_prefix: bool,
    /// The deprecated `admin_access`.
    pub admin_access: bool,
    /// `spawner.notebook_dir`.
    pub notebook_dir: Option<Template>,
    /// `spawner.default_url`.
    pub default_url: Option<Template>,
    /// `spawner.debug`.
    pub debug: bool,
    /// `spawner.disable_user_config`.
    pub disable_user_config: bool,
    /// Limits and guarantees.
    pub resources: Resources,
    /// With internal TLS.
    pub tls: Option<TlsFiles>,
}

/// The account that a local server runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Its home folder, if it has one.
    pub home: String,
    /// Its shell, if it has one.
    pub shell: String,
}

/// Everything that decides about one server's environment.
#[derive(Debug, Clone, Copy)]
pub struct Spawn<'a> {
    /// The server.
    pub server: &'a ServerKey,
    /// Its owner.
    pub user_id: UserId,
    /// Its API token.
    pub api_token: &'a Secret,
    /// The id of its OAuth client.
    pub client_id: &'a str,
    /// Where it is to listen.
    pub bind: &'a BindAddress,
    /// How it reaches the hub.
    pub hub: &'a HubAddresses,
    /// What the configuration says.
    pub settings: &'a Settings,
    /// The hub's own environment.
    pub hub_environment: &'a BTreeMap<String, String>,
    /// The account, for servers that run as local processes.
    pub account: Option<&'a Account>,
}

/// Variables from the configuration, whose names and templates have been checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Environment(BTreeMap<String, Template>);

/// Why a configured variable was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The name cannot be one.
    #[error("'{0}' cannot be an environment variable: a name is not empty and has no '=' and no NUL")]
    Name(String),
    /// The name is that of a secret of the hub.
    #[error("the environment variable {0} holds a secret of the hub and is never given to user servers")]
    Secret(String),
    /// The value cannot be one.
    #[error("the value of the environment variable {0} contains a NUL character")]
    Value(String),
    /// The value is no template.
    #[error("the value of the environment variable {name}: {source}")]
    Template {
        /// The variable.
        name: String,
        /// What is wrong with its value.
        source: TemplateError,
    },
}

impl Environment {
    /// Whether the configuration sets this variable.
    #[must_use]
    pub fn names(&self, variable: &str) -> bool {
        self.0.contains_key(variable)
    }

    /// Checks `[spawner.environment]`.
    ///
    /// # Errors
    /// For the first variable whose name or value is not in order.
    pub fn parse<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, EnvironmentError> {
        let parsed = variables.into_iter().map(|(name, value)| {
            check(name, value)?;
            let template = value
                .parse()
                .map_err(|source| EnvironmentError::Template { name: name.to_owned(), source })?;
            Ok((name.to_owned(), template))
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

fn check(name: &str, value: &str) -> Result<(), EnvironmentError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        Err(EnvironmentError::Name(name.to_owned()))
    } else if NEVER.contains(&name) {
        Err(EnvironmentError::Secret(name.to_owned()))
    } else if value.contains('\0') {
        Err(EnvironmentError::Value(name.to_owned()))
    } else {
        Ok(())
    }
}

/// The environment of a server that is about to be started.
#[must_use]
pub fn environment(spawn: &Spawn<'_>) -> BTreeMap<String, String> {
    let prefix = spawn.server.prefix(&spawn.hub.base_url);
    let values = Values { server: spawn.server, user_id: spawn.user_id, prefix: &prefix };
    let mut variables = kept(&spawn.settings.keep, spawn.hub_environment);
    let said = [
        identity(spawn),
        addresses(spawn, &prefix),
        scopes(spawn),
        cookies(spawn.settings),
        options(spawn.settings, &values),
        resources(&spawn.settings.resources),
        tls_files(spawn.settings.tls.as_ref()),
    ];
    for (name, value) in said.into_iter().flatten() {
        variables.insert(name.to_owned(), value);
    }
    for (name, template) in &spawn.settings.environment.0 {
        variables.insert(name.clone(), template.expand(&values));
    }
    variables.extend(spawn.account.into_iter().flat_map(|account| of_account(spawn.server, account)));
    variables
}

type Variables = Vec<(&'static str, String)>;

/// What of the hub's own environment is handed on: the names that are asked for, never a secret of the hub.
pub(super) fn kept(names: &[String], hub: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let allowed = |name: &&String| !NEVER.contains(&name.as_str()) && !name.starts_with(HUB_CONFIGURATION);
    let found = names.iter().filter(allowed).filter_map(|name| hub.get_key_value(name));
    found.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn identity(spawn: &Spawn<'_>) -> Variables {
    let token = spawn.api_token.expose();
    let mut variables = vec![
        ("JUPYTERHUB_API_TOKEN", token.to_owned()),
        ("JPY_API_TOKEN", token.to_owned()),
        ("JUPYTERHUB_CLIENT_ID", spawn.client_id.to_owned()),
        ("JUPYTERHUB_USER", spawn.server.user.to_string()),
        ("JUPYTERHUB_SERVER_NAME", spawn.server.server.to_string()),
    ];
    variables.extend(flag("JUPYTERHUB_ADMIN_ACCESS", spawn.settings.admin_access));
    variables
}

fn addresses(spawn: &Spawn<'_>, prefix: &str) -> Variables {
    let HubAddresses { base_url, api_url, public_origin, server_origin } = spawn.hub;
    let activity_url = format!("{api_url}/users/{}/activity", spawn.server.user.escaped());
    let own_origin = if server_origin.is_empty() { public_origin } else { server_origin };
    vec![
        ("JUPYTERHUB_API_URL", api_url.clone()),
        ("JUPYTERHUB_ACTIVITY_URL", activity_url),
        ("JUPYTERHUB_BASE_URL", base_url.clone()),
        ("JUPYTERHUB_HOST", public_origin.clone()),
        ("JUPYTERHUB_SERVICE_PREFIX", prefix.to_owned()),
        ("JUPYTERHUB_SERVICE_URL", format!("{}{prefix}", spawn.bind.origin())),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", format!("{server_origin}{prefix}oauth_callback")),
        ("JUPYTERHUB_PUBLIC_URL", absolute(own_origin, prefix)),
        ("JUPYTERHUB_PUBLIC_HUB_URL", absolute(public_origin, &format!("{base_url}hub/"))),
    ]
}

/// Empty when nobody told us the origin.
fn absolute(origin: &str, path: &str) -> String {
    if origin.is_empty() { String::new() } else { format!("{origin}{path}") }
}

fn scopes(spawn: &Spawn<'_>) -> Variables {
    let access = Value::from(vec![
        format!("access:servers!server={}", spawn.server.full_name()),
        format!("access:servers!user={}", spawn.server.user),
    ]);
    let allowed = Value::from(spawn.settings.client_allowed_scopes.clone());
    vec![
        ("JUPYTERHUB_OAUTH_ACCESS_SCOPES", access.to_string()),
        ("JUPYTERHUB_OAUTH_SCOPES", access.to_string()),
        ("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", allowed.to_string()),
    ]
}

fn cookies(settings: &Settings) -> Variables {
    let host_prefix = if settings.cookie_host_prefix { "1" } else { "0" };
    let mut variables = vec![("JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED", host_prefix.to_owned())];
    if !settings.cookie_options.is_empty() {
        let options = Value::Object(settings.cookie_options.clone());
        variables.push(("JUPYTERHUB_COOKIE_OPTIONS", options.to_string()));
    }
    variables
}

fn options(settings: &Settings, values: &Values<'_>) -> Variables {
    let templates =
        [("JUPYTERHUB_ROOT_DIR", &settings.notebook_dir), ("JUPYTERHUB_DEFAULT_URL", &settings.default_url)];
    let expanded = templates.into_iter().filter_map(|(name, template)| {
        let value = template.as_ref()?.expand(values);
        (!value.is_empty()).then_some((name, value))
    });
    expanded
        .chain(flag("JUPYTERHUB_DEBUG", settings.debug))
        .chain(flag("JUPYTERHUB_DISABLE_USER_CONFIG", settings.disable_user_config))
        .collect()
}

fn flag(name: &'static str, set: bool) -> Option<(&'static str, String)> {
    set.then(|| (name, "1".to_owned()))
}

fn resources(resources: &Resources) -> Variables {
    let bytes = |amount: Option<u64>| amount.filter(|amount| *amount != 0).map(|amount| amount.to_string());
    // `{:?}` writes a whole number of cores as `2.0`, as Python does
    let cores =
        |amount: Option<f64>| amount.filter(|amount| *amount != 0.0).map(|amount| format!("{amount:?}"));
    let amounts = [
        ("MEM_LIMIT", bytes(resources.memory_limit)),
        ("MEM_GUARANTEE", bytes(resources.memory_guarantee)),
        ("CPU_LIMIT", cores(resources.cpu_limit)),
        ("CPU_GUARANTEE", cores(resources.cpu_guarantee)),
    ];
    amounts.into_iter().filter_map(|(name, amount)| Some((name, amount?))).collect()
}

fn tls_files(files: Option<&TlsFiles>) -> Variables {
    files.map_or_else(Vec::new, |files| {
        vec![
            ("JUPYTERHUB_SSL_KEYFILE", files.key.clone()),
            ("JUPYTERHUB_SSL_CERTFILE", files.certificate.clone()),
            ("JUPYTERHUB_SSL_CLIENT_CA", files.client_authority.clone()),
        ]
    })
}

/// `USER` is the hub's name for the user, as local servers of the reference see it.
fn of_account(server: &ServerKey, account: &Account) -> impl Iterator<Item = (String, String)> {
    let variables =
        [("USER", server.user.to_string()), ("HOME", account.home.clone()), ("SHELL", account.shell.clone())];
    let known = variables.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| (name.to_owned(), value))
}

#[cfg(test)]
mod tests;
