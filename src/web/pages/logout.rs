//! `logout`: ends the browser session and what was granted in it (pages.md 6.3, oauth.md 7).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::future::join_all;
use log::info;

use super::visitor::Visitor;
use crate::domain::names::ServerKey;
use crate::events::SessionAction;
use crate::store::servers;
use crate::store::users::User;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::LogoutPage;
use crate::web::sign_out::end_session;
use crate::web::state::Hub;

/// Signs out. For somebody who isn't signed in nothing changes: a forged logout of a stranger revokes nothing.
///
/// # Errors
/// If the database fails.
pub async fn show(hub: web::Data<Hub>, mut visitor: Visitor) -> Result<HttpResponse, PageError> {
    let user = visitor.user.as_deref().and_then(|caller| caller.user()).cloned();
    if let Some(user) = user {
        if hub.settings.stop_servers_on_logout {
            stop_servers(&hub, &user).await?;
        }
        end_session(&hub, &visitor.visit, user.id).await?;
        visitor.visit.session_id = None;
        visitor.set_cookies = visitor.visit.cleared(&hub);
        visitor.become_user(None);
        hub.journal.signed_out(user.name.as_str(), Some(visitor.visit.address));
        hub.events.session(SessionAction::Logout, user.name.as_str());
        info!(user = user.name.as_str(); "user logged out");
    }
    if hub.settings.auto_login || !hub.authenticator.has_form() {
        return visitor.page(&hub, StatusCode::OK, &LogoutPage {}).await;
    }
    visitor.redirect(StatusCode::FOUND, &hub.path("login"))
}

/// Stops what runs, all at once, and waits until it is down.
async fn stop_servers(hub: &Hub, user: &User) -> Result<(), Refused> {
    let owner = user.id;
    let rows = hub.store.read(move |db| servers::of_user(db, owner)).await?;
    let keys: Vec<ServerKey> = rows
        .into_iter()
        .map(|server| ServerKey::new(user.name.clone(), server.name))
        .filter(|key| hub.servers.status(key).ready)
        .collect();
    let who = format!("user:{}", user.name);
    for key in &keys {
        hub.servers.by(&who).stop(key).await;
    }
    join_all(keys.iter().map(|key| hub.servers.settled(key, hub.settings.slow_stop))).await;
    Ok(())
}
