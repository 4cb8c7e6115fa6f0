//! The scopes every hub knows (rbac.md 3): name, what it directly implies, and a sentence for the consent page.

/// One row of the table.
pub(super) struct StandardScope {
    /// The name, as written in roles and tokens.
    pub(super) name: &'static str,
    /// What it implies directly; the catalogue works out the rest.
    pub(super) implies: &'static [&'static str],
    /// What a holder may do, for the person who is asked to agree.
    pub(super) description: &'static str,
}

const fn scope(
    name: &'static str,
    implies: &'static [&'static str],
    description: &'static str,
) -> StandardScope {
    StandardScope { name, implies, description }
}

/// What `self` stands for; each is filtered to the bearer (rbac.md 5).
pub(super) const SELF_SCOPES: &[&str] = &[
    "access:servers",
    "delete:servers",
    "read:servers",
    "read:shares",
    "read:tokens",
    "read:users",
    "read:users:activity",
    "read:users:groups",
    "read:users:name",
    "read:users:shares",
    "servers",
    "start:servers",
    "tokens",
    "users:activity",
    "users:shares",
];

/// The complete table.
pub(super) const STANDARD_SCOPES: &[StandardScope] = &[
    scope("(no_scope)", &[], "Learn who you are, nothing more."),
    scope("self", &[], "Do what you may do with your own account, servers and tokens."),
    scope("inherit", &[], "Do everything that you may do, now and later."),
    scope("admin-ui", &[], "Open the administration page."),
    // Users.
    scope(
        "admin:users",
        &["admin:auth_state", "users", "read:roles:users", "delete:users"],
        "Create, rename, change and delete users, and handle the credentials kept from their sign-in.",
    ),
    scope("admin:auth_state", &[], "See the credentials kept from a user's sign-in."),
    scope(
        "users",
        &["read:users", "list:users", "users:activity"],
        "Read users, list them and report their activity.",
    ),
    scope("delete:users", &[], "Delete users."),
    scope("list:users", &["read:users:name"], "List users."),
    scope(
        "read:users",
        &["read:users:name", "read:users:groups", "read:users:activity"],
        "Read everything about a user except servers and sign-in credentials.",
    ),
    scope("read:users:name", &[], "Read a user's name."),
    scope("read:users:groups", &[], "Read which groups a user is in."),
    scope("read:users:activity", &[], "Read when a user was last active."),
    scope("users:activity", &["read:users:activity"], "Report that a user is active."),
    // Roles.
    scope(
        "read:roles",
        &["read:roles:users", "read:roles:services", "read:roles:groups"],
        "Read which roles users, services and groups have.",
    ),
    scope("read:roles:users", &[], "Read which roles a user has."),
    scope("read:roles:services", &[], "Read which roles a service has."),
    scope("read:roles:groups", &[], "Read which roles a group has."),
    // Servers.
    scope(
        "admin:servers",
        &["admin:server_state", "servers"],
        "Manage servers in every way, including their internal state.",
    ),
    scope("admin:server_state", &[], "See the internal state of servers."),
    scope("servers", &["read:servers", "start:servers", "delete:servers"], "Start, stop and list servers."),
    scope("read:servers", &["read:users:name"], "Read about servers and their progress."),
    scope("start:servers", &[], "Create, start and edit servers."),
    scope("delete:servers", &[], "Stop and remove servers."),
    scope("access:servers", &[], "Use running servers."),
    // Tokens.
    scope("tokens", &["read:tokens"], "Create, list and revoke a user's access tokens."),
    scope("read:tokens", &[], "List a user's access tokens."),
    // Groups.
    scope(
        "admin:groups",
        &["groups", "read:roles:groups", "delete:groups"],
        "Create, change and delete groups.",
    ),
    scope("groups", &["read:groups", "list:groups"], "Read groups and change their members and properties."),
    scope("list:groups", &["read:groups:name"], "List groups."),
    scope("read:groups", &["read:groups:name"], "Read a group's members and properties."),
    scope("read:groups:name", &[], "Read a group's name."),
    scope("delete:groups", &[], "Delete groups."),
    // Services.
    scope(
        "admin:services",
        &["list:services", "read:services", "read:roles:services"],
        "Register and remove services.",
    ),
    scope("list:services", &["read:services:name"], "List services."),
    scope("read:services", &["read:services:name"], "Read everything about a service."),
    scope("read:services:name", &[], "Read a service's name."),
    scope("access:services", &[], "Use services."),
    // Shares.
    scope(
        "shares",
        &["access:servers", "read:shares", "users:shares", "groups:shares"],
        "Share servers with others and end such shares.",
    ),
    scope("read:shares", &[], "See with whom servers are shared."),
    scope("users:shares", &["read:users:shares"], "See and leave what is shared with a user."),
    scope("read:users:shares", &[], "See what is shared with a user."),
    scope("groups:shares", &["read:groups:shares"], "See and leave what is shared with a group."),
    scope("read:groups:shares", &[], "See what is shared with a group."),
    // The hub.
    scope("read:hub", &[], "Read the hub's version and set-up."),
    scope("proxy", &[], "Read and refresh the proxy's routes."),
    scope("shutdown", &[], "Stop the hub."),
    scope("read:metrics", &[], "Read the hub's metrics."),
];
