//! Which accounts of the machine may use the admin socket. Blocks: accounts may come from a directory server.

use users::{get_effective_uid, get_user_by_uid, get_user_groups};

/// The account's name if it may: root, the hub's own, a member of `group`.
pub(super) fn operator(uid: u32, gid: u32, group: Option<u32>) -> Option<String> {
    let account = get_user_by_uid(uid);
    let name = account.as_ref().map(|account| account.name().to_owned());
    let is_member = |group: u32| {
        gid == group
            || name
                .as_ref()
                .and_then(|name| get_user_groups(name, gid))
                .is_some_and(|groups| groups.iter().any(|found| found.gid() == group))
    };
    let allowed = uid == 0 || uid == get_effective_uid() || group.is_some_and(is_member);
    let shown = name.map_or_else(|| uid.to_string(), |name| name.to_string_lossy().into_owned());
    allowed.then_some(shown)
}

#[cfg(test)]
mod tests {
    use users::get_effective_gid;

    use super::*;

    /// No account of any machine.
    const STRANGER: u32 = 3_999_999_999;

    #[test]
    fn root_the_hub_itself_and_members_of_the_group_are_let_in() {
        assert_eq!(operator(0, 0, None).as_deref(), Some("root"));
        assert!(operator(get_effective_uid(), get_effective_gid(), None).is_some());
        assert_eq!(operator(STRANGER, 4_242, Some(4_242)).as_deref(), Some("3999999999"));
    }

    #[test]
    fn nobody_else_is() {
        assert_eq!(operator(STRANGER, 4_242, None), None);
        assert_eq!(operator(STRANGER, 4_242, Some(4_243)), None);
    }
}
