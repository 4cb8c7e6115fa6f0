//! `home/events`: tells an open home page when there is something new to see.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::servers;
use crate::domain::ids::UserId;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::live::{self, Glance, Watched};
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::HomePage;
use crate::web::state::Hub;

/// The stream.
///
/// # Errors
/// [`PageError::LoginNeeded`].
pub async fn events(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let home = Home { id: visitor.id, name: visitor.name.clone(), shown: Vec::new() };
    live::answer(hub, &visitor.visitor.visit, &visitor.caller, home).await
}

/// Somebody's home page.
struct Home {
    id: UserId,
    name: Username,
    shown: Vec<ServerKey>,
}

impl Watched for Home {
    type Glance = Vec<(ServerKey, Glance)>;

    async fn read(&mut self, hub: &Hub, _: &Arc<Caller>) -> Result<String, Refused> {
        let page = servers::of(hub, self.id, &self.name).await?;
        self.shown = self.keys(&page);
        Ok(page.version)
    }

    fn glance(&self, hub: &Hub) -> Self::Glance {
        let glance = |key: &ServerKey| (key.clone(), Glance::of(&hub.servers.status(key)));
        self.shown.iter().map(glance).collect()
    }
}

impl Home {
    fn keys(&self, page: &HomePage) -> Vec<ServerKey> {
        let own = std::iter::once(&page.default_server).chain(&page.named_servers);
        let own = own.map(|server| (self.name.clone(), server.name.as_str()));
        let shared = page.shared_servers.iter();
        let shared =
            shared.map(|server| (Username::from_stored(server.owner.as_str()), server.name.as_str()));
        own.chain(shared).map(|(user, name)| ServerKey::new(user, ServerName::from_stored(name))).collect()
    }
}
