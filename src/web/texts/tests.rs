//! The catalogues against each other, and against the templates and scripts that use them.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};
use regex::Regex;

use super::*;
use crate::web::assets::Assets;

/// Keys that templates and scripts put together: `t("state-" ~ state)`.
const PUT_TOGETHER: [&str; 9] = [
    "notice-",
    "filter-",
    "state-",
    "server-",
    "restart-",
    "sharing-whom-",
    "session-column-",
    "account-ended-",
    "token-which-",
];

fn texts() -> Texts {
    Texts::new(&LanguageSettings::default(), &[]).expect("languages")
}

fn language(tag: &str) -> Language {
    texts().find(tag).expect("the language")
}

fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|found| found == ending) {
                let text = fs::read_to_string(&entry).expect("a file");
                found.push((entry.display().to_string(), text));
            }
        }
    }
    found
}

/// What templates, scripts and code ask for: whole keys, and beginnings of keys.
fn asked() -> BTreeMap<String, String> {
    let template = Regex::new(r#"\bt\(\s*"([a-z0-9-]+)""#).expect("a pattern");
    let either = Regex::new(r#"\bt\("[a-z0-9-]+" if [^"]+ else "([a-z0-9-]+)""#).expect("a pattern");
    let mut keys = BTreeMap::new();
    for (path, text) in sources("src/web/templates", "html") {
        for pattern in [&template, &either] {
            keys.extend(pattern.captures_iter(&text).map(|found| (found[1].to_owned(), path.clone())));
        }
    }
    let code = Regex::new(r#"\bvoice\s*\.(?:say|with)\(\s*"([a-z0-9-]+)""#).expect("a pattern");
    for (path, text) in sources("src/web/pages", "rs") {
        keys.extend(code.captures_iter(&text).map(|found| (found[1].to_owned(), path.clone())));
    }
    let assets = Assets::embedded();
    let scripts = ScriptTexts::new(&assets).expect("patterns");
    for path in scripts.paths() {
        keys.extend(scripts.wanted(path).into_iter().map(|key| (key.to_owned(), path.to_owned())));
    }
    keys
}

fn variables(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    fn of(expression: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
        match expression {
            InlineExpression::VariableReference { id } => {
                found.insert(id.name.to_owned());
            }
            InlineExpression::FunctionReference { arguments, .. } => {
                arguments.positional.iter().for_each(|one| of(one, found));
            }
            InlineExpression::Placeable { expression } => match expression.as_ref() {
                Expression::Inline(inline) => of(inline, found),
                Expression::Select { .. } => panic!("a choice within a value"),
            },
            _ => {}
        }
    }
    for element in &pattern.elements {
        match element {
            PatternElement::Placeable { expression: Expression::Inline(inline) } => of(inline, found),
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                of(selector, found);
                variants.iter().for_each(|variant| variables(&variant.value, found));
            }
            PatternElement::TextElement { .. } => {}
        }
    }
}

#[test]
fn every_language_has_the_messages_and_values_of_english() {
    let texts = texts();
    let (english, others) = texts.catalogues.split_first().expect("English");
    assert_eq!(english.tag, ENGLISH);
    assert!(!others.is_empty());
    for other in others {
        let missing: Vec<_> = english.keys.difference(&other.keys).collect();
        let odd: Vec<_> = other.keys.difference(&english.keys).collect();
        assert!(missing.is_empty() && odd.is_empty(), "{}: lacks {missing:?}, has {odd:?}", other.tag);
        for key in &english.keys {
            let of = |catalogue: &Catalogue| {
                let mut found = BTreeSet::new();
                variables(catalogue.pattern(key).expect(key), &mut found);
                found
            };
            assert_eq!(of(english), of(other), "{key} in {}", other.tag);
        }
    }
}

#[test]
fn what_templates_scripts_and_code_ask_for_is_there_and_nothing_else() {
    let texts = texts();
    let english = &texts.catalogues[0].keys;
    let asked = asked();
    for (key, path) in &asked {
        if key.ends_with('-') {
            assert!(english.iter().any(|known| known.starts_with(key)), "{key}… in {path}");
            assert!(PUT_TOGETHER.contains(&key.as_str()), "{key}… in {path} is not in the test's list");
        } else {
            assert!(english.contains(key), "{key} in {path}");
        }
    }
    let used = |key: &String| {
        asked.contains_key(key)
            || key.starts_with(said::SAID)
            || key == "language-name"
            || PUT_TOGETHER.iter().any(|beginning| key.starts_with(beginning))
    };
    let idle: Vec<_> = english.iter().filter(|key| !used(key)).collect();
    assert!(idle.is_empty(), "nobody asks for {idle:?}");
}

/// A sentence that the code no longer says would stay English unnoticed.
#[test]
fn what_the_code_says_it_says_in_these_words() {
    let mut code = String::new();
    for (_, text) in sources("src", "rs") {
        code.push_str(&text.replace("\\\n", "\n").replace("\\\"", "\""));
    }
    let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let texts = texts();
    // the phrases of HTTP statuses are those of the library
    let ours = |key: &str| !key.starts_with("said-status-4") && !key.starts_with("said-status-5");
    for (sentence, key) in texts.said.whole().filter(|(_, key)| ours(key)) {
        assert!(code.contains(sentence), "{key} = {sentence}");
    }
    for form in texts.said.forms().iter().filter(|form| ours(&form.key)) {
        // lists and reasons are put together
        let pieces = form.texts.iter().flat_map(|text| text.split(", ")).flat_map(|text| text.split(": "));
        for piece in pieces.map(str::trim).filter(|piece| piece.len() > 4) {
            assert!(code.contains(piece), "{}: {piece:?}", form.key);
        }
    }
    assert!(texts.said.forms().len() > 50);
}

/// The administration makes its sentences with a voice; the few of its own that are errors are in the catalogue.
#[test]
fn code_of_the_administration_has_no_words_of_its_own() {
    let sentence = Regex::new(r#""([A-Z][a-z]+ [^"]*)""#).expect("a pattern");
    let texts = texts();
    for (path, text) in sources("src/web/pages/admin", "rs") {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for found in sentence.captures_iter(line) {
                assert!(texts.said.find(&found[1]).is_some(), "{path}: {}", &found[1]);
            }
        }
    }
}

/// Somebody may be called like a sentence or a number.
#[test]
fn names_in_sentences_stay_as_they_are() {
    let said = |sentence: &str| texts().said(language("de"), sentence).into_owned();
    assert_eq!(said("User Never already exists"), "Das Konto Never gibt es schon");
    assert_eq!(said("Group 007 already exists"), "Die Gruppe 007 gibt es schon");
    assert_eq!(
        said("Choose one of the profiles that there are for you: a, b."),
        "Wählen Sie eines der Profile, die es für Sie gibt: a, b."
    );
    assert_eq!(said("stopped is pending spawn"), "stopped: Gerade läuft noch etwas anderes (Start)");
}

#[test]
fn sentences_of_the_code_are_found_again_with_their_values() {
    let texts = texts();
    let german = language("de");
    for (sentence, expected) in [
        ("1 Hour", "1 Stunde"),
        ("Nobody knows this", "Nobody knows this"),
        ("", ""),
        ("2 hours", "2 Stunden"),
        ("1.2 GiB of 2 GiB, 0.3 cores, 14 processes", "1.2 GiB von 2 GiB, 0.3 Kerne, 14 Prozesse"),
        (
            "It was stopped because nobody used it for 1 day",
            "Er wurde gestoppt, weil er lange nicht benutzt wurde (1 Tag)",
        ),
        (
            "Waiting for a free place: 3 before you, about 20 seconds",
            "Warten auf einen freien Platz: 3 vor Ihnen, etwa 20 Sekunden",
        ),
        (
            "Waiting for a free place: you are next",
            "Warten auf einen freien Platz: Sie sind als Nächstes dran",
        ),
        ("Spawn failed: it ended with status 1", "Start fehlgeschlagen: Er endete mit Status 1"),
        (
            "The server did not answer within 30 seconds",
            "Der Server hat nicht rechtzeitig geantwortet (30 Sekunden)",
        ),
        (
            "its start failed: The server's process ended: exit status 1",
            "Sein Start ist fehlgeschlagen: Der Prozess des Servers wurde beendet: Exit-Status 1",
        ),
        (
            "Starts of the profile \"gpu\" are paused, since your last 3 failed. Try again in 40 seconds, or ask an administrator.",
            "Starts des Profils „gpu“ sind ausgesetzt, weil Ihre letzten 3 fehlgeschlagen sind. Versuchen Sie es in 40 Sekunden \
             noch einmal, oder wenden Sie sich an die Verwaltung.",
        ),
        ("Spawn failed: 2 processes", "Start fehlgeschlagen: 2 Prozesse"),
        (
            "Spawn failed: Server at http://h:1/x didn't respond in 30 seconds",
            "Start fehlgeschlagen: Der Server unter http://h:1/x hat nicht geantwortet (30 Sekunden)",
        ),
        ("It took more than 30 seconds", "It took more than 30 seconds"),
        ("Spawn failed: ", "Spawn failed: "),
    ] {
        assert_eq!(texts.said(german, sentence), expected);
        assert_eq!(texts.said(Language::default(), sentence), sentence);
    }
    // whatever it is, it comes back in the end
    let long = "Spawn failed: ".repeat(1000);
    assert!(texts.said(german, &long).starts_with("Start fehlgeschlagen: Start fehlgeschlagen: "));
}

#[test]
fn numbers_take_the_plural_of_their_language() {
    let texts = texts();
    for (tag, count, unit, expected) in [
        ("en", 1, "days", "Max (1 day)"),
        ("en", 10, "days", "Max (10 days)"),
        ("en", 600, "seconds", "Max (600 seconds)"),
        ("de", 1, "hours", "Höchstens 1 Stunde"),
        ("de", 36, "hours", "Höchstens 36 Stunden"),
    ] {
        let mut values = FluentArgs::new();
        values.set("count", count);
        values.set("unit", unit);
        assert_eq!(texts.format(language(tag), "token-limit", Some(&values)).expect("it"), expected);
    }
}

#[test]
fn the_choice_wins_over_the_browser_and_that_over_the_usual_one() {
    let texts = |offered: &[&str], fixed: Option<&str>| {
        let settings = LanguageSettings {
            offered: offered.iter().map(|tag| (*tag).to_owned()).collect(),
            fixed: fixed.map(str::to_owned),
        };
        Texts::new(&settings, &[])
    };
    let chosen = |texts: &Texts, chosen, accepted| texts.tag(texts.choose(chosen, accepted)).to_owned();
    let all = texts(&[], None).expect("languages");
    assert_eq!(chosen(&all, None, None), "en");
    assert_eq!(chosen(&all, None, Some("de-AT,de;q=0.9")), "de");
    assert_eq!(chosen(&all, Some("en"), Some("de")), "en");
    assert_eq!(chosen(&all, Some("../../x"), Some("de")), "de");
    assert!(all.is_choice());
    let fixed = texts(&[], Some("de")).expect("languages");
    assert_eq!(chosen(&fixed, None, Some("en")), "de");
    assert_eq!(chosen(&fixed, Some("en"), None), "en");
    let german = texts(&["de"], None).expect("languages");
    assert_eq!(chosen(&german, Some("en"), Some("en")), "de");
    assert!(!german.is_choice());
    let error = texts(&["xx"], None).err().expect("unknown").to_string();
    assert!(error.contains("'xx'") && error.contains("en, de"), "{error}");
}

#[test]
fn a_site_adds_languages_and_changes_sentences() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join(FOLDER)).expect("a folder");
        fs::write(folder.path().join(FOLDER).join(name), text).expect("a file");
    };
    write("de.ftl", "login-username = Uni-Kennung:\n");
    write("de-AT.ftl", "page-logout = Auf Wiederschaun\nlanguage-name = Österreichisch\n");
    write("ar.ftl", "language-name = العربية\n");
    write("en.ftl", "said-never = No end\n");
    write("notes.txt", "not a language");
    fs::create_dir_all(folder.path().join(FOLDER).join("it")).expect("a folder");
    write("it/pages.ftl", "page-logout = Esci\n");
    write("it/admin.ftl", "admin-users = Utenti\n");
    let texts = Texts::new(&LanguageSettings::default(), &[folder.path().to_owned()]).expect("languages");
    let say =
        |tag: &str, key: &str| texts.format(texts.find(tag).expect(tag), key, None).expect(key).into_owned();
    assert_eq!(say("de", "login-username"), "Uni-Kennung:");
    assert_eq!(say("de", "login-password"), "Passwort:");
    assert_eq!(say("de-AT", "login-username"), "Uni-Kennung:");
    assert_eq!(say("de-AT", "page-logout"), "Auf Wiederschaun");
    assert_eq!(say("ar", "page-logout"), "Logout");
    assert_eq!(
        (say("it", "page-logout"), say("it", "admin-users")),
        ("Esci".to_owned(), "Utenti".to_owned())
    );
    assert_eq!(texts.direction(texts.find("ar").expect("it")), "rtl");
    assert_eq!(texts.name(texts.find("ar").expect("it")), "العربية");
    assert_eq!(texts.said(Language::default(), "Never"), "No end");
    assert_eq!(texts.tag(texts.choose(None, Some("de-AT"))), "de-AT");
    write("fr.ftl", "page-home = {\nodd\n");
    let mistake = Texts::new(&LanguageSettings::default(), &[folder.path().to_owned()]).err().expect("it");
    assert!(mistake.to_string().contains("fr.ftl") && mistake.to_string().contains("line "), "{mistake}");
    fs::remove_file(folder.path().join(FOLDER).join("fr.ftl")).expect("gone");
    write("my notes.ftl", "a = b\n");
    let mistake = Texts::new(&LanguageSettings::default(), &[folder.path().to_owned()]).err().expect("it");
    assert!(mistake.to_string().contains("my notes.ftl"), "{mistake}");
}

#[test]
fn a_script_gets_what_it_and_its_imports_ask_for() {
    let texts = texts();
    let scripts = ScriptTexts::new(&Assets::embedded()).expect("patterns");
    let german = texts.for_script(language("de"), &scripts, "token.js");
    assert_eq!(german["token-copied"], "Kopiert.");
    assert_eq!(german["ask-cancel"], serde_json::Value::Null, "the template says it");
    assert_eq!(german["api-failed"][1]["v"], "status");
    assert_eq!(german["time-just-now"], "gerade eben");
    // what the code says, in all languages but that of the code
    let telling = texts.for_script(language("de"), &scripts, "progress.js");
    assert!(telling["said"].to_string().contains("gibt es schon"), "{}", telling["said"]);
    assert_eq!(texts.for_script(language("de"), &scripts, "admin.js")["said"], serde_json::Value::Null);
    assert_eq!(texts.for_script(Language::default(), &scripts, "progress.js")["said"], serde_json::json!([]));
    assert!(
        texts.for_script(Language::default(), &scripts, "nothing.js").as_object().expect("it").is_empty()
    );
}
