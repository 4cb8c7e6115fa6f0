//! What would be done to whom, before anything is (a dry run).

use serde_json::{Value, json};

use super::super::Admin;
use super::super::deeds::{Doer, Order, deed, server_deed};
use super::super::list::Wanted;
use super::super::names::spoken;
use super::super::users::group_exists;
use crate::domain::access::Resource;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::store::Db;
use crate::store::users::{self, Side, UserDetails, UserFilter};
use crate::web::caller::Caller;
use crate::web::error::Refused;
use crate::web::pages::address::Arguments;
use crate::web::pages::form::Form;
use crate::web::render::pages::ServerLinks;
use crate::web::render::pages::admin::BulkItem;
use crate::web::state::Hub;
use crate::web::texts::Voice;

/// So many users are taken at once; the page says so.
const MOST: usize = 1000;
const MOST_ROWS: i64 = 1000;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Default servers are started.
    Start,
    /// All servers are stopped.
    Stop,
    /// Users are deleted.
    Delete,
    /// Users come into a group.
    Join,
    /// Users are written to.
    Tell,
}

impl Deed {
    pub(super) fn read(word: &str) -> Option<Self> {
        [Self::Start, Self::Stop, Self::Delete, Self::Join, Self::Tell]
            .into_iter()
            .find(|deed| deed.word() == word)
    }

    /// The form's word for it, and the catalogues'.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Delete => "delete",
            Self::Join => "group",
            Self::Tell => "message",
        }
    }

    /// Whether an item asks for this.
    pub(super) fn fits(self, op: &str) -> bool {
        op == match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Delete => "delete-user",
            Self::Join => "join",
            Self::Tell => "message",
        }
    }

    pub(super) fn takes_away(self) -> bool {
        matches!(self, Self::Stop | Self::Delete)
    }

    /// Whether something is to be written.
    pub(super) fn has_text(self) -> bool {
        self == Self::Tell
    }
}

/// What would be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) notes: Vec<String>,
    pub(super) button: String,
    pub(super) items: Vec<BulkItem>,
}

/// What is left alone.
#[derive(Debug, Default)]
struct Left {
    /// Nothing is to be done.
    already: usize,
    /// The visitor may not.
    forbidden: usize,
    /// It is the visitor.
    own: usize,
}

/// Looks whom the form means, and what would be done to them.
///
/// # Errors
/// 400 if it means nobody, or a group that does not exist.
pub(super) async fn make(admin: &Admin, what: Deed, form: &Form) -> Result<Plan, Refused> {
    let (hub, caller, voice) = (&admin.hub, &admin.caller, &admin.voice);
    caller.require(&["list:users"], Resource::Listing)?;
    let group = form.last("to_group").unwrap_or_default().trim().to_owned();
    if what == Deed::Join && (group.is_empty() || !group_exists(hub, &group).await?) {
        return Err(Refused::bad(match group.as_str() {
            "" => voice.say("admin-type-a-group"),
            group => voice.with("admin-no-such-group", [("group", group.into())]),
        }));
    }
    let (found, total) = chosen(hub, caller, form).await?;
    if found.is_empty() {
        return Err(Refused::bad(voice.say("admin-choose-users")));
    }
    let (users, doer) = (found.len(), admin.doer());
    let (mut items, mut left) = (Vec::new(), Left::default());
    for details in &found {
        for key in orders(hub, caller, what, details, &mut left) {
            let text = match what {
                Deed::Start => server_deed("start", &key),
                Deed::Stop => server_deed("stop", &key),
                Deed::Delete => deed("delete-user", &[("user", key.user.as_str())]),
                Deed::Join => deed("join", &[("user", key.user.as_str()), ("group", &group)]),
                Deed::Tell => deed("message", &[("user", key.user.as_str())]),
            };
            items.push(item(what, &doer, &Order::read(&text)));
        }
    }
    let mut plan = described(voice, what, &items, &group, users, &left);
    if total > users {
        plan.notes.push(voice.with("admin-plan-first", [("total", total.into()), ("users", users.into())]));
    }
    plan.items = items;
    Ok(plan)
}

/// The users that are meant, and how many there are of them.
async fn chosen(hub: &Hub, caller: &Caller, form: &Form) -> Result<(Vec<UserDetails>, usize), Refused> {
    let wanted =
        Wanted::read(&Arguments::of(form.last("matching").unwrap_or_default()), (MOST_ROWS, MOST_ROWS));
    let mut filter = UserFilter { limit: MOST_ROWS, ..wanted.filter(hub, caller) };
    if form.last("all").is_none() {
        let names = form.all("user").take(MOST).map(|name| Username::from_stored(name.to_owned()));
        // who was chosen is meant also if the filter would not find them any more
        filter = UserFilter { named: Some(names.collect()), limit: MOST_ROWS, ..Default::default() };
        filter.visible = wanted.filter(hub, caller).visible;
    }
    let read = move |db: &mut Db| {
        let window = users::window(db, &filter, &Side::First)?;
        Ok::<_, Refused>((users::details(db, window.items)?, window.total))
    };
    let (found, total) = hub.store.read(read).await?;
    Ok((found, usize::try_from(total).unwrap_or_default()))
}

/// What would be done to one user: the servers, or the user under the name of the default server.
fn orders(hub: &Hub, caller: &Caller, what: Deed, details: &UserDetails, left: &mut Left) -> Vec<ServerKey> {
    let (user, groups) = (&details.user.name, &details.groups);
    let default = ServerKey::new(user.clone(), ServerName::default_server());
    let may = |scope: &str, server: &str| caller.scopes.covers_server(scope, user.as_str(), server, groups);
    match what {
        Deed::Start if hub.servers.status(&default).is_active() => left.already += 1,
        Deed::Start if !may("start:servers", "") => left.forbidden += 1,
        Deed::Start => return vec![default],
        Deed::Stop => {
            let keys = details.servers.iter().map(|row| ServerKey::new(user.clone(), row.name.clone()));
            let (active, idle): (Vec<_>, Vec<_>) = keys.partition(|key| hub.servers.status(key).is_active());
            left.already += idle.len();
            let (mine, others): (Vec<_>, Vec<_>) =
                active.into_iter().partition(|key| may("delete:servers", key.server.as_str()));
            left.forbidden += others.len();
            return mine;
        }
        Deed::Delete if caller.name() == user.as_str() => left.own += 1,
        Deed::Delete if !caller.scopes.covers_user("delete:users", user.as_str(), groups) => {
            left.forbidden += 1
        }
        Deed::Tell if !caller.scopes.covers_user("admin:users", user.as_str(), groups) => left.forbidden += 1,
        Deed::Delete | Deed::Join | Deed::Tell => return vec![default],
    }
    Vec::new()
}

fn described(voice: &Voice, what: Deed, items: &[BulkItem], group: &str, users: usize, left: &Left) -> Plan {
    let count = items.len();
    let deed = || ("deed", what.word().into());
    let title = voice.with("admin-plan-title", [deed(), ("count", count.into()), ("group", group.into())]);
    let of_users = || [("count", count.into()), ("users", users.into())];
    let mut notes = match what {
        Deed::Start => vec![voice.with("admin-plan-start", of_users())],
        Deed::Stop => vec![voice.with("admin-plan-stop", of_users())],
        Deed::Delete => vec![voice.say("admin-plan-delete")],
        Deed::Join | Deed::Tell => Vec::new(),
    };
    let already = [("count", left.already.into())];
    match (left.already, what) {
        (0, _) => {}
        (_, Deed::Start) => notes.push(voice.with("admin-plan-running", already)),
        _ => notes.push(voice.with("admin-plan-stopped", already)),
    }
    if left.forbidden > 0 {
        notes.push(voice.with("admin-plan-forbidden", [("count", left.forbidden.into()), deed()]));
    }
    if left.own > 0 {
        notes.push(voice.say("admin-plan-yourself"));
    }
    Plan { title, notes, button: button(voice, what, count), items: Vec::new() }
}

/// The words of the button; nothing to do has none.
pub(super) fn button(voice: &Voice, what: Deed, count: usize) -> String {
    match count {
        0 => String::new(),
        _ => voice.with("admin-plan-button", [("deed", what.word().into()), ("count", count.into())]),
    }
}

/// One thing that is asked for, as forms and as scripts ask for it.
pub(super) fn item(what: Deed, doer: &Doer, order: &Order) -> BulkItem {
    let hub = &doer.hub;
    let key = order.key();
    let user = hub.path(&format!("api/users/{}", key.user.escaped()));
    let links = ServerLinks::new(&hub.settings.base_url, &key);
    let (method, url, body) = match what {
        Deed::Start => ("POST", links.api_url, Value::Null),
        Deed::Stop => ("DELETE", links.api_url, Value::Null),
        Deed::Delete => ("DELETE", user, Value::Null),
        Deed::Join => {
            let group = crate::web::pages::address::escape_value(order.get("group"));
            ("POST", hub.path(&format!("api/groups/{group}/users")), json!({ "users": [key.user.as_str()] }))
        }
        // scripts put in what is written
        Deed::Tell => ("POST", format!("{user}/messages"), Value::Null),
    };
    let name = match what {
        Deed::Start | Deed::Stop => spoken(&doer.voice, &key),
        Deed::Delete | Deed::Join | Deed::Tell => key.user.to_string(),
    };
    let text = match what {
        Deed::Start => server_deed("start", &key),
        Deed::Stop => server_deed("stop", &key),
        Deed::Delete => deed("delete-user", &[("user", key.user.as_str())]),
        Deed::Join => deed("join", &[("user", key.user.as_str()), ("group", order.get("group"))]),
        Deed::Tell => deed("message", &[("user", key.user.as_str())]),
    };
    BulkItem { key: key.full_name(), what: name, deed: text, method, url, body, result: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(what: Deed, count: usize, left: Left) -> Plan {
        let item = BulkItem {
            key: String::new(),
            what: String::new(),
            deed: String::new(),
            method: "POST",
            url: String::new(),
            body: Value::Null,
            result: None,
        };
        described(&Voice::english(), what, &vec![item; count], "lab", 9, &left)
    }

    /// UI-121: the dry run says how many of whose servers, and what is left alone.
    #[test]
    fn a_plan_counts_what_it_does_and_what_it_leaves() {
        let plan = planned(Deed::Stop, 12, Left { already: 3, forbidden: 1, own: 0 });
        assert_eq!((plan.title.as_str(), plan.button.as_str()), ("Stop 12 servers?", "Stop 12 servers"));
        assert!(plan.notes[0].starts_with("12 servers of 9 users will stop."), "{:?}", plan.notes);
        assert_eq!(plan.notes[1], "3 servers are stopped already.");
        assert_eq!(plan.notes[2], "1 is left alone: you have no right to stop them.");
        let none = planned(Deed::Delete, 0, Left { own: 1, ..Left::default() });
        assert!(none.button.is_empty() && none.notes[1].contains("nobody can delete themselves"));
        assert_eq!(planned(Deed::Join, 2, Left::default()).title, "Add 2 users to the group lab?");
        let told = planned(Deed::Tell, 2, Left { forbidden: 1, ..Left::default() });
        assert_eq!(
            (told.title.as_str(), told.button.as_str()),
            ("Send a message to 2 users?", "Send to 2 users")
        );
        assert_eq!(told.notes, ["1 is left alone: you have no right to write to them."]);
    }

    #[test]
    fn an_item_asks_for_nothing_but_what_its_page_is_for() {
        for what in [Deed::Start, Deed::Stop, Deed::Delete, Deed::Join, Deed::Tell] {
            assert_eq!(Deed::read(what.word()), Some(what));
        }
        assert!(Deed::Stop.fits("stop") && !Deed::Stop.fits("delete-user") && Deed::read("").is_none());
    }
}
