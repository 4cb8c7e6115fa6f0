//! `admin/roles`: what each role permits, and who has it. Roles are changed in the configuration.

use actix_web::{HttpResponse, web};

use super::{Admin, Came, Part};
use crate::domain::access::Resource;
use crate::domain::scope::Catalogue;
use crate::store::roles::{self, Holders, Role};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{RoleRow, RolesView};
use crate::web::state::Hub;

/// Any of these, without a filter, shows roles: who of which kind has them.
pub(super) const READ: &[&str] =
    &["read:roles", "read:roles:users", "read:roles:groups", "read:roles:services"];
/// So many users of a role are named.
const FEW: i64 = 50;

/// Shows them.
///
/// # Errors
/// 403 without any of the scopes.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let admin = Admin::enter(hub, visitor)?;
    admin.caller.require(READ, Resource::None)?;
    let all = admin.hub.store.read(|db| Ok::<_, Refused>(roles::holders(db, FEW)?)).await?;
    let rows = all.into_iter().map(|(role, holders)| row(&admin.caller, &admin.hub.catalogue, role, holders));
    let view = RolesView { roles: rows.collect() };
    admin.show(Part::Roles, view, Came::looking()).await
}

fn row(caller: &Caller, catalogue: &Catalogue, role: Role, holders: Holders) -> RoleRow {
    let users = caller.may(&["read:roles:users"], Resource::None);
    let groups = caller.may(&["read:roles:groups"], Resource::None);
    let services = caller.may(&["read:roles:services"], Resource::None);
    let described = |scope: String| {
        let base = scope.split('!').next().unwrap_or_default();
        let what = catalogue.description(base).unwrap_or_default().to_owned();
        (scope, what)
    };
    RoleRow {
        name: role.name,
        description: role.description,
        scopes: role.scopes.into_iter().map(described).collect(),
        managed: role.managed_by_auth,
        users: users.then_some(holders.users),
        some_users: if users { holders.some_users } else { Vec::new() },
        groups: groups.then_some(holders.groups),
        services: services.then_some(holders.services),
    }
}
