//! What a site changes: landing pages, templates, logo, static files, reports.

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, free_port, settings};

#[test]
fn landing_pages_follow_the_first_rule_that_fits() {
    let rules = concat!(
        "auth.admin_users = [\"boss\"]\nhub.default_url = \"/hub/home\"\n",
        "hub.default_url_rules = [{ group = \"course\", url = \"/services/grader/\" }, { admin = true, url = \"/hub/admin\" }]\n",
        "groups.course.users = [\"grace\"]",
    );
    let hub = Hub::with(rules);
    assert_eq!(Browser::new(&hub).get("/hub/").location(), "/hub/home");
    for (name, to) in [("grace", "/services/grader/"), ("boss", "/hub/admin"), ("ada", "/hub/home")] {
        let mut browser = Browser::signed_in(&hub, name);
        assert_eq!(browser.get("/hub/").location(), to, "{name}");
        assert_eq!(browser.get("/hub/login?a=b").location(), format!("{to}?a=b"), "{name}");
        assert_eq!(browser.get("/hub/login?next=%2Fhub%2Ftoken").location(), "/hub/token", "{name}");
    }
}

#[test]
fn ui_188_templates_and_a_logo_of_the_sites_own() {
    let site = tempfile::tempdir().unwrap();
    let folder = site.path().display();
    let write = |name: &str, text: &str| std::fs::write(site.path().join(name), text).unwrap();
    write(
        "home.html",
        "{% extends \"templates/home.html\" %}{% block footer %}<p>{{ campus }}, {{ user.name }}</p>{% endblock %}",
    );
    write("logo.png", "not really a picture");
    let hub = Hub::with(&format!(
        "hub.ui.template_paths = [\"{folder}\"]\nhub.ui.template_vars = {{ campus = \"<North>\" }}\n\
         hub.ui.logo_file = \"{folder}/logo.png\"\nhub.ui.no_cache_static = true\n\
         hub.csp_report_uri = \"https://reports.example/csp\""
    ));
    let mut browser = Browser::signed_in(&hub, "ada");
    let home = browser.get("/hub/home");
    assert!(
        home.body.contains("<p>&lt;North&gt;, ada</p>") && home.body.contains("id=\"start\""),
        "{}",
        home.body
    );
    assert!(
        home.header("content-security-policy").unwrap().contains("report-uri https://reports.example/csp;")
    );
    let logo = hub.get("/hub/logo");
    assert_eq!(
        (logo.header("content-type"), logo.body.as_str()),
        (Some("image/png"), "not really a picture")
    );
    assert_eq!(hub.get("/hub/static/style.css").header("cache-control"), Some("no-store"));
}

#[test]
fn a_site_without_its_files_does_not_start_and_says_which() {
    for (key, value) in
        [("hub.ui.template_paths", "[\"/no/such/folder\"]"), ("hub.ui.logo_file", "\"/no/such/logo.png\"")]
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("orrery.toml"),
            settings(folder.path(), free_port(), &format!("{key} = {value}")),
        )
        .unwrap();
        let mut hub = Hub::launched(folder);
        assert_eq!(hub.wait().code(), Some(1), "{key}");
        assert!(hub.log().contains("/no/such/"), "{}", hub.log());
    }
}

#[test]
fn net_002_everything_lives_below_the_base_url() {
    let hub = Hub::with("hub.base_url = \"/jh/b/\"");
    let mut browser = Browser::new(&hub);
    let form = browser.get("/jh/b/hub/login");
    assert!(form.body.contains("action=\"/jh/b/hub/login?next="), "{}", form.body);
    let xsrf = browser.xsrf();
    let signed_in =
        browser.post("/jh/b/hub/login", &[("username", "ada"), ("password", "pw"), ("_xsrf", &xsrf)]);
    assert_eq!(signed_in.location(), "/jh/b/hub/spawn");
    let paths: Vec<&str> = browser.cookies.iter().map(|cookie| cookie.path.as_str()).collect();
    assert!(paths.iter().all(|path| path.starts_with("/jh/b/")), "{paths:?}");
    // no page names an address outside
    for page in ["home", "token", "nope", "spawn-pending/ada"] {
        let body = browser.get(&format!("/jh/b/hub/{page}")).body;
        for part in body.split(['"', '\'']).filter(|part| part.starts_with('/')) {
            assert!(part.starts_with("/jh/b/"), "{page}: {part}");
        }
    }
    assert_eq!(browser.get("/jh/b/hub/favicon.ico").status, 200);
    assert_eq!(browser.get("/jh/b").location(), "/jh/b/hub/");
    assert_eq!(browser.get("/jh/b/user/ada/x?y=1").location(), "/jh/b/hub/user/ada/x?y=1");
    for outside in ["/", "/hub/", "/hub/login", "/jh/", "/jh/bx/"] {
        assert_eq!(browser.get(outside).status, 404, "{outside}");
    }
}
