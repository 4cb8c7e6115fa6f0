//! From the configured roles to what the database shall hold at start (rbac.md 10.3, config.md 2.4).

use std::collections::{BTreeMap, BTreeSet};

use super::{Role, RoleError, RoleName, default_roles, sorted};
use crate::domain::scope::{Catalogue, RawScope};

/// One `[roles.<name>]` of the configuration. A key that was left out is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSettings {
    /// The role's name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Raw scopes.
    pub scopes: Option<Vec<String>>,
    /// Members by name; given lists are authoritative.
    pub users: Option<Vec<String>>,
    /// Groups whose members obtain the role.
    pub groups: Option<Vec<String>>,
    /// Services.
    pub services: Option<Vec<String>>,
}

/// Who decides which users and groups have which role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberSource {
    /// The configuration.
    Configuration,
    /// The authenticator, at each login (`manage_roles`).
    Authenticator,
}

/// What to do with the role's members of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberPlan {
    /// Leave them as they are.
    Keep,
    /// Make it exactly these; an empty list clears it.
    Exactly(Vec<String>),
    /// Make it exactly those whose admin flag is set.
    Flagged,
}

/// One role and its members, to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePlan {
    /// The definition.
    pub role: Role,
    /// Users, as configured (not yet normalised); unknown ones are to be created.
    pub users: MemberPlan,
    /// Groups; unknown ones are to be created.
    pub groups: MemberPlan,
    /// Services; all are known.
    pub services: MemberPlan,
}

/// Something odd that does not stop the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleWarning {
    /// The role grants nothing.
    NoScopes(RoleName),
    /// Role `user` was given scopes without `self`: users can't do anything with their own account.
    UserWithoutSelf,
    /// The extra scopes for users are ignored because role `user` was given scopes.
    ExtraScopesIgnored,
}

impl std::fmt::Display for RoleWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoScopes(role) => write!(f, "role '{role}' has no scopes, so it grants nothing"),
            Self::UserWithoutSelf => f.write_str(
                "role 'user' lacks the scope 'self': users can't manage their own servers and tokens",
            ),
            Self::ExtraScopesIgnored => f.write_str(
                "roles.user.extra_scopes is ignored because roles.user.scopes is set: list all scopes there",
            ),
        }
    }
}

/// Merges the configured roles over the defaults. `services` are the known services' names.
///
/// # Errors
/// The first rule that the configuration breaks.
pub fn plan_roles(
    configured: &[RoleSettings],
    extra_user_scopes: &[RawScope],
    services: &BTreeSet<String>,
    source: MemberSource,
    catalogue: &Catalogue,
) -> Result<(Vec<RolePlan>, Vec<RoleWarning>), RoleError> {
    let mut warnings = Vec::new();
    let mut plans: BTreeMap<RoleName, RolePlan> = default_roles(extra_user_scopes)
        .into_iter()
        .map(|role| (role.name.clone(), untouched(role)))
        .collect();
    let mut seen = BTreeSet::new();
    for settings in configured {
        let name = RoleName::parse(&settings.name)?;
        if !seen.insert(name.clone()) {
            return Err(RoleError::Duplicate(settings.name.clone()));
        }
        check_members(settings, services, source)?;
        let role = merged(settings, plans.remove(&name).map(|plan| plan.role), &name, catalogue)?;
        warnings.extend(warnings_about(settings, &role, extra_user_scopes));
        plans.insert(name, with_members(role, settings, source));
    }
    Ok((plans.into_values().collect(), warnings))
}

/// Roles in the database that are to be deleted with their assignments: neither planned nor managed by the
/// authenticator. `stored` gives each name with who manages it.
pub fn obsolete_roles<'a>(
    stored: impl IntoIterator<Item = (&'a RoleName, MemberSource)>,
    plans: &[RolePlan],
) -> Vec<&'a RoleName> {
    let planned: BTreeSet<&RoleName> = plans.iter().map(|plan| &plan.role.name).collect();
    stored
        .into_iter()
        .filter(|(name, source)| *source == MemberSource::Configuration && !planned.contains(name))
        .map(|(name, _)| name)
        .collect()
}

/// A default role that the configuration does not mention.
fn untouched(role: Role) -> RolePlan {
    RolePlan { role, users: MemberPlan::Keep, groups: MemberPlan::Keep, services: MemberPlan::Keep }
}

fn check_members(
    settings: &RoleSettings,
    services: &BTreeSet<String>,
    source: MemberSource,
) -> Result<(), RoleError> {
    let lists_members = settings.users.is_some() || settings.groups.is_some();
    if source == MemberSource::Authenticator && lists_members {
        return Err(RoleError::ManagedMembers(settings.name.clone()));
    }
    let mut listed = settings.services.iter().flatten();
    match listed.find(|service| !services.contains(*service)) {
        None => Ok(()),
        Some(service) => {
            Err(RoleError::UnknownService { role: settings.name.clone(), service: service.clone() })
        }
    }
}

/// The definition: given keys win over the default role of that name.
fn merged(
    settings: &RoleSettings,
    default: Option<Role>,
    name: &RoleName,
    catalogue: &Catalogue,
) -> Result<Role, RoleError> {
    let scopes = settings.scopes.as_ref().map(|texts| {
        let parsed = RawScope::parse_all(texts, catalogue)
            .map_err(|source| RoleError::Scope { role: settings.name.clone(), source });
        parsed.map(sorted)
    });
    let scopes = scopes.transpose()?;
    let fallback = default.unwrap_or_else(|| Role {
        name: name.clone(),
        description: String::new(),
        scopes: Vec::new(),
    });
    if name.as_str() == "admin" {
        if scopes.as_ref().is_some_and(|scopes| *scopes != fallback.scopes) {
            return Err(RoleError::AdminChanged("scopes"));
        }
        if settings.description.as_ref().is_some_and(|text| *text != fallback.description) {
            return Err(RoleError::AdminChanged("description"));
        }
    }
    Ok(Role {
        scopes: scopes.unwrap_or(fallback.scopes),
        description: settings.description.clone().unwrap_or(fallback.description),
        name: fallback.name,
    })
}

fn warnings_about(settings: &RoleSettings, role: &Role, extra_user_scopes: &[RawScope]) -> Vec<RoleWarning> {
    let overridden_user = role.name.as_str() == "user" && settings.scopes.is_some();
    let has_self = role.scopes.iter().any(|scope| scope.to_string() == "self");
    [
        role.scopes.is_empty().then(|| RoleWarning::NoScopes(role.name.clone())),
        (overridden_user && !has_self).then_some(RoleWarning::UserWithoutSelf),
        (overridden_user && !extra_user_scopes.is_empty()).then_some(RoleWarning::ExtraScopesIgnored),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Members of a role that the configuration mentions: a list is authoritative, no list clears, with two exceptions.
fn with_members(role: Role, settings: &RoleSettings, source: MemberSource) -> RolePlan {
    let plan = |list: &Option<Vec<String>>, without_list: MemberPlan| {
        list.clone().map_or(without_list, MemberPlan::Exactly)
    };
    let cleared = MemberPlan::Exactly(Vec::new());
    let flagged = role.name.as_str() == "admin";
    let managed = source == MemberSource::Authenticator;
    let users = match role.name.as_str() {
        "user" => MemberPlan::Keep,
        _ if managed => MemberPlan::Keep,
        "admin" => MemberPlan::Flagged,
        _ => cleared.clone(),
    };
    let groups = if managed { MemberPlan::Keep } else { cleared.clone() };
    let services = if flagged { MemberPlan::Flagged } else { cleared };
    RolePlan {
        users: plan(&settings.users, users),
        groups: plan(&settings.groups, groups),
        services: plan(&settings.services, services),
        role,
    }
}
