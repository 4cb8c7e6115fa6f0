//! `admin`: users, servers, groups, services, roles and the hub itself (admin-ui.md).
//!
//! Every page is whole without scripts: lists are filtered, sorted and paged by addresses, and a page's forms post to the
//! page itself, which then shows what came of it. What a form asks for is done by the REST API's own handlers (`deeds`),
//! so scopes and refusals are those of the API. Scripts send the same forms and replace the part that has changed.

pub mod add;
pub mod bulk;
pub mod group;
pub mod groups;
pub mod hub;
pub mod roles;
pub mod server;
pub mod services;
mod sessions;
pub mod user;
pub mod users;

mod confirm;
mod deeds;
mod list;
mod names;
mod rows;

use std::ops::ControlFlow;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use self::deeds::{Doer, Order};
use super::form::{Form, Submission};
use super::visitor::{SignedIn, Visitor};
use crate::domain::access::Resource;
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::admin::{Frame, Framed, Outcome, Tab, View};
use crate::web::state::Hub;
use crate::web::texts::Voice;

/// Where an administration page lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Users,
    Groups,
    Services,
    Roles,
    Hub,
}

/// A visitor who may see these pages at all.
struct Admin {
    visitor: Visitor,
    caller: Arc<Caller>,
    hub: web::Data<Hub>,
    /// What it is answered in.
    voice: Voice,
}

impl Admin {
    /// Insists on `admin-ui`.
    fn enter(hub: web::Data<Hub>, signed: SignedIn) -> Result<Self, PageError> {
        signed.caller.require(&["admin-ui"], Resource::None)?;
        let voice = hub.renderer.voice(signed.visitor.language);
        Ok(Self { visitor: signed.visitor, caller: signed.caller, hub, voice })
    }

    /// The same, for who sent a form.
    fn sent(hub: web::Data<Hub>, submission: Submission) -> Result<(Self, Form), PageError> {
        let Submission { visitor, form } = submission;
        Ok((Self::enter(hub, SignedIn::insist(visitor)?)?, form))
    }

    /// What somebody who sent a form wants done, unless that must be asked first: then the question.
    async fn ordered(
        hub: web::Data<Hub>,
        submission: Submission,
        part: Part,
    ) -> Result<ControlFlow<HttpResponse, Ordered>, PageError> {
        let (admin, form) = Self::sent(hub, submission)?;
        let order = Order::of(&form);
        if let Some(question) = confirm::question(&admin.voice, &order, &form, &admin.visitor.visit.uri) {
            return Ok(ControlFlow::Break(admin.show(part, question, Came::looking()).await?));
        }
        let doer = admin.doer();
        Ok(ControlFlow::Continue(Ordered { admin, form, order, doer }))
    }

    /// Does what the visitor asks for.
    fn doer(&self) -> Doer {
        Doer { hub: self.hub.clone(), caller: Arc::clone(&self.caller), voice: self.voice.clone() }
    }

    /// Shows a view; after a mistake with the status of that.
    async fn show<V: View>(self, part: Part, view: V, came: Came) -> Result<HttpResponse, PageError> {
        let frame = Frame {
            tabs: self.tabs(part),
            here: self.visitor.visit.uri.clone(),
            outcome: came.outcome,
            server_version: env!("CARGO_PKG_VERSION"),
        };
        self.visitor.page(&self.hub, came.status, &Framed { frame, view }).await
    }

    fn tabs(&self, here: Part) -> Vec<Tab> {
        let has = |bases: &[&str]| bases.iter().any(|base| self.caller.scopes.has_base(base));
        let all = [
            (Part::Users, self.voice.say("admin-users"), "admin", true),
            (Part::Groups, self.voice.say("admin-groups"), "admin/groups", has(&["list:groups"])),
            (Part::Services, self.voice.say("admin-services"), "admin/services", has(&["list:services"])),
            (Part::Roles, self.voice.say("admin-roles"), "admin/roles", has(roles::READ)),
            (Part::Hub, self.voice.say("admin-hub"), "admin/hub", hub::is_open_to(&self.caller)),
        ];
        let shown = all.into_iter().filter(|(part, .., may)| *may || *part == here);
        let tab = |(part, title, path, _)| Tab { title, url: self.hub.path(path), here: part == here };
        shown.map(tab).collect()
    }

    /// Leads to another page.
    fn lead(self, to: &str) -> Result<HttpResponse, PageError> {
        self.visitor.redirect(StatusCode::SEE_OTHER, to)
    }
}

/// Who sent a form, and what is to be done because of it.
struct Ordered {
    admin: Admin,
    form: Form,
    order: Order,
    doer: Doer,
}

/// What came of a form, and the status that says so.
struct Came {
    status: StatusCode,
    outcome: Outcome,
}

impl Came {
    /// Nothing was asked for.
    fn looking() -> Self {
        Self { status: StatusCode::OK, outcome: Outcome::default() }
    }

    /// It was done, at the row `at`, or not, for a reason that the page is to tell.
    fn of(done: Result<String, Refused>, at: Option<String>) -> Self {
        match done {
            Ok(told) => {
                let told = Some(told).filter(|told| !told.is_empty());
                Self { status: StatusCode::OK, outcome: Outcome { told, problem: None, at } }
            }
            Err(refused) => Self {
                status: refused.status,
                outcome: Outcome { told: None, problem: Some(refused.message), at },
            },
        }
    }
}
