//! From `[services]` to the plans of those that the hub starts.

use std::collections::BTreeMap;

use tokio::task::spawn_blocking;

use super::AppError;
use crate::actors::services::{Place, ServiceParts, ServicePlan};
use crate::config::address::{Endpoint, HttpUrl};
use crate::config::services::ServiceRestart;
use crate::config::{Addresses, Config, ServiceConfig};
use crate::domain::oauth::client::service_client_id;
use crate::domain::places::Places;
use crate::domain::service_env::{self, ServiceFacts};
use crate::domain::service_state::{Policy, Restart};
use crate::domain::spawn_env::HubAddresses;
use crate::secret::Secret;
use crate::spawn::{Account, ServiceCommand};

/// What the actors need to know of services.
pub(super) fn parts(config: &Config, addresses: &Addresses) -> ServiceParts {
    let known_as = addresses.public_url.as_deref().and_then(|url| HttpUrl::parse(url).ok());
    ServiceParts {
        public: match &addresses.public {
            Endpoint::Tcp { host, port } => Some((host.clone(), *port)),
            Endpoint::Unix(_) => None,
        },
        known_as: known_as.map(|url| (url.host.clone(), url.effective_port())),
        check_interval: config.hub.service_check_interval,
        ..ServiceParts::default()
    }
}

/// The accounts that managed services run as, by service: looked up before anything is written, as a hub that cannot
/// give one must not start (SVC-006).
pub(super) async fn accounts(config: &Config) -> Result<BTreeMap<String, Account>, AppError> {
    let managed =
        config.services.iter().filter(|(_, service)| service.is_managed() && !service.user.is_empty());
    let mut found = BTreeMap::new();
    for (name, service) in managed {
        let user = service.user.clone();
        let refused = |reason: String| AppError::Service { key: format!("{name}.user"), reason };
        // the name service may be a remote one
        let account = spawn_blocking(move || Account::find(&user)).await;
        let account = account.map_err(|failed| refused(failed.to_string()))?;
        found.insert(name.clone(), account.map_err(|wrong| refused(wrong.to_string()))?);
    }
    Ok(found)
}

/// How each managed service is started. `tokens`: those that have a row, with their tokens.
pub(super) fn plans(
    config: &Config,
    addresses: &Addresses,
    accounts: &BTreeMap<String, Account>,
    tokens: &BTreeMap<String, Secret>,
) -> Vec<ServicePlan> {
    let planner = Planner {
        config,
        places: &addresses.places,
        hub: HubAddresses {
            base_url: addresses.base_url.clone(),
            api_url: format!("{}{}api", local_origin(config, addresses), addresses.hub_prefix),
            public_origin: addresses.places.public_origin().to_owned(),
            server_origin: String::new(),
        },
        hub_environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let managed = tokens.iter().filter_map(|(name, token)| {
        let service = config.services.get(name)?;
        service.is_managed().then(|| planner.plan(name, service, token, accounts.get(name)))
    });
    managed.collect()
}

struct Planner<'c> {
    config: &'c Config,
    places: &'c Places,
    hub: HubAddresses,
    hub_environment: BTreeMap<String, String>,
}

impl Planner<'_> {
    fn plan(
        &self,
        name: &str,
        service: &ServiceConfig,
        token: &Secret,
        account: Option<&Account>,
    ) -> ServicePlan {
        let own_id = Some(service.oauth_client_id.as_str()).filter(|id| !id.is_empty());
        let told = account.map(|account| service_env::Account {
            name: account.name.clone(),
            home: account.home.clone(),
            shell: account.shell.clone(),
        });
        let hub = HubAddresses { server_origin: self.places.service_origin(name), ..self.hub.clone() };
        let environment = service_env::environment(&ServiceFacts {
            name,
            api_token: token,
            url: &service.url,
            // a wrong id has been refused already
            client_id: &service_client_id(name, own_id).unwrap_or_default(),
            client_allowed_scopes: &service.oauth_client_allowed_scopes,
            hub: &hub,
            cookie_host_prefix: self.config.hub.cookie_host_prefix,
            keep: &self.config.spawner.env_keep,
            hub_environment: &self.hub_environment,
            environment: &service.environment,
            account: told.as_ref(),
        });
        let path = match service.health_path.as_str() {
            "" => service_env::prefix(&self.hub.base_url, name),
            path => path.to_owned(),
        };
        let ready = Place::of(&service.url).map(|place| place.ready_url(&path));
        ServicePlan {
            name: name.to_owned(),
            command: ServiceCommand {
                command: service.command.clone(),
                environment,
                folder: Some(service.cwd.clone()).filter(|folder| !folder.as_os_str().is_empty()),
                account: account.cloned(),
            },
            timeout: service.timeout,
            policy: Policy {
                restart: match service.restart {
                    ServiceRestart::Always => Restart::Always,
                    ServiceRestart::OnFailure => Restart::OnFailure,
                    ServiceRestart::Never => Restart::Never,
                },
                backoff: service.restart_backoff,
                has_endpoint: ready.is_some(),
            },
            ready,
        }
    }
}

/// How services, which run on this machine, reach the hub: over loopback where it listens on all interfaces and nobody
/// said how to reach it.
fn local_origin(config: &Config, addresses: &Addresses) -> String {
    let advertised = !config.hub.advertise_url.is_empty() || !config.hub.advertise_ip.is_empty();
    match &addresses.hub {
        Endpoint::Tcp { host, port } if !advertised && matches!(host.as_str(), "" | "*" | "0.0.0.0") => {
            format!("http://127.0.0.1:{port}")
        }
        Endpoint::Tcp { host, port } if !advertised && host == "::" => format!("http://[::1]:{port}"),
        _ => addresses.connect_url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::reading;

    fn planned(text: &str) -> Vec<ServicePlan> {
        let config = reading(text).config;
        let addresses = config.addresses().unwrap();
        let tokens = config.services.keys().map(|name| (name.clone(), Secret::new("t0ken-0123456789")));
        plans(&config, &addresses, &BTreeMap::new(), &tokens.collect())
    }

    #[test]
    fn only_services_with_a_command_are_planned() {
        let plans = planned("services.a.command = [\"a\", \"--x\"]\nservices.b.url = \"http://127.0.0.1:9\"");
        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].command.command, ["a", "--x"]);
        assert!(plans[0].ready.is_none() && !plans[0].policy.has_endpoint);
        let words = plans[0].command.command.join(" ");
        assert!(!words.contains("t0ken"), "tokens are not in argv");
    }

    #[test]
    fn a_health_path_is_asked_in_place_of_the_prefix() {
        let url = "command = \"a\"\nurl = \"http://127.0.0.1:9/x\"";
        let asked = |more: &str| {
            let plan = planned(&format!("[services.a]\n{url}\n{more}")).remove(0);
            plan.ready.unwrap().to_string()
        };
        assert_eq!(asked(""), "http://127.0.0.1:9/services/a/");
        assert_eq!(asked("health_path = \"/healthz\""), "http://127.0.0.1:9/healthz");
    }

    #[test]
    fn svc_019_with_subdomains_a_service_is_told_its_own_host() {
        let plan = planned(
            "hub.subdomain_host = \"http://hub.test:8000\"\n[services.a]\ncommand = \"a\"\nurl = \"http://127.0.0.1:9\"",
        )
        .remove(0);
        let told = plan.command.environment;
        assert_eq!(told["JUPYTERHUB_HOST"], "http://hub.test:8000");
        assert_eq!(told["JUPYTERHUB_PUBLIC_URL"], "http://a--service.hub.test:8000/services/a/");
        assert_eq!(
            told["JUPYTERHUB_OAUTH_CALLBACK_URL"],
            "http://a--service.hub.test:8000/services/a/oauth_callback"
        );
    }

    #[test]
    fn svc_003_a_hub_on_all_interfaces_is_reached_over_loopback() {
        let told = |hub: &str| {
            let plan = planned(&format!("{hub}\nservices.a.command = \"a\"")).remove(0);
            plan.command.environment["JUPYTERHUB_API_URL"].clone()
        };
        assert_eq!(told("hub.bind_url = \"http://:8081\""), "http://127.0.0.1:8081/hub/api");
        assert_eq!(told("hub.bind_url = \"http://0.0.0.0:8081\""), "http://127.0.0.1:8081/hub/api");
        assert_eq!(told("hub.bind_url = \"http://[::]:8081\""), "http://[::1]:8081/hub/api");
        let advertised = "hub.bind_url = \"http://:8081\"\nhub.advertise_ip = \"10.0.0.5\"";
        assert_eq!(told(advertised), "http://10.0.0.5:8081/hub/api");
    }
}
