//! Properties of what people may do, over a real database in memory: a token never exceeds its owner, and no sequence
//! of calls that are permitted brings their author more than is meant.

mod play;
mod reach;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::actors::permissions::{Granted, of_token, of_user};
use crate::domain::ids::TokenId;
use crate::domain::names::ServerName;
use crate::domain::scope::RawScope;
use crate::secret::Secret;
use crate::store::roles::{Assigned, Bearer as RoleBearer, NewRole};
use crate::store::shares::GranteeId;
use crate::store::tokens::{NewToken, TokenOwner, TokenPurpose};
use crate::store::{OpenMode, Store, StoreConfig, groups, oauth, servers, services, shares, tokens, users};

const USERS: [&str; 4] = ["holder", "ada", "bob", "root"];
const GROUPS: [&str; 2] = ["lab", "crew"];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn name(text: &str) -> Username {
    Username::from_stored(text)
}

fn group(text: &str) -> GroupName {
    GroupName::from_stored(text)
}

fn key(text: &str) -> ServerKey {
    let (user, server) = text.split_once('/').unwrap();
    ServerKey::new(name(user), ServerName::from_stored(server))
}

/// A filter on things that exist, will exist, or never do.
fn filter() -> impl Strategy<Value = &'static str> {
    select(vec![
        "!user",
        "!user=ada",
        "!user=bob",
        "!user=new",
        "!user=root",
        "!group=lab",
        "!group=crew",
        "!group=new",
        "!server=ada/",
        "!server=ada/lab",
        "!server=bob/",
        "!server=new/",
        "!service=site",
    ])
}

const BASES: [&str; 22] = [
    "access:servers",
    "admin:auth_state",
    "admin:groups",
    "admin:servers",
    "admin:users",
    "delete:groups",
    "delete:servers",
    "delete:users",
    "groups",
    "list:users",
    "read:groups",
    "read:servers",
    "read:shares",
    "read:tokens",
    "read:users",
    "read:users:name",
    "servers",
    "shares",
    "start:servers",
    "tokens",
    "users",
    "users:shares",
];

fn filtered() -> impl Strategy<Value = String> {
    (select(BASES.to_vec()), filter()).prop_map(|(base, filter)| format!("{base}{filter}"))
}

/// Any scope: with a filter, without, or one of the words for many.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => filtered(),
        1 => select(BASES.to_vec()).prop_map(str::to_owned),
        1 => select(vec!["self", "inherit", "access:services", "proxy", "list:groups!group=lab"]).prop_map(str::to_owned),
    ]
}

/// A database with four users (root an admin), two groups and ada's servers.
struct World {
    store: Store,
    runtime: tokio::runtime::Runtime,
    catalogue: Arc<Catalogue>,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let patience = Duration::from_secs(5);
        let config = StoreConfig {
            url: ":memory:".to_owned(),
            pool_size: 1,
            busy_timeout: patience,
            connect_timeout: patience,
            ..StoreConfig::default()
        };
        let store = Store::open(&config, OpenMode::CreateOrCurrent).unwrap();
        let world = Self { store, runtime, catalogue: Arc::new(Catalogue::standard()) };
        world.with(|db| {
            oauth::ensure_hub_client(db).unwrap();
            for (index, user) in USERS.iter().enumerate() {
                let admin = *user == "root";
                let cookie_id = format!("{index:032}");
                users::create(db, &users::NewUser { name: name(user), admin, created: now(), cookie_id })
                    .unwrap();
            }
            GROUPS.iter().for_each(|text| drop(groups::create(db, &group(text)).unwrap()));
            for text in ["ada/", "ada/lab", "bob/"] {
                let key = key(text);
                let owner = users::find(db, &key.user).unwrap().unwrap();
                servers::create(db, owner.id, &key.server).unwrap();
            }
        });
        for user in USERS {
            world.role("user", &["self".to_owned()], &[user], &[]);
        }
        let [_, admin, ..] = crate::domain::role::default_roles(&[]);
        let admin: Vec<String> = admin.scopes.iter().map(ToString::to_string).collect();
        world.role("admin", &admin, &["root"], &[]);
        world
    }

    fn with<T: Send + 'static>(&self, act: impl FnOnce(&mut Db) -> T + Send + 'static) -> T {
        self.runtime.block_on(self.store.write(move |db| Ok::<T, StoreError>(act(db)))).unwrap()
    }

    /// Adds a role and gives it to these users and groups.
    fn role(&self, text: &str, scopes: &[String], to_users: &[&'static str], to_groups: &[&'static str]) {
        let new = NewRole { name: text.to_owned(), scopes: scopes.to_vec(), ..NewRole::default() };
        let (to_users, to_groups) = (to_users.to_vec(), to_groups.to_vec());
        self.with(move |db| {
            let role = roles::upsert(db, &new).unwrap();
            for user in to_users {
                let user = users::find(db, &name(user)).unwrap().unwrap();
                roles::grant(db, role.id, RoleBearer::User(user.id), Assigned::ByHub).unwrap();
            }
            for text in to_groups {
                let group = groups::find(db, &group(text)).unwrap().unwrap();
                roles::grant(db, role.id, RoleBearer::Group(group.id), Assigned::ByHub).unwrap();
            }
        });
    }

    fn enrol(&self, text: &str, members: &[&'static str]) {
        let (text, members) = (group(text), members.to_vec());
        self.with(move |db| {
            let group = groups::find(db, &text).unwrap().unwrap();
            let ids: Vec<_> =
                members.iter().map(|user| users::find(db, &name(user)).unwrap().unwrap().id).collect();
            groups::add_members(db, group.id, &ids).unwrap();
        });
    }
}

/// Stores a token without a secret worth the name.
fn add_token(db: &mut Db, owner: TokenOwner, scopes: Vec<String>, client: &str, number: usize) -> TokenId {
    let new = NewToken {
        hashed: Secret::new(format!("hash-{number}")),
        prefix: "none".to_owned(),
        owner,
        client_id: client.to_owned(),
        server_id: None,
        session_id: None,
        created: now(),
        expires_at: None,
        note: String::new(),
        scopes,
        purpose: TokenPurpose::User,
    };
    tokens::create(db, &new).unwrap()
}

/// Who is in which group, of all groups.
fn membership(db: &mut Db) -> AllMembers {
    let page = groups::page(db, &groups::Visible::All, 0, 100).unwrap();
    let rows = groups::details(db, page.items).unwrap();
    AllMembers(
        rows.into_iter()
            .flat_map(|row| {
                let group = row.group.name.to_string();
                row.users.into_iter().map(move |user| (user.to_string(), group.clone()))
            })
            .collect(),
    )
}

struct AllMembers(std::collections::HashSet<(String, String)>);

impl Membership for AllMembers {
    fn is_member(&self, user: &str, group: &str) -> bool {
        self.0.contains(&(user.to_owned(), group.to_owned()))
    }
}

fn subset_of(list: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(list, 0..=list.len())
}

/// How many cases to try: more with `ORRERY_CASES`.
fn cases(usually: u32) -> u32 {
    std::env::var("ORRERY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usually)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(48)))]

    #[test]
    fn rbac_019_a_stored_token_never_exceeds_its_owner(
        roles_of_users in vec((vec(anything(), 0..4), subset_of(&USERS)), 0..3),
        roles_of_groups in vec((vec(anything(), 0..4), subset_of(&GROUPS)), 0..3),
        in_lab in subset_of(&USERS),
        in_crew in subset_of(&USERS),
        shared in vec((select(vec!["ada/", "ada/lab", "bob/"]), vec(select(BASES.to_vec()), 1..3), any::<bool>()), 0..3),
        token_scopes in vec(vec(anything(), 0..5), 1..4),
        client in select(vec!["jupyterhub", "of-ada", "service-site"]),
    ) {
        let world = World::new();
        for (index, (scopes, bearers)) in roles_of_users.iter().enumerate() {
            world.role(&format!("users-{index}"), scopes, bearers, &[]);
        }
        for (index, (scopes, bearers)) in roles_of_groups.iter().enumerate() {
            world.role(&format!("groups-{index}"), scopes, &[], bearers);
        }
        world.enrol("lab", &in_lab);
        world.enrol("crew", &in_crew);
        let catalogue = Arc::clone(&world.catalogue);
        let wrong = world.with(move |db| {
            clients(db);
            share(db, &shared);
            beyond_the_owner(db, &catalogue, &token_scopes, client)
        });
        prop_assert_eq!(wrong, Vec::<String>::new());
    }
}

fn clients(db: &mut Db) {
    let ada = servers::find_by_key(db, &key("ada/")).unwrap().unwrap();
    let site = services::create(db, &services::ServiceDefinition::named("site")).unwrap();
    for (identifier, owner) in [
        ("of-ada", oauth::ClientOwner::Server(ada.id)),
        ("service-site", oauth::ClientOwner::Service(site.id)),
    ] {
        let client = oauth::OAuthClient {
            identifier: identifier.to_owned(),
            description: String::new(),
            secret_hash: Secret::default(),
            redirect_uri: String::new(),
            allowed_scopes: Vec::new(),
            owner,
        };
        oauth::upsert(db, &client).unwrap();
    }
}

fn share(db: &mut Db, shared: &[(&str, Vec<&str>, bool)]) {
    for (server, bases, with_user) in shared {
        let row = servers::find_by_key(db, &key(server)).unwrap().unwrap();
        let grantee = if *with_user {
            GranteeId::User(users::find(db, &name("holder")).unwrap().unwrap().id)
        } else {
            GranteeId::Group(groups::find(db, &group("lab")).unwrap().unwrap().id)
        };
        let scopes: Vec<String> = bases.iter().map(|base| format!("{base}!server={server}")).collect();
        shares::grant(db, &row, grantee, &scopes, now()).unwrap();
    }
}

/// What tokens of any user permit that the user may not.
fn beyond_the_owner(db: &mut Db, catalogue: &Catalogue, all: &[Vec<String>], client: &str) -> Vec<String> {
    let members = membership(db);
    let mut wrong = Vec::new();
    for (number, text) in USERS.iter().enumerate() {
        let user = users::find(db, &name(text)).unwrap().unwrap();
        let owned = of_user(db, catalogue, &user).unwrap();
        for (index, scopes) in all.iter().enumerate() {
            let number = number * 10 + index;
            let id = add_token(db, TokenOwner::User(user.id), scopes.clone(), client, number);
            let token = tokens::find(db, id).unwrap().unwrap();
            let granted = of_token(db, catalogue, &token, Owner::User(text), owned.clone()).unwrap();
            if !granted.scopes.is_subset_of(&owned.scopes, &members) {
                wrong
                    .push(format!("{text} {scopes:?}: {:?}", granted.scopes.beyond(&owned.scopes, &members)));
            }
        }
    }
    wrong
}
