//! Pages in another language than English, and no English left where there should be none.

use super::*;

/// Templates and scripts whose words are all in the catalogue. The description of the API stays English.
const ENGLISH_ONLY: [&str; 1] = ["docs.html"];

fn german() -> Language {
    RENDERER.texts().find("de").expect("German")
}

fn templates() -> Vec<(String, String)> {
    Templates::iter()
        .map(|name| {
            let file = Templates::get(&name).expect("a template");
            (name.into_owned(), String::from_utf8(file.data.into_owned()).expect("UTF-8"))
        })
        .filter(|(name, _)| !ENGLISH_ONLY.contains(&name.as_str()))
        .collect()
}

#[test]
fn templates_have_no_words_of_their_own() {
    // what the block adds to is a tag of the page's frame
    let live = r"\{% block live %\}.*?\{% endblock %\}";
    let expressions = r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<code>.*?</code>";
    let expressions = Regex::new(&format!("(?s){live}|{expressions}")).expect("a pattern");
    let tags = Regex::new(r"(?s)<[^>]*>").expect("a pattern");
    let attribute =
        Regex::new(r#"\s(?:aria-label|title|alt|placeholder|data-label)="([^"]*)""#).expect("a pattern");
    let button = Regex::new(r#"<input[^>]*type="submit"[^>]*\svalue="([^"]*)""#).expect("a pattern");
    let word = Regex::new(r"\p{L}{2}").expect("a pattern");
    for (name, source) in templates() {
        let markup = expressions.replace_all(&source, "");
        for found in attribute.captures_iter(&markup).chain(button.captures_iter(&markup)) {
            assert!(!word.is_match(&found[1]), "{name}: {}", &found[0]);
        }
        let words = tags.replace_all(&markup, "\n");
        let left = words.lines().find(|line| word.is_match(line));
        assert_eq!(left, None, "{name}");
    }
}

#[test]
fn scripts_have_no_words_of_their_own() {
    let sentence = Regex::new(r#"["`]([A-Z][a-z]+[^"`]*)["`]"#).expect("a pattern");
    let assets = Assets::embedded();
    for path in assets.paths().filter(|path| path.ends_with(".js")) {
        let script = String::from_utf8(assets.find(path).expect(path).bytes.to_vec()).expect("UTF-8");
        for line in script.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for found in sentence.captures_iter(line) {
                assert!(matches!(&found[1], "Content-Type" | "Retry-After"), "{path}: {}", &found[1]);
            }
        }
    }
}

#[test]
fn pages_speak_german() {
    for (page, html) in every_page_in(german(), "ada") {
        has(&html, &["<html lang=\"de\" dir=\"ltr\">", "Zum Hauptinhalt springen", ">Startseite</a>"]);
        assert!(!html.contains("{$"), "{page}: a value is missing");
        if page.starts_with("admin") {
            has(&html, &["Verwaltung · Orrery</title>", "aria-label=\"Verwaltung\""]);
        }
        if page == "login" {
            has(
                &html,
                &[
                    "<title>Anmelden · Orrery</title>",
                    "Passwort:",
                    "lang=\"de\" aria-current=\"true\">Deutsch",
                ],
            );
        }
    }
    for (page, html) in every_page_in(Language::default(), "ada") {
        assert!(!html.contains("{$"), "{page}: a value is missing");
    }
}

/// UI-210, SEC-005: what somebody chose is inert in the values of messages too, also of those with markup in them.
#[test]
fn ui_210_hostile_names_are_inert_in_german_too() {
    for (page, html) in every_page_in(german(), HOSTILE) {
        assert!(!html.contains("<script>"), "{page}: {html}");
        assert!(!html.contains("alert('1')"), "{page}: {html}");
    }
}

#[test]
fn markup_in_a_message_stays_where_it_belongs() {
    let page = AcceptSharePage { server_name: "\u{F0000}\u{F0001}<i>".to_owned(), ..offer("grace") };
    let html = show(&visitor("ada"), &page);
    has(&html, &["server <b>\u{F0000}\u{F0001}&lt;i&gt;</b> at <code>grace</code>."]);
    let page = AcceptSharePage { owner: "\u{F0000}&".to_owned(), ..offer("grace") };
    has(&show(&visitor("ada"), &page), &["use &amp;&#39;s server <b>grace</b> at <code>grace</code>."]);
}

#[test]
fn messages_that_a_template_asks_for_in_vain_show_their_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = "{% extends \"templates/logout.html\" %}{% block main %}{{ t(\"no-such-key\") }} {{ t(\"own\", n=2) }}{% endblock %}";
    fs::write(folder.path().join("logout.html"), own).expect("a file");
    fs::create_dir(folder.path().join("locales")).expect("a folder");
    let words = "own = { $n ->\n    [one] one\n   *[other] { $n } & more\n }\n";
    fs::write(folder.path().join("locales/en.ftl"), words).expect("a file");
    let mut site = Site::new("/");
    site.template_paths.push(folder.path().to_owned());
    let html = renderer(&site).render(&visitor("ada"), &LogoutPage {}).expect("a page");
    has(&html, &["no-such-key 2 &amp; more"]);
}

/// What scripts get is data that cannot end its element.
#[test]
fn sec_005_words_for_scripts_are_inert() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("locales")).expect("a folder");
    let words = "page-announcement-hide = </script><script>alert(1)</script>\n";
    fs::write(folder.path().join("locales/en.ftl"), words).expect("a file");
    let mut site = Site::new("/");
    site.template_paths.push(folder.path().to_owned());
    let html = renderer(&site).render(&visitor("ada"), &LogoutPage {}).expect("a page");
    lacks(&html, &["<script>alert"]);
    has(&html, &["\\u003c/script\\u003e"]);
}
