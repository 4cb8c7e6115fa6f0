//! Which fields of a model a holder of scopes sees (rest-api.md 2). A model without any visible field is left out of
//! listings.

use crate::domain::scope::{Coverage, Scopes};

macro_rules! field_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident = $bit:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name(u16);

        impl $name {
            $($(#[$field_doc])* pub const $field: Self = Self(1 << $bit);)*

            /// Whether all of these fields are visible.
            #[must_use]
            pub const fn contains(self, fields: Self) -> bool {
                self.0 & fields.0 == fields.0
            }

            /// Whether nothing is visible.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// What either shows.
            #[must_use]
            pub const fn with(self, more: Self) -> Self {
                Self(self.0 | more.0)
            }
        }
    };
}

field_set! {
    /// Visible fields of a user model.
    UserFields {
        /// `kind` and `name`
        NAME = 0,
        /// `admin`
        ADMIN = 1,
        /// `user_info`
        USER_INFO = 2,
        /// `roles`
        ROLES = 3,
        /// `groups`
        GROUPS = 4,
        /// `server`
        SERVER = 5,
        /// `pending`
        PENDING = 6,
        /// `created`
        CREATED = 7,
        /// `last_activity`
        LAST_ACTIVITY = 8,
        /// `servers`; each server is checked on its own
        SERVERS = 9,
        /// `auth_state`
        AUTH_STATE = 10,
    }
}

field_set! {
    /// Visible fields of a group model.
    GroupFields {
        /// `kind` and `name`
        NAME = 0,
        /// `users`
        USERS = 1,
        /// `properties`
        PROPERTIES = 2,
        /// `roles`
        ROLES = 3,
    }
}

field_set! {
    /// Visible fields of a service model.
    ServiceFields {
        /// `kind` and `name`
        NAME = 0,
        /// `admin`
        ADMIN = 1,
        /// `roles`
        ROLES = 2,
        /// `url`, `prefix`, `command`, `pid`, `info`, `display`
        DETAILS = 3,
    }
}

impl UserFields {
    /// Whether the `servers` object is part of the model, when that many of the user's servers are visible one by
    /// one (`read:servers` on the server).
    #[must_use]
    pub const fn shows_servers(self, visible_servers: usize) -> bool {
        self.contains(Self::SERVERS) || (!self.is_empty() && visible_servers > 0)
    }
}

const NAME_LEVEL: UserFields = UserFields::NAME.with(UserFields::ADMIN).with(UserFields::USER_INFO);
const WHOLE_USER: UserFields = NAME_LEVEL
    .with(UserFields::ROLES)
    .with(UserFields::GROUPS)
    .with(UserFields::SERVER)
    .with(UserFields::PENDING)
    .with(UserFields::CREATED)
    .with(UserFields::LAST_ACTIVITY);

/// What each scope shows of a user.
const USER_SCOPES: [(&str, UserFields); 7] = [
    ("read:users", WHOLE_USER),
    ("read:users:name", NAME_LEVEL),
    ("read:roles:users", UserFields::NAME.with(UserFields::ADMIN).with(UserFields::ROLES)),
    ("read:users:groups", UserFields::NAME.with(UserFields::GROUPS)),
    ("read:users:activity", UserFields::NAME.with(UserFields::LAST_ACTIVITY)),
    ("read:servers", UserFields::NAME.with(UserFields::SERVERS)),
    ("admin:auth_state", UserFields::NAME.with(UserFields::AUTH_STATE)),
];

/// What a holder sees of users; looked up once for a whole listing.
#[derive(Debug, Clone, Copy)]
pub struct UserVisibility<'a> {
    shown: [(Option<&'a Coverage>, UserFields); 7],
}

impl<'a> UserVisibility<'a> {
    /// What a holder of these scopes sees.
    #[must_use]
    pub fn of(scopes: &'a Scopes) -> Self {
        let shown = USER_SCOPES.map(|(base, fields)| (scopes.coverage(base), fields));
        Self { shown }
    }

    /// What is visible of one user, who is in these groups.
    pub fn fields(&self, user: &str, groups: &[impl AsRef<str>]) -> UserFields {
        let mut visible = UserFields::default();
        for (coverage, fields) in self.shown {
            let Some(coverage) = coverage else {
                continue;
            };
            if !visible.contains(fields) && coverage.covers_user(user, groups) {
                visible = visible.with(fields);
            }
        }
        visible
    }
}

/// Whether `state` is part of a server's model.
pub fn server_state_visible(scopes: &Scopes, user: &str, server: &str, groups: &[impl AsRef<str>]) -> bool {
    scopes.covers_server("admin:server_state", user, server, groups)
}

/// What is visible of a group.
#[must_use]
pub fn group_fields(scopes: &Scopes, group: &str) -> GroupFields {
    let whole = GroupFields::NAME.with(GroupFields::USERS).with(GroupFields::PROPERTIES);
    [
        ("read:groups", whole),
        ("read:groups:name", GroupFields::NAME),
        ("read:roles:groups", GroupFields::NAME.with(GroupFields::ROLES)),
    ]
    .into_iter()
    .filter(|(base, _)| scopes.covers_group(base, group))
    .fold(GroupFields::default(), |visible, (_, fields)| visible.with(fields))
}

/// What is visible of a service.
#[must_use]
pub fn service_fields(scopes: &Scopes, service: &str) -> ServiceFields {
    let name_level = ServiceFields::NAME.with(ServiceFields::ADMIN);
    [
        ("read:services", name_level.with(ServiceFields::DETAILS)),
        ("read:services:name", name_level),
        ("read:roles:services", name_level.with(ServiceFields::ROLES)),
    ]
    .into_iter()
    .filter(|(base, _)| scopes.covers_service(base, service))
    .fold(ServiceFields::default(), |visible, (_, fields)| visible.with(fields))
}
