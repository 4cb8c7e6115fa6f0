//! The browsers that somebody is signed in with, from the store to a page: what the account page and the administration show alike.

use crate::domain::login_cookie;
use crate::domain::timestamp;
use crate::store::logins::Login;
use crate::web::render::pages::SessionRow;

/// The rows of a list; `current` is the login of the browser that shows it.
pub(super) fn rows(logins: Vec<Login>, current: Option<&str>) -> Vec<SessionRow> {
    logins.into_iter().map(|login| row(login, current)).collect()
}

fn row(login: Login, current: Option<&str>) -> SessionRow {
    SessionRow {
        current: current == Some(login.id.as_str()),
        deed: None,
        foreign: login_cookie::is_foreign(&login.id),
        browser: login.browser,
        system: login.system,
        address: login.address,
        created: timestamp::format(login.created),
        last_seen: timestamp::format(login.last_seen),
        id: login.id,
    }
}
