//! Every page with harmless and hostile values, against what scripts, browser tests and people hold on to (pages.md 11).

mod admin;
mod forms;
mod languages;
mod samples;
mod servers;
mod site;
mod stable;
mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use minijinja::UndefinedBehavior;
use regex::Regex;

use super::pages::{
    AcceptSharePage, AccountPage, Ended, ErrorPage, ExpiryOption, Failure, FieldProblem, FormChoice,
    FormOption, FormProfile, GivenShare, GivenTo, HomePage, HomeServer, LoginMessage, LoginPage, LoginStep,
    LogoutPage, NotRunningPage, OauthClient, OauthPage, RestartPage, ScopeDescription, ServerLinks,
    ServerState, ServersPart, SessionRow, SharedServer, SharedWith, SharingPage, ShownMessage, ShownOption,
    ShownRole, SpawnPage, SpawnPendingPage, StopPendingPage, TokenChoice, TokenClient, TokenKind, TokenPage,
    TokenRow,
};
use samples::{
    every_page, every_page_in, failure, home, message, oauth, offer, pending, server, sessions, tokens,
};

use super::*;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::web::texts::ScriptTexts;

const HOSTILE: &str = r#""><script>alert('1')</script>&"#;

fn renderer(site: &Site) -> Renderer {
    Renderer::new(site, Arc::new(Assets::embedded())).expect("templates that compile")
}

fn visitor(name: &str) -> PageContext {
    PageContext {
        user: Some(Viewer { name: name.to_owned(), admin: false }),
        xsrf_token: "2|token=".to_owned(),
        ..PageContext::default()
    }
}

static RENDERER: LazyLock<Renderer> = LazyLock::new(|| {
    let mut renderer = renderer(&Site::new("/jh/"));
    // a name that a template misspells prints nothing in production; here it is an error
    renderer.environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    renderer
});

fn show<P: Page>(visitor: &PageContext, page: &P) -> String {
    RENDERER.render(visitor, page).expect("a page")
}

fn has(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "no {part} in {html}");
    }
}

fn lacks(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(!html.contains(part), "{part} in {html}");
    }
}

/// The text of `html` without tags, white space collapsed.
fn text(html: &str) -> String {
    let tags = Regex::new(r"(?s)<script.*?</script>|<[^>]*>").expect("a pattern");
    tags.replace_all(html, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn ui_210_hostile_names_are_inert_on_every_page() {
    for (page, html) in every_page(HOSTILE) {
        assert!(!html.contains("<script>"), "{page}: {html}");
        assert!(!html.contains("alert('1')"), "{page}: {html}");
    }
}

/// SEC-006: what users choose reaches scripts as data; a script that writes markup could make it run.
#[test]
fn sec_006_no_script_writes_markup_or_code() {
    let unsafe_calls = Regex::new(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function",
    )
    .expect("a pattern");
    let assets = Assets::embedded();
    // the progress page shows what the spawner itself wrote as markup, as the contract has it (pages.md 6.7)
    for path in assets.paths().filter(|path| path.ends_with(".js") && *path != "progress.js") {
        let script = String::from_utf8(assets.find(path).expect(path).bytes.to_vec()).expect("UTF-8");
        assert!(!unsafe_calls.is_match(&script), "{path}: {:?}", unsafe_calls.find(&script));
    }
}

/// SEC-005: markup that is printed as it is comes from operators and spawners only.
#[test]
fn sec_005_only_trusted_values_are_printed_as_they_are() {
    let printed = Regex::new(r"\{\{\s*([a-z_.]+)\s*\|\s*safe").expect("a pattern");
    let trusted = [
        "announcement",
        "custom_html",
        "html_error_message",
        "spawner_options_form",
        "message_html",
        "extra_error_html",
        "failure.message_html",
    ];
    for name in Templates::iter() {
        let file = Templates::get(&name).expect("a template");
        let source = String::from_utf8(file.data.into_owned()).expect("UTF-8");
        assert!(!source.contains("autoescape"), "{name}");
        assert_eq!(
            printed.find_iter(&source).count(),
            source.matches("safe").count(),
            "{name}: an odd `safe`"
        );
        for found in printed.captures_iter(&source) {
            assert!(trusted.contains(&&found[1]), "{name} prints {} as it is", &found[1]);
        }
    }
}

#[test]
fn ui_186_no_page_has_inline_scripts_styles_or_handlers() {
    let script = Regex::new(r"<script[^>]*>").expect("a pattern");
    let inline = Regex::new(r#"(?i)\s(style|on[a-z]+)\s*=|<style|href="javascript:"#).expect("a pattern");
    for (page, html) in every_page("ada") {
        for tag in script.find_iter(&html).map(|found| found.as_str()) {
            assert!(
                tag.contains(" src=\"/jh/hub/static/") || tag.contains("application/json"),
                "{page}: {tag}"
            );
        }
        assert!(!inline.is_match(&html), "{page}: {:?}", inline.find(&html));
    }
    for name in Templates::iter() {
        let file = Templates::get(&name).expect("a template");
        let source = String::from_utf8(file.data.into_owned()).expect("UTF-8");
        assert!(!inline.is_match(&source), "{name}: {:?}", inline.find(&source));
    }
}

#[test]
fn ui_151_every_page_has_landmarks_one_heading_and_unique_ids() {
    let id = Regex::new(r#"\sid="([^"]+)""#).expect("a pattern");
    for (page, html) in every_page("ada") {
        assert_eq!(html.matches("<main").count(), 1, "{page}");
        assert_eq!(html.matches("<h1").count(), 1, "{page}");
        assert_eq!(
            html.matches("<img").count(),
            1,
            "{page}: browser tests expect the logo to be the only image"
        );
        has(
            &html,
            &["<html lang=\"en\" dir=\"ltr\">", "id=\"thenavbar\"", "title=\"Home\"", "class=\"skip-link\""],
        );
        let mut ids: Vec<_> = id.captures_iter(&html).map(|found| found[1].to_owned()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{page}: an id occurs twice");
    }
}

#[test]
fn every_static_file_that_a_page_names_exists() {
    let assets = Assets::embedded();
    let address = Regex::new(r#""/jh/hub/static/([^"?]+)\?v=([0-9a-f]+)""#).expect("a pattern");
    for (page, html) in every_page("ada") {
        assert_eq!(address.find_iter(&html).count(), html.matches("/static/").count(), "{page}");
        for found in address.captures_iter(&html) {
            let asset = assets.find(&found[1]).unwrap_or_else(|| panic!("{page}: {}", &found[1]));
            assert_eq!(asset.version, found[2]);
        }
    }
}

#[test]
fn what_scripts_import_is_fetched_with_them() {
    let scripts = ScriptTexts::new(&Assets::embedded()).expect("patterns");
    let named = |html: &str, pattern: &str| -> Vec<String> {
        let all = Regex::new(pattern).expect("a pattern");
        all.captures_iter(html).map(|found| found[1].to_owned()).collect()
    };
    for (page, html) in every_page("ada") {
        let modules = named(&html, r#"<script type="module"[^>]* src="/jh/hub/static/([^"?]+)"#);
        let preloaded = named(&html, r#"<link rel="modulepreload" href="/jh/hub/static/([^"?]+)"#);
        let fetched: BTreeSet<_> = modules.iter().chain(&preloaded).map(String::as_str).collect();
        let needed: BTreeSet<_> = modules.iter().flat_map(|module| scripts.modules(module)).collect();
        assert!(
            modules.contains(&"page.js".to_owned()) && fetched == needed,
            "{page}: {fetched:?}, {needed:?}"
        );
    }
}
