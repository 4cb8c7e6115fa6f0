//! What follows from `hub.subdomain_host`: one form of it, and the public URL if there is none (tls-network.md 4).

use std::net::IpAddr;

use super::super::Config;
use super::super::address::HttpUrl;
use super::super::hub::SubdomainStrategy;
use super::super::load::Report;
use crate::domain::subdomains::HostTemplate;

pub(super) fn settle(config: &mut Config, report: &mut Report) {
    let hub = &mut config.hub;
    if hub.subdomain_host.is_empty() {
        for key in ["hub.subdomain_strategy", "hub.subdomain_template"] {
            if report.given.has(key) {
                report.warn(format!("`{key}` has no effect without `hub.subdomain_host`"));
            }
        }
        return;
    }
    if !hub.subdomain_host.contains("://") {
        hub.subdomain_host = format!("https://{}", hub.subdomain_host);
        report.warn(format!("`hub.subdomain_host` has no scheme; using {}", hub.subdomain_host));
    }
    let url = match HttpUrl::parse(&hub.subdomain_host) {
        Ok(url) => url,
        Err(error) => return report.wrong_at("hub.subdomain_host", error.to_string()),
    };
    if url.host.is_empty() || !url.host.is_ascii() || url.host.parse::<IpAddr>().is_ok() {
        let reason =
            "expected a host name, international ones in their form with xn--: users get names below it";
        return report.wrong_at("hub.subdomain_host", reason);
    }
    if !url.path.trim_matches('/').is_empty() {
        report.warn("`hub.subdomain_host`: the path has no effect; `hub.base_url` says where the hub lives");
    }
    hub.subdomain_host = url.origin().to_ascii_lowercase();
    strategy(config, report);
    public_url(config, &url, report);
}

fn strategy(config: &Config, report: &mut Report) {
    let hub = &config.hub;
    match hub.subdomain_strategy {
        SubdomainStrategy::Idna => {}
        SubdomainStrategy::Legacy => report.warn(
            "`hub.subdomain_strategy = \"legacy\"`: all services share one host, and some names make hosts that do not \
             resolve; prefer \"idna\"",
        ),
        SubdomainStrategy::Template => {
            if let Err(error) = HostTemplate::parse(&hub.subdomain_template) {
                report.wrong_at("hub.subdomain_template", error.to_string());
            }
            return;
        }
    }
    if report.given.has("hub.subdomain_template") {
        report.warn("`hub.subdomain_template` has no effect without `hub.subdomain_strategy = \"template\"`");
    }
}

fn public_url(config: &mut Config, parent: &HttpUrl, report: &mut Report) {
    let hub = &mut config.hub;
    if hub.public_url.is_empty() {
        hub.public_url = format!("{}{}", hub.subdomain_host, hub.base_url);
        return;
    }
    let written = hub.public_url.split_once("://").map_or(hub.public_url.as_str(), |(_, rest)| rest);
    let host = HttpUrl::parse(&format!("https://{written}")).map(|url| url.host);
    if host.is_ok_and(|host| !host.eq_ignore_ascii_case(&parent.host)) {
        report.warn(
            "`hub.subdomain_host` and `hub.public_url` have different hosts; users get names below the one of the public URL",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{problems, reading, warnings};
    use crate::domain::names::{ServerKey, ServerName, Username};

    #[test]
    fn cfg_013_without_a_scheme_it_is_https() {
        let text = "hub.subdomain_host = \"Hub.Example.org:8443\"";
        assert_eq!(reading(text).config.hub.subdomain_host, "https://hub.example.org:8443");
        assert!(warnings(text).contains("no scheme; using https://"));
    }

    #[test]
    fn the_public_url_follows() {
        let config = reading("hub.subdomain_host = \"http://hub.test:8000\"\nhub.base_url = \"/jh\"").config;
        assert_eq!(config.hub.public_url, "http://hub.test:8000/jh/");
        let key = ServerKey::new(Username::from_stored("ada"), ServerName::default_server());
        let places = config.addresses().unwrap().places;
        assert_eq!(places.server_url(&key), "http://ada.hub.test:8000/jh/user/ada/");
        assert_eq!(places.public_origin(), "http://hub.test:8000");
    }

    #[test]
    fn names_are_below_the_host_of_the_public_url() {
        let text = "hub.subdomain_host = \"https://a.example:8443\"\nhub.public_url = \"https://b.example/\"";
        let hosts = reading(text).config.addresses().unwrap().places;
        assert_eq!(hosts.subdomains().unwrap().domain, "b.example");
        assert!(warnings(text).contains("different hosts"));
        let same = "hub.subdomain_host = \"https://a.example\"\nhub.public_url = \"a.example\"";
        assert!(!warnings(same).contains("different hosts"));
    }

    #[test]
    fn strategies_have_their_warnings_and_problems() {
        let host = "hub.subdomain_host = \"https://hub.test\"\n";
        assert!(warnings(&format!("{host}hub.subdomain_strategy = \"legacy\"")).contains("share one host"));
        assert!(warnings("hub.subdomain_strategy = \"legacy\"").contains("has no effect without"));
        let template = |text: &str| {
            format!("{host}hub.subdomain_strategy = \"template\"\nhub.subdomain_template = \"{text}\"")
        };
        reading(&template("{name}.{kind}.{domain}"));
        assert!(problems(&template("{name}.{domain}")).contains("must contain {kind}"));
        for wrong in ["http://127.0.0.1:8000", "http://[::1]", "http://", "ftp://hub.test", "http://hüb.test"]
        {
            let said = problems(&format!("hub.subdomain_host = \"{wrong}\""));
            assert!(said.contains("`hub.subdomain_host`"), "{wrong}: {said}");
        }
    }
}
