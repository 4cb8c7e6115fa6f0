//! Values that follow from other values, brought into the one form that the program uses.
//!
//! After this, `hub.base_url` starts and ends with `/`, `proxy.bind_url` holds host, port and base URL, and defaults that
//! depend on other keys are filled in.

mod proxy;
mod subdomains;

use std::path::Path;

use super::address::{Host, HttpUrl, unix_socket, wrapped};
use super::auth::AuthType;
use super::load::Report;
use super::setting::Key;
use super::{AuthConfig, Config, SpawnerConfig};

/// Fills in what follows from what was written.
pub fn settle(config: &mut Config, directory: &Path, report: &mut Report) {
    public_address(config, report);
    subdomains::settle(config, report);
    public_url(config, report);
    proxy::settle(config, report);
    if !report.given.has("hub.oauth.token_lifetime") {
        config.hub.oauth.token_lifetime = config.hub.cookie_max_age;
    }
    if !report.given.has("culler.interval") {
        config.culler.interval = config.culler.timeout / 2;
    }
    default_server(config, report);
    sign_in(&mut config.auth, report);
    servers(&mut config.spawner, directory, report);
    extra_scopes(config, report);
}

/// Merges host, port and path of the public address from their several keys (config.md 2.1, CFG-010).
fn public_address(config: &mut Config, report: &mut Report) {
    match unix_socket(&config.proxy.bind_url) {
        Ok(None) => {}
        Ok(Some((_, path))) => return public_socket(config, &path, report),
        Err(error) => return report.wrong_at("proxy.bind_url", error.to_string()),
    }
    let mut url = match HttpUrl::parse(&config.proxy.bind_url) {
        Ok(url) => url,
        Err(error) => return report.wrong_at("proxy.bind_url", error.to_string()),
    };
    if url.scheme == "https" && !config.tls.is_on() {
        report.warn("`proxy.bind_url`: without a certificate the address is served as http://");
        url.scheme = "http".to_owned();
    } else if config.tls.is_on() {
        url.scheme = "https".to_owned();
    }
    let url_is_later = |key: &str| report.given.rank("proxy.bind_url") > report.given.rank(key);
    let (url_wins_ip, url_wins_port, url_wins_path) =
        (url_is_later("proxy.ip"), url_is_later("proxy.port"), url_is_later("hub.base_url"));
    let both = report.given.has("proxy.bind_url");
    let written = url.clone();
    if let Some(ip) = config.proxy.ip.as_ref().filter(|_| !url_wins_ip) {
        url.host = ip.trim_matches(['[', ']']).to_owned();
    }
    if let Some(port) = config.proxy.port.filter(|_| !url_wins_port) {
        url.port = Some(port);
    }
    if both && (&url.host, url.port) != (&written.host, written.port) {
        let merged = url.origin();
        report.warn(format!("`proxy.ip` and `proxy.port` change `proxy.bind_url`; listening at {merged}"));
    }
    let path_wins = url_wins_path && wrapped(&url.path) != "/";
    if !config.hub.base_url.is_empty() && !path_wins {
        let base_url = wrapped(&config.hub.base_url);
        if wrapped(&url.path) != "/" && wrapped(&url.path) != base_url {
            report.warn(format!("`hub.base_url` wins over the path of `proxy.bind_url`; using {base_url}"));
        }
        url.path = base_url;
    }
    if !url.path.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\')) {
        return report.wrong_at(
            "hub.base_url",
            "expected a path of a URL, such as /jupyter/; escape other letters as %xx",
        );
    }
    config.hub.base_url = wrapped(&url.path);
    let port = url.effective_port();
    config.proxy.bind_url = format!("{}://{}:{port}{}", url.scheme, Host(&url.host), config.hub.base_url);
}

/// As [`public_address`], for a UNIX socket.
fn public_socket(config: &mut Config, path: &str, report: &mut Report) {
    if config.proxy.bind_url.starts_with("unix+http:") {
        report.warn("`proxy.bind_url`: write http+unix:// instead of unix+http://");
    }
    for key in ["proxy.ip", "proxy.port"] {
        if report.given.has(key) {
            report.warn(format!("`{key}` has no effect: `proxy.bind_url` is a UNIX socket"));
        }
    }
    let base_url = wrapped(if config.hub.base_url.is_empty() { path } else { &config.hub.base_url });
    if let Ok(endpoint) = config.public_endpoint() {
        config.proxy.bind_url = format!("{}{base_url}", endpoint.origin());
    }
    config.hub.base_url = base_url;
}

/// CFG-012: the public URL has a scheme and ends in the base URL.
fn public_url(config: &mut Config, report: &mut Report) {
    let hub = &mut config.hub;
    if hub.public_url.is_empty() {
        return;
    }
    if !hub.public_url.contains("://") {
        hub.public_url = format!("https://{}", hub.public_url);
        report.warn(format!("`hub.public_url` has no scheme; using {}", hub.public_url));
    }
    match HttpUrl::parse(&hub.public_url) {
        Err(error) => report.wrong_at("hub.public_url", error.to_string()),
        Ok(url) if url.host.is_empty() => {
            report.wrong_at("hub.public_url", "expected a URL with a host name")
        }
        Ok(url) if wrapped(&url.path).ends_with(&hub.base_url) => {
            hub.public_url = format!("{}{}", url.origin(), wrapped(&url.path));
        }
        Ok(url) if wrapped(&url.path) == "/" => {
            hub.public_url = format!("{}{}", url.origin(), hub.base_url);
            report.warn(format!("`hub.public_url` has no path; using {}", hub.public_url));
        }
        Ok(url) => {
            let (path, base_url) = (url.path, &hub.base_url);
            let reason = format!("its path {path} must end with the base URL {base_url}");
            report.wrong_at("hub.public_url", reason);
        }
    }
}

fn default_server(config: &mut Config, report: &mut Report) {
    let named = &mut config.hub.named_servers;
    if !named.enabled && !named.default_name.is_empty() {
        report.warn(
            "`hub.named_servers.default_name` has no effect without `hub.named_servers.enabled = true`",
        );
        named.default_name.clear();
    }
}

/// Defaults that depend on how people sign in (config.md 4).
fn sign_in(auth: &mut AuthConfig, report: &Report) {
    let given = |key: &str| report.given.has(key);
    if auth.r#type == AuthType::Dummy && !given("auth.allow_all") {
        auth.allow_all = auth.allowed_users.is_empty();
    }
    if matches!(auth.r#type, AuthType::Null | AuthType::RemoteUser) && !given("auth.auto_login") {
        auth.auto_login = true;
    }
    if auth.r#type == AuthType::Null && auth.login_service.is_empty() {
        auth.login_service = "null".to_owned();
    }
    if !given("auth.allow_existing_users") {
        auth.allow_existing_users = !auth.allowed_users.is_empty();
    }
}

/// CFG-033, CFG-034, and the form from its file.
fn servers(spawner: &mut SpawnerConfig, directory: &Path, report: &mut Report) {
    let templates = [("notebook_dir", &mut spawner.notebook_dir), ("default_url", &mut spawner.default_url)];
    for (name, template) in templates {
        if template.contains("%U") {
            *template = template.replace("%U", "{username}");
            report.warn(format!("`spawner.{name}`: write {{username}} instead of %U"));
        }
    }
    if let Some(ip) = spawner.ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')) {
        let ip = ip.to_owned();
        report.warn(format!("`spawner.ip`: write {ip} without brackets"));
        spawner.ip = ip;
    }
    if spawner.options_form_file.as_os_str().is_empty() {
        return;
    }
    if !spawner.options_form.is_empty() {
        report.wrong_at(
            "spawner.options_form_file",
            "write one of `options_form` and `options_form_file`, not both",
        );
        return;
    }
    match std::fs::read_to_string(directory.join(&spawner.options_form_file)) {
        Ok(form) => spawner.options_form = form,
        Err(error) => report.wrong_at("spawner.options_form_file", format!("cannot be read: {error}")),
    }
}

/// CFG-024: extra scopes belong to the built-in role `user`.
fn extra_scopes(config: &mut Config, report: &mut Report) {
    for (name, role) in config.roles.iter_mut().filter(|(_, role)| !role.extra_scopes.is_empty()) {
        if name != "user" {
            let key = Key::new(["roles", name, "extra_scopes"]);
            report.wrong(key, "only the role `user` has extra scopes; write `scopes`");
        } else if role.scopes.is_some() {
            report.warn("`roles.user.extra_scopes` has no effect beside `roles.user.scopes`");
            role.extra_scopes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Case, problems, reading, warnings};
    use super::*;

    #[test]
    fn cfg_010_where_the_proxy_listens() {
        let rows = [
            ("", "http://:8000/", "/"),
            ("proxy.ip = \"0.0.0.0\"", "http://0.0.0.0:8000/", "/"),
            ("proxy.port = 123\nhub.base_url = \"/prefix\"", "http://:123/prefix/", "/prefix/"),
            ("proxy.bind_url = \"http://0.0.0.0:12345/sub\"", "http://0.0.0.0:12345/sub/", "/sub/"),
            ("proxy.ip = \"[::1]\"", "http://[::1]:8000/", "/"),
            ("hub.base_url = \"a/b\"", "http://:8000/a/b/", "/a/b/"),
        ];
        for (text, bind_url, base_url) in rows {
            let config = reading(text).config;
            assert_eq!(
                (config.proxy.bind_url.as_str(), config.hub.base_url.as_str()),
                (bind_url, base_url),
                "{text}"
            );
        }
    }

    #[test]
    fn cfg_010_parts_that_contradict_the_url_win_with_a_warning() {
        let text = "proxy.bind_url = \"http://127.0.0.1:1/a\"\nproxy.port = 2\nhub.base_url = \"/b\"";
        assert_eq!(reading(text).config.proxy.bind_url, "http://127.0.0.1:2/b/");
        let found = warnings(text);
        assert!(found.contains("listening at http://127.0.0.1:2") && found.contains("using /b/"), "{found}");
        assert!(!warnings("proxy.bind_url = \"http://h:1/a\"\nhub.base_url = \"/a/\"").contains("base_url"));
    }

    #[test]
    fn a_url_of_the_command_line_beats_parts_of_the_file() {
        let case = Case::file("proxy.port = 2\nproxy.ip = \"10.0.0.1\"\nhub.base_url = \"/b\"");
        let case = case.option("proxy.bind_url", "http://127.0.0.1:1/a");
        assert_eq!(case.read().unwrap().config.proxy.bind_url, "http://127.0.0.1:1/a/");
    }

    #[test]
    fn addresses_that_are_none_are_problems() {
        assert!(problems("proxy.bind_url = \"8000\"").contains("`proxy.bind_url`: expected a URL such as"));
        assert!(problems("hub.base_url = \"/a b\"").contains("`hub.base_url`: expected a path"));
        assert!(problems("proxy.bind_url = \"http+unix://run\"").contains("http+unix://%2Frun%2F"));
    }

    #[test]
    fn net_014_the_public_address_may_be_a_unix_socket() {
        let text = "proxy.bind_url = \"unix+http://%2Frun%2Fo.sock/x\"\nproxy.port = 1";
        let config = reading(text).config;
        assert_eq!(config.proxy.bind_url, "http+unix://%2Frun%2Fo.sock/x/");
        assert_eq!(config.hub.base_url, "/x/");
        let found = warnings(text);
        assert!(
            found.contains("write http+unix://") && found.contains("`proxy.port` has no effect"),
            "{found}"
        );
    }

    #[test]
    fn cfg_012_the_public_url_ends_in_the_base_url() {
        let public = |text: &str| {
            reading(&format!("hub.base_url = \"/lab/x\"\nhub.public_url = \"{text}\"")).config.hub.public_url
        };
        assert_eq!(public("https://hub.example.org/lab/x/"), "https://hub.example.org/lab/x/");
        assert_eq!(public("https://hub.example.org/lab/x"), "https://hub.example.org/lab/x/");
        assert_eq!(public("https://hub.example.org"), "https://hub.example.org/lab/x/");
        assert_eq!(public("hub.example.org:8443/lab/x"), "https://hub.example.org:8443/lab/x/");
        let wrong = problems("hub.base_url = \"/lab\"\nhub.public_url = \"https://h/other/\"");
        assert!(
            wrong.contains("`hub.public_url`: its path /other/ must end with the base URL /lab/"),
            "{wrong}"
        );
        let found = warnings("hub.base_url = \"/lab\"\nhub.public_url = \"hub.example.org\"");
        assert!(
            found.contains("no scheme; using https://hub.example.org\n") && found.contains("no path; using"),
            "{found}"
        );
    }

    #[test]
    fn tokens_live_as_long_as_logins_unless_written() {
        let hub = |text: &str| reading(text).config.hub.oauth.token_lifetime.as_secs();
        assert_eq!(hub("hub.cookie_max_age = \"2d\""), 172_800);
        assert_eq!(hub("hub.cookie_max_age = \"2d\"\nhub.oauth.token_lifetime = 5"), 5);
    }

    #[test]
    fn auth_029_dummy_lets_everyone_in_unless_users_are_listed() {
        let auth = |text: &str| reading(&format!("[auth]\ntype = \"dummy\"\n{text}")).config.auth;
        assert!(auth("").allow_all);
        assert!(!auth("allowed_users = [\"ada\"]").allow_all);
        assert!(!auth("allow_all = false").allow_all);
    }

    #[test]
    fn cfg_030_existing_users_are_let_in_if_some_are_listed() {
        let auth = |text: &str| reading(&format!("[auth]\n{text}")).config.auth.allow_existing_users;
        assert!(!auth(""));
        assert!(auth("allowed_users = [\"ada\"]"));
        assert!(!auth("allowed_users = [\"ada\"]\nallow_existing_users = false"));
    }

    #[test]
    fn null_signs_in_by_itself() {
        let auth = reading("auth.type = \"null\"").config.auth;
        assert!(auth.auto_login);
        assert_eq!(auth.login_service, "null");
    }

    #[test]
    fn cfg_033_percent_u_becomes_a_template_with_a_warning() {
        let text = "[spawner]\nnotebook_dir = \"/home/%U/work\"\ndefault_url = \"/%U\"";
        let spawner = reading(text).config.spawner;
        assert_eq!(
            (spawner.notebook_dir.as_str(), spawner.default_url.as_str()),
            ("/home/{username}/work", "/{username}")
        );
        let found = warnings(text);
        assert!(found.contains("spawner.notebook_dir") && found.contains("spawner.default_url"), "{found}");
    }

    #[test]
    fn cfg_034_an_address_in_brackets_loses_them_with_a_warning() {
        assert_eq!(reading("spawner.ip = \"[::1]\"").config.spawner.ip, "::1");
        assert!(warnings("spawner.ip = \"[::1]\"").contains("write ::1 without brackets"));
    }

    #[test]
    fn cfg_024_extra_scopes_belong_to_the_built_in_role_user() {
        let scopes = |text: &str| reading(text).config.roles["user"].extra_scopes.len();
        assert_eq!(scopes("roles.user.extra_scopes = [\"custom:abc\"]"), 1);
        let overridden = "[roles.user]\nscopes = [\"self\"]\nextra_scopes = [\"custom:abc\"]";
        assert_eq!(scopes(overridden), 0);
        assert!(warnings(overridden).contains("`roles.user.extra_scopes` has no effect"));
        assert!(
            problems("roles.other.extra_scopes = [\"self\"]")
                .contains("`roles.other.extra_scopes`: only the role")
        );
    }

    #[test]
    fn the_options_form_may_come_from_a_file() {
        let case = Case::file("spawner.options_form_file = \"form.html\"");
        assert!(case.problems().contains("`spawner.options_form_file`: cannot be read"));
        case.write("form.html", "<input>");
        assert_eq!(case.read().unwrap().config.spawner.options_form, "<input>");
    }

    #[test]
    fn the_servers_log_directory_is_beside_the_database() {
        let dir = |text: &str| reading(text).config.server_log_dir();
        assert_eq!(
            dir("database.url = \"sqlite:////var/lib/orrery/x.sqlite\""),
            Path::new("/var/lib/orrery/server-logs")
        );
        assert_eq!(dir("database.url = \"postgresql://db/x\""), Path::new("server-logs"));
        assert_eq!(dir("spawner.log_dir = \"/logs\""), Path::new("/logs"));
    }
}
