//! Turning values into HTML pages.
//!
//! Templates are compiled once, from the program or from the site's own folders, and everything printed is escaped
//! unless a template says `|safe`. Nothing here looks anything up: pages get plain values ([`pages`]) and what every
//! page shows about the visitor ([`PageContext`]).

pub mod pages;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use minijinja::value::{Serde, Value};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Template, TemplateSource, context,
    escape_formatter, path_loader,
};
use rust_embed::RustEmbed;
use serde::Serialize;

use crate::actors::notices::Board;
use crate::domain::timestamp;
use crate::web::assets::Assets;
use crate::web::texts::{Language, LanguageSettings, Texts, TextsError, Voice};
use pages::{LoginPage, Page};

/// What pages call the hub; `hub.ui.template_vars` may say otherwise.
const HUB_NAME: &str = "Orrery";

#[derive(RustEmbed)]
#[folder = "src/web/templates"]
struct Templates;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template cannot be read or has a mistake. The site's own templates are the usual culprits.
    #[error("the template {name} cannot be used; check the folders in hub.ui.template_paths")]
    Template {
        /// The template that was asked for; the source names the one at fault.
        name: String,
        /// Template, line and kind of mistake.
        #[source]
        source: Error,
    },
    /// The words cannot be used.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A pattern of ours is none.
    #[error("the scripts cannot be searched for words")]
    Scripts(#[from] regex::Error),
}

/// What is the same for every page of a hub.
#[derive(Debug, Clone)]
pub struct Site {
    /// The public base URL, `/` at both ends; the hub's own pages live below `<prefix>hub/`.
    pub prefix: String,
    /// Where "Login" leads; an authenticator may have its own.
    pub login_url: String,
    /// Where "Logout" leads.
    pub logout_url: String,
    /// `hub.ui.template_vars`: seen by every page, stronger than what [`PageContext`] says, weaker than a page's own.
    /// `announcement`, `announcement_<page>` and `login_term_url` mean something to the built-in pages.
    pub template_vars: serde_json::Map<String, serde_json::Value>,
    /// `hub.ui.template_paths`: folders whose templates replace built-in ones; those stay reachable as
    /// `templates/<name>`. A folder `locales` in them has languages.
    pub template_paths: Vec<PathBuf>,
    /// Which languages people may choose.
    pub languages: LanguageSettings,
    /// What the operator tells everybody, on every page.
    pub board: Board,
    /// The version of the site's own logo, which then stands alone, without the hub's name.
    pub own_logo: Option<String>,
}

impl Site {
    /// A hub below `prefix` without any changes to its pages.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            login_url: format!("{prefix}hub/login"),
            logout_url: format!("{prefix}hub/logout"),
            template_vars: serde_json::Map::new(),
            template_paths: Vec::new(),
            languages: LanguageSettings::default(),
            board: Board::default(),
            own_logo: None,
        }
    }
}

/// Who looks at a page.
#[derive(Debug, Clone, Serialize)]
pub struct Viewer {
    /// The hub user name.
    pub name: String,
    /// Whether this is an administrator. For site templates; what one may do is decided by scopes.
    pub admin: bool,
}

/// An entry of the services menu.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceLink {
    /// The service's name.
    pub name: String,
    /// Its address, for `href`.
    pub href: String,
}

/// What every page shows about the visitor. It holds a token, so it does not print itself.
#[derive(Clone, Default, Serialize)]
pub struct PageContext {
    /// The person who is signed in: always the visitor, never somebody whose server they look at.
    pub user: Option<Viewer>,
    /// Whether the menu has "Admin" (scope `admin-ui`).
    pub admin_link: bool,
    /// The services that the visitor may open.
    pub services: Vec<ServiceLink>,
    /// The XSRF token of this visit, for forms and scripts.
    pub xsrf_token: String,
    /// Where the logo leads when not to the hub's front page.
    pub logo_url: Option<String>,
    /// The address that was asked for: where choosing another language leads back to.
    pub address: String,
    /// What the page is written in.
    #[serde(skip)]
    pub language: Language,
}

/// Makes pages. Shared by all requests; building one reads and compiles every built-in page.
pub struct Renderer {
    environment: Environment<'static>,
    /// Values of every page, from [`Site`].
    base: Value,
    template_vars: Value,
    board: Board,
    texts: Arc<Texts>,
    /// What templates call for words, by language.
    words: Vec<Value>,
}

impl Renderer {
    /// Compiles the pages of `site`.
    ///
    /// # Errors
    /// [`RenderError::Template`] when a template, usually one of the site's, has a mistake; [`RenderError::Texts`] when that is
    /// so of a language.
    pub fn new(site: &Site, assets: Arc<Assets>) -> Result<Self, RenderError> {
        let base_url = format!("{}hub/", site.prefix);
        let logo = site.own_logo.clone().unwrap_or_else(|| assets.logo().version);
        let base = context! {
            hub_name => HUB_NAME,
            logo_src => format!("{base_url}logo?v={logo}"),
            own_logo => site.own_logo.is_some(),
            base_url => &base_url,
            prefix => &site.prefix,
            login_url => &site.login_url,
            logout_url => &site.logout_url,
        };
        let texts = Arc::new(Texts::new(&site.languages, &site.template_paths)?);
        let words = words::of_all(&texts, &assets, &base_url)?;
        let mut environment = environment(site.template_paths.clone());
        environment.add_function("static_url", move |path: &str| assets.url(&base_url, path));
        let template_vars = Value::from(Serde(&site.template_vars));
        let renderer = Self { environment, base, template_vars, board: site.board.clone(), texts, words };
        renderer.compile_all()?;
        Ok(renderer)
    }

    /// The languages of the pages.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Says what pages are to show, in one language.
    #[must_use]
    pub fn voice(&self, language: Language) -> Voice {
        Voice::new(Arc::clone(&self.texts), language)
    }

    fn words(&self, language: Language) -> Value {
        let place = self.texts.all().position(|known| known == language);
        place.and_then(|place| self.words.get(place)).cloned().unwrap_or_default()
    }

    /// Makes one page.
    ///
    /// # Errors
    /// [`RenderError::Template`] when a template fails: [`plain_error`] is what can be shown then.
    pub fn render<P: Page>(&self, visitor: &PageContext, page: &P) -> Result<String, RenderError> {
        let announcement = self.announcement(P::ANNOUNCEMENT);
        let now = Utc::now();
        let shown = context! {
            announcement,
            notices => Value::from(Serde(self.board.now().shown(now))),
            page_name => P::TEMPLATE.trim_end_matches(".html"),
            now => timestamp::format(now),
        };
        let values = context! {
            ..shown,
            ..self.words(visitor.language),
            ..Value::from(Serde(page)),
            ..self.template_vars.clone(),
            ..Value::from(Serde(visitor)),
            ..self.base.clone(),
        };
        self.template(page)
            .and_then(|template| template.render(values))
            .map_err(|source| RenderError::Template { name: P::TEMPLATE.to_owned(), source })
    }

    /// Makes the operator's own sign-in form (authenticators.md 7).
    ///
    /// # Errors
    /// [`RenderError::Template`] if it has a mistake.
    pub fn login_html(
        &self,
        html: &str,
        page: &LoginPage,
        next: &str,
        xsrf_token: &str,
        authenticator: &str,
        language: Language,
    ) -> Result<String, RenderError> {
        let values = context! {
            ..self.words(language),
            ..context! {
                next => crate::web::pages::address::escape_value(next),
                authenticator,
                xsrf => context! { name => crate::domain::xsrf::NAME, value => xsrf_token },
            },
            ..Value::from(Serde(page)),
            ..self.base.clone(),
        };
        let made = self.environment.template_from_named_str("auth.login_html.html", html);
        made.and_then(|template| template.render(values))
            .map_err(|source| RenderError::Template { name: "auth.login_html".to_owned(), source })
    }

    /// The page's preferred template where there is one, else its usual one.
    fn template<P: Page>(&self, page: &P) -> Result<Template<'_, '_>, Error> {
        let Some(preferred) = page.preferred_template() else {
            return self.environment.get_template(P::TEMPLATE);
        };
        match self.environment.get_template(&preferred) {
            Err(error) if error.kind() == ErrorKind::TemplateNotFound => {
                self.environment.get_template(P::TEMPLATE)
            }
            found => found,
        }
    }

    /// A page's own announcement if it is a string, an empty one included; else the general one (pages.md 8).
    fn announcement(&self, own: Option<&str>) -> Value {
        let variable = |name| self.template_vars.get_attr(name).unwrap_or_default();
        own.map(variable).filter(|text| text.as_str().is_some()).unwrap_or_else(|| variable("announcement"))
    }

    fn compile_all(&self) -> Result<(), RenderError> {
        for name in Templates::iter() {
            self.environment
                .get_template(&name)
                .map_err(|source| RenderError::Template { name: name.clone().into_owned(), source })?;
        }
        Ok(())
    }
}

/// An error page that needs no template, for when making the real one failed.
#[must_use]
pub fn plain_error(status_code: u16, status_message: &str) -> String {
    let mut text = String::new();
    escape_html(status_message, |part| text.push_str(part));
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{status_code}</title>\n\
         <main><h1>{status_code} : {text}</h1></main></html>\n"
    )
}

fn environment(site_folders: Vec<PathBuf>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_formatter(format_value);
    // a page half written must not be shown; a reload of the configuration takes changes over
    environment.set_auto_reload(false);
    let site: Vec<_> = site_folders.into_iter().map(path_loader).collect();
    environment.set_loader(move |name| {
        let ours = name.strip_prefix("templates/");
        if ours.is_none() {
            for load in &site {
                if let Some(found) = load(name)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(built_in(ours.unwrap_or(name)))
    });
    environment
}

fn built_in(name: &str) -> Option<TemplateSource> {
    let file = Templates::get(name)?;
    Some(String::from_utf8_lossy(&file.data).into())
}

/// Escapes like the default formatter, except that `/` stays: addresses in attributes remain what they are, also for
/// programs that read our pages without decoding entities.
fn format_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() && *state.auto_escape() == AutoEscape::Html => {
            let mut result = Ok(());
            escape_html(text, |part| {
                if result.is_ok() {
                    result = out.write_str(part);
                }
            });
            result.map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// Gives `write` the parts of `text`, harmless in HTML text and quoted attributes.
fn escape_html(text: &str, mut write: impl FnMut(&str)) {
    for piece in text.split_inclusive(['<', '>', '&', '"', '\'']) {
        let mut characters = piece.chars();
        let replacement = match characters.next_back() {
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('&') => "&amp;",
            Some('"') => "&quot;",
            Some('\'') => "&#39;",
            _ => {
                write(piece);
                continue;
            }
        };
        write(characters.as_str());
        write(replacement);
    }
}

#[cfg(test)]
mod tests;
