//! What a site and a visitor change on every page: menu, facts for scripts, announcements, templates.

use super::*;

#[test]
fn the_menu_shows_what_the_visitor_may_open() {
    let stranger = show(&PageContext::default(), &LogoutPage {});
    has(&stranger, &["id=\"login\" class=\"btn btn-small\" role=\"button\" href=\"/jh/hub/login\""]);
    lacks(&stranger, &["/hub/home\"", "/hub/token", "/hub/admin"]);
    let plain = show(&visitor("ada"), &LogoutPage {});
    has(
        &plain,
        &[
            "/jh/hub/home",
            "href=\"/jh/hub/token\">Token</a>",
            "id=\"logout\" class=\"btn btn-small\" role=\"button\" href=\"/jh/hub/logout\"",
        ],
    );
    lacks(&plain, &["/hub/admin", "<summary>Services"]);
    let admin = PageContext {
        admin_link: true,
        services: vec![ServiceLink { name: "grader".to_owned(), href: "/jh/services/grader/".to_owned() }],
        ..visitor("ada")
    };
    has(&show(&admin, &LogoutPage {}), &["/jh/hub/admin", "href=\"/jh/services/grader/\">grader</a>"]);
}

#[test]
fn scripts_get_the_pages_facts_as_data() {
    let html = show(&visitor("</script><b>"), &LogoutPage {});
    let data =
        Regex::new(r#"(?s)<script type="application/json" id="jhdata">(.*?)</script>"#).expect("a pattern");
    let facts = data.captures(&html).expect("a data block");
    let facts: serde_json::Value = serde_json::from_str(&facts[1]).expect("JSON");
    assert_eq!(facts["user"], "</script><b>");
    assert_eq!(facts["base_url"], "/jh/hub/");
    assert_eq!(facts["prefix"], "/jh/");
    assert_eq!(facts["xsrf_token"], "2|token=");
    assert_eq!(facts["admin_access"], false);
}

#[test]
fn a_pages_own_announcement_replaces_the_general_one_even_when_empty() {
    let mut site = Site::new("/");
    site.template_vars = serde_json::from_str(
        r#"{"announcement": "<i>general</i>", "announcement_login": "for login", "announcement_home": "", "announcement_spawn": null}"#,
    )
    .expect("variables");
    let renderer = renderer(&site);
    let login = renderer.render(&visitor("ada"), &LoginPage::default()).expect("a page");
    has(&login, &["for login"]);
    lacks(&login, &["general"]);
    let home =
        renderer.render(&visitor("ada"), &home("ada", ServerState::Stopped, Vec::new())).expect("a page");
    lacks(&home, &["general", "Announcement"]);
    has(&renderer.render(&visitor("ada"), &SpawnPage::default()).expect("a page"), &["<i>general</i>"]);
    has(&renderer.render(&visitor("ada"), &LogoutPage {}).expect("a page"), &["<i>general</i>"]);
}

#[test]
fn sites_may_replace_templates_and_extend_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, source: &str| fs::write(folder.path().join(name), source).expect("a file");
    write(
        "page.html",
        "{% extends \"templates/page.html\" %}{% block footer %}<p>{{ campus }}</p>{% endblock %}",
    );
    write("503.html", "{% extends \"error.html\" %}{% block error_detail %}back soon{% endblock %}");
    let mut site = Site::new("/");
    site.template_vars.insert("campus".to_owned(), "<North>".into());
    site.template_paths.push(folder.path().to_owned());
    let renderer = renderer(&site);
    let error = ErrorPage { status_code: 503, status_message: "Down".to_owned(), ..ErrorPage::default() };
    let html = renderer.render(&visitor("ada"), &error).expect("a page");
    has(&html, &["<p>&lt;North&gt;</p>", "back soon", "503 : Down"]);
}

#[test]
fn a_mistake_in_a_site_template_is_found_at_start_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("home.html"), "{% if %}").expect("a file");
    let mut site = Site::new("/");
    site.template_paths.push(folder.path().to_owned());
    let error = Renderer::new(&site, Arc::new(Assets::embedded())).err().expect("a mistake");
    assert!(error.to_string().contains("home.html"), "{error}");
    assert!(error.to_string().contains("hub.ui.template_paths"), "{error}");
}

#[test]
fn the_plain_error_escapes_too() {
    assert!(plain_error(500, HOSTILE).contains("500 : &quot;&gt;&lt;script&gt;"));
}
