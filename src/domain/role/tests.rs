//! RBAC-026 to 035, as far as they are decided without a database.

use std::collections::BTreeSet;

use super::*;
use crate::domain::scope::Catalogue;

fn plan(configured: &[RoleSettings]) -> Result<(Vec<RolePlan>, Vec<RoleWarning>), RoleError> {
    plan_with(configured, &[], MemberSource::Configuration)
}

fn plan_with(
    configured: &[RoleSettings],
    extra: &[&str],
    source: MemberSource,
) -> Result<(Vec<RolePlan>, Vec<RoleWarning>), RoleError> {
    let catalogue = Catalogue::standard();
    let extra = RawScope::parse_all(extra, &catalogue).expect("valid");
    let services = BTreeSet::from(["web".to_owned()]);
    plan_roles(configured, &extra, &services, source, &catalogue)
}

fn settings(name: &str, scopes: &[&str]) -> RoleSettings {
    RoleSettings { name: name.into(), scopes: Some(list(scopes)), ..RoleSettings::default() }
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn exactly(names: &[&str]) -> MemberPlan {
    MemberPlan::Exactly(list(names))
}

fn find<'a>(plans: &'a [RolePlan], name: &str) -> &'a RolePlan {
    plans.iter().find(|plan| plan.role.name.as_str() == name).expect(name)
}

fn scopes(role: &Role) -> Vec<String> {
    role.scopes.iter().map(ToString::to_string).collect()
}

#[test]
fn rbac_026_the_default_roles() {
    let [user, admin, server, token] = default_roles(&[]);
    assert_eq!((user.name.as_str(), scopes(&user)), ("user", list(&["self"])));
    assert_eq!((token.name.as_str(), scopes(&token)), ("token", list(&["inherit"])));
    assert_eq!(server.name.as_str(), "server");
    assert_eq!(scopes(&server), ["access:servers!server", "users:activity!user"]);
    let mut wanted = list(&[
        "admin-ui",
        "admin:users",
        "admin:servers",
        "admin:services",
        "tokens",
        "admin:groups",
        "list:services",
        "read:services",
        "read:hub",
        "proxy",
        "shutdown",
        "access:services",
        "access:servers",
        "read:roles",
        "read:metrics",
        "shares",
    ]);
    wanted.sort();
    assert_eq!((admin.name.as_str(), scopes(&admin)), ("admin", wanted));
}

#[test]
fn rbac_026_default_roles_hold_known_scopes_only() {
    let catalogue = Catalogue::standard();
    for role in default_roles(&[]) {
        for scope in &role.scopes {
            assert_eq!(RawScope::parse(&scope.to_string(), &catalogue).as_ref(), Ok(scope));
        }
    }
}

#[test]
fn rbac_028_names_of_roles() {
    let long = format!("a{}", "b".repeat(254));
    for good in ["abc", "a-c", "a~._-9", long.as_str()] {
        assert_eq!(RoleName::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
    }
    let too_long = format!("{long}c");
    for bad in ["", "ab", "Abc", "abc-", "1ab", "a c", "äbc", "ab_", too_long.as_str()] {
        assert_eq!(RoleName::parse(bad), Err(RoleError::Name(bad.into())));
        assert_eq!(plan(&[settings(bad, &[])]), Err(RoleError::Name(bad.into())));
    }
}

#[test]
fn rbac_029_the_admin_role_keeps_its_scopes_and_description() {
    let [_, admin, ..] = default_roles(&[]);
    assert_eq!(plan(&[settings("admin", &["self"])]), Err(RoleError::AdminChanged("scopes")));
    let described =
        RoleSettings { name: "admin".into(), description: Some("mine".into()), ..RoleSettings::default() };
    assert_eq!(plan(&[described]), Err(RoleError::AdminChanged("description")));
    let unchanged = RoleSettings {
        scopes: Some(scopes(&admin).into_iter().rev().collect()),
        description: Some(admin.description.clone()),
        users: Some(list(&["root"])),
        ..settings("admin", &[])
    };
    let (plans, _) = plan(&[unchanged]).expect("the default said again");
    let planned = find(&plans, "admin");
    assert_eq!((&planned.role, &planned.users), (&admin, &exactly(&["root"])));
}

#[test]
fn rbac_030_each_role_is_defined_once() {
    let twice = [settings("reader", &["read:users"]), settings("reader", &["read:users"])];
    assert_eq!(plan(&twice), Err(RoleError::Duplicate("reader".into())));
}

#[test]
fn rbac_031_every_scope_of_a_role_exists() {
    let refused = plan(&[settings("reader", &["read:users", "read:nothing"])]);
    let source = ScopeError::Unknown("read:nothing".into());
    assert_eq!(refused, Err(RoleError::Scope { role: "reader".into(), source }));
}

#[test]
fn rbac_032_roles_that_nobody_defines_any_more_are_obsolete() {
    let (plans, _) = plan(&[settings("reader", &["read:users"])]).expect("valid");
    let names: Vec<RoleName> = ["user", "reader", "old", "managed"].map(RoleName::from_stored).into();
    let stored = names.iter().map(|name| {
        let managed = name.as_str() == "managed";
        (name, if managed { MemberSource::Authenticator } else { MemberSource::Configuration })
    });
    assert_eq!(obsolete_roles(stored, &plans), [&RoleName::from_stored("old")]);
}

#[test]
fn rbac_033_lists_are_authoritative_and_missing_ones_clear() {
    let reader = RoleSettings {
        users: Some(list(&["alice"])),
        services: Some(list(&["web"])),
        ..settings("reader", &["read:users"])
    };
    let named = |name: &str| RoleSettings { name: name.into(), ..RoleSettings::default() };
    let (plans, _) = plan(&[reader, named("user"), named("admin")]).expect("valid");
    let members = |name| {
        let RolePlan { users, groups, services, .. } = find(&plans, name).clone();
        (users, groups, services)
    };
    assert_eq!(members("reader"), (exactly(&["alice"]), exactly(&[]), exactly(&["web"])));
    assert_eq!(members("user"), (MemberPlan::Keep, exactly(&[]), exactly(&[])));
    assert_eq!(members("admin"), (MemberPlan::Flagged, exactly(&[]), MemberPlan::Flagged));
    assert_eq!(members("server"), (MemberPlan::Keep, MemberPlan::Keep, MemberPlan::Keep));
    assert_eq!(plans.len(), 5);
}

#[test]
fn rbac_034_member_services_are_known() {
    let listing = RoleSettings { services: Some(list(&["web", "nosuch"])), ..settings("reader", &[]) };
    let refused = plan(&[listing]);
    let service = "nosuch".into();
    assert_eq!(refused, Err(RoleError::UnknownService { role: "reader".into(), service }));
}

#[test]
fn rbac_035_extra_scopes_reach_the_user_role_unless_it_is_overridden() {
    let extra = &["shares!user"];
    let (plans, warnings) = plan_with(&[], extra, MemberSource::Configuration).expect("valid");
    assert_eq!(scopes(&find(&plans, "user").role), ["self", "shares!user"]);
    assert_eq!(warnings, []);
    let own = [settings("user", &["read:hub"])];
    let (plans, warnings) = plan_with(&own, extra, MemberSource::Configuration).expect("valid");
    assert_eq!(scopes(&find(&plans, "user").role), ["read:hub"]);
    assert_eq!(warnings, [RoleWarning::UserWithoutSelf, RoleWarning::ExtraScopesIgnored]);
}

#[test]
fn given_keys_win_over_the_default_role() {
    let described =
        RoleSettings { name: "token".into(), description: Some("mine".into()), ..RoleSettings::default() };
    let (plans, _) = plan(&[described]).expect("valid");
    let role = &find(&plans, "token").role;
    assert_eq!((role.description.as_str(), scopes(role)), ("mine", list(&["inherit"])));
}

#[test]
fn a_role_without_scopes_is_allowed_but_odd() {
    let (plans, warnings) = plan(&[settings("empty", &[])]).expect("valid");
    assert_eq!(warnings, [RoleWarning::NoScopes(RoleName::from_stored("empty"))]);
    assert!(find(&plans, "empty").role.scopes.is_empty());
}

#[test]
fn an_authenticator_that_manages_roles_is_not_contradicted() {
    let managed = |configured: RoleSettings| plan_with(&[configured], &[], MemberSource::Authenticator);
    let with_users = RoleSettings { users: Some(Vec::new()), ..settings("reader", &[]) };
    assert_eq!(managed(with_users), Err(RoleError::ManagedMembers("reader".into())));
    let with_groups = RoleSettings { groups: Some(list(&["g1"])), ..settings("reader", &[]) };
    assert_eq!(managed(with_groups), Err(RoleError::ManagedMembers("reader".into())));
    let with_services = RoleSettings { services: Some(list(&["web"])), ..settings("reader", &[]) };
    let (plans, _) = managed(with_services).expect("services are configured");
    let reader = find(&plans, "reader");
    assert_eq!((&reader.users, &reader.services), (&MemberPlan::Keep, &exactly(&["web"])));
}

#[test]
fn a_role_that_gains_scopes_is_noticed() {
    let [user, ..] = default_roles(&[]);
    let stored = RawScope::parse_all(["read:hub"], &Catalogue::standard()).expect("valid");
    assert_eq!(user.gains(&stored), [&user.scopes[0]]);
    assert!(user.gains(&user.scopes).is_empty());
}
