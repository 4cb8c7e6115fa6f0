//! `admin/events`: tells an open administration page when there is something new to see in it.
//!
//! The address of a page's stream is that of the page, with `events` after `admin`. What is read for it is what the page
//! itself would show to this visitor now; so who sees some users only is told of those only.

mod glances;

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::list::Servers;
use super::server::Names;
use super::{Admin, group, groups, hub, server, services, user, users};
use crate::domain::names::{ServerKey, Username};
use crate::web::admin::Facts;
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::live::{self, Watched};
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{HubView, ServiceRow, View};
use crate::web::state::Hub;

/// Between a page's path and its stream's.
const EVENTS: &str = "/events";

/// An administration page as somebody looks at it.
enum Page {
    /// A window of the list of users.
    Users {
        servers: Servers,
        shown: HashSet<Username>,
    },
    User(Username),
    Server(ServerKey),
    Groups,
    Group(String),
    Services(Vec<String>),
    Hub {
        facts: web::Data<Facts>,
        journal: bool,
    },
}

/// A page and who looks at it.
struct Looked {
    page: Page,
    admin: Admin,
}

/// The stream of the list of users.
///
/// # Errors
/// As the page.
pub async fn users(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let page = Page::Users { servers: Servers::Any, shown: HashSet::new() };
    answer(hub, visitor, page).await
}

/// The stream of a user's page.
///
/// # Errors
/// As the page.
pub async fn user(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    answer(hub, visitor, Page::User(Username::from_stored(name.into_inner()))).await
}

/// The stream of a server's page.
///
/// # Errors
/// As the page.
pub async fn server(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    answer(hub, visitor, Page::Server(names.key())).await
}

/// The stream of the list of groups.
///
/// # Errors
/// As the page.
pub async fn groups(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    answer(hub, visitor, Page::Groups).await
}

/// The stream of a group's page.
///
/// # Errors
/// As the page.
pub async fn group(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    answer(hub, visitor, Page::Group(name.into_inner())).await
}

/// The stream of the services.
///
/// # Errors
/// As the page.
pub async fn services(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    answer(hub, visitor, Page::Services(Vec::new())).await
}

/// The stream of the hub's page.
///
/// # Errors
/// As the page.
pub async fn hub(
    hub: web::Data<Hub>,
    facts: web::Data<Facts>,
    visitor: SignedIn,
) -> Result<HttpResponse, PageError> {
    answer(hub, visitor, Page::Hub { facts, journal: false }).await
}

async fn answer(hub: web::Data<Hub>, visitor: SignedIn, page: Page) -> Result<HttpResponse, PageError> {
    let caller = Arc::clone(&visitor.caller);
    let mut admin = Admin::enter(hub.clone(), visitor)?;
    let visit = admin.visitor.visit.clone();
    admin.visitor.visit.uri = visit.uri.replacen(EVENTS, "", 1);
    live::answer(hub, &visit, &caller, Looked { page, admin }).await
}

impl Watched for Looked {
    type Glance = u64;

    async fn read(&mut self, _: &Hub, caller: &Arc<Caller>) -> Result<String, Refused> {
        Admin::insist(caller)?;
        // what is read is read by the rights that the visitor has now
        self.admin.caller = Arc::clone(caller);
        let admin = &self.admin;
        let version = match &mut self.page {
            Page::Users { servers, shown } => {
                let view = users::view(admin).await?;
                *servers = Servers::read(view.filter.state);
                *shown = view.rows.iter().map(|row| Username::from_stored(row.name.as_str())).collect();
                view.version()
            }
            Page::User(name) => user::view(admin, name, user::Typed::default()).await?.version(),
            Page::Server(key) => server::view(admin, key).await?.version(),
            Page::Groups => groups::view(admin, String::new()).await?.version(),
            Page::Group(name) => group::view(admin, name).await?.version(),
            Page::Services(names) => {
                let view = services::view(admin).await?;
                *names = view.rows.iter().filter_map(name).collect();
                view.version()
            }
            Page::Hub { facts, journal } => {
                *journal = hub::may_read_journal(caller);
                hub::view(admin, facts, HubView::default()).await?.version()
            }
        };
        Ok(version)
    }

    fn glance(&self, hub: &Hub) -> u64 {
        match &self.page {
            Page::Users { servers, shown } => glances::users(hub, *servers, shown),
            Page::User(name) => glances::user(hub, name),
            Page::Server(key) => glances::server(hub, key),
            Page::Groups | Page::Group(_) => 0,
            Page::Services(names) => glances::services(hub, names),
            Page::Hub { journal, .. } => glances::hub(hub, *journal),
        }
    }
}

fn name(service: &ServiceRow) -> Option<String> {
    service.model.get("name")?.as_str().map(str::to_owned)
}
