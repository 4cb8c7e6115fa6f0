//! RBAC-010 to 012: the table of rbac.md 8.

use super::*;

fn meet(left: &[&str], right: &[&str], members: &dyn Membership) -> Vec<String> {
    exactly(left).intersect(&exactly(right), members).to_strings()
}

#[test]
fn rbac_010_what_two_sets_have_in_common() {
    let table: &[(&[&str], &[&str], &[&str])] = &[
        (&["read:users"], &["read:users!user=a"], &["read:users!user=a"]),
        (&["read:users!user=a", "read:users!user=b"], &["read:users!user=b"], &["read:users!user=b"]),
        (&["read:servers!server=a/x"], &["read:servers!user=a"], &["read:servers!server=a/x"]),
        (
            &["read:servers!server=a/x", "read:servers!user=b"],
            &["read:servers!user=a", "read:servers!user=b"],
            &["read:servers!server=a/x", "read:servers!user=b"],
        ),
        (&["access:services!service=x"], &["access:services"], &["access:services!service=x"]),
        (&["access:services!service=x"], &["access:services!service=y"], &[]),
        (&["read:users!group=g"], &["read:users!user=a"], &["read:users!user=a"]),
        (
            &["read:servers!server=a/x"],
            &["read:servers!server=a/x", "read:servers!server=a/y"],
            &["read:servers!server=a/x"],
        ),
        (&["read:users", "servers"], &["users", "servers"], &["servers"]),
        (&["read:users!group=g"], &["read:users!user=b"], &[]),
        (&["read:users!group=g"], &["read:users!group=g2"], &[]),
        (&["servers!user=a"], &["servers!service=a", "servers!group=a"], &[]),
        (&["servers!server=a"], &["servers!user=a"], &[]),
    ];
    for (left, right, common) in table {
        assert_eq!(meet(left, right, &World), *common, "{left:?} and {right:?}");
        assert_eq!(meet(right, left, &World), *common, "{right:?} and {left:?}");
    }
}

#[test]
fn rbac_012_groups_count_only_where_they_are_known() {
    let group = &["servers!group=g"];
    for narrow in ["servers!user=a", "servers!server=a/x"] {
        assert_eq!(meet(group, &[narrow], &World), [narrow]);
        assert_eq!(meet(&[narrow], group, &World), [narrow]);
        assert_eq!(meet(group, &[narrow], &()), [""; 0]);
    }
    assert_eq!(meet(group, group, &()), *group);
}

#[test]
fn what_goes_beyond_is_told_value_by_value() {
    let wanted = exactly(&["servers!user=a", "servers!user=b", "tokens", "proxy"]);
    let held = exactly(&["servers!group=g", "tokens!user=a", "proxy"]);
    assert!(!wanted.is_subset_of(&held, &World));
    assert_eq!(wanted.beyond(&held, &World).to_strings(), ["servers!user=b", "tokens"]);
}
