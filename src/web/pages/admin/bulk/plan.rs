//! What would be done to whom, before anything is (a dry run).

use serde_json::{Value, json};

use super::super::deeds::{Order, deed, server_deed};
use super::super::list::Wanted;
use super::super::names::{counted, spoken};
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

    pub(super) fn past(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Delete => "deleted",
            Self::Join => "added",
            Self::Tell => "sent",
        }
    }

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Start => "Start servers",
            Self::Stop => "Stop servers",
            Self::Delete => "Delete users",
            Self::Join => "Add users to a group",
            Self::Tell => "Send a message",
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
pub(super) async fn make(hub: &Hub, caller: &Caller, what: Deed, form: &Form) -> Result<Plan, Refused> {
    caller.require(&["list:users"], Resource::Listing)?;
    let group = form.last("to_group").unwrap_or_default().trim().to_owned();
    if what == Deed::Join && (group.is_empty() || !group_exists(hub, &group).await?) {
        return Err(Refused::bad(match group.as_str() {
            "" => "Type the name of the group first.".to_owned(),
            group => format!("There is no group {group}."),
        }));
    }
    let (found, total) = chosen(hub, caller, form).await?;
    if found.is_empty() {
        return Err(Refused::bad("Choose at least one user first."));
    }
    let users = found.len();
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
            items.push(item(what, hub, &Order::read(&text)));
        }
    }
    let mut plan = described(what, &items, &group, users, &left);
    if total > users {
        plan.notes
            .push(format!("{total} users match; these are the first {users}. Do the others afterwards."));
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

fn described(what: Deed, items: &[BulkItem], group: &str, users: usize, left: &Left) -> Plan {
    let count = items.len();
    let owners = counted(users, "user");
    let (title, verb) = match what {
        Deed::Start => (format!("Start {}?", counted(count, "server")), "start"),
        Deed::Stop => (format!("Stop {}?", counted(count, "server")), "stop"),
        Deed::Delete => (format!("Delete {}?", counted(count, "user")), "delete"),
        Deed::Join => (format!("Add {} to the group {group}?", counted(count, "user")), "add"),
        Deed::Tell => (format!("Send a message to {}?", counted(count, "user")), "write to"),
    };
    let mut notes = match what {
        Deed::Start => vec![format!("{} of {owners} will start.", counted(count, "server"))],
        Deed::Stop => vec![format!(
            "{} of {owners} will stop. What is not saved in them is lost.",
            counted(count, "server")
        )],
        Deed::Delete => vec![
            "Their servers and tokens will be gone, too. Files in home directories stay. This cannot be undone.".to_owned(),
        ],
        Deed::Join | Deed::Tell => Vec::new(),
    };
    let is = |count: usize| if count == 1 { "is" } else { "are" };
    if left.already > 0 {
        let state = if what == Deed::Start { "running already" } else { "stopped already" };
        notes.push(format!("{} {} {state}.", counted(left.already, "server"), is(left.already)));
    }
    if left.forbidden > 0 {
        notes.push(format!(
            "{} {} left alone: you have no right to {verb} them.",
            left.forbidden,
            is(left.forbidden)
        ));
    }
    if left.own > 0 {
        notes.push("You are left out: nobody can delete themselves.".to_owned());
    }
    Plan { title, notes, button: button(what, count), items: Vec::new() }
}

/// The words of the button; nothing to do has none.
pub(super) fn button(what: Deed, count: usize) -> String {
    let (servers, users) = (counted(count, "server"), counted(count, "user"));
    match what {
        _ if count == 0 => String::new(),
        Deed::Start => format!("Start {servers}"),
        Deed::Stop => format!("Stop {servers}"),
        Deed::Delete => format!("Delete {users}"),
        Deed::Join => format!("Add {users}"),
        Deed::Tell => format!("Send to {users}"),
    }
}

/// One thing that is asked for, as forms and as scripts ask for it.
pub(super) fn item(what: Deed, hub: &Hub, order: &Order) -> BulkItem {
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
        Deed::Start | Deed::Stop => spoken(&key),
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
        described(what, &vec![item; count], "lab", 9, &left)
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
