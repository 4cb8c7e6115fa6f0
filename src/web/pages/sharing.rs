//! `sharing`: to whom the visitor's servers are open, how to close them again, and links that open them. It does what the
//! REST API does (rest-api.md 4.13 and 4.15), by forms.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;

use super::form::{Form, Submission};
use super::visitor::SignedIn;
use crate::domain::access::Resource;
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, ServerKey, ServerName, Username};
use crate::domain::scope::RawScope;
use crate::domain::timestamp;
use crate::store::servers::{self, Server};
use crate::store::share_codes::{self, ShareCode, ShareCodeFilter, ShareCodeId};
use crate::store::shares::{self, Grantee, Share, ShareFilter};
use crate::store::{Db, StoreError};
use crate::web::api::share_codes::make;
use crate::web::api::shares::request::{Receiver, ShareRequest};
use crate::web::api::shares::{open, take_back};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::oauth::authorize::describe;
use crate::web::render::pages::{ExpiryOption, GivenShare, GivenTo, SharedWith, SharingPage};
use crate::web::state::Hub;

const SHARE: &[&str] = &["shares"];

/// So many shares are shown, and so many links.
const SHOWN: i64 = 500;

/// How long links may work.
const LIFETIMES: [(&str, &str); 4] =
    [("3600", "1 hour"), ("86400", "1 day"), ("604800", "1 week"), ("2592000", "1 month")];
const USUAL: &str = "86400";

/// Whether the visitor may open servers of their own to others.
#[must_use]
pub fn may_share(caller: &Caller, name: &Username) -> bool {
    caller.may(SHARE, Resource::User(name.as_str()))
}

/// What a form led to.
#[derive(Default)]
struct Answer {
    server: Option<String>,
    link: Option<String>,
    done: Option<String>,
    problem: Option<(&'static str, String)>,
    entered: String,
    entered_group: bool,
}

/// Shows them.
///
/// # Errors
/// 403 for who may share nothing.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    visitor.caller.require(SHARE, Resource::User(visitor.name.as_str()))?;
    let server = visitor.visitor.arguments().last("server").map(str::to_owned);
    page(&hub, visitor, StatusCode::OK, Answer { server, ..Answer::default() }).await
}

/// `POST`: makes a link, or opens a server to a person or a group.
///
/// # Errors
/// 403 for who may not; what is wrong with the request is told on the page.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let key = own(&visitor, &form);
    visitor.caller.require(SHARE, resource(&key))?;
    let server = Some(key.server.to_string());
    let entered = form.last("name").unwrap_or_default().trim().to_owned();
    let entered_group = form.last("kind") == Some("group");
    let (kind, done) = if form.last("kind") == Some("link") {
        ("link", link(&hub, &visitor, key, &form).await)
    } else {
        ("person", person(&hub, &visitor, key, &entered, entered_group).await)
    };
    let (status, answer) = match done {
        Ok(answer) => (StatusCode::OK, answer),
        Err(refused) if refused.status.is_client_error() => {
            let problem = Some((kind, refused.message));
            (refused.status, Answer { problem, entered, entered_group, ..Answer::default() })
        }
        Err(refused) => return Err(refused.into()),
    };
    page(&hub, visitor, status, Answer { server, ..answer }).await
}

async fn link(hub: &Hub, visitor: &SignedIn, key: ServerKey, form: &Form) -> Result<Answer, Refused> {
    let wanted = form.last("expires_in").unwrap_or(USUAL);
    let offered = LIFETIMES.iter().find(|(seconds, _)| *seconds == wanted);
    let seconds = offered.and_then(|(seconds, _)| seconds.parse().ok());
    let seconds = seconds.ok_or_else(|| Refused::bad("Choose one of the lifetimes that are offered."))?;
    let (_, secret) = make(hub, &visitor.caller, key, &[], seconds).await?;
    let path = hub.path(&format!("accept-share?code={secret}"));
    let whole = hub.public(&path).unwrap_or_else(|| format!("{}{path}", visitor.visitor.visit.base()));
    Ok(Answer { link: Some(whole), ..Answer::default() })
}

async fn person(
    hub: &Hub,
    visitor: &SignedIn,
    key: ServerKey,
    name: &str,
    is_group: bool,
) -> Result<Answer, Refused> {
    if name.is_empty() {
        return Err(Refused::bad("Enter a name first."));
    }
    if !is_group && name == visitor.name.as_str() {
        return Err(Refused::bad("It is your own server already."));
    }
    let receiver = receiver(name, is_group);
    open(hub, &visitor.caller, key, ShareRequest { receiver, scopes: Vec::new() }).await?;
    Ok(Answer { done: Some(format!("{name} may use it now.")), ..Answer::default() })
}

fn receiver(name: &str, is_group: bool) -> Receiver {
    match is_group {
        true => Receiver::Group(GroupName::from_stored(name)),
        false => Receiver::User(Username::from_stored(name)),
    }
}

/// `POST sharing/revoke`: closes a server to somebody, or withdraws a link. Who has accepted a link keeps what it gave.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn revoke(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let key = own(&visitor, &form);
    visitor.caller.require(SHARE, resource(&key))?;
    let name = form.last("name").unwrap_or_default().to_owned();
    let kind = form.last("kind").unwrap_or_default().to_owned();
    let write = move |db: &mut Db| match kind.as_str() {
        "link" => withdraw(db, &key, &name),
        kind => {
            let receiver = receiver(&name, kind == "group");
            take_back(db, &key, &ShareRequest { receiver, scopes: Vec::new() }).map(drop)
        }
    };
    hub.store.write(write).await?;
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path("sharing"))
}

/// Twice is as good as once.
fn withdraw(db: &mut Db, key: &ServerKey, id: &str) -> Result<(), Refused> {
    let id = id.parse().map(ShareCodeId).map_err(|_| Refused::bad("This is no link."))?;
    let owner = crate::store::users::find(db, &key.user)?.map(|user| user.id);
    let server = match owner {
        Some(owner) => servers::find(db, owner, &key.server)?,
        None => None,
    };
    if let Some(server) = server {
        share_codes::delete(db, server.id, id)?;
    }
    Ok(())
}

/// A server of the visitor's.
fn own(visitor: &SignedIn, form: &Form) -> ServerKey {
    let server = form.last("server").unwrap_or_default();
    ServerKey::new(visitor.name.clone(), ServerName::from_stored(server))
}

fn resource(key: &ServerKey) -> Resource<'_> {
    Resource::Server { user: key.user.as_str(), server: key.server.as_str() }
}

struct Rows {
    servers: Vec<Server>,
    shares: Vec<Share>,
    codes: Vec<ShareCode>,
}

fn read(db: &mut Db, owner: UserId) -> Result<Rows, StoreError> {
    let now = Utc::now();
    Ok(Rows {
        servers: servers::of_user(db, owner)?,
        shares: shares::page(db, ShareFilter::Owner(owner), now, 0, SHOWN)?.items,
        codes: share_codes::page(db, ShareCodeFilter::Owner(owner), now, 0, SHOWN)?.items,
    })
}

async fn page(
    hub: &Hub,
    visitor: SignedIn,
    status: StatusCode,
    answer: Answer,
) -> Result<HttpResponse, PageError> {
    let owner = visitor.id;
    let Rows { servers, shares, codes } = hub.store.read(move |db| read(db, owner)).await?;
    let chosen = answer.server.unwrap_or_default();
    let shown = |name: &ServerName| shown_name(&servers, name);
    let mut all: Vec<ServerName> = servers.iter().map(|server| server.name.clone()).collect();
    all.push(ServerName::default_server());
    all.sort();
    all.dedup();
    let given = shares.into_iter().map(|share| given_share(hub, share, &shown));
    let links = codes.into_iter().map(|code| given_link(hub, code, &shown));
    let (problem_in, problem) = answer.problem.unzip();
    let page = SharingPage {
        servers: all
            .iter()
            .map(|name| SharedWith {
                name: name.to_string(),
                display_name: shown(name),
                chosen: name.as_str() == chosen,
            })
            .collect(),
        shares: given.chain(links).collect(),
        expires_in_options: LIFETIMES
            .iter()
            .map(|(value, label)| ExpiryOption {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                selected: *value == USUAL,
                limit: None,
            })
            .collect(),
        new_link: answer.link,
        problem,
        problem_in: problem_in.unwrap_or_default(),
        done: answer.done,
        entered: answer.entered,
        entered_group: answer.entered_group,
    };
    visitor.visitor.page(hub, status, &page).await
}

fn shown_name(servers: &[Server], name: &ServerName) -> String {
    let row = servers.iter().find(|server| server.name == *name);
    let shown = row.map(|row| row.display_name.as_str()).filter(|shown| !shown.is_empty());
    match (shown, name.is_default()) {
        (Some(shown), _) => shown.to_owned(),
        (None, true) => "My server".to_owned(),
        (None, false) => name.to_string(),
    }
}

fn permitted(hub: &Hub, scopes: &[String]) -> Vec<String> {
    let read = scopes.iter().filter_map(|scope| RawScope::parse(scope, &hub.catalogue).ok());
    read.map(|scope| describe(&scope, &hub.catalogue).description).collect()
}

fn given_share(hub: &Hub, share: Share, shown: &impl Fn(&ServerName) -> String) -> GivenShare {
    let (to, name) = match &share.grantee {
        Grantee::User(_, name) => (GivenTo::User, name.to_string()),
        Grantee::Group(_, name) => (GivenTo::Group, name.to_string()),
    };
    GivenShare {
        server: share.server.server.to_string(),
        server_shown: shown(&share.server.server),
        to,
        name,
        permitted: permitted(hub, &share.scopes),
        created: timestamp::format(share.created_at),
        expires_at: share.expires_at.map(timestamp::format),
        used: 0,
    }
}

fn given_link(hub: &Hub, code: ShareCode, shown: &impl Fn(&ServerName) -> String) -> GivenShare {
    GivenShare {
        server: code.server.server.to_string(),
        server_shown: shown(&code.server.server),
        to: GivenTo::Link,
        name: code.id.0.to_string(),
        permitted: permitted(hub, &code.scopes),
        created: timestamp::format(code.created_at),
        expires_at: Some(timestamp::format(code.expires_at)),
        used: code.exchange_count,
    }
}
