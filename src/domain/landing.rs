//! Landing pages for some users (`hub.default_url_rules`): the first rule that fits counts.

/// One rule. What is empty or `false` does not matter; everything else must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// A role that the user holds.
    pub role: String,
    /// A group that the user is in.
    pub group: String,
    /// The user is an admin.
    pub admin: bool,
    /// Where the user lands.
    pub url: String,
}

/// What rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// Roles, by name.
    pub roles: &'a [String],
    /// Groups, by name.
    pub groups: &'a [String],
    /// The admin flag.
    pub admin: bool,
}

impl Rule {
    /// Whether it says for whom it is.
    #[must_use]
    pub fn has_condition(&self) -> bool {
        !self.role.is_empty() || !self.group.is_empty() || self.admin
    }

    fn fits(&self, person: &Person<'_>) -> bool {
        let holds = |name: &String, held: &[String]| name.is_empty() || held.contains(name);
        holds(&self.role, person.roles) && holds(&self.group, person.groups) && (!self.admin || person.admin)
    }
}

/// Where a person lands, if a rule says so.
#[must_use]
pub fn landing<'r>(rules: &'r [Rule], person: &Person<'_>) -> Option<&'r str> {
    rules.iter().find(|rule| rule.fits(person)).map(|rule| rule.url.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(role: &str, group: &str, admin: bool, url: &str) -> Rule {
        Rule { role: role.to_owned(), group: group.to_owned(), admin, url: url.to_owned() }
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = [
            rule("grader", "course", false, "/both"),
            rule("", "course", false, "/course"),
            rule("", "", true, "/admin"),
        ];
        let at = |roles: &[&str], groups: &[&str], admin| {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let (roles, groups) = (own(roles), own(groups));
            landing(&rules, &Person { roles: &roles, groups: &groups, admin }).map(str::to_owned)
        };
        assert_eq!(at(&["user", "grader"], &["course"], true).as_deref(), Some("/both"));
        assert_eq!(at(&["user"], &["other", "course"], true).as_deref(), Some("/course"));
        assert_eq!(at(&["grader"], &[], true).as_deref(), Some("/admin"));
        assert_eq!(at(&["grader"], &[], false), None);
        assert!(!Rule::default().has_condition() && rules.iter().all(Rule::has_condition));
    }
}
