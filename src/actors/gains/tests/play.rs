//! A model of the API's calls that grant something. Each is decided by the code that the API asks, and carried out in
//! the database.

use super::*;
use crate::domain::access::{
    AdminFlag, Bearer, Decision, Grantee, Resource, check, check_share, check_token_request, may_set_admin,
};
use crate::domain::ids::UserId;

/// One call. Numbers choose among what there is; what is not permitted or not possible does nothing.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Mint { by: usize, user: usize, scopes: Vec<String> },
    Enrol { by: usize, group: usize, user: usize },
    CreateGroup { by: usize, group: usize, user: usize },
    DeleteGroup { by: usize, group: usize },
    CreateUser { by: usize, user: usize, admin: bool },
    SetAdmin { by: usize, user: usize },
    RenameUser { by: usize, user: usize, to: usize },
    DeleteUser { by: usize, user: usize },
    RenameServer { by: usize, server: usize, to: usize },
    Share { by: usize, server: usize, with: usize, scopes: Vec<String> },
    ShareWithGroup { by: usize, server: usize, with: usize, scopes: Vec<String> },
    Redeem { by: usize, server: usize, like: usize, scopes: Vec<String> },
}

const NAMES: [&str; 5] = ["ada", "bob", "root", "new", "holder"];
const SERVERS: [&str; 5] = ["ada/", "ada/lab", "bob/", "ada/new", "new/"];
pub(super) const ALL_GROUPS: [&str; 3] = ["lab", "crew", "new"];

pub(super) fn call() -> impl Strategy<Value = Call> {
    let n = || 0..20_usize;
    let wish = || vec(select(BASES.to_vec()).prop_map(str::to_owned), 1..3);
    prop_oneof![
        4 => (n(), n(), vec(anything(), 0..3)).prop_map(|(by, user, scopes)| Call::Mint { by, user, scopes }),
        4 => (n(), n(), n()).prop_map(|(by, group, user)| Call::Enrol { by, group, user }),
        2 => (n(), n(), n()).prop_map(|(by, group, user)| Call::CreateGroup { by, group, user }),
        1 => (n(), n()).prop_map(|(by, group)| Call::DeleteGroup { by, group }),
        2 => (n(), n(), any::<bool>()).prop_map(|(by, user, admin)| Call::CreateUser { by, user, admin }),
        1 => (n(), n()).prop_map(|(by, user)| Call::SetAdmin { by, user }),
        3 => (n(), n(), n()).prop_map(|(by, user, to)| Call::RenameUser { by, user, to }),
        1 => (n(), n()).prop_map(|(by, user)| Call::DeleteUser { by, user }),
        3 => (n(), n(), n()).prop_map(|(by, server, to)| Call::RenameServer { by, server, to }),
        2 => (n(), n(), n(), wish())
            .prop_map(|(by, server, with, scopes)| Call::Share { by, server, with, scopes }),
        2 => (n(), n(), n(), wish())
            .prop_map(|(by, server, with, scopes)| Call::ShareWithGroup { by, server, with, scopes }),
        2 => (n(), n(), n(), wish())
            .prop_map(|(by, server, like, scopes)| Call::Redeem { by, server, like, scopes }),
    ]
}

/// What can be shown to the hub: a login cookie, or a token.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credential {
    Cookie(UserId),
    Token(TokenId),
}

/// The hub, and what the player has.
pub(super) struct Play<'a> {
    pub(super) db: &'a mut Db,
    pub(super) catalogue: &'a Catalogue,
    pub(super) credentials: Vec<Credential>,
    made: usize,
}

fn at<T: Copy>(list: &[T], number: usize) -> T {
    list[number % list.len()]
}

impl<'a> Play<'a> {
    pub(super) fn new(db: &'a mut Db, catalogue: &'a Catalogue, player: UserId) -> Self {
        Self { db, catalogue, credentials: vec![Credential::Cookie(player)], made: 100 }
    }

    /// Who shows this, and what it permits; `None` if it works no more.
    pub(super) fn granted(&mut self, credential: Credential) -> Option<(User, Granted)> {
        match credential {
            Credential::Cookie(id) => {
                let user = users::find_by_id(self.db, id).unwrap()?;
                let granted = of_user(self.db, self.catalogue, &user).unwrap();
                Some((user, granted))
            }
            Credential::Token(id) => {
                let token = tokens::find(self.db, id).unwrap()?;
                let TokenOwner::User(owner) = token.owner else { return None };
                let (user, owned) = self.granted(Credential::Cookie(owner))?;
                let owner = Owner::User(user.name.as_str());
                let granted = of_token(self.db, self.catalogue, &token, owner, owned).unwrap();
                Some((user, granted))
            }
        }
    }

    fn caller(&mut self, by: usize) -> Option<(User, Granted)> {
        let credential = at(&self.credentials, by);
        self.granted(credential)
    }

    fn user(&mut self, number: usize) -> Option<User> {
        users::find(self.db, &name(at(&NAMES, number))).unwrap()
    }

    /// `None` if it is not permitted, or not possible.
    pub(super) fn make(&mut self, call: &Call) -> Option<()> {
        match call {
            Call::Mint { by, user, scopes } => self.mint(*by, *user, scopes),
            Call::Enrol { by, group, user } => self.enrol(*by, at(&ALL_GROUPS, *group), *user),
            Call::CreateGroup { by, group, user } => self.create_group(*by, at(&ALL_GROUPS, *group), *user),
            Call::DeleteGroup { by, group } => self.delete_group(*by, at(&ALL_GROUPS, *group)),
            Call::CreateUser { by, user, admin } => self.create_user(*by, at(&NAMES, *user), *admin),
            Call::SetAdmin { by, user } => self.set_admin(*by, *user),
            Call::RenameUser { by, user, to } => self.rename_user(*by, *user, &name(at(&NAMES, *to))),
            Call::DeleteUser { by, user } => self.delete_user(*by, *user),
            Call::RenameServer { by, server, to } => {
                self.rename_server(*by, &key(at(&SERVERS, *server)), &key(at(&SERVERS, *to)))
            }
            Call::Share { by, server, with, scopes } => {
                let (text, user) = (at(&NAMES, *with), self.user(*with));
                let grantee = user.map(|user| GranteeId::User(user.id));
                self.share(*by, &key(at(&SERVERS, *server)), Grantee::User(text), grantee, scopes)
            }
            Call::ShareWithGroup { by, server, with, scopes } => {
                let text = at(&ALL_GROUPS, *with);
                let found = groups::find(self.db, &group(text)).unwrap();
                let grantee = found.map(|group| GranteeId::Group(group.id));
                self.share(*by, &key(at(&SERVERS, *server)), Grantee::Group(text), grantee, scopes)
            }
            Call::Redeem { by, server, like, scopes } => {
                let (user, _) = self.caller(*like)?;
                let grantee = Some(GranteeId::User(user.id));
                self.share(*by, &key(at(&SERVERS, *server)), Grantee::Code, grantee, scopes)
            }
        }
    }

    fn permit(&mut self, by: usize, scope: &'static str, resource: Resource<'_>) -> Option<(User, Granted)> {
        let (user, granted) = self.caller(by)?;
        let any_of = [scope];
        let allowed = check(&granted.scopes, &any_of, &resource, &granted.members) == Decision::Allowed;
        allowed.then_some((user, granted))
    }

    fn manage(&mut self, by: usize, user: usize) -> Option<(User, User)> {
        let target = self.user(user)?;
        let (caller, _) = self.permit(by, "admin:users", Resource::User(target.name.as_str()))?;
        may_set_admin(flag(caller.admin), flag(target.admin), AdminFlag::Ordinary).then_some((caller, target))
    }

    fn mint(&mut self, by: usize, user: usize, scopes: &[String]) -> Option<()> {
        let owner = self.user(user)?;
        self.permit(by, "tokens", Resource::User(owner.name.as_str()))?;
        let owned = of_user(self.db, self.catalogue, &owner).unwrap();
        let requested = RawScope::parse_all(scopes, self.catalogue).unwrap();
        let bearer = bearer(&owner, &owned, self.catalogue);
        check_token_request(&requested, &owned.scopes, &bearer).ok()?;
        self.made += 1;
        let id = add_token(self.db, TokenOwner::User(owner.id), scopes.to_vec(), "jupyterhub", self.made);
        self.credentials.push(Credential::Token(id));
        Some(())
    }

    fn enrol(&mut self, by: usize, text: &str, user: usize) -> Option<()> {
        let (caller, granted) = self.permit(by, "groups", Resource::Group(text))?;
        let found = groups::find(self.db, &group(text)).unwrap()?;
        let members = [self.user(user)?];
        self.refuse_mighty(&caller, &granted, text, &members)?;
        groups::add_members(self.db, found.id, &[members[0].id]).unwrap();
        Some(())
    }

    fn create_group(&mut self, by: usize, text: &str, user: usize) -> Option<()> {
        let (caller, granted) = self.permit(by, "admin:groups", Resource::Group(text))?;
        let members = [self.user(user)?];
        self.refuse_mighty(&caller, &granted, text, &members)?;
        let made = groups::create(self.db, &group(text)).ok()?;
        groups::add_members(self.db, made.id, &[members[0].id]).unwrap();
        Some(())
    }

    fn delete_group(&mut self, by: usize, text: &str) -> Option<()> {
        self.permit(by, "delete:groups", Resource::Group(text))?;
        let found = groups::find(self.db, &group(text)).unwrap()?;
        groups::delete(self.db, found.id).unwrap();
        Some(())
    }

    fn refuse_mighty(
        &mut self,
        caller: &User,
        granted: &Granted,
        text: &str,
        members: &[User],
    ) -> Option<()> {
        let author = author(caller, granted, self.catalogue);
        author.too_mighty(self.db, &group(text), members).unwrap().is_none().then_some(())
    }

    fn create_user(&mut self, by: usize, text: &str, admin: bool) -> Option<()> {
        let (caller, _) = self.permit(by, "admin:users", Resource::User(text))?;
        may_set_admin(flag(caller.admin), AdminFlag::Ordinary, flag(admin)).then_some(())?;
        self.made += 1;
        let cookie_id = format!("new-{}", self.made);
        let user =
            users::create(self.db, &users::NewUser { name: name(text), admin, created: now(), cookie_id });
        let user = user.ok()?;
        self.give("user", user.id);
        if admin {
            self.give("admin", user.id);
        }
        Some(())
    }

    fn set_admin(&mut self, by: usize, user: usize) -> Option<()> {
        let (caller, target) = self.manage(by, user)?;
        may_set_admin(flag(caller.admin), flag(target.admin), AdminFlag::Admin).then_some(())?;
        users::set_admin(self.db, target.id, true).unwrap();
        self.give("admin", target.id);
        Some(())
    }

    fn give(&mut self, role: &str, user: UserId) {
        let role = roles::find(self.db, role).unwrap().unwrap();
        roles::grant(self.db, role.id, RoleBearer::User(user), Assigned::ByHub).unwrap();
    }

    fn delete_user(&mut self, by: usize, user: usize) -> Option<()> {
        let target = self.user(user)?;
        self.permit(by, "delete:users", Resource::User(target.name.as_str()))?;
        users::delete(self.db, target.id).unwrap();
        Some(())
    }

    fn rename_user(&mut self, by: usize, user: usize, to: &Username) -> Option<()> {
        let (_, target) = self.manage(by, user)?;
        let (caller, granted) = self.caller(by)?;
        let author = author(&caller, &granted, self.catalogue);
        if users::find(self.db, to).unwrap().is_some()
            || author.user_name_gains(self.db, &target.name, to).unwrap()
        {
            return None;
        }
        users::rename(self.db, target.id, to).unwrap();
        Some(())
    }

    fn rename_server(&mut self, by: usize, from: &ServerKey, to: &ServerKey) -> Option<()> {
        let (caller, granted) = self.permit(by, "start:servers", on(from))?;
        let row = servers::find_by_key(self.db, from).unwrap()?;
        if from.user != to.user || servers::find_by_key(self.db, to).unwrap().is_some() {
            return None;
        }
        let author = author(&caller, &granted, self.catalogue);
        if author.server_name_gains(self.db, from, to).unwrap() {
            return None;
        }
        servers::rename(self.db, row.id, &to.server).unwrap();
        Some(())
    }

    fn share(
        &mut self,
        by: usize,
        server: &ServerKey,
        grantee: Grantee<'_>,
        id: Option<GranteeId>,
        scopes: &[String],
    ) -> Option<()> {
        let (caller, granted) = self.permit(by, "shares", on(server))?;
        let parsed = RawScope::parse_all(scopes, self.catalogue).unwrap();
        let scopes: Vec<RawScope> = parsed.iter().map(|scope| scope.for_share(server).unwrap()).collect();
        check_share(&scopes, grantee, &granted.scopes, &bearer(&caller, &granted, self.catalogue)).ok()?;
        let row = servers::find_by_key(self.db, server).unwrap()?;
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        shares::grant(self.db, &row, id?, &scopes, now()).unwrap();
        Some(())
    }
}

fn on(key: &ServerKey) -> Resource<'_> {
    Resource::Server { user: key.user.as_str(), server: key.server.as_str() }
}

fn bearer<'a>(user: &'a User, granted: &'a Granted, catalogue: &'a Catalogue) -> Bearer<'a> {
    let owner = Owner::User(user.name.as_str());
    Bearer { owner, client: ClientOwner::Hub, members: &granted.members, catalogue }
}

fn flag(admin: bool) -> AdminFlag {
    if admin { AdminFlag::Admin } else { AdminFlag::Ordinary }
}

fn author<'a>(caller: &User, granted: &'a Granted, catalogue: &'a Catalogue) -> Author<'a> {
    let Granted { scopes, members, .. } = granted;
    Author { scopes, members, is_admin: caller.admin, catalogue }
}
