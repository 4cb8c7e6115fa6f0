//! What docs/pages.md promises to templates of sites, and the example in etc/templates that relies on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

/// Parts that other templates include, and pages that are not promised.
const WITHOUT_PROMISE: [&str; 11] = [
    "ask.html",
    "docs.html",
    "failure.html",
    "icons.html",
    "languages.html",
    "mark.html",
    "messages.html",
    "profiles.html",
    "server.html",
    "sessions.html",
    "servers.html",
];

type Lists = BTreeMap<String, BTreeSet<String>>;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The table below a heading: what is listed for each template.
fn documented(heading: &str) -> Lists {
    let manual = read("docs/pages.md");
    let section = manual.split(&format!("\n## {heading}\n")).nth(1).expect(heading);
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = Regex::new(r"(?m)^\| `([^`]+)` \| (?:`([^`]*)`|none) \|$").expect("a pattern");
    let words = |found: Option<regex::Match<'_>>| {
        found.map_or("", |found| found.as_str()).split_whitespace().map(str::to_owned).collect()
    };
    row.captures_iter(section).map(|found| (found[1].to_owned(), words(found.get(2)))).collect()
}

fn is_promised(template: &str) -> bool {
    !template.starts_with("admin") && !WITHOUT_PROMISE.contains(&template)
}

#[test]
fn the_manual_lists_the_blocks_that_there_are() {
    let block = Regex::new(r"\{%-? block (\w+)").expect("a pattern");
    let mut blocks = Lists::new();
    for name in Templates::iter().filter(|name| is_promised(name)) {
        let file = Templates::get(&name).expect("a template");
        let source = String::from_utf8(file.data.into_owned()).expect("UTF-8");
        let found = block.captures_iter(&source).map(|found| found[1].to_owned()).collect();
        blocks.insert(name.into_owned(), found);
    }
    assert_eq!(documented("Blocks"), blocks);
}

#[test]
fn the_manual_lists_the_variables_that_there_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/render/pages");
    let mut sources = read("src/web/render/pages.rs");
    // the folder below is the administration's, which is not promised
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    for path in entries.filter(|path| path.is_file()) {
        sources.push_str(&fs::read_to_string(path).expect("a file"));
    }
    let page =
        Regex::new(r#"(?s)impl Page for (\w+) \{.*?TEMPLATE: &'static str = "([^"]+)""#).expect("a pattern");
    let field = Regex::new(r"(?m)^    pub (\w+):").expect("a pattern");
    let mut variables = Lists::new();
    for found in page.captures_iter(&sources).filter(|found| is_promised(&found[2])) {
        // one without variables has its braces on one line
        let rest = sources.split_once(&format!("pub struct {} {{\n", &found[1])).map_or("", |(_, rest)| rest);
        let body = rest.split("\n}\n").next().unwrap_or_default();
        let fields = field.captures_iter(body).map(|found| found[1].to_owned()).collect();
        variables.insert(found[2].to_owned(), fields);
    }
    assert_eq!(documented("Variables of a page"), variables);
}

#[test]
fn the_example_of_a_site_changes_every_page_in_both_languages() {
    let mut site = Site::new("/");
    site.template_paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/templates"));
    site.template_vars.insert("help_url".to_owned(), "https://help.example/jupyter".into());
    site.template_vars.insert("help_phone".to_owned(), "<4711>".into());
    let renderer = renderer(&site);
    let german = renderer.texts().find("de").expect("German");
    let error =
        ErrorPage { status_code: 404, status_message: "Not Found".to_owned(), ..ErrorPage::default() };
    for (language, words) in [
        (
            Language::default(),
            [
                "University ID:",
                "Ask at the help desk",
                "Questions? Call &lt;4711&gt;.",
                "Perhaps you find it here",
                ">Help</a>",
            ],
        ),
        (
            german,
            [
                "Uni-Kennung:",
                "am Info-Schalter",
                "Fragen? Telefon &lt;4711&gt;.",
                "Vielleicht finden Sie es hier",
                ">Hilfe</a>",
            ],
        ),
    ] {
        let someone = PageContext { language, ..visitor("ada") };
        let [label, account, phone, look, help] = words;
        let login = renderer.render(&someone, &LoginPage::default()).expect("a page");
        has(&login, &[label, account, phone, "id=\"login_submit\""]);
        let pages = [
            renderer.render(&someone, &home("ada", ServerState::Stopped, Vec::new())),
            renderer.render(&someone, &tokens("x")),
            renderer.render(&someone, &LogoutPage {}),
        ];
        for page in pages {
            has(&page.expect("a page"), &[phone, help, "href=\"https://help.example/jupyter\""]);
        }
        let missing = renderer.render(&someone, &error).expect("a page");
        has(&missing, &[look, &format!(": <a href=\"https://help.example/jupyter\"{help}")]);
    }
}
