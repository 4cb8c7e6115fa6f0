//! `[services.<name>]`: programs that use the hub.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::setting::{choice, section};
use super::value::Command;
use crate::secret::Secret;

choice! {
    /// When a service that ended is started again.
    pub enum ServiceRestart {
        /// Whenever it ends.
        Always = "always",
        /// After a non-zero exit status or a signal.
        OnFailure = "on-failure",
        /// Never.
        Never = "never",
    }
}

section! {
    /// `[services.<name>]`: a program that uses the hub (services.md 2).
    pub struct ServiceConfig {
        /// Gives the service the role `admin`; name it in `[roles]` instead.
        pub admin: bool = false,
        /// Where the service listens; the proxy then leads `/services/<name>/` there.
        pub url: String = String::new(),
        /// The command with which the hub starts the service. Not set: someone else starts it.
        pub command: Vec<String> as Command = Vec::new(),
        /// The working directory.
        pub cwd: PathBuf = PathBuf::new(),
        /// Environment variables.
        pub environment: BTreeMap<String, String> = BTreeMap::new(),
        /// The account that the service runs as.
        pub user: String = String::new(),
        /// The service's API token: 8 to 64 characters.
        pub api_token: Secret = Secret::default(),
        /// Anything; the REST API shows it.
        pub info: Map<String, Json> = Map::new(),
        /// Shows the service in the menu.
        pub display: bool = true,
        /// How long the service may take to answer after its start.
        pub timeout: Duration = Duration::from_secs(30),
        /// Does not ask users before the service learns who they are.
        pub oauth_no_confirm: Option<bool> = None,
        /// The service's OAuth client id; must start with `service-`. Not set: `service-<name>`.
        pub oauth_client_id: String = String::new(),
        /// Where OAuth leads back to. Not set: `/services/<name>/oauth_callback`.
        pub oauth_redirect_uri: String = String::new(),
        /// Further scopes that the service may ask its visitors for.
        pub oauth_client_allowed_scopes: Vec<String> = Vec::new(),
        /// When the service is started again.
        pub restart: ServiceRestart = ServiceRestart::Always,
        /// How long the first pause before that is; it doubles.
        pub restart_backoff: Duration = Duration::from_secs(1),
        /// The path that tells whether the service works.
        pub health_path: String = String::new(),
    }
}

impl ServiceConfig {
    /// Whether the hub starts the service.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        !self.command.is_empty()
    }

    /// Whether the service is an OAuth client: it has a URL, or a key for OAuth was set (services.md 5).
    #[must_use]
    pub fn is_oauth_client(&self) -> bool {
        !self.url.is_empty()
            || !self.oauth_client_id.is_empty()
            || !self.oauth_redirect_uri.is_empty()
            || self.oauth_no_confirm.is_some()
    }
}
