//! What the address of the list of users asks for. What makes no sense is left out: an address may be old, or typed.

use crate::domain::names::{GroupName, Username};
use crate::store::users::{Position, Side, Sort, SortKey, StateFilter, UserFilter, Visible, Window};
use crate::web::caller::Caller;
use crate::web::pages::address::Arguments;
use crate::web::pages::failure;
use crate::web::render::pages::ServerState;
use crate::web::render::pages::admin::{Column, Pager, ShownFilter};
use crate::web::state::Hub;
use crate::web::texts::Voice;

/// Users by what their servers do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Servers {
    /// All users.
    #[default]
    Any,
    /// Those with a server that runs.
    Active,
    /// Those with a server on its way up or down.
    Pending,
    /// Those with a server that ended badly.
    Failed,
    /// Those without a server that runs.
    Inactive,
}

impl Servers {
    fn read(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "pending" => Self::Pending,
            "failed" => Self::Failed,
            "inactive" => Self::Inactive,
            _ => Self::Any,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Inactive => "inactive",
        }
    }

    /// Whether a server in this state is what one looks for (UI-127).
    pub(super) fn shows(self, state: ServerState) -> bool {
        match self {
            Self::Any | Self::Inactive => true,
            Self::Active => {
                matches!(state, ServerState::Running | ServerState::Starting | ServerState::Stopping)
            }
            Self::Pending => matches!(state, ServerState::Starting | ServerState::Stopping),
            Self::Failed => state == ServerState::Failed,
        }
    }
}

/// The list that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) servers: Servers,
    pub(super) admins: bool,
    pub(super) group: String,
    pub(super) sort: Sort,
    pub(super) limit: i64,
    pub(super) side: Side,
    usual_limit: i64,
}

impl Wanted {
    /// Reads the arguments of an address. Pages hold `usual` users unless another number up to `most` is asked for.
    pub(super) fn read(arguments: &Arguments, (usual, most): (i64, i64)) -> Self {
        let text = |name: &str| arguments.last(name).unwrap_or_default().trim().to_owned();
        let sort = read_sort(&text("sort"));
        let position = |name: &str| Position::parse(arguments.last(name)?, sort.key);
        let side = match (position("after"), position("before")) {
            (Some(after), _) => Side::After(after),
            (None, Some(before)) => Side::Before(before),
            (None, None) => Side::First,
        };
        let limit = text("limit").parse::<i64>().ok().filter(|limit| *limit > 0);
        Self {
            name: text("name_filter"),
            servers: Servers::read(&text("state")),
            admins: matches!(text("admin").as_str(), "1" | "true" | "on"),
            group: text("group"),
            sort,
            limit: limit.unwrap_or(usual).clamp(1, most.max(1)),
            side,
            usual_limit: usual,
        }
    }

    /// The same for the store, narrowed to whom the caller may list.
    pub(super) fn filter(&self, hub: &Hub, caller: &Caller) -> UserFilter {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let (state, named) = match self.servers {
            Servers::Any => (None, None),
            Servers::Active => (Some(StateFilter::Active), None),
            Servers::Inactive => (Some(StateFilter::Inactive), None),
            Servers::Pending | Servers::Failed => (None, Some(self.known(hub))),
        };
        UserFilter {
            visible: visible(caller),
            state,
            name_contains: some(&self.name),
            admins: self.admins,
            group: some(&self.group).map(GroupName::from_stored),
            named,
            sort: self.sort,
            offset: 0,
            limit: self.limit,
        }
    }

    /// Users whose servers are as wanted, which only the actors know; they are few.
    fn known(&self, hub: &Hub) -> Vec<Username> {
        let keys = hub.servers.directory().select(|status| self.servers.shows(failure::state(status)));
        let mut users: Vec<Username> = keys.into_iter().map(|key| key.user).collect();
        users.sort();
        users.dedup();
        users
    }

    /// Whether anybody is left out.
    pub(super) fn is_narrow(&self) -> bool {
        !self.name.is_empty() || self.servers != Servers::Any || self.admins || !self.group.is_empty()
    }

    /// What is asked for, without order and place.
    pub(super) fn matching(&self) -> Arguments {
        let mut arguments = Arguments::default();
        let given = [
            ("name_filter", self.name.as_str()),
            ("state", self.servers.word()),
            ("admin", if self.admins { "1" } else { "" }),
            ("group", self.group.as_str()),
        ];
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            arguments = arguments.with(name, value);
        }
        arguments
    }

    fn arguments(&self, sort: Sort) -> Arguments {
        let mut arguments = self.matching();
        let sort = sort_word(sort);
        if !sort.is_empty() {
            arguments = arguments.with("sort", sort);
        }
        if self.limit != self.usual_limit {
            arguments = arguments.with("limit", self.limit.to_string());
        }
        arguments
    }

    /// As the form shows it.
    pub(super) fn shown(&self) -> ShownFilter {
        ShownFilter {
            name_filter: self.name.clone(),
            state: self.servers.word(),
            admin: self.admins,
            group: self.group.clone(),
            sort: sort_word(self.sort).to_owned(),
            limit: self.limit,
        }
    }

    /// The columns that sort; pressing one goes from up to down to unsorted.
    pub(super) fn columns(&self, voice: &Voice, here: &str) -> Vec<Column> {
        [(SortKey::Name, voice.say("admin-user")), (SortKey::LastActivity, voice.say("admin-last-activity"))]
            .into_iter()
            .map(|(key, title)| {
                let (order, next) = match (self.sort.key == key, self.sort.descending) {
                    (false, _) => ("none", Sort { key, descending: false }),
                    (true, false) => ("ascending", Sort { key, descending: true }),
                    (true, true) => ("descending", Sort::default()),
                };
                Column { title, url: self.arguments(next).added_to(here), order }
            })
            .collect()
    }

    /// The way through the list.
    pub(super) fn pager(&self, here: &str, window: &Window) -> Pager {
        let shown = i64::try_from(window.items.len()).unwrap_or_default();
        let last = window.before.saturating_add(shown);
        let at = |name: &str, user: Option<&crate::store::users::User>| {
            let position = Position::of(user?, self.sort.key);
            Some(self.arguments(self.sort).with(name, position.to_string()).added_to(here))
        };
        Pager {
            first: if shown > 0 { window.before.saturating_add(1) } else { 0 },
            last: if shown > 0 { last } else { 0 },
            total: window.total,
            previous: at("before", window.items.first()).filter(|_| window.before > 0),
            next: at("after", window.items.last()).filter(|_| last < window.total),
        }
    }
}

fn read_sort(text: &str) -> Sort {
    let (descending, key) = text.strip_prefix('-').map_or((false, text), |key| (true, key));
    match key {
        "name" => Sort { key: SortKey::Name, descending },
        "last_activity" => Sort { key: SortKey::LastActivity, descending },
        _ => Sort::default(),
    }
}

fn sort_word(sort: Sort) -> &'static str {
    match (sort.key, sort.descending) {
        (SortKey::Id, _) => "",
        (SortKey::Name, false) => "name",
        (SortKey::Name, true) => "-name",
        (SortKey::LastActivity, false) => "last_activity",
        (SortKey::LastActivity, true) => "-last_activity",
    }
}

fn visible(caller: &Caller) -> Visible {
    match caller.scopes.coverage("list:users").map(|coverage| coverage.filters()) {
        Some(None) => Visible::Everyone,
        Some(Some(filters)) => Visible::Only {
            users: filters.users.iter().map(Username::from_stored).collect(),
            groups: filters.groups.iter().map(GroupName::from_stored).collect(),
        },
        None => Visible::Only { users: Vec::new(), groups: Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Wanted {
        Wanted::read(&Arguments::of(&format!("/hub/admin?{query}")), (50, 200))
    }

    /// UI-129: what is usual stays out of the address, the rest comes back.
    #[test]
    fn an_address_says_what_it_was_made_for() {
        let wanted = read("name_filter=+a%26b&state=active&admin=1&group=lab&sort=-name&limit=25&after=bob");
        assert_eq!((wanted.name.as_str(), wanted.servers, wanted.limit), ("a&b", Servers::Active, 25));
        assert_eq!(wanted.side, Side::After(Position::Name("bob".to_owned())));
        let query = "name_filter=a%26b&state=active&admin=1&group=lab";
        assert_eq!(wanted.matching().added_to(""), format!("?{query}"));
        assert_eq!(wanted.arguments(wanted.sort).added_to(""), format!("?{query}&sort=-name&limit=25"));
        assert_eq!(read("").arguments(Sort::default()).added_to("/x"), "/x");
    }

    #[test]
    fn nonsense_is_left_out_and_limits_are_kept() {
        let wanted = read("sort=running&limit=many&after=x&state=asleep&admin=0");
        assert_eq!((wanted.side.clone(), wanted.sort, wanted.limit), (Side::First, Sort::default(), 50));
        assert!(!wanted.is_narrow());
        assert_eq!((read("limit=0").limit, read("limit=9999").limit), (50, 200));
    }

    /// UI-128: up, down, and back to unsorted.
    #[test]
    fn a_column_goes_through_its_orders() {
        let url = |query: &str| read(query).columns(&Voice::english(), "/hub/admin").remove(0);
        let orders = ["", "sort=name", "sort=-name"].map(|query| (url(query).order, url(query).url));
        assert_eq!(orders[0], ("none", "/hub/admin?sort=name".to_owned()));
        assert_eq!(orders[1], ("ascending", "/hub/admin?sort=-name".to_owned()));
        assert_eq!(orders[2], ("descending", "/hub/admin".to_owned()));
    }

    /// UI-127.
    #[test]
    fn only_servers_that_run_are_shown_among_the_active() {
        assert!(Servers::Active.shows(ServerState::Starting) && !Servers::Active.shows(ServerState::Stopped));
        assert!(Servers::Failed.shows(ServerState::Failed) && !Servers::Failed.shows(ServerState::Running));
        assert!(Servers::Any.shows(ServerState::Stopped));
    }
}
