//! `admin/groups/<name>`: members and properties of one group.

use std::ops::ControlFlow;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value};

use super::deeds::{Doer, deed};
use super::names::{names_in, user_url};
use super::{Admin, Came, Ordered, Part, rows};
use crate::domain::access::Resource;
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, Username};
use crate::store::groups::{self, GroupDetails};
use crate::store::{Db, users};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::address::Arguments;
use crate::web::pages::form::{Form, Submission};
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{GroupPageView, Membership, NameResult, Property};
use crate::web::state::Hub;
use crate::web::texts::Voice;
use crate::web::views::group::GroupView;

/// So many members are shown; others are found by their names.
const SHOWN: i64 = 200;
/// Any of these shows something of a group.
const READ: &[&str] = &["list:groups", "read:groups", "read:groups:name", "read:roles:groups"];

/// Shows it.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn show(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    page(Admin::enter(hub, visitor)?, &name, Came::looking(), Vec::new()).await
}

/// Changes it.
///
/// # Errors
/// 403 and 404 as usual; what goes wrong with the order is told on the page.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let Ordered { admin, form, order, doer } = match Admin::ordered(hub, submission, Part::Groups).await? {
        ControlFlow::Continue(ordered) => ordered,
        ControlFlow::Break(question) => return Ok(question),
    };
    match order.op() {
        "join" => {
            let (done, results) = join(&doer, &name, form.last("names").unwrap_or_default()).await?;
            page(admin, &name, Came::of(done, None), results).await
        }
        "properties" => {
            let done = save_properties(&doer, &name, &form).await;
            page(admin, &name, Came::of(done, None), Vec::new()).await
        }
        "delete-group" => match doer.perform(&order).await {
            Ok(_) => {
                let list =
                    form_urlencoded::Serializer::new(String::new()).append_pair("gone", &name).finish();
                let to = admin.hub.path(&format!("admin/groups?{list}"));
                admin.lead(&to)
            }
            Err(refused) => page(admin, &name, Came::of(Err(refused), None), Vec::new()).await,
        },
        _ => {
            let done = doer.perform(&order).await;
            page(admin, &name, Came::of(done, None), Vec::new()).await
        }
    }
}

/// Adds those who exist, and says who does not (UI-131).
async fn join(
    doer: &Doer,
    group: &str,
    typed: &str,
) -> Result<(Result<String, Refused>, Vec<NameResult>), Refused> {
    let names = names_in(typed);
    if names.is_empty() {
        return Ok((Err(Refused::bad(doer.voice.say("admin-type-a-name"))), Vec::new()));
    }
    let rules = doer.hub.authenticator.rules();
    let wanted: Vec<Username> =
        names.iter().map(|name| Username::from_stored(rules.normalise(name))).collect();
    let listed = wanted.clone();
    let found = doer.hub.store.read(move |db| users::find_all(db, &listed)).await?;
    let exists = |name: &Username| found.iter().any(|user| user.name == *name);
    let known: Vec<&str> = wanted.iter().filter(|name| exists(name)).map(Username::as_str).collect();
    let added = match known.is_empty() {
        true => Ok(String::new()),
        false => doer.join(group, &known).await,
    };
    let result = |name: &String, wanted: &Username| {
        let (fine, what) = match (&added, exists(wanted)) {
            (_, false) => (false, doer.voice.say("admin-no-such-user")),
            (Ok(_), true) => (true, doer.voice.say("admin-added")),
            (Err(refused), true) => (false, doer.voice.said(&refused.message)),
        };
        NameResult { name: name.clone(), fine, what }
    };
    let results: Vec<NameResult> =
        names.iter().zip(&wanted).map(|(name, wanted)| result(name, wanted)).collect();
    let fine = results.iter().filter(|result| result.fine).count();
    let told = match results.len().saturating_sub(fine) {
        0 => Ok(doer.voice.with("admin-users-added", [("count", fine.into())])),
        wrong => {
            let values = [("count", fine.into()), ("wrong", wrong.into())];
            Err(Refused::bad(doer.voice.with("admin-some-added", values)))
        }
    };
    Ok((told, results))
}

/// A property's value as it is typed: text, or JSON if it is something else.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn save_properties(doer: &Doer, group: &str, form: &Form) -> Result<String, Refused> {
    let name = GroupName::from_stored(group.to_owned());
    let before = doer.hub.store.read(move |db| groups::find(db, &name)).await?;
    let before = before.map(|group| group.properties).unwrap_or_default();
    let all = typed_properties(&doer.voice, form, &before)?;
    doer.set_properties(group, all).await?;
    Ok(doer.voice.say("admin-properties-saved"))
}

/// The rows of the form; a value that is left as it was keeps its kind.
fn typed_properties(voice: &Voice, form: &Form, before: &Value) -> Result<Map<String, Value>, Refused> {
    let mut all = Map::new();
    for (key, value) in form.all("key").zip(form.all("value")) {
        let key = key.trim();
        if key.is_empty() {
            continue;
        }
        let known = before.get(key).filter(|known| shown(known) == value);
        let value = known.cloned().unwrap_or_else(|| Value::from(value));
        if all.insert(key.to_owned(), value).is_some() {
            return Err(Refused::bad(voice.with("admin-property-twice", [("name", key.into())])));
        }
    }
    Ok(all)
}

struct Found {
    details: GroupDetails,
    members: Vec<(UserId, Username)>,
    count: i64,
}

fn read(db: &mut Db, name: &GroupName, part: &str) -> Result<Option<Found>, Refused> {
    let Some(group) = groups::find(db, name)? else { return Ok(None) };
    let (members, count) = groups::some_members(db, group.id, part, SHOWN)?;
    let roles = groups::roles_of(db, group.id)?;
    Ok(Some(Found { details: GroupDetails { group, users: Vec::new(), roles }, members, count }))
}

async fn page(
    admin: Admin,
    name: &str,
    came: Came,
    results: Vec<NameResult>,
) -> Result<HttpResponse, PageError> {
    admin.caller.require(READ, Resource::Group(name))?;
    let part = admin.visitor.arguments().last("member").unwrap_or_default().trim().to_owned();
    let (wanted, looked_for) = (GroupName::from_stored(name.to_owned()), part.clone());
    let missing = || Refused::not_found(format!("No such group: {name}"));
    let found = admin.hub.store.read(move |db| read(db, &wanted, &looked_for)).await?.ok_or_else(missing)?;
    let mut view = view(&admin.hub, &admin.caller, found, part).ok_or_else(missing)?;
    let wrong = results.iter().filter(|result| !result.fine).map(|result| result.name.as_str());
    view.typed = wrong.collect::<Vec<_>>().join(", ");
    view.results = results;
    admin.show(Part::Groups, view, came).await
}

fn view(hub: &Hub, caller: &Caller, found: Found, member: String) -> Option<GroupPageView> {
    let Found { details, members, count } = found;
    let name = details.group.name.to_string();
    let properties = details.group.properties.clone();
    let may = |scope: &str| caller.scopes.covers_group(scope, &name);
    let (may_read, may_change) = (may("read:groups"), may("groups"));
    let membership = |(_, user): (UserId, Username)| Membership {
        url: caller.scopes.has_base("read:users:name").then(|| user_url(hub, user.as_str())),
        leave: may_change.then(|| deed("leave", &[("group", &name), ("user", user.as_str())])),
        name: user.into(),
    };
    let property = |(key, value): (&String, &Value)| Property { key: key.clone(), value: shown(value) };
    let listing = Arguments::default().with("group", name.clone());
    Some(GroupPageView {
        model: rows::shown(&GroupView::new(details, &caller.scopes)?),
        members: may_read.then(|| members.into_iter().map(membership).collect()),
        member_count: count,
        member,
        properties: may_read.then(|| {
            properties.as_object().map(|all| all.iter().map(property).collect()).unwrap_or_default()
        }),
        may_change,
        remove: may("delete:groups").then(|| deed("delete-group", &[("group", &name)])),
        results: Vec::new(),
        typed: String::new(),
        users_url: caller.scopes.has_base("list:users").then(|| listing.added_to(&hub.path("admin"))),
        name,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_that_are_left_as_they_were_keep_their_kind() {
        let voice = Voice::english();
        let form = |body: &str| Form::parse("application/x-www-form-urlencoded", body.as_bytes());
        let before = json!({"gpu": true, "limits": {"memory": 4}, "tier": "x"});
        let typed =
            form("key=gpu&value=true&key=limits&value=%7B%22memory%22%3A4%7D&key=tier&value=5&key=+&value=y");
        assert_eq!(
            Value::Object(typed_properties(&voice, &typed, &before).unwrap()),
            json!({"gpu": true, "limits": {"memory": 4}, "tier": "5"})
        );
        let twice = typed_properties(&voice, &form("key=a&value=1&key=a&value=2"), &before).unwrap_err();
        assert!(twice.status == 400 && twice.message.contains("called a"));
    }
}
