//! Signing in over HTTP: what a request brings, the limiter before it, and what its errors look like from outside.

mod attempts;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest};
use log::{error, info, warn};

use self::attempts::Attempts;
use super::caller::Caller;
use super::error::Refused;
use super::state::Hub;
use super::visit;
use crate::actors::sign_in::{self, Denied, Freshness, Moment, Proven, SignInError};
use crate::auth::{AuthError, Credentials, Dialogue, Origin, Wait};
use crate::domain::allow::loggable;
use crate::domain::names::Username;
use crate::events::SessionAction;
use crate::metrics::Outcome;
use crate::secret::Secret;
use crate::store::users::User;

/// Headers that say nothing of who someone is, or are secrets of the hub.
const UNSEEN: [&str; 8] = [
    "cookie",
    "authorization",
    "proxy-authorization",
    "x-xsrftoken",
    "x-csrftoken",
    "content-type",
    "content-length",
    "transfer-encoding",
];

/// Why an attempt led nowhere.
#[derive(Debug)]
pub enum Turned {
    /// Wrong credentials, or a rule: the person learns no more than that.
    Away,
    /// Too many attempts failed before.
    Wait(Wait),
    /// Something that the person is told.
    Told(Refused),
}

impl From<SignInError> for Refused {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Denied(_) => Self::forbidden("Invalid username or password"),
            SignInError::Refused { status, message } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
                let message = if message.is_empty() {
                    status.canonical_reason().unwrap_or("Refused").to_owned()
                } else {
                    message
                };
                Self::new(status, message)
            }
            SignInError::Role(_) => Self::conflict(error.to_string()),
            SignInError::Store(error) => error.into(),
            SignInError::Auth(AuthError::Launch(_) | AuthError::Pam(_) | AuthError::Ticket(_)) => {
                let told = "Signing in with the system's accounts does not work at the moment. The hub's log says why.";
                Self { message: told.to_owned(), ..Self::internal(&error) }
            }
            SignInError::Auth(error @ (AuthError::NoAccount(_) | AuthError::Creation(_))) => {
                let told = "You have no account on this machine. Ask the administrator.";
                Self { message: told.to_owned(), ..Self::internal(&error) }
            }
            SignInError::NoGroups(_)
            | SignInError::Auth(_)
            | SignInError::Encrypt(_)
            | SignInError::Account(_) => Self::internal(&error),
        }
    }
}

impl From<Wait> for Refused {
    fn from(wait: Wait) -> Self {
        let seconds = wait.seconds();
        let message = format!("Too many sign-ins have failed. Try again in {seconds} seconds.");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, message) }
    }
}

impl From<Turned> for Refused {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Away => SignInError::Denied(Denied::Credentials).into(),
            Turned::Wait(wait) => wait.into(),
            Turned::Told(refused) => refused,
        }
    }
}

/// What a request says besides its body.
#[must_use]
pub fn origin(request: &HttpRequest, hub: &Hub) -> Origin {
    let headers = request.headers().iter().filter(|(name, _)| !UNSEEN.contains(&name.as_str()));
    Origin {
        address: visit::address(request, hub),
        method: request.method().to_string(),
        uri: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), Secret::new(value.to_str().ok()?))))
            .collect(),
    }
}

/// What was typed or sent: `fields` by name; surrounding space belongs to no name, but may to a password (AUTH-011).
#[must_use]
pub fn credentials<'f>(origin: Origin, fields: impl Iterator<Item = (&'f str, &'f str)>) -> Credentials {
    let mut others: BTreeMap<String, String> =
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    others.remove(crate::domain::xsrf::NAME);
    let username = others.remove("username").unwrap_or_default().trim().to_owned();
    let password = Secret::new(others.remove("password").unwrap_or_default());
    let otp = others.remove("otp").map(Secret::new);
    Credentials { username, password, otp, fields: others, origin }
}

/// A sign-in that waits for the person's answer.
pub struct Pending {
    /// What is asked.
    pub dialogue: Box<Dialogue>,
    attempts: Attempts,
}

/// How far somebody has come.
pub enum Progress {
    /// They have proved who they are, and the rules let them in.
    Proven(Box<Proven>),
    /// More is asked, which only the person can answer.
    Asks(Box<Pending>),
}

/// Finds out who the credentials prove somebody to be. Every way to try a password comes through here (SEC-053).
///
/// # Errors
/// [`Turned`]; the log says why.
pub async fn prove(hub: &Hub, credentials: &Credentials) -> Result<Progress, Turned> {
    let Credentials { username, origin, .. } = credentials;
    let attempts = Attempts::begin(&hub.limiter, username, origin.address);
    let attempts = attempts.map_err(|wait| held_up(username, origin, wait))?;
    let came_to = hub.sign_in.prove(credentials).await;
    settle(hub, attempts, username, origin, came_to)
}

/// Goes on with an answer.
///
/// # Errors
/// [`Turned`]; the log says why. The sign-in is over then.
pub async fn answer(
    hub: &Hub,
    pending: Pending,
    answer: &Secret,
    origin: &Origin,
) -> Result<Progress, Turned> {
    let Pending { dialogue, mut attempts } = pending;
    let username = dialogue.username().to_owned();
    attempts.again(&username, origin.address).map_err(|wait| held_up(&username, origin, wait))?;
    let came_to = hub.sign_in.go_on(dialogue, answer, origin).await;
    settle(hub, attempts, &username, origin, came_to)
}

fn held_up(username: &str, origin: &Origin, wait: Wait) -> Turned {
    let user = loggable(username);
    info!(user = user.as_str(), address:% = origin.address, seconds = wait.seconds();
        "login refused: too many have failed");
    Turned::Wait(wait)
}

/// Counts what came of it, and writes down who was turned away.
fn settle(
    hub: &Hub,
    attempts: Attempts,
    username: &str,
    origin: &Origin,
    came_to: Result<sign_in::Progress, SignInError>,
) -> Result<Progress, Turned> {
    let user = loggable(username);
    let (user, address) = (user.as_str(), origin.address);
    let error = match came_to {
        Ok(sign_in::Progress::Proven(proven)) => {
            attempts.succeeded();
            return Ok(Progress::Proven(proven));
        }
        Ok(sign_in::Progress::Asks(dialogue)) => {
            return Ok(Progress::Asks(Box::new(Pending { dialogue, attempts })));
        }
        Err(error) => error,
    };
    match error {
        SignInError::Denied(reason) => {
            warn!(user, address:%, reason:% = reason; "login failed");
            hub.journal.sign_in_refused(user, how(origin), &reason.to_string(), Some(address));
            return Err(Turned::Away);
        }
        SignInError::Refused { status, ref message } if status < 500 => {
            let reason = loggable(message);
            warn!(user, address:%, status, reason = reason.as_str(); "login refused");
            hub.journal.sign_in_refused(user, how(origin), &reason, Some(address));
        }
        _ => attempts.undecided(),
    }
    Err(Turned::Told(error.into()))
}

/// The way that somebody tries to come in, for the journal.
fn how(origin: &Origin) -> &'static str {
    if origin.uri.contains("/api/") { "api" } else { "form" }
}

/// Makes or updates the user, and writes down that somebody has signed in.
async fn admit(hub: &Hub, proven: Proven, how: &str, address: IpAddr) -> Result<User, Turned> {
    let name = proven.name.clone();
    match hub.sign_in.admit(proven).await {
        Ok(user) => {
            hub.journal.signed_in(user.name.as_str(), how, Some(address));
            hub.events.session(SessionAction::Login, user.name.as_str());
            info!(user = user.name.as_str(); "user logged in");
            Ok(user)
        }
        Err(SignInError::Denied(reason)) => {
            let name = loggable(name.as_str());
            hub.journal.sign_in_refused(&name, how, &reason.to_string(), Some(address));
            warn!(user = name.as_str(), reason:% = reason; "login failed");
            Err(Turned::Away)
        }
        Err(error) => Err(Turned::Told(error.into())),
    }
}

/// Where a form has led.
pub enum Entered {
    /// In.
    User(Box<User>),
    /// To a question.
    Asks(Box<Pending>),
}

/// Signs in with what was typed on the login page.
///
/// # Errors
/// [`Turned`], as [`prove`].
pub async fn by_form(hub: &Hub, credentials: &Credentials) -> Result<Entered, Turned> {
    let begun = Instant::now();
    let progress = prove(hub, credentials).await;
    enter(hub, progress, credentials.origin.address, begun).await
}

/// Goes on with what was answered on the login page.
///
/// # Errors
/// [`Turned`], as [`answer`].
pub async fn by_answer(
    hub: &Hub,
    pending: Pending,
    given: &Secret,
    origin: &Origin,
) -> Result<Entered, Turned> {
    let begun = Instant::now();
    let progress = answer(hub, pending, given, origin).await;
    enter(hub, progress, origin.address, begun).await
}

async fn enter(
    hub: &Hub,
    progress: Result<Progress, Turned>,
    address: IpAddr,
    begun: Instant,
) -> Result<Entered, Turned> {
    let signed_in = match progress {
        Ok(Progress::Asks(pending)) => return Ok(Entered::Asks(pending)),
        Ok(Progress::Proven(proven)) => admit(hub, *proven, "form", address).await,
        Err(turned) => Err(turned),
    };
    hub.metrics.login(Outcome::of(signed_in.is_ok()), begun.elapsed());
    signed_in.map(|user| Entered::User(Box::new(user)))
}

/// Signs in with what the request says by itself: a reverse proxy's header, say. No password is tried, so nothing is
/// limited.
///
/// # Errors
/// [`Turned`], as [`prove`].
pub async fn by_request(hub: &Hub, request: &HttpRequest) -> Result<User, Turned> {
    let begun = Instant::now();
    let credentials = Credentials::of_request(origin(request, hub));
    let address = credentials.origin.address;
    let signed_in = match hub.sign_in.prove(&credentials).await {
        Ok(sign_in::Progress::Proven(proven)) => admit(hub, *proven, "request", address).await,
        // nobody is there to be asked
        Ok(sign_in::Progress::Asks(_)) => Err(Turned::Away),
        Err(SignInError::Denied(reason)) => {
            hub.journal.sign_in_refused("", "request", &reason.to_string(), Some(address));
            warn!(address:%, reason:% = reason; "automatic login failed");
            Err(Turned::Away)
        }
        Err(error) => Err(Turned::Told(error.into())),
    };
    hub.metrics.login(Outcome::of(signed_in.is_ok()), begun.elapsed());
    signed_in
}

/// Sees to it that somebody who becomes a user has an account on this machine, where `[auth]` wants that (AUTH-027).
///
/// # Errors
/// 400 that says what is missing, or what the command that makes accounts said.
pub async fn ensure_account(hub: &Hub, name: &Username) -> Result<(), Refused> {
    match hub.authenticator.ensure_account(name).await {
        Err(error @ (AuthError::NoAccount(_) | AuthError::Creation(_))) => {
            Err(Refused::bad(format!("Failed to create user: {error}")))
        }
        other => other.map_err(|error| Refused::internal(&error)),
    }
}

/// Makes the login tickets of a user void.
///
/// # Errors
/// 503 if the privileged programs do not do it. The hub has forgotten its copy all the same.
pub async fn revoke_tickets(hub: &Hub, name: &Username) -> Result<(), Refused> {
    let Err(failed) = hub.authenticator.revoke_tickets(name).await else { return Ok(()) };
    error!(user = name.as_str(), error:% = failed; "login tickets could not be made void");
    let told = format!(
        "All else is done, but the login tickets of {name} could not be made void: the hub's log says why. The hub has \
         forgotten its copy."
    );
    Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, told))
}

/// What a check of this request's caller said; asked once a request.
#[derive(Debug, Clone, Copy)]
struct Checked(Freshness);

/// Whether the caller is still who they were. Services always are, and so is everybody where nothing can be asked.
/// [`Freshness::Renewed`]: the caller has to be looked up again, for rights may be gone.
pub async fn freshness(hub: &Hub, request: &HttpRequest, caller: &Caller) -> Freshness {
    let Some(user) = caller.user().filter(|_| hub.sign_in.can_refresh()) else { return Freshness::Fresh };
    let known = request.extensions().get::<Checked>().copied();
    if let Some(Checked(freshness)) = known {
        return freshness;
    }
    let freshness = hub.sign_in.freshness(user, Moment::Request).await;
    request.extensions_mut().insert(Checked(freshness));
    freshness
}

/// As [`freshness`], for a token: without `auth.refresh.strict` a stale sign-in is worth a warning only.
pub async fn token_freshness(hub: &Hub, request: &HttpRequest, caller: &Caller) -> Freshness {
    match freshness(hub, request, caller).await {
        Freshness::Expired if !hub.sign_in.is_strict() => {
            warn!(user = caller.name(); "a token is used though its owner's sign-in is no longer good");
            Freshness::Fresh
        }
        other => other,
    }
}

/// Checks the owner of a server before it is started or stopped (`auth.refresh.before_spawn`, `.before_stop`).
///
/// # Errors
/// 403 if the owner has to sign in again and is the one who asks, or, before a start, if checks are strict.
pub async fn check_owner(hub: &Hub, caller: &Caller, owner: &User, moment: Moment) -> Result<(), Refused> {
    if hub.sign_in.freshness(owner, moment).await.is_good() {
        return Ok(());
    }
    let own = caller.user().is_some_and(|user| user.id == owner.id);
    let refused = match moment {
        Moment::Spawn => hub.sign_in.is_strict() || (own && caller.token.is_none()),
        Moment::Stop | Moment::Request => own,
    };
    if refused {
        return Err(Refused::forbidden(format!("{} has to sign in again first.", owner.name)));
    }
    warn!(user = owner.name.as_str(); "going on though the owner's sign-in is no longer good");
    Ok(())
}
