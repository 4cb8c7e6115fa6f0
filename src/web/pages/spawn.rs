//! `spawn[/<user>[/<server>]]`: starts a server, with an options form if there is one (pages.md 6.5).

pub(super) mod begin;
mod entered;
pub(super) mod options;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use self::begin::Halt;
use self::entered::Entered;
use super::address::{self, Arguments, escape_value};
use super::destination::destination;
use super::form::{Form, Unchecked};
use super::target::{self, Names, Target};
use super::visitor::{SignedIn, Visitor};
use crate::domain::profiles::Unfit;
use crate::domain::user_options::Options;
use crate::domain::xsrf;
use crate::store::servers::{self, Server};
use crate::web::choice;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{ErrorPage, NotRunningPage, SpawnPage};
use crate::web::state::Hub;

const SCOPES: &[&str] = &["servers"];

/// What is said to who comes back to a form that was sent from another session.
const OTHER_SESSION: &str = "You have signed in again since you opened this page. Nothing was started. Look at \
                             what you entered, and press Start once more.";
/// What is said to who is no longer signed in.
const SIGNED_OUT: &str =
    "Your session has ended, so nothing was started. What you entered is kept: sign in to go on.";

/// Why the form is shown again.
enum Problem {
    /// What is entered is no choice.
    Unfit(Unfit),
    /// The start did not come about, or failed at once.
    Halt(Halt),
}

impl<E: Into<Halt>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Halt(error.into())
    }
}

/// `GET`: shows the form, or starts the server at once.
///
/// # Errors
/// 400 for a name that cannot be, 403 and 404 as usual, 422 for nameless options, 429 when there is no room, 500 if
/// the start fails within a second.
pub async fn show(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let target = target::find(&hub, &visitor, &names, SCOPES).await?;
    begin::check_name(&hub, &target, &visitor.visitor.arguments()).await?;
    let status = hub.servers.status(&target.key);
    if status.ready {
        let to = destination(&hub, &visitor.visitor, Some(hub.servers.url(&target.key))).await?;
        return visitor.visitor.redirect(StatusCode::FOUND, &to);
    }
    if status.is_active() {
        return to_pending(&hub, visitor, &target);
    }
    let linked = options::linked(&hub, &visitor);
    let linked = linked.map_err(|odd| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, odd.to_string()))?;
    if linked.is_empty() && options::has_form(&hub) {
        return form(&hub, visitor, &target, Filled::Last, None).await;
    }
    let begun = if linked.is_empty() {
        begin::start(&hub, &visitor, &target, None).await.map_err(Problem::from)
    } else {
        let read = options::of_link(&hub, &target, linked.clone()).await;
        fit_and_start(&hub, &visitor, &target, read).await
    };
    answer(&hub, visitor, &target, Filled::Options(linked), begun).await
}

/// `POST`: starts the server with what the form says. Who is signed out meanwhile, or signed in anew, loses nothing of
/// what they entered.
///
/// # Errors
/// As [`show`]; 400 if the server runs or is on its way.
pub async fn submit(
    hub: web::Data<Hub>,
    request: HttpRequest,
    received: Unchecked,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let answer = receive(&hub, received, &names).await?;
    Ok(if is_script(&request) { leading(answer) } else { answer })
}

/// Whether a script has sent the form, which tells how far large files got (UI-053).
fn is_script(request: &HttpRequest) -> bool {
    request.headers().contains_key("x-requested-with")
}

/// The way on as an answer: a script that is redirected learns of the last step only, after it has taken all of them.
fn leading(mut answer: HttpResponse) -> HttpResponse {
    if answer.headers().contains_key(LOCATION) {
        *answer.status_mut() = StatusCode::ACCEPTED;
    }
    answer
}

async fn receive(
    hub: &web::Data<Hub>,
    received: Unchecked,
    names: &web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let proof = received.check(hub);
    let Unchecked { visitor, form: sent } = received;
    if visitor.user.is_none() {
        return signed_out(hub, visitor, &sent).await;
    }
    let visitor = SignedIn::insist(visitor)?;
    if let Err(refused) = proof {
        if !options::has_form(hub) {
            return Err(refused.into());
        }
        let target = target::find(hub, &visitor, names, SCOPES).await?;
        let problem = Problem::from(Refused::new(refused.status, OTHER_SESSION));
        return form(hub, visitor, &target, Filled::Form(sent), Some(problem)).await;
    }
    let target = target::find(hub, &visitor, names, SCOPES).await?;
    begin::check_name(hub, &target, &visitor.visitor.arguments()).await?;
    let status = hub.servers.status(&target.key);
    if status.is_active() {
        let name = target.key.log_name();
        let why = match status.ready {
            true => format!("{name} is already running"),
            false => format!("{name} is already starting or stopping"),
        };
        return Err(Refused::bad(why).into());
    }
    let read = options::of_form(hub, &target, &sent).await;
    let begun = fit_and_start(hub, &visitor, &target, read).await;
    answer(hub, visitor, &target, Filled::Form(sent), begun).await
}

async fn fit_and_start(
    hub: &Hub,
    visitor: &SignedIn,
    target: &Target,
    read: Result<Options, Refused>,
) -> Result<(), Problem> {
    let groups = choice::groups(hub, target.user.id).await?;
    let options = choice::fitted(hub, read?, &groups).map_err(Problem::Unfit)?;
    Ok(begin::start(hub, visitor, target, Some(options)).await?)
}

async fn answer(
    hub: &Hub,
    visitor: SignedIn,
    target: &Target,
    filled: Filled,
    begun: Result<(), Problem>,
) -> Result<HttpResponse, PageError> {
    match begun {
        Ok(()) => to_pending(hub, visitor, target),
        Err(problem) if options::has_form(hub) => form(hub, visitor, target, filled, Some(problem)).await,
        Err(Problem::Unfit(unfit)) => Err(Refused::from(unfit).into()),
        Err(Problem::Halt(halt)) => halted(hub, visitor, target, halt).await,
    }
}

/// Why nothing starts, where there is no form to tell it: reason, last lines of the log, and another try.
pub(super) async fn halted(
    hub: &Hub,
    visitor: SignedIn,
    target: &Target,
    halt: Halt,
) -> Result<HttpResponse, PageError> {
    let Halt { refused, failure } = halt;
    let Some(failure) = failure else { return Err(refused.into()) };
    let next = visitor.visitor.visit.next(visitor.visitor.arguments().last("next"));
    let page = NotRunningPage {
        owner: target.key.user.to_string(),
        server_name: target.key.server.to_string(),
        spawn_url: Some(target::spawn_url(hub, &target.key, next.as_deref())),
        implicit_spawn_seconds: 0.0,
        failed: true,
        failure: Some(*failure),
    };
    visitor.visitor.page(hub, refused.status, &page).await
}

/// To the page that watches the start; it gets the arguments of this one.
fn to_pending(hub: &Hub, visitor: SignedIn, target: &Target) -> Result<HttpResponse, PageError> {
    let arguments = visitor.visitor.arguments().without(&["display_name", xsrf::NAME]);
    let to = arguments.added_to(&target::links(hub, &target.key).pending_url);
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}

/// Says so, and leads over the login page back to the form with everything in it.
async fn signed_out(hub: &Hub, visitor: Visitor, sent: &Form) -> Result<HttpResponse, PageError> {
    let uri = &visitor.visit.uri;
    let query = Arguments::of(uri).without(&[xsrf::NAME]).added_to(address::path(uri));
    let back = match hub.settings.profiles.is_empty() {
        true => query,
        false => Entered::of_form(sent).arguments().added_to(&query),
    };
    let page = ErrorPage {
        status_code: StatusCode::FORBIDDEN.as_u16(),
        status_message: "Signed out".to_owned(),
        message: Some(SIGNED_OUT.to_owned()),
        sign_in_url: Some(format!("{}?next={}", hub.path("login"), escape_value(&back))),
        ..ErrorPage::default()
    };
    visitor.page(hub, StatusCode::FORBIDDEN, &page).await
}

/// With what the form is filled.
enum Filled {
    /// What was sent.
    Form(Form),
    /// What a link says.
    Options(Options),
    /// What was chosen the last time.
    Last,
}

async fn form(
    hub: &Hub,
    mut visitor: SignedIn,
    target: &Target,
    filled: Filled,
    problem: Option<Problem>,
) -> Result<HttpResponse, PageError> {
    let token = visitor.visitor.xsrf_token(hub);
    let uri = visitor.visitor.visit.uri.clone();
    let arguments = Arguments::of(&uri).without(&[xsrf::NAME]).with(xsrf::NAME, token);
    let mut page = SpawnPage {
        for_user: (target.key.user != visitor.name).then(|| target.key.user.to_string()),
        server_name: target.key.server.to_string(),
        url: arguments.added_to(address::path(&uri)),
        ..SpawnPage::default()
    };
    let mut status = StatusCode::OK;
    let mut retry_after = None;
    let mut unfit = None;
    match problem {
        None => {}
        Some(Problem::Unfit(wrong)) => {
            status = StatusCode::BAD_REQUEST;
            page.error_message = Some("This cannot be started as it is entered.".to_owned());
            unfit = Some(wrong);
        }
        Some(Problem::Halt(Halt { refused, failure })) => {
            status = refused.status;
            retry_after = refused.retry_after;
            page.failure = failure.map(|failure| *failure);
            page.html_error_message = page.failure.as_ref().and_then(|failure| failure.message_html.clone());
            page.error_message = page.html_error_message.is_none().then_some(refused.message);
        }
    }
    if hub.settings.profiles.is_empty() {
        page.spawner_options_form = options::form(hub, target).await?;
        page.entered = match filled {
            Filled::Form(sent) => Some(entered::of_own_form(&sent)),
            Filled::Options(linked) => Some(entered::of_kept(&linked)),
            Filled::Last => last(hub, target).await?.as_ref().map(entered::of_kept),
        };
    } else {
        let groups = choice::groups(hub, target.user.id).await?;
        let entered = match filled {
            Filled::Form(sent) => Entered::of_form(&sent),
            Filled::Options(linked) => Entered::of_options(&linked),
            Filled::Last => match Entered::of_arguments(address::query(&uri)) {
                Some(filled) => filled,
                None => last(hub, target).await?.as_ref().map(Entered::of_options).unwrap_or_default(),
            },
        };
        page.profiles = entered.shown(&hub.settings.profiles, &groups, unfit.as_ref());
        page.problems = unfit.map(|unfit| entered::problems(&unfit, &page.profiles)).unwrap_or_default();
    }
    let mut response = visitor.visitor.page(hub, status, &page).await?;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// What the server was started with last; a new one of the same person begins with what they started last.
async fn last(hub: &Hub, target: &Target) -> Result<Option<Options>, Refused> {
    let kept = |server: &Server| {
        server.user_options.as_ref().and_then(Value::as_object).filter(|kept| !kept.is_empty()).cloned()
    };
    if let Some(own) = target.server.as_ref().and_then(kept) {
        return Ok(Some(own));
    }
    let owner = target.user.id;
    let mut rows = hub.store.read(move |db| servers::of_user(db, owner)).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.started));
    Ok(rows.iter().find_map(kept))
}
