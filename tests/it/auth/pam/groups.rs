//! UNIX groups that let in, and that make admins. `daemon` (gid 1) is a group of every machine.

use super::*;
use crate::auth::user;

fn of_groups(groups: &[u32]) -> Value {
    json!({ "login": [password(), { "accept": ["ada", 4321, 4321, groups] }] })
}

#[test]
fn auth_025_a_group_lets_its_members_in_besides_other_rules() {
    let settings = "auth.allow_all = false\nauth.allowed_users = [\"bob\"]\nauth.allow_existing_users = false\n\
                    auth.local.allowed_groups = [\"daemon\", \"no-such-group\"]";
    let hub = hub(&of_groups(&[4321, 1]), settings);
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    assert!(hub.log().contains("no-such-group"), "{}", hub.log());
    replan(&hub, &json!({ "login": [password(), { "accept": ["ada", 4321, 1, []] }] }));
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    replan(&hub, &of_groups(&[4321]));
    let refused = Browser::new(&hub).sign_in("ada", PASSWORD, "");
    assert!(refused.status == 403 && refused.body.contains("Invalid username or password"));
    replan(&hub, &json!({ "login": [password(), accept("bob")] }));
    in_or(&Browser::new(&hub).sign_in("bob", PASSWORD, ""));
}

#[test]
fn auth_024_admins_are_who_is_in_an_admin_group_at_each_sign_in() {
    let settings = "auth.pam.admin_groups = [\"daemon\"]\nauth.admin_users = [\"bob\"]";
    let hub = hub(&of_groups(&[1]), settings);
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    assert_eq!(user(&hub, "ada")["admin"], true);
    replan(&hub, &of_groups(&[4321]));
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    assert_eq!(user(&hub, "ada")["admin"], false, "out of the group");
    replan(&hub, &json!({ "login": [password(), accept("bob")] }));
    in_or(&Browser::new(&hub).sign_in("bob", PASSWORD, ""));
    assert_eq!(user(&hub, "bob")["admin"], true, "listed");
}

#[test]
fn groups_of_the_system_become_groups_of_the_hub_if_they_are_managed() {
    let hub = hub(&of_groups(&[1]), "auth.manage_groups = true");
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    assert_eq!(user(&hub, "ada")["groups"], json!(["daemon"]));
}

#[test]
fn groups_are_looked_at_again_before_a_server_starts() {
    // the account that signed in is no longer one of this machine
    let settings = "auth.allow_all = false\nauth.local.allowed_groups = [\"daemon\"]";
    let hub = hub(&of_groups(&[1]), settings);
    let mut browser = Browser::new(&hub);
    in_or(&browser.sign_in("ada", PASSWORD, ""));
    let reply = browser.api("POST", "/users/ada/server");
    assert!(reply.status == 403 && reply.body.contains("has to sign in again"), "{}", reply.body);
    let hub = super::hub(
        &json!({ "login": [password(), { "accept": ["daemon", 1, 1, []] }] }),
        "auth.allow_all = false\nauth.local.allowed_groups = [\"daemon\"]",
    );
    let mut browser = Browser::new(&hub);
    in_or(&browser.sign_in("daemon", PASSWORD, ""));
    let reply = browser.api("POST", "/users/daemon/server");
    assert!(matches!(reply.status, 201 | 202), "{} {}", reply.status, reply.body);
}
