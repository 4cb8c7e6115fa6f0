//! What follows for the routes: where the hub's own one begins, and the one spelling of the others.

use std::collections::BTreeMap;

use super::super::load::Report;
use super::super::setting::Key;
use super::super::{Config, ProxyType};
use crate::domain::route_spec::{RouteSpec, Routing};

pub(super) fn settle(config: &mut Config, report: &mut Report) {
    if config.proxy.r#type == ProxyType::Child && !config.proxy.managed {
        config.proxy.r#type = ProxyType::External;
    }
    hub_route(config, report);
    extra_routes(config, report);
}

/// CFG-011.
fn hub_route(config: &mut Config, report: &mut Report) {
    let (base_url, routing) = (&config.hub.base_url, config.routing());
    let written = config.proxy.hub_routespec.trim_matches('/');
    if config.proxy.hub_routespec.is_empty() {
        config.proxy.hub_routespec = match routing {
            Routing::Paths => base_url.clone(),
            // requests for every host that has no server come to the hub
            Routing::Hosts => "/".to_owned(),
        };
        return;
    }
    let text = match (written, routing) {
        ("", _) => "/".to_owned(),
        (written, Routing::Paths) => format!("/{written}/"),
        (written, Routing::Hosts) => format!("{written}/"),
    };
    let spec = match RouteSpec::parse(&text, routing) {
        Ok(spec) => spec.as_str().to_owned(),
        Err(error) => return report.wrong_at("proxy.hub_routespec", error.to_string()),
    };
    if spec != "/" && spec != *base_url {
        report.warn(format!(
            "`proxy.hub_routespec`: requests outside {spec}, such as those for stopped servers, may not reach the hub"
        ));
    }
    let api = format!("{base_url}hub/api/");
    if routing == Routing::Paths && !api.starts_with(&spec) {
        report.warn(format!("`proxy.hub_routespec`: the hub's REST API {api} is not below {spec}"));
    }
    config.proxy.hub_routespec = spec;
}

fn extra_routes(config: &mut Config, report: &mut Report) {
    let mut settled = BTreeMap::new();
    for (written, target) in std::mem::take(&mut config.proxy.extra_routes) {
        let key = Key::new(["proxy", "extra_routes", &written]);
        if !written.ends_with('/') {
            report.warn(format!("`proxy.extra_routes`: {written:?} lacks the slash at the end; it is added"));
        }
        match RouteSpec::parse(&written, config.routing()) {
            Err(error) => report.wrong(key, error.to_string()),
            Ok(spec) => {
                let same = settled.insert(spec.as_str().to_owned(), target);
                if same.is_some() {
                    report.wrong(key, format!("another extra route begins at {spec} too"));
                }
            }
        }
    }
    config.proxy.extra_routes = settled;
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{problems, reading, warnings};
    use super::*;

    #[test]
    fn cfg_011_where_the_hubs_own_route_begins() {
        let (reaches, api) = ("may not reach the hub", "REST API");
        for (text, spec, warned) in [
            ("", "/", [false, false]),
            ("hub.base_url = \"/base\"", "/base/", [false, false]),
            ("hub.base_url = \"/base\"\nproxy.hub_routespec = \"/base\"", "/base/", [false, false]),
            ("hub.base_url = \"/base\"\nproxy.hub_routespec = \"/\"", "/", [false, false]),
            ("proxy.hub_routespec = \"/hub\"", "/hub/", [true, false]),
            ("proxy.hub_routespec = \"hub/api\"", "/hub/api/", [true, false]),
            ("hub.base_url = \"/base\"\nproxy.hub_routespec = \"/hub/\"", "/hub/", [true, true]),
            ("proxy.hub_routespec = \"/hub/api/health\"", "/hub/api/health/", [true, true]),
        ] {
            assert_eq!(reading(text).config.proxy.hub_routespec, spec, "{text}");
            let found = warnings(text);
            assert_eq!([found.contains(reaches), found.contains(api)], warned, "{text}: {found}");
        }
        assert!(problems("proxy.hub_routespec = \"/a//b\"").contains("`proxy.hub_routespec`"));
    }

    #[test]
    fn extra_routes_get_their_slash_with_a_warning_and_one_spelling() {
        let text = "[proxy.extra_routes]\n\"/a b\" = \"http://h:1\"\n\"/@/é/\" = \"http://h:2\"";
        let routes = reading(text).config.proxy.extra_routes;
        assert_eq!(routes.keys().collect::<Vec<_>>(), ["/@/%C3%A9/", "/a%20b/"]);
        assert!(warnings(text).contains("\"/a b\" lacks the slash"));
        assert!(!warnings(text).contains("\"/@/é/\""));
    }

    #[test]
    fn extra_routes_that_could_not_match_are_refused() {
        for (spec, reason) in [("host/x/", "starts with `/`"), ("/a//b/", "empty")] {
            let said = problems(&format!("[proxy.extra_routes]\n\"{spec}\" = \"http://h:1\""));
            assert!(said.contains("proxy.extra_routes") && said.contains(reason), "{said}");
        }
        let twice = problems("[proxy.extra_routes]\n\"/a/\" = \"http://h:1\"\n\"/%61/\" = \"http://h:2\"");
        assert!(twice.contains("another extra route begins at /a/"), "{twice}");
    }

    #[test]
    fn cfg_027_with_subdomains_extra_routes_have_a_host() {
        let hosts = "hub.subdomain_host = \"https://hub.example.org\"\n[proxy.extra_routes]\n";
        let routes = reading(&format!("{hosts}\"example.com/prefix\" = \"http://h:1\"")).config.proxy;
        assert_eq!(routes.extra_routes.keys().collect::<Vec<_>>(), ["example.com/prefix/"]);
        assert_eq!(routes.hub_routespec, "/");
        let said = problems(&format!("{hosts}\"/prefix/\" = \"http://h:1\""));
        assert!(said.contains("host names of their own"), "{said}");
    }

    #[test]
    fn a_child_that_the_hub_does_not_start_is_an_external_proxy() {
        let text = "proxy.type = \"chp\"\nproxy.managed = false\nproxy.auth_token = \"t\"";
        assert_eq!(reading(text).config.proxy.r#type, ProxyType::External);
    }
}
