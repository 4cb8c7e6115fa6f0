//! Look-ups that several resources begin with; what is not there is 404.

use crate::domain::access::Resource;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::store::Db;
use crate::store::groups::{self, GroupDetails};
use crate::store::servers::{self, Server};
use crate::store::users::{self, User, UserDetails};
use crate::web::error::Refused;

/// The resource that a server's scopes are checked for.
pub(super) fn resource(key: &ServerKey) -> Resource<'_> {
    Resource::Server { user: key.user.as_str(), server: key.server.as_str() }
}

pub(super) fn user(db: &mut Db, name: &Username) -> Result<User, Refused> {
    users::find(db, name)?.ok_or_else(|| Refused::not_found(format!("No such user: '{name}'")))
}

pub(super) fn user_details(db: &mut Db, name: &Username) -> Result<UserDetails, Refused> {
    let user = user(db, name)?;
    users::details(db, vec![user])?.pop().ok_or_else(|| Refused::not_found(format!("No such user: '{name}'")))
}

pub(super) fn group_details(db: &mut Db, name: &GroupName) -> Result<GroupDetails, Refused> {
    let missing = || Refused::not_found(format!("No such group: {name}"));
    let group = groups::find(db, name)?.ok_or_else(missing)?;
    groups::details(db, vec![group])?.pop().ok_or_else(missing)
}

/// The user and, if there is one, the row of the server.
pub(super) fn server(db: &mut Db, key: &ServerKey) -> Result<(User, Option<Server>), Refused> {
    let user = user(db, &key.user)?;
    let server = servers::find(db, user.id, &key.server)?;
    Ok((user, server))
}

/// The server's row; the default server of a user always exists.
pub(super) fn existing_server(db: &mut Db, key: &ServerKey) -> Result<Server, Refused> {
    match server(db, key)? {
        (_, Some(server)) => Ok(server),
        (user, None) if key.server.is_default() => Ok(servers::ensure_default(db, user.id)?),
        (_, None) => Err(no_such_server(key)),
    }
}

pub(super) fn no_such_server(key: &ServerKey) -> Refused {
    Refused::not_found(format!("No such server: {}", key.full_name()))
}
