//! Rules between values, and rules of a value that its type cannot carry.

mod auth;
mod profiles;
mod proxy;
mod spawner;
mod tls;

use std::collections::BTreeMap;

use super::address::{HttpUrl, unix_socket};
use super::load::Report;
use super::proxy::ProxyType;
use super::setting::Key;
use super::{Config, HubConfig, ServiceConfig, SpawnerConfig};
use crate::domain::names::{GroupName, Username};
use crate::domain::service_name::{RULE, is_service_name};

/// Checks a configuration that [`super::settle::settle`] has brought into form.
pub fn check(config: &Config, report: &mut Report) {
    urls(config, report);
    proxy::check(config, report);
    hub(&config.hub, report);
    host_prefix(config, report);
    auth::check(&config.auth, report);
    spawner(&config.spawner, report);
    services(&config.services, report);
    roles(config, report);
    groups(config, report);
    custom_scopes(config, report);
    tls::check(config, report);
    if let Err(reason) = config.database.target() {
        report.wrong_at("database.url", reason);
    }
}

fn urls(config: &Config, report: &mut Report) {
    let urls = [
        ("hub.bind_url", &config.hub.bind_url, Host::MayBeEmpty),
        ("hub.advertise_url", &config.hub.advertise_url, Host::Needed),
        ("spawner.hub_connect_url", &config.spawner.hub_connect_url, Host::Needed),
    ];
    for (key, url, host) in urls.into_iter().filter(|(_, url, _)| !url.is_empty()) {
        if let Err(reason) = usable(url, host) {
            report.wrong_at(key, reason);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Needed,
    MayBeEmpty,
}

fn usable(url: &str, host: Host) -> Result<(), String> {
    if unix_socket(url).map_err(|error| error.to_string())?.is_some() {
        return Ok(());
    }
    let parsed = HttpUrl::parse(url).map_err(|error| error.to_string())?;
    if parsed.host.is_empty() && host == Host::Needed {
        return Err(format!("expected a URL with a host, not {url:?}"));
    }
    Ok(())
}

fn hub(hub: &HubConfig, report: &mut Report) {
    let all = hub.cookie_secret.expose();
    let mut secrets = all.split(';').map(str::trim);
    let longest = secrets.clone().map(str::len).max().unwrap_or_default();
    let shortest = secrets.clone().map(str::len).min().unwrap_or_default();
    let is_key = |secret: &str| {
        secret.len().is_multiple_of(2) && secret.bytes().all(|b| b.is_ascii_hexdigit()) && !secret.is_empty()
    };
    if !all.is_empty() && !secrets.all(is_key) {
        report.wrong_at(
            "hub.cookie_secret",
            "expected an even number of hexadecimal digits (openssl rand -hex 32)",
        );
    } else if longest > 64 {
        report.warn("`hub.cookie_secret` is longer than 32 bytes (64 digits); that makes it no safer");
    } else if !all.is_empty() && shortest < 32 {
        report.warn("`hub.cookie_secret` is shorter than 16 bytes (32 digits); 32 bytes are recommended");
    }
    let [shortest, longest] = hub.limits.retry_after;
    if shortest > longest {
        report.wrong_at(
            "hub.limits.retry_after",
            format!("the first number, {shortest}, is above the second, {longest}"),
        );
    }
    let (usual, most) = (hub.api.page_default_limit, hub.api.page_max_limit);
    if usual == 0 || usual > most {
        report.wrong_at(
            "hub.api.page_default_limit",
            format!("expected 1 to {most} (`hub.api.page_max_limit`), not {usual}"),
        );
    }
    pages(hub, report);
    for (name, value) in &hub.headers {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) || value.chars().any(char::is_control) {
            report.wrong(
                Key::new(["hub", "headers", name]),
                "expected the name and the value of an HTTP header",
            );
        }
    }
}

/// Landing pages, and where browsers send reports.
fn pages(hub: &HubConfig, report: &mut Report) {
    let is_place = |url: &str| {
        let fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\';
        let local = url.starts_with('/') && !url.starts_with("//");
        (local || HttpUrl::parse(url.split(['?', '#']).next().unwrap_or(url)).is_ok())
            && url.chars().all(fine)
    };
    for rule in &hub.default_url_rules {
        if !is_place(&rule.url) {
            let reason = format!("expected a path that starts with `/`, or a whole URL, not {:?}", rule.url);
            report.wrong_at("hub.default_url_rules", reason);
        }
        if rule.role.is_empty() && rule.group.is_empty() && !rule.admin {
            let reason = "a rule says for whom it is: `role`, `group` or `admin = true`; for everyone there is `hub.default_url`";
            report.wrong_at("hub.default_url_rules", reason);
        }
    }
    let uri = &hub.csp_report_uri;
    if !uri.is_empty() && (!is_place(uri) || uri.contains([';', ','])) {
        report.wrong_at("hub.csp_report_uri", "expected a path that starts with `/`, or a whole URL");
    }
}

/// COOK-003: a cookie whose name begins with `__Host-` has the path `/`, so only a host of its own keeps it from servers.
fn host_prefix(config: &Config, report: &mut Report) {
    if !config.hub.cookie_host_prefix {
        return;
    }
    // the embedded proxy keeps it from everybody but the hub (SEC-096)
    if config.hub.subdomain_host.is_empty() && config.proxy.r#type != ProxyType::Embedded {
        report.warn(
            "`hub.cookie_host_prefix`: DANGER: without `hub.subdomain_host` and the embedded proxy, browsers send the login \
             cookie to every user's server and service too, so whoever runs one can take over its visitors' accounts. \
             Give users host names of their own, use the embedded proxy, or do not set it",
        );
    }
    if !config.tls.is_on() && !config.hub.public_url.starts_with("https:") {
        report.warn(
            "`hub.cookie_host_prefix`: browsers take such a cookie over HTTPS only; set `tls`, or `hub.public_url` to the \
             https:// address of the reverse proxy in front, or nobody can sign in",
        );
    }
}

fn user_names<'n>(key: &Key, names: impl IntoIterator<Item = &'n String>, report: &mut Report) {
    for error in names.into_iter().filter_map(|name| Username::parse(name).err()) {
        report.wrong(key.clone(), error.to_string());
    }
}

fn spawner(spawner: &SpawnerConfig, report: &mut Report) {
    if spawner.cmd.first().is_none_or(String::is_empty) {
        report.wrong_at("spawner.cmd", "expected a program");
    }
    if !(0.0..=1.0).contains(&spawner.poll_jitter) {
        report.wrong_at(
            "spawner.poll_jitter",
            format!("expected a number from 0 to 1, not {}", spawner.poll_jitter),
        );
    }
    for (name, cores) in [("cpu_limit", spawner.cpu_limit), ("cpu_guarantee", spawner.cpu_guarantee)] {
        if cores.is_some_and(|cores| cores <= 0.0) {
            report.wrong(Key::new(["spawner", name]), "expected a number above 0");
        }
    }
    variables(&Key::new(["spawner", "environment"]), &spawner.environment, report);
    self::spawner::check(spawner, report);
}

/// What the system cannot carry as an environment variable.
fn variables(key: &Key, variables: &BTreeMap<String, String>, report: &mut Report) {
    for (name, value) in variables {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            report.wrong(key.child(name), "expected the name and the value of an environment variable");
        }
    }
}

fn services(services: &BTreeMap<String, ServiceConfig>, report: &mut Report) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in services {
        let key = Key::new(["services", name]);
        if !is_service_name(name) {
            report.wrong(key.clone(), RULE);
        }
        one_service(service, &key, report);
        let token = service.api_token.expose();
        if let Some(other) = owners.insert(token, name).filter(|_| !token.is_empty()) {
            report.wrong(key.child("api_token"), format!("the service {other:?} has the same token"));
        }
    }
}

fn one_service(service: &ServiceConfig, key: &Key, report: &mut Report) {
    let length = service.api_token.expose().chars().count();
    if length != 0 && !(8..=64).contains(&length) {
        report.wrong(key.child("api_token"), format!("expected 8 to 64 characters, not {length}"));
    }
    if !service.url.is_empty()
        && let Err(reason) = HttpUrl::parse(&service.url).map_err(|error| error.to_string()).and_then(|url| {
            (!url.host.is_empty())
                .then_some(())
                .ok_or_else(|| format!("expected a URL with a host, not {:?}", service.url))
        })
    {
        report.wrong(key.child("url"), reason);
    }
    if !service.oauth_client_id.is_empty() && !service.oauth_client_id.starts_with("service-") {
        report.wrong(key.child("oauth_client_id"), "must start with `service-`");
    }
    if service.is_oauth_client() && service.url.is_empty() && service.oauth_redirect_uri.is_empty() {
        report.wrong(
            key.child("oauth_redirect_uri"),
            "needed, because the service uses OAuth and has no `url`",
        );
    }
    variables(&key.child("environment"), &service.environment, report);
    if !service.health_path.is_empty() && (service.url.is_empty() || !is_path(&service.health_path)) {
        report.wrong(key.child("health_path"), "expected a path from `/` on, of a service with a `url`");
    }
    if service.command.iter().any(|word| word.contains('\0'))
        || service.command.first().is_some_and(String::is_empty)
    {
        report.wrong(key.child("command"), "expected a program and its arguments, without NUL characters");
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(|c: char| c.is_whitespace() || c.is_control() || !c.is_ascii())
}

fn roles(config: &Config, report: &mut Report) {
    for (name, role) in &config.roles {
        let key = Key::new(["roles", name]);
        if !is_role_name(name) {
            let reason = "a role's name has 3 to 255 of a-z 0-9 - _ ~ . and starts with a letter, ends with a letter or digit";
            report.wrong(key.clone(), reason);
        }
        if name == "admin" && role.description.is_some() {
            report.wrong(
                key.child("description"),
                "the role `admin` cannot be changed; only its holders can be listed",
            );
        }
        if name == "admin" && role.scopes.is_some() {
            report.wrong(
                key.child("scopes"),
                "the role `admin` cannot be changed; only its holders can be listed",
            );
        }
        if name == "user" && role.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(|s| s == "self")) {
            report.warn("`roles.user.scopes` lacks `self`, so users cannot use their own servers and tokens");
        }
        user_names(&key.child("users"), role.users.iter().flatten(), report);
    }
}

/// RBAC-028: `^[a-z][a-z0-9\-_~.]{1,253}[a-z0-9]$`.
fn is_role_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (3..=255).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|b| plain(b) || b"-_~.".contains(b))
}

fn groups(config: &Config, report: &mut Report) {
    for (name, group) in &config.groups {
        let key = Key::new(["groups", name]);
        if let Err(error) = GroupName::parse(name) {
            report.wrong(key.clone(), error.to_string());
        }
        user_names(&key.child("users"), &group.users, report);
    }
    let limits =
        config.hub.limits.groups.keys().map(|name| (Key::new(["hub", "limits", "groups", name]), name));
    let culler = config.culler.groups.keys().map(|name| (Key::new(["culler", "groups", name]), name));
    for (key, name) in limits.chain(culler) {
        if let Err(error) = GroupName::parse(name) {
            report.wrong(key, error.to_string());
        }
    }
}

fn custom_scopes(config: &Config, report: &mut Report) {
    for (name, scope) in &config.scopes {
        let key = Key::new(["scopes", name]);
        if !is_custom_scope(name) {
            let reason = "a custom scope is `custom:` and at least 3 of a-z 0-9 _ - * :, starting with a letter or digit and \
                          ending with a letter, digit, `_` or `*`";
            report.wrong(key.clone(), reason);
        }
        if scope.description.is_empty() {
            report.wrong(key.child("description"), "needed: what the scope allows");
        }
        for unknown in scope.subscopes.iter().filter(|sub| !config.scopes.contains_key(*sub)) {
            let reason = format!("{unknown:?} is no custom scope of this configuration");
            report.wrong(key.child("subscopes"), reason);
        }
    }
}

/// RBAC-037: `^custom:[a-z0-9][a-z0-9_\-*:]+[a-z0-9_*]$`.
fn is_custom_scope(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("custom:") else {
        return false;
    };
    let bytes = rest.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.len() >= 3
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(|b| plain(b) || b"_*".contains(b))
        && bytes.iter().all(|b| plain(b) || b"_-*:".contains(b))
}

#[cfg(test)]
mod tests;
