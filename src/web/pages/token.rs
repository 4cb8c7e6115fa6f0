//! `token`: the visitor's API tokens, and the applications that act for the visitor (pages.md 6.10). Making and revoking
//! them is the REST API's; the page's script asks for it.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};

use super::visitor::SignedIn;
use crate::domain::timestamp;
use crate::store::oauth::HUB_CLIENT;
use crate::store::tokens::{self, Token, TokenOwner, TokenPurpose};
use crate::web::error::PageError;
use crate::web::render::pages::{ExpiryOption, TokenClient, TokenPage, TokenRow};
use crate::web::state::Hub;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Lifetimes that are offered, in seconds.
const LIFETIMES: [(u64, &str); 5] =
    [(HOUR, "1 Hour"), (DAY, "1 Day"), (7 * DAY, "1 Week"), (30 * DAY, "1 Month"), (365 * DAY, "1 Year")];

/// Shows them.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let owner = TokenOwner::User(visitor.id);
    let all = hub.store.read(move |db| tokens::of_owner(db, owner, Utc::now())).await?;
    let (own, applications): (Vec<Token>, Vec<Token>) =
        all.into_iter().rev().partition(|token| token.client_id == HUB_CLIENT);
    let longest = hub.settings.token_max_lifetime;
    let page = TokenPage {
        tokens_api_url: hub.path(&format!("api/users/{}/tokens", visitor.name.escaped())),
        api_tokens: own.into_iter().map(row).collect(),
        oauth_clients: clients(applications),
        token_expires_in_options: expiry_options(longest),
        token_expires_in_max_seconds: longest.as_secs(),
    };
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
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

/// What one may choose, the last one being preselected: at most `longest`, zero for no limit. Without a value the hub
/// decides, which is never or the limit.
fn expiry_options(longest: Duration) -> Vec<ExpiryOption> {
    let limit = longest.as_secs();
    let option = |value: String, label: String| ExpiryOption { value, label };
    let fitting = LIFETIMES.iter().filter(|(seconds, _)| limit == 0 || *seconds <= limit);
    let mut options: Vec<ExpiryOption> =
        fitting.map(|(seconds, label)| option(seconds.to_string(), (*label).to_owned())).collect();
    if limit == 0 {
        options.push(option(String::new(), "Never".to_owned()));
    } else if LIFETIMES.iter().all(|(seconds, _)| *seconds != limit) {
        options.push(option(String::new(), format!("Max ({})", span(limit))));
    }
    options
}

/// Hours below three days, else days.
fn span(seconds: u64) -> String {
    let (number, unit) = if seconds < 3 * DAY { (seconds / HOUR, "hour") } else { (seconds / DAY, "day") };
    match number {
        0 => format!("{seconds} seconds"),
        1 => format!("1 {unit}"),
        number => format!("{number} {unit}s"),
    }
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
}
