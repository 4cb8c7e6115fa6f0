//! `admin/services`: the services, and how those do that the hub starts.

use actix_web::{HttpResponse, web};

use super::{Admin, Came, Part, rows};
use crate::actors::services::ServiceStatus;
use crate::domain::access::Resource;
use crate::domain::service_state::Phase;
use crate::store::Db;
use crate::store::services::{self, ServiceDetails};
use crate::web::error::{PageError, Refused};
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{ServiceRow, ServicesView};
use crate::web::state::Hub;
use crate::web::texts::Voice;
use crate::web::views::service::ServiceView;

/// Shows them.
///
/// # Errors
/// 403 without `list:services`.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let admin = Admin::enter(hub, visitor)?;
    admin.caller.require(&["list:services"], Resource::Listing)?;
    let read = |db: &mut Db| {
        let all = services::list(db)?;
        Ok::<_, Refused>(services::details(db, all)?)
    };
    let mut all = admin.hub.store.read(read).await?;
    all.sort_by(|one, other| one.service.definition.name.cmp(&other.service.definition.name));
    let rows = all.into_iter().filter_map(|details| row(&admin, details));
    let view = ServicesView { rows: rows.collect() };
    admin.show(Part::Services, view, Came::looking()).await
}

fn row(admin: &Admin, details: ServiceDetails) -> Option<ServiceRow> {
    let (hub, caller) = (&admin.hub, &admin.caller);
    let name = details.service.definition.name.clone();
    if !caller.scopes.covers_service("list:services", &name) {
        return None;
    }
    let status = hub.services.status(&name);
    let may_open = details.service.definition.url.is_some()
        && caller.may(&["access:services"], Resource::Service(&name));
    let (phase, badge) = health(&admin.voice, status.as_ref());
    Some(ServiceRow {
        model: rows::shown(&ServiceView::new(
            details,
            &hub.settings.base_url,
            hub.services.pid(&name),
            &caller.scopes,
        )?),
        phase,
        badge,
        starts: status.as_ref().map(|status| status.starts),
        trouble: status.map(|status| status.trouble).unwrap_or_default(),
        open_url: may_open.then(|| hub.settings.places.service_url(&name)),
    })
}

/// How it does, in words, and the badge of that colour. Of a service that somebody else starts the hub knows nothing.
fn health(voice: &Voice, status: Option<&ServiceStatus>) -> (String, &'static str) {
    let Some(status) = status else { return (voice.say("admin-not-ours"), "stopped") };
    let badge = match status.phase {
        Phase::Up { well_since: Some(_) } => "running",
        Phase::Up { well_since: None } | Phase::Pausing => "failed",
        Phase::Launching { .. } | Phase::Unready => "starting",
        Phase::Stopping => "stopping",
        Phase::Idle | Phase::Ended => "stopped",
    };
    let word = match status.phase {
        Phase::Up { well_since: None } => voice.say("admin-silent"),
        phase => voice.said(phase.as_str()),
    };
    (word, badge)
}
