//! Rules of `[proxy]`: which keys belong to which type of proxy, and which routes exclude each other.

use serde_json::Value as Json;

use super::super::address::{ApiUrl, Endpoint, HttpUrl};
use super::super::load::Report;
use super::super::setting::{Key, Setting};
use super::super::{Config, ProxyConfig, ProxyType};

/// Keys that only some types of proxy have: key, those types, what to do with the others.
const BELONGS: &[(&str, &[ProxyType], &str)] = &[
    (
        "workers",
        &[ProxyType::Embedded],
        "it is an option of the proxy inside the hub; a separate orrery-proxy takes --workers",
    ),
    (
        "managed",
        &[ProxyType::External],
        "only `proxy.type = \"child\"` has a choice; `external` is never started by the hub, `embedded` always is",
    ),
    ("command", &[ProxyType::Child], STARTED),
    ("check_interval", &[ProxyType::Child], STARTED),
    ("pid_file", &[ProxyType::Child], STARTED),
    ("umask", OURS, STARTED),
    ("log_level", &[ProxyType::Child], STARTED),
    (
        "concurrency",
        &[ProxyType::Child, ProxyType::External],
        "the proxy inside the hub is not spoken to over its REST API",
    ),
    ("error_target", OURS, "give the proxy --error-target yourself"),
    ("error_path", OURS, "give the proxy --error-path yourself"),
    ("redirect_port", OURS, "give the proxy --redirect-port yourself"),
    ("redirect_to", OURS, "give the proxy --redirect-to yourself"),
    ("x_forwarded", OURS, "give the proxy --no-x-forward yourself"),
    ("prepend_path", OURS, "give the proxy --no-prepend-path yourself"),
    ("include_prefix", OURS, "give the proxy --no-include-prefix yourself"),
    ("auto_rewrite", OURS, "give the proxy --auto-rewrite yourself"),
    ("protocol_rewrite", OURS, "give the proxy --protocol-rewrite yourself"),
    ("change_origin", OURS, "give the proxy --change-origin yourself"),
    ("headers", OURS, "give the proxy --custom-header yourself"),
    ("client_timeout", OURS, "give the proxy --timeout yourself"),
    ("target_timeout", OURS, "give the proxy --proxy-timeout yourself"),
    ("keep_alive", OURS, "give the proxy --keep-alive-timeout yourself"),
    ("header_timeout", &[ProxyType::Embedded], "a separate orrery-proxy takes --header-timeout"),
    ("body_timeout", &[ProxyType::Embedded], "a separate orrery-proxy takes --body-timeout"),
    ("max_connections", &[ProxyType::Embedded], "a separate orrery-proxy takes --max-connections"),
    (
        "max_connections_per_address",
        &[ProxyType::Embedded],
        "a separate orrery-proxy takes --max-connections-per-address",
    ),
    (
        "max_requests_per_route",
        &[ProxyType::Embedded],
        "a separate orrery-proxy takes --max-requests-per-route",
    ),
    ("access_log", &[ProxyType::Embedded], "a separate orrery-proxy takes --access-log"),
];

const OURS: &[ProxyType] = &[ProxyType::Embedded, ProxyType::Child];
const STARTED: &str = "only a proxy that the hub starts (`proxy.type = \"child\"`) has it";

pub(super) fn check(config: &Config, report: &mut Report) {
    belongings(&config.proxy, report);
    certificates(config, report);
    rest_api(config, report);
    pages(&config.proxy, report);
    routes(&config.proxy, report);
    if config.proxy.r#type == ProxyType::Child && config.proxy.command.first().is_none_or(String::is_empty) {
        report.wrong_at("proxy.command", "expected a program");
    }
}

/// A key that has no effect is a mistake of whoever wrote it.
fn belongings(proxy: &ProxyConfig, report: &mut Report) {
    let (shown, usual) = (ProxyConfig::show(proxy), ProxyConfig::show(&ProxyConfig::default()));
    let r#type = proxy.r#type;
    for (name, types, what_to_do) in BELONGS {
        let differs = shown.get(name).unwrap_or(&Json::Null) != usual.get(name).unwrap_or(&Json::Null);
        let key = Key::new(["proxy", name]);
        if differs && !types.contains(&r#type) && report.given.origin(&key).is_some() {
            let r#type = r#type.as_str();
            report.wrong(key, format!("has no effect with `proxy.type = \"{type}\"`: {what_to_do}"));
        }
    }
}

fn certificates(config: &Config, report: &mut Report) {
    let (tls, r#type) = (&config.tls, config.proxy.r#type);
    if r#type == ProxyType::External && tls.is_on() {
        let reason = "has no effect with `proxy.type = \"external\"`: give the proxy --ssl-key and --ssl-cert yourself";
        report.wrong_at("tls.cert", reason);
    }
    if r#type == ProxyType::Child && !tls.acme.domains.is_empty() {
        let reason = "only the proxy inside the hub orders certificates for the hub; give an orrery-proxy its own options in \
                      `proxy.command`";
        report.wrong_at("tls.acme.domains", reason);
    }
    if tls.is_on() && matches!(config.public_endpoint(), Ok(Endpoint::Unix(_))) {
        report.wrong_at("proxy.bind_url", "a UNIX socket has no certificate; HTTPS needs a port");
    }
}

fn rest_api(config: &Config, report: &mut Report) {
    let proxy = &config.proxy;
    let api = match ApiUrl::parse(&proxy.api_url) {
        Ok(api) => api,
        Err(error) => return report.wrong_at("proxy.api_url", error.to_string()),
    };
    // who may reach a UNIX socket is decided by its folder; every account may reach a port
    let for_everybody = !matches!(api.endpoint, Endpoint::Unix(_));
    if proxy.r#type == ProxyType::External && proxy.auth_token.is_empty() && for_everybody {
        report.wrong_at(
            "proxy.auth_token",
            "needed, because the hub has not started the proxy: the text that the proxy got as CONFIGPROXY_AUTH_TOKEN \
             (also accepted: an environment variable of that name for the hub)",
        );
    }
    let own_api = proxy.r#type == ProxyType::Child
        || (proxy.r#type == ProxyType::Embedded && !proxy.auth_token.is_empty());
    if own_api && !api.base.is_empty() {
        report.wrong_at("proxy.api_url", format!("expected a URL without a path, not {:?}", proxy.api_url));
    }
    if own_api && config.public_endpoint().is_ok_and(|public| public == api.endpoint) {
        report.wrong_at("proxy.api_url", "is the public address; the REST API needs one of its own");
    }
    if proxy.auth_token.expose().chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        report.wrong_at("proxy.auth_token", "expected ASCII letters, digits and signs, without spaces");
    }
}

fn pages(proxy: &ProxyConfig, report: &mut Report) {
    if !proxy.error_target.is_empty() && !proxy.error_path.as_os_str().is_empty() {
        report.wrong_at("proxy.error_path", "write one of `error_target` and `error_path`, not both");
    }
    let is_url =
        |url: &str| HttpUrl::parse(url).is_ok_and(|url| !url.host.is_empty()) || ApiUrl::parse(url).is_ok();
    if !proxy.error_target.is_empty() && !is_url(&proxy.error_target) {
        report.wrong_at("proxy.error_target", format!("expected a URL, not {:?}", proxy.error_target));
    }
}

fn routes(proxy: &ProxyConfig, report: &mut Report) {
    for (spec, target) in &proxy.extra_routes {
        let key = Key::new(["proxy", "extra_routes", spec]);
        if *spec == proxy.hub_routespec {
            report.wrong(key.clone(), "is the hub's own route (`proxy.hub_routespec`)");
        }
        target_of(key, target, report);
    }
    if proxy.default_target.is_empty() {
        return;
    }
    target_of(Key::new(["proxy", "default_target"]), &proxy.default_target, report);
    if proxy.hub_routespec == "/" {
        let reason =
            "has no effect while the hub's own route is `/`; set `hub.base_url` or `proxy.hub_routespec`";
        report.wrong_at("proxy.default_target", reason);
    } else if proxy.extra_routes.contains_key("/") {
        report.wrong_at("proxy.default_target", "write this or `proxy.extra_routes.\"/\"`, not both");
    }
}

fn target_of(key: Key, target: &str, report: &mut Report) {
    if !HttpUrl::parse(target).is_ok_and(|url| !url.host.is_empty()) {
        report.wrong(key, format!("expected a URL such as http://127.0.0.1:9000, not {target:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{problems, reading};

    #[test]
    fn cfg_026_an_external_proxy_needs_a_token() {
        for text in ["proxy.type = \"external\"", "proxy.type = \"chp\"\nproxy.managed = false"] {
            assert!(problems(text).contains("`proxy.auth_token`: needed"), "{text}");
            reading(&format!("{text}\nproxy.auth_token = \"t\""));
            reading(&format!("{text}\nproxy.api_url = \"http+unix://%2Frun%2Forrery-proxy%2Fapi.sock\""));
        }
        reading("proxy.type = \"child\"");
    }

    #[test]
    fn a_key_of_another_type_of_proxy_is_refused_with_what_to_do() {
        let external = "proxy.type = \"external\"\nproxy.auth_token = \"t\"\n";
        for (text, key, advice) in [
            (format!("{external}proxy.x_forwarded = false"), "proxy.x_forwarded", "--no-x-forward"),
            (format!("{external}proxy.command = \"x\""), "proxy.command", "child"),
            (format!("{external}proxy.workers = 2"), "proxy.workers", "--workers"),
            ("proxy.command = \"x\"".to_owned(), "proxy.command", "child"),
            ("proxy.managed = false".to_owned(), "proxy.managed", "embedded"),
            ("proxy.concurrency = 2".to_owned(), "proxy.concurrency", "REST API"),
            ("proxy.type = \"child\"\nproxy.workers = 2".to_owned(), "proxy.workers", "--workers"),
        ] {
            let said = problems(&text);
            assert!(
                said.contains(key) && said.contains("has no effect") && said.contains(advice),
                "{text}: {said}"
            );
        }
        reading(&format!("{external}proxy.concurrency = 2\nproxy.managed = false\nproxy.umask = \"0007\""));
        reading("proxy.type = \"child\"\nproxy.command = [\"a\", \"b\"]\nproxy.umask = \"0077\"");
    }

    #[test]
    fn certificates_belong_to_who_shows_them() {
        let tls = "[tls]\ncert = \"c.pem\"";
        for (text, reason) in [
            (format!("proxy.type = \"external\"\nproxy.auth_token = \"t\"\n{tls}"), "--ssl-cert"),
            (
                "proxy.type = \"child\"\n[tls.acme]\ndomains = [\"h.example.org\"]".to_owned(),
                "inside the hub",
            ),
            (format!("proxy.bind_url = \"http+unix://%2Frun%2Fx\"\n{tls}"), "HTTPS needs a port"),
        ] {
            let said = problems(&text);
            assert!(said.contains(reason), "{text}: {said}");
        }
        reading(&format!("proxy.type = \"child\"\n{tls}"));
        reading(tls);
    }

    #[test]
    fn the_address_of_the_rest_api_is_checked() {
        for (text, reason) in [
            ("proxy.api_url = \"8001\"", "expected a URL"),
            ("proxy.api_url = \"https://127.0.0.1:8001\"", "HTTPS is not supported"),
            ("proxy.type = \"child\"\nproxy.api_url = \"http://127.0.0.1:8001/x\"", "without a path"),
            (
                "proxy.type = \"child\"\nproxy.bind_url = \"http://h:1\"\nproxy.api_url = \"http://h:1\"",
                "public address",
            ),
            ("proxy.auth_token = \"a b\"", "without spaces"),
        ] {
            let said = problems(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
        reading("proxy.api_url = \"http+unix://%2Frun%2Fproxy.sock\"");
    }

    #[test]
    fn routes_exclude_each_other() {
        for (text, reason) in [
            ("proxy.default_target = \"http://h:1\"", "has no effect while"),
            ("hub.base_url = \"/b\"\nproxy.default_target = \"h\"", "expected a URL such as"),
            ("[proxy.extra_routes]\n\"/\" = \"http://h:1\"", "is the hub's own route"),
            ("[proxy.extra_routes]\n\"/x/\" = \"ftp://h:1\"", "expected a URL such as"),
            (
                "hub.base_url = \"/b\"\nproxy.default_target = \"http://h:1\"\n[proxy.extra_routes]\n\"/\" = \"http://h:1\"",
                "not both",
            ),
            (
                "proxy.type = \"child\"\nproxy.error_target = \"http://h:1\"\nproxy.error_path = \"/x\"",
                "not both",
            ),
        ] {
            let said = problems(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
        reading("hub.base_url = \"/b\"\nproxy.default_target = \"http://h:1\"");
    }
}
