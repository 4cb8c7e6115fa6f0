//! `token`: the visitor's API tokens, and the applications that act for the visitor (pages.md 6.10). Making and revoking
//! them is the REST API's; the page's script asks for it, and its forms do without a script.

mod offered;
mod stale;

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::form::{Form, Submission};
use super::visitor::SignedIn;
use crate::domain::timestamp;
use crate::store::oauth::HUB_CLIENT;
use crate::store::tokens::{self, Token, TokenOwner, TokenPurpose};
use crate::web::api::tokens::issue;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{ExpiryOption, Span, TokenClient, TokenKind, TokenPage, TokenRow};
use crate::web::state::Hub;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// What is preselected where there is no limit: a month.
const USUAL: &str = "2592000";

/// Lifetimes that are offered, in seconds.
const LIFETIMES: [(u64, &str); 5] =
    [(HOUR, "1 Hour"), (DAY, "1 Day"), (7 * DAY, "1 Week"), (30 * DAY, "1 Month"), (365 * DAY, "1 Year")];

/// Shows them.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    page(&hub, visitor, StatusCode::OK, Answer::default()).await
}

/// What a form led to.
#[derive(Default)]
struct Answer {
    /// The secret of the token that was made.
    secret: Option<String>,
    /// Why none was made.
    problem: Option<String>,
    /// What was typed, to be typed no second time.
    note: String,
    scopes: String,
}

/// `POST`: makes a token, and shows it once.
///
/// # Errors
/// 403 for who may not; what is wrong with the request is told on the page.
pub async fn create(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let asked = match request(&form) {
        Ok(asked) => issue::make(&hub, &visitor.caller, visitor.name.clone(), &asked).await,
        Err(refused) => Err(refused),
    };
    let typed = |name| form.last(name).unwrap_or_default().to_owned();
    let (status, answer) = match asked {
        Ok(made) => (StatusCode::OK, Answer { secret: Some(made.secret().to_owned()), ..Answer::default() }),
        Err(refused) if refused.status == StatusCode::BAD_REQUEST => {
            let problem = Some(refused.message);
            (refused.status, Answer { problem, note: typed("note"), scopes: typed("scopes"), secret: None })
        }
        Err(refused) => return Err(refused.into()),
    };
    page(&hub, visitor, status, answer).await
}

/// `POST token/revoke`: revokes a token, or all of an application.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn revoke(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let id = form.last("id").unwrap_or_default().to_owned();
    crate::web::api::tokens::take_back(&hub, &visitor.caller, visitor.name.clone(), id).await?;
    let back = match stale::asked(form.last(stale::SHOW)) {
        TokenKind::All => hub.path("token"),
        kind => hub.path(&format!("token?{}={}", stale::SHOW, kind.as_str())),
    };
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &back)
}

/// The form as the body of a request to the REST API.
fn request(form: &Form) -> Result<Map<String, Value>, Refused> {
    let mut asked = Map::new();
    let typed = |name| form.last(name).map(str::trim).filter(|text| !text.is_empty());
    asked.insert("note".to_owned(), typed("note").unwrap_or("Requested on the token page").into());
    if let Some(seconds) = typed("expires_in") {
        let seconds: i64 =
            seconds.parse().map_err(|_| Refused::bad("Choose one of the lifetimes that are offered."))?;
        asked.insert("expires_in".to_owned(), seconds.into());
    }
    let separators = |c: char| c.is_whitespace() || c == ',';
    let free = typed("scopes").unwrap_or_default().split(separators).filter(|scope| !scope.is_empty());
    let scopes: Vec<&str> = form.all("scope").chain(free).collect();
    if !scopes.is_empty() {
        asked.insert("scopes".to_owned(), scopes.into());
    }
    Ok(asked)
}

async fn page(
    hub: &Hub,
    visitor: SignedIn,
    status: StatusCode,
    answer: Answer,
) -> Result<HttpResponse, PageError> {
    let owner = TokenOwner::User(visitor.id);
    let now = Utc::now();
    let all = hub.store.read(move |db| tokens::of_owner(db, owner, now)).await?;
    let (own, applications): (Vec<Token>, Vec<Token>) =
        all.into_iter().rev().partition(|token| token.client_id == HUB_CLIENT);
    let shown = stale::asked(visitor.visitor.arguments().last(stale::SHOW));
    let longest = hub.settings.token_max_lifetime;
    let page = TokenPage {
        tokens_api_url: hub.path(&format!("api/users/{}/tokens", visitor.name.escaped())),
        token_choices: stale::choices(&own, shown, now),
        token_kind: shown,
        api_tokens: own.into_iter().filter(|token| stale::is(token, shown, now)).map(row).collect(),
        oauth_clients: clients(applications),
        token_expires_in_options: expiry_options(longest),
        token_expires_in_max_seconds: longest.as_secs(),
        offered_scopes: offered::scopes(&visitor.caller, &visitor.name, &hub.catalogue),
        new_token: answer.secret,
        problem: answer.problem,
        note: answer.note,
        scopes: answer.scopes,
    };
    visitor.visitor.page(hub, status, &page).await
}

fn id(token: &Token) -> String {
    format!("a{}", token.id.0)
}

fn row(token: Token) -> TokenRow {
    TokenRow {
        api_id: id(&token),
        of_server: token.purpose == TokenPurpose::Server,
        created: timestamp::format(token.created),
        last_activity: token.last_activity.map(timestamp::format),
        expires_at: token.expires_at.map(timestamp::format),
        note: token.note,
        scopes: token.scopes,
    }
}

/// One entry for each application, in the order of the tokens that came first.
fn clients(tokens: Vec<Token>) -> Vec<TokenClient> {
    let mut names: Vec<String> = Vec::new();
    for token in &tokens {
        if !names.contains(&token.client_id) {
            names.push(token.client_id.clone());
        }
    }
    let of = |name: String| client(tokens.iter().filter(|token| token.client_id == name).collect());
    names.into_iter().filter_map(of).collect()
}

/// What an application has of the visitor: the scopes of all its tokens, its first and its latest use.
fn client(tokens: Vec<&Token>) -> Option<TokenClient> {
    let first = tokens.first()?;
    let described = !first.client_description.is_empty();
    let used: Option<DateTime<Utc>> = tokens.iter().filter_map(|token| token.last_activity).max();
    let scopes: BTreeSet<&str> = tokens.iter().flat_map(|token| &token.scopes).map(String::as_str).collect();
    Some(TokenClient {
        client: first.client_id.clone(),
        description: if described { &first.client_description } else { &first.client_id }.clone(),
        created: timestamp::format(tokens.iter().map(|token| token.created).min()?),
        last_activity: used.map(timestamp::format),
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        token_id: id(first),
        token_count: tokens.len(),
    })
}

/// What one may choose: at most `longest`, zero for no limit. Without a value the hub decides, which is never or the
/// limit. Preselected is the limit, or a month: a token that nobody remembers should not live for ever (UI-104).
fn expiry_options(longest: Duration) -> Vec<ExpiryOption> {
    let limit = longest.as_secs();
    let option = |value: String, label: String| ExpiryOption { value, label, selected: false, limit: None };
    let fitting = LIFETIMES.iter().filter(|(seconds, _)| limit == 0 || *seconds <= limit);
    let mut options: Vec<ExpiryOption> =
        fitting.map(|(seconds, label)| option(seconds.to_string(), (*label).to_owned())).collect();
    if limit == 0 {
        options.push(option(String::new(), "Never".to_owned()));
    } else if LIFETIMES.iter().all(|(seconds, _)| *seconds != limit) {
        let (span, words) = span(limit);
        let label = format!("Max ({words})");
        options.push(ExpiryOption { limit: Some(span), ..option(String::new(), label) });
    }
    let month = options.iter().position(|option| limit == 0 && option.value == USUAL);
    let selected = month.unwrap_or(options.len().saturating_sub(1));
    if let Some(option) = options.get_mut(selected) {
        option.selected = true;
    }
    options
}

/// Hours below three days, else days.
fn span(seconds: u64) -> (Span, String) {
    let (count, unit, one) =
        if seconds < 3 * DAY { (seconds / HOUR, "hours", "hour") } else { (seconds / DAY, "days", "day") };
    let (span, unit) = match count {
        0 => (Span { count: seconds, unit: "seconds" }, "seconds"),
        1 => (Span { count, unit }, one),
        count => (Span { count, unit }, unit),
    };
    let words = format!("{} {unit}", span.count);
    (span, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(longest: u64) -> Vec<String> {
        let options = expiry_options(Duration::from_secs(longest));
        options.into_iter().map(|option| format!("{}={}", option.label, option.value)).collect()
    }

    #[test]
    fn lifetimes_end_with_never_or_the_limit() {
        let all = ["1 Hour=3600", "1 Day=86400", "1 Week=604800", "1 Month=2592000", "1 Year=31536000"];
        assert_eq!(offered(0).split_last().unwrap(), (&"Never=".to_owned(), &all.map(str::to_owned)[..]));
        assert_eq!(offered(DAY), ["1 Hour=3600", "1 Day=86400"]);
        assert_eq!(offered(36 * HOUR).last().unwrap(), "Max (36 hours)=");
        assert_eq!(offered(10 * DAY).last().unwrap(), "Max (10 days)=");
        assert_eq!(offered(10 * DAY).len(), 4);
        assert_eq!(offered(600), ["Max (600 seconds)="]);
        assert_eq!(offered(400 * DAY).last().unwrap(), "Max (400 days)=");
    }

    #[test]
    fn ui_104_never_is_not_what_is_preselected() {
        let preselected = |longest| {
            let options = expiry_options(Duration::from_secs(longest));
            let selected: Vec<_> = options.into_iter().filter(|option| option.selected).collect();
            assert_eq!(selected.len(), 1);
            selected[0].label.clone()
        };
        assert_eq!(preselected(0), "1 Month");
        assert_eq!(preselected(DAY), "1 Day");
        assert_eq!(preselected(10 * DAY), "Max (10 days)");
        assert_eq!(preselected(600), "Max (600 seconds)");
    }

    #[test]
    fn ui_101_ticked_and_typed_scopes_are_asked_for_together() {
        let form = |body: &str| Form::parse("application/x-www-form-urlencoded", body.as_bytes());
        let asked = request(&form("note=+CI+&expires_in=3600&scope=a&scope=b&scopes=c%2C+d")).unwrap();
        assert_eq!(
            Value::Object(asked),
            serde_json::json!({"note": "CI", "expires_in": 3600, "scopes": ["a", "b", "c", "d"]})
        );
        let plain = request(&form("note=&expires_in=&scopes=")).unwrap();
        assert_eq!(Value::Object(plain), serde_json::json!({"note": "Requested on the token page"}));
        assert_eq!(request(&form("expires_in=soon")).unwrap_err().status, 400);
    }
}
