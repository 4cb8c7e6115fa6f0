//! What templates call for words: `t("key", name=value)`, `said(sentence)`, `texts("home.js")`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::value::{Kwargs, Object, Value, from_args};
use minijinja::{Error, State, context};

use super::escape_html;
use crate::web::assets::Assets;
use crate::web::texts::{Language, ScriptTexts, Texts};

/// Stand for values that are markup while the text around them is escaped. Characters of nobody's language.
const MARKS: std::ops::RangeInclusive<char> = '\u{F0000}'..='\u{F00FF}';

/// The script of every page.
const EVERYWHERE: &str = "page.js";

/// The variables of one language, for every page.
pub(super) fn variables(texts: &Arc<Texts>, language: Language, blocks: HashMap<String, Value>) -> Value {
    let offered = texts.offered().map(|other| {
        context! { tag => texts.tag(other), name => texts.name(other), current => other == language }
    });
    context! {
        t => Value::from_object(Words { texts: Arc::clone(texts), language }),
        said => Value::from_object(Said { texts: Arc::clone(texts), language }),
        texts => Value::from_object(Blocks(blocks)),
        lang => texts.tag(language),
        dir => texts.direction(language),
        languages => Some(offered.collect::<Vec<_>>()).filter(|_| texts.is_choice()).unwrap_or_default(),
    }
}

/// For each script, what the page's head has before it: its words, and what it imports, so that a browser fetches all of it
/// at once instead of one layer after the other. Every page has `page.js` and its imports first.
pub(super) fn blocks(
    texts: &Texts,
    language: Language,
    scripts: &ScriptTexts,
    url: &dyn Fn(&str) -> String,
) -> HashMap<String, Value> {
    let everywhere = scripts.modules(EVERYWHERE);
    let preload = |path: &str| format!("\n<link rel=\"modulepreload\" href=\"{}\">", url(path));
    let block = |path: &str| {
        let words = texts.for_script(language, scripts, path).to_string();
        // nothing in it may end the element or begin another
        let words = words.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        let is_new = |module: &&str| *module != path && (path == EVERYWHERE || !everywhere.contains(module));
        let preloads: String = scripts.modules(path).into_iter().filter(is_new).map(preload).collect();
        let block = format!("<script type=\"application/json\" class=\"texts\">{words}</script>{preloads}");
        Value::from_safe_string(block)
    };
    scripts.paths().map(|path| (path.to_owned(), block(path))).collect()
}

/// `t`: a message by its key. Values are escaped unless they are markup, which `{% set x %}…{% endset %}` makes.
struct Words {
    texts: Arc<Texts>,
    language: Language,
}

/// `said`: what the hub's code says in English.
struct Said {
    texts: Arc<Texts>,
    language: Language,
}

/// `texts`: the words of a script, and what it imports.
#[derive(Debug)]
struct Blocks(HashMap<String, Value>);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("t")
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("said")
    }
}

impl Object for Words {
    fn call(self: &Arc<Self>, _: &mut State, arguments: &[Value]) -> Result<Value, Error> {
        let (key, named): (&str, Kwargs) = from_args(arguments)?;
        let mut values = FluentArgs::new();
        let mut markup = Vec::new();
        for name in named.args() {
            let value: Value = named.get(name)?;
            values.set(name.to_owned(), plain(value, &mut markup));
        }
        // a site's template may ask for what is not there: it sees which
        let Some(text) = self.texts.format(self.language, key, Some(&values)) else { return Ok(key.into()) };
        if markup.is_empty() {
            return Ok(Value::from(&*text));
        }
        Ok(Value::from_safe_string(with_markup(&text, &markup)))
    }
}

/// The value for the message; one that is markup goes to `markup`, and a mark stands for it.
fn plain(value: Value, markup: &mut Vec<Value>) -> FluentValue<'static> {
    if value.is_safe()
        && let Some(mark) = MARKS.clone().nth(markup.len())
    {
        markup.push(value);
        return FluentValue::from(mark.to_string());
    }
    if value.is_number() {
        let number = f64::try_from(value).unwrap_or_default();
        return FluentValue::from(number);
    }
    if value.is_undefined() || value.is_none() {
        return FluentValue::from("");
    }
    let mut text = value.to_string();
    text.retain(|character| !MARKS.contains(&character));
    FluentValue::from(text)
}

/// `text` escaped, with the markup in the places of its marks.
fn with_markup(text: &str, markup: &[Value]) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|character| MARKS.contains(&character)) {
        let mut characters = piece.chars();
        let marked = characters.next_back().filter(|last| MARKS.contains(last));
        let words = if marked.is_some() { characters.as_str() } else { piece };
        escape_html(words, |part| out.push_str(part));
        let place = marked.and_then(|mark| MARKS.clone().position(|known| known == mark));
        out.push_str(place.and_then(|place| markup.get(place)?.as_str()).unwrap_or_default());
    }
    out
}

impl Object for Said {
    fn call(self: &Arc<Self>, _: &mut State, arguments: &[Value]) -> Result<Value, Error> {
        let (sentence,): (&str,) = from_args(arguments)?;
        Ok(Value::from(&*self.texts.said(self.language, sentence)))
    }
}

impl Object for Blocks {
    fn call(self: &Arc<Self>, _: &mut State, arguments: &[Value]) -> Result<Value, Error> {
        let (path,): (&str,) = from_args(arguments)?;
        Ok(self.0.get(path).cloned().unwrap_or_default())
    }
}

/// The variables of every language, in the order of [`Texts::all`].
pub(super) fn of_all(
    texts: &Arc<Texts>,
    assets: &Assets,
    base_url: &str,
) -> Result<Vec<Value>, regex::Error> {
    let scripts = ScriptTexts::new(assets)?;
    let url = |path: &str| assets.url(base_url, path);
    let words = |language| variables(texts, language, blocks(texts, language, &scripts, &url));
    Ok(texts.all().map(words).collect())
}
