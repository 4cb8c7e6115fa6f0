//! The visitor of a page: known by the login cookie only, with the cookies that the answer will set.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, LOCATION, VARY,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::future::LocalBoxFuture;
use log::error;

use super::address::Arguments;
use crate::actors::sign_in::Freshness;
use crate::domain::access::Resource;
use crate::domain::ids::UserId;
use crate::domain::names::Username;
use crate::domain::xsrf::EndpointKind;
use crate::store::services;
use crate::store::users::User;
use crate::web::caller::{Caller, Notice};
use crate::web::error::{PageError, Refused};
use crate::web::observe::Requester;
use crate::web::render::pages::Page;
use crate::web::render::{PageContext, RenderError, ServiceLink, Viewer};
use crate::web::sign_in;
use crate::web::state::Hub;
use crate::web::texts::Language;
use crate::web::visit::{Renewal, Visit, add_cookies};

/// Who looks at a page.
pub struct Visitor {
    /// The request.
    pub visit: Visit,
    /// Who is signed in.
    pub user: Option<Arc<Caller>>,
    /// When the page's XSRF cookie is renewed.
    pub renewal: Renewal,
    /// `Set-Cookie` lines for the answer.
    pub set_cookies: Vec<HeaderValue>,
    /// What pages are written in.
    pub language: Language,
    xsrf: Option<String>,
}

/// The header with which an open page asks for itself once more.
const REFRESH: &str = "x-orrery-refresh";

fn known_user(caller: &Option<Arc<Caller>>) -> Option<&User> {
    caller.as_deref().and_then(Caller::user)
}

/// Where the hub is kept.
///
/// # Errors
/// If the application was put together without it.
pub fn hub_of(request: &HttpRequest) -> Result<web::Data<Hub>, Refused> {
    request.app_data::<web::Data<Hub>>().cloned().ok_or_else(|| {
        error!("the hub is missing from the application's data");
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    })
}

/// The language that was chosen in this browser, or else the one that it asks for.
pub(super) fn language_of(request: &HttpRequest, hub: &Hub, visit: &Visit) -> Language {
    let accepted = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    hub.renderer.texts().choose(visit.chosen_language(), accepted)
}

impl Visitor {
    /// Finds out who is asking. A login cookie that is not valid is taken away; somebody who is signed in gets a
    /// browser session.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn of(request: &HttpRequest, hub: &Hub) -> Result<Self, Refused> {
        let mut visit = Visit::read(request, hub);
        // browsers poll the addresses of stopped servers, and what an open home page shows, without anybody being there
        let polled =
            ["user/", "home/", "admin/events"].iter().any(|path| visit.uri.starts_with(&hub.path(path)))
                || request.headers().contains_key(REFRESH);
        let notice = if polled { Notice::Nothing } else { Notice::Activity };
        let signed = visit.signed_login(hub);
        let login = signed.as_ref().map(|signed| &signed.login);
        let mut user = match login {
            Some(login) => hub.caller_by_login(login, notice).await?,
            None => None,
        };
        let freshness = match &user {
            Some(caller) => sign_in::freshness(hub, request, caller).await,
            None => Freshness::Fresh,
        };
        match (freshness, login) {
            (Freshness::Renewed, Some(login)) => user = hub.caller_by_login(login, notice).await?,
            // whose sign-in is no longer good is a stranger until the next one
            (Freshness::Expired, _) => user = None,
            _ => {}
        }
        let mut set_cookies = Vec::new();
        if user.is_some() {
            set_cookies.extend(visit.ensure_session(hub)?);
            if let (Notice::Activity, Some(signed), Some(user)) = (notice, &signed, known_user(&user)) {
                hub.note_login(&visit, signed, user);
            }
        } else if freshness.is_good() && visit.sent_login_cookie(hub) {
            set_cookies.extend(visit.cleared_login(hub));
        }
        let language = language_of(request, hub, &visit);
        Ok(Self { visit, user, renewal: Renewal::IfNeeded, set_cookies, language, xsrf: None })
    }

    /// The arguments of the request's address.
    #[must_use]
    pub fn arguments(&self) -> Arguments {
        Arguments::of(&self.visit.uri)
    }

    /// Checks the XSRF token if this request needs one; `field` is the one of a form.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn check_xsrf(&self, hub: &Hub, field: Option<&str>) -> Result<(), Refused> {
        let arguments = self.arguments();
        let argument = field.or_else(|| arguments.last(crate::domain::xsrf::NAME));
        self.visit.check_xsrf(hub, self.user.as_deref(), EndpointKind::Page, argument)
    }

    /// The token for this page's forms and scripts. The same one however often it is asked for.
    pub fn xsrf_token(&mut self, hub: &Hub) -> String {
        if let Some(token) = &self.xsrf {
            return token.clone();
        }
        let (token, line) = self.visit.xsrf(hub, self.user.as_deref(), self.renewal);
        // elsewhere the browser does not send the hub's cookies: a stranger's token would replace a user's
        if self.visit.uri.starts_with(&hub.settings.hub_prefix) {
            self.set_cookies.extend(line);
        }
        self.xsrf = Some(token.clone());
        token
    }

    /// Makes this the visit of somebody else, or of nobody: tokens made before are void.
    pub fn become_user(&mut self, user: Option<Arc<Caller>>) {
        self.user = user;
        self.xsrf = None;
    }

    /// Answers with a page.
    ///
    /// # Errors
    /// If the database or the template fails.
    pub async fn page<P: Page>(
        mut self,
        hub: &Hub,
        status: StatusCode,
        page: &P,
    ) -> Result<HttpResponse, PageError> {
        let html = self.render(hub, page, None).await?;
        Ok(self.written(hub, status, html))
    }

    /// Answers with a page that is already made.
    pub fn written(self, hub: &Hub, status: StatusCode, html: String) -> HttpResponse {
        let texts = hub.renderer.texts();
        let mut response = HttpResponse::build(status);
        response
            .insert_header((CONTENT_TYPE, "text/html; charset=UTF-8"))
            .insert_header((CONTENT_LANGUAGE, texts.tag(self.language)));
        if texts.is_choice() {
            response.insert_header((VARY, "Accept-Language, Cookie"));
        }
        self.finish(&mut response, html)
    }

    /// Makes a page for this visitor.
    ///
    /// # Errors
    /// If the database or the template fails.
    pub async fn render<P: Page>(
        &mut self,
        hub: &Hub,
        page: &P,
        logo_url: Option<String>,
    ) -> Result<String, Refused> {
        let user = self.user.as_deref();
        let viewer = user.map(|caller| Viewer { name: caller.name().to_owned(), admin: caller.is_admin() });
        let admin_link = user.is_some_and(|caller| caller.may(&["admin-ui"], Resource::None));
        let services = match user {
            Some(caller) => service_links(hub, caller).await?,
            None => Vec::new(),
        };
        let xsrf_token = self.xsrf_token(hub);
        let context = PageContext {
            user: viewer,
            admin_link,
            services,
            xsrf_token,
            logo_url,
            address: self.visit.uri.clone(),
            language: self.language,
        };
        hub.renderer.render(&context, page).map_err(|failed: RenderError| Refused::internal(&failed))
    }

    /// Answers with a redirect.
    ///
    /// # Errors
    /// If `to` cannot be a header's value.
    pub fn redirect(self, status: StatusCode, to: &str) -> Result<HttpResponse, PageError> {
        let location = HeaderValue::from_str(to).map_err(|odd| Refused::internal(&odd))?;
        Ok(self.finish(HttpResponse::build(status).insert_header((LOCATION, location)), String::new()))
    }

    /// Answers with this body, and sets the cookies.
    pub fn finish(self, response: &mut HttpResponseBuilder, body: String) -> HttpResponse {
        let mut response = response.body(body);
        if let Some(user) = self.user {
            // after signing out, "back" must not show the account again (UI-015)
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response.extensions_mut().insert(Requester(user));
        }
        add_cookies(response.headers_mut(), self.set_cookies);
        response
    }
}

/// The services that pages list: those with an address, shown, and open to this user (pages.md 5).
async fn service_links(hub: &Hub, caller: &Caller) -> Result<Vec<ServiceLink>, Refused> {
    if !caller.scopes.has_base("access:services") {
        return Ok(Vec::new());
    }
    let all = hub.store.read(services::list).await?;
    let open = |name: &str| caller.may(&["access:services"], Resource::Service(name));
    let definitions = all.into_iter().map(|service| service.definition);
    let listed =
        definitions.filter(|service| service.display && service.url.is_some() && open(&service.name));
    let link = |name: String| ServiceLink { href: hub.settings.places.service_url(&name), name };
    Ok(listed.map(|service| link(service.name)).collect())
}

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let hub = hub_of(&request)?;
            Ok(Self::of(&request, &hub).await?)
        })
    }
}

/// A visitor who is signed in; anybody else is sent to the login page.
pub struct SignedIn {
    /// The visitor.
    pub visitor: Visitor,
    /// What the user may do.
    pub caller: Arc<Caller>,
    /// The user's row.
    pub id: UserId,
    /// The user's name.
    pub name: Username,
}

impl SignedIn {
    /// Insists that the visitor is signed in.
    ///
    /// # Errors
    /// [`PageError::LoginNeeded`].
    pub fn insist(visitor: Visitor) -> Result<Self, PageError> {
        let caller = visitor.user.clone().ok_or(PageError::LoginNeeded)?;
        let User { id, name, .. } = caller.user().ok_or(PageError::LoginNeeded)?;
        let (id, name) = (*id, name.clone());
        Ok(Self { visitor, caller, id, name })
    }
}

impl FromRequest for SignedIn {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let visitor = Visitor::from_request(request, payload);
        Box::pin(async move { Self::insist(visitor.await?) })
    }
}
