//! The environment of a managed service (services.md 6).
//!
//! Later wins: what is kept of the hub's own environment, what the hub says, the configured `environment`, the account's
//! `USER`, `HOME` and `SHELL`. Secrets of the hub itself get in only where the operator writes them into `environment`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::names::escape_segment;
use super::spawn_env::{HubAddresses, kept};
use crate::secret::Secret;

/// The account that the service runs as, if not the hub's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its home folder.
    pub home: String,
    /// Its shell.
    pub shell: String,
}

/// Everything that decides about a service's environment.
#[derive(Debug, Clone, Copy)]
pub struct ServiceFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its API token.
    pub api_token: &'a Secret,
    /// Where it listens; empty if nowhere.
    pub url: &'a str,
    /// The id of its OAuth client, made or not.
    pub client_id: &'a str,
    /// `services.<name>.oauth_client_allowed_scopes`.
    pub client_allowed_scopes: &'a [String],
    /// How it and its visitors reach the hub.
    pub hub: &'a HubAddresses,
    /// `hub.cookie_host_prefix`.
    pub cookie_host_prefix: bool,
    /// `spawner.env_keep`: names to take over from the hub's environment.
    pub keep: &'a [String],
    /// The hub's own environment.
    pub hub_environment: &'a BTreeMap<String, String>,
    /// `services.<name>.environment`.
    pub environment: &'a BTreeMap<String, String>,
    /// The account it runs as.
    pub account: Option<&'a Account>,
}

/// Where the proxy leads to the service: `<base>services/<name>/`.
#[must_use]
pub fn prefix(base_url: &str, name: &str) -> String {
    format!("{base_url}services/{}/", escape_segment(name))
}

/// The environment of a service that is about to be started.
#[must_use]
pub fn environment(service: &ServiceFacts<'_>) -> BTreeMap<String, String> {
    let mut variables = kept(service.keep, service.hub_environment);
    let said = [identity(service), addresses(service), scopes(service)];
    for (name, value) in said.into_iter().flatten() {
        variables.insert(name.to_owned(), value);
    }
    variables.extend(service.environment.clone());
    if let Some(account) = service.account {
        let known = [("USER", &account.name), ("HOME", &account.home), ("SHELL", &account.shell)];
        variables.extend(known.map(|(name, value)| (name.to_owned(), value.clone())));
    }
    variables
}

type Variables = Vec<(&'static str, String)>;

fn identity(service: &ServiceFacts<'_>) -> Variables {
    let token = service.api_token.expose();
    let user = service.account.map(|account| account.name.clone()).unwrap_or_default();
    vec![
        ("JUPYTERHUB_SERVICE_NAME", service.name.to_owned()),
        ("JUPYTERHUB_API_TOKEN", token.to_owned()),
        ("JPY_API_TOKEN", token.to_owned()),
        ("JUPYTERHUB_CLIENT_ID", service.client_id.to_owned()),
        ("JUPYTERHUB_USER", user),
        ("JUPYTERHUB_SERVER_NAME", String::new()),
    ]
}

fn addresses(service: &ServiceFacts<'_>) -> Variables {
    let HubAddresses { base_url, api_url, public_origin, server_origin } = service.hub;
    let prefix = prefix(base_url, service.name);
    let own_origin = if server_origin.is_empty() { public_origin } else { server_origin };
    let absolute = |origin: &str, path: &str| match origin {
        "" => String::new(),
        origin => format!("{origin}{path}"),
    };
    let public = if service.url.is_empty() { String::new() } else { absolute(own_origin, &prefix) };
    let mut variables = vec![
        ("JUPYTERHUB_API_URL", api_url.clone()),
        ("JUPYTERHUB_BASE_URL", base_url.clone()),
        ("JUPYTERHUB_HOST", public_origin.clone()),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", format!("{server_origin}{prefix}oauth_callback")),
        ("JUPYTERHUB_PUBLIC_URL", public),
        ("JUPYTERHUB_PUBLIC_HUB_URL", absolute(public_origin, &format!("{base_url}hub/"))),
    ];
    if !service.url.is_empty() {
        variables.push(("JUPYTERHUB_SERVICE_URL", service.url.to_owned()));
        variables.push(("JUPYTERHUB_SERVICE_PREFIX", prefix));
    }
    variables
}

fn scopes(service: &ServiceFacts<'_>) -> Variables {
    let access = vec!["access:services".to_owned(), format!("access:services!service={}", service.name)];
    let access = Value::from(access).to_string();
    let allowed = Value::from(service.client_allowed_scopes.to_vec()).to_string();
    let host_prefix = if service.cookie_host_prefix { "1" } else { "0" };
    vec![
        ("JUPYTERHUB_OAUTH_ACCESS_SCOPES", access.clone()),
        ("JUPYTERHUB_OAUTH_SCOPES", access),
        ("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", allowed),
        ("JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED", host_prefix.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn hub() -> HubAddresses {
        HubAddresses {
            base_url: "/lab/".to_owned(),
            api_url: "http://127.0.0.1:8081/lab/hub/api".to_owned(),
            public_origin: "https://hub.example".to_owned(),
            server_origin: String::new(),
        }
    }

    fn made(url: &str, account: Option<&Account>, own: &[(&str, &str)]) -> BTreeMap<String, String> {
        let keep = ["PATH", "JPY_COOKIE_SECRET", "ORRERY_AUTH__DUMMY__PASSWORD", "CONFIGPROXY_AUTH_TOKEN"];
        let names = keep.map(str::to_owned);
        let hub_environment: Vec<(&str, &str)> = keep.iter().map(|name| (*name, "of the hub")).collect();
        environment(&ServiceFacts {
            name: "web",
            api_token: &Secret::new("t0ken-of-the-service"),
            url,
            client_id: "service-web",
            client_allowed_scopes: &["self".to_owned()],
            hub: &hub(),
            cookie_host_prefix: true,
            keep: &names,
            hub_environment: &map(&hub_environment),
            environment: &map(own),
            account,
        })
    }

    #[test]
    fn svc_003_a_service_is_told_all_that_the_table_lists() {
        let access = r#"["access:services","access:services!service=web"]"#;
        let expected = map(&[
            ("PATH", "of the hub"),
            ("JUPYTERHUB_SERVICE_NAME", "web"),
            ("JUPYTERHUB_API_TOKEN", "t0ken-of-the-service"),
            ("JPY_API_TOKEN", "t0ken-of-the-service"),
            ("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/lab/hub/api"),
            ("JUPYTERHUB_BASE_URL", "/lab/"),
            ("JUPYTERHUB_HOST", "https://hub.example"),
            ("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:9"),
            ("JUPYTERHUB_SERVICE_PREFIX", "/lab/services/web/"),
            ("JUPYTERHUB_CLIENT_ID", "service-web"),
            ("JUPYTERHUB_OAUTH_CALLBACK_URL", "/lab/services/web/oauth_callback"),
            ("JUPYTERHUB_OAUTH_SCOPES", access),
            ("JUPYTERHUB_OAUTH_ACCESS_SCOPES", access),
            ("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", r#"["self"]"#),
            ("JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED", "1"),
            ("JUPYTERHUB_PUBLIC_URL", "https://hub.example/lab/services/web/"),
            ("JUPYTERHUB_PUBLIC_HUB_URL", "https://hub.example/lab/hub/"),
            ("JUPYTERHUB_USER", ""),
            ("JUPYTERHUB_SERVER_NAME", ""),
        ]);
        assert_eq!(made("http://127.0.0.1:9", None, &[]), expected);
    }

    #[test]
    fn svc_003_without_a_url_there_is_neither_url_nor_prefix() {
        let made = made("", None, &[]);
        assert!(
            !made.contains_key("JUPYTERHUB_SERVICE_URL") && !made.contains_key("JUPYTERHUB_SERVICE_PREFIX")
        );
        assert_eq!(made["JUPYTERHUB_PUBLIC_URL"], "");
    }

    #[test]
    fn svc_003_what_is_configured_wins_and_secrets_of_the_hub_stay_with_it() {
        let made = made("", None, &[("JUPYTERHUB_API_URL", "mine"), ("PATH", "/bin")]);
        assert_eq!((made["JUPYTERHUB_API_URL"].as_str(), made["PATH"].as_str()), ("mine", "/bin"));
        for secret in ["JPY_COOKIE_SECRET", "ORRERY_AUTH__DUMMY__PASSWORD", "CONFIGPROXY_AUTH_TOKEN"] {
            assert!(!made.contains_key(secret), "{secret}");
        }
    }

    #[test]
    fn svc_006_an_account_brings_its_user_home_and_shell() {
        let account = Account { name: "bot".into(), home: "/home/bot".into(), shell: "/bin/sh".into() };
        let with = made("", Some(&account), &[]);
        let told = ["USER", "JUPYTERHUB_USER", "HOME", "SHELL"].map(|name| with[name].clone());
        assert_eq!(told, ["bot", "bot", "/home/bot", "/bin/sh"]);
        assert!(!made("", None, &[]).contains_key("HOME"));
    }
}
