//! Refuses changes of names and memberships that would bring somebody rights (`actors::gains`).

use crate::actors::gains::Author;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::domain::scope::Catalogue;
use crate::store::Db;
use crate::store::users::User;
use crate::web::caller::Caller;
use crate::web::error::Refused;

fn author<'a>(caller: &'a Caller, catalogue: &'a Catalogue) -> Author<'a> {
    let Caller { scopes, members, .. } = caller;
    Author { scopes, members, is_admin: caller.is_admin(), catalogue }
}

pub(super) fn refuse_by_user(
    db: &mut Db,
    catalogue: &Catalogue,
    caller: &Caller,
    from: &Username,
    to: &Username,
) -> Result<(), Refused> {
    if author(caller, catalogue).user_name_gains(db, from, to)? {
        return Err(Refused::forbidden(format!(
            "There are rights over a user called {to} that nobody has over {from}; an admin must rename this one"
        )));
    }
    Ok(())
}

pub(super) fn refuse_by_server(
    db: &mut Db,
    catalogue: &Catalogue,
    caller: &Caller,
    from: &ServerKey,
    to: &ServerKey,
) -> Result<(), Refused> {
    if author(caller, catalogue).server_name_gains(db, from, to)? {
        return Err(Refused::forbidden(format!(
            "There are rights over a server called {} that nobody has over {}; an admin must rename this one",
            to.full_name(),
            from.full_name()
        )));
    }
    Ok(())
}

pub(super) fn refuse_by_members(
    db: &mut Db,
    catalogue: &Catalogue,
    caller: &Caller,
    group: &GroupName,
    members: &[User],
) -> Result<(), Refused> {
    match author(caller, catalogue).too_mighty(db, group, members)? {
        Some(member) => Err(Refused::forbidden(format!(
            "{member} may do what you may not, and there are rights over the members of the group {group}"
        ))),
        None => Ok(()),
    }
}
