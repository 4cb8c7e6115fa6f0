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
    assert!(!hub.log().contains("no-such-group"), "one of the list is there: {}", hub.log());
    replan(&hub, &json!({ "login": [password(), { "accept": ["ada", 4321, 1, []] }] }));
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    replan(&hub, &of_groups(&[4321]));
    let refused = Browser::new(&hub).sign_in("ada", PASSWORD, "");
    assert!(refused.status == 403 && refused.body.contains("may not use this hub"), "{}", refused.body);
    replan(&hub, &json!({ "login": [password(), accept("bob")] }));
    in_or(&Browser::new(&hub).sign_in("bob", PASSWORD, ""));
}

/// The first sign-in on a machine where nobody has been let in yet.
#[test]
fn who_is_in_no_group_learns_after_the_right_password_only_which_one_to_ask_for() {
    let settings = "auth.allow_all = false\nauth.pam.admin_groups = [\"sudo\", \"wheel\"]\n\
                    auth.local.allowed_groups = [\"orrery-nobody\", \"sudo\", \"wheel\"]";
    let hub = hub(&of_groups(&[4321]), settings);
    let wrong = Browser::new(&hub).sign_in("ada", "wrong", "");
    assert!(wrong.status == 403 && wrong.body.contains("Invalid username or password"), "{}", wrong.body);
    assert!(!wrong.body.contains("orrery-nobody") && !hub.log().contains("orrery-nobody"));
    let right = Browser::new(&hub).sign_in("ada", PASSWORD, "");
    assert_eq!(right.status, 403);
    let told = "Your password is right, but your account may not use this hub. Ask the administrator to add it to the \
                group orrery-nobody.";
    assert!(right.body.contains(told), "{}", right.body);
    assert!(!right.body.contains("wheel"), "groups of administrators are nobody's business");
    assert!(hub.log().contains("usermod -aG orrery-nobody ada"), "{}", hub.log());
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404, "nothing was made of them");
}

#[test]
fn without_any_rule_nobody_gets_in_and_log_and_page_say_so() {
    let hub = hub(&of_groups(&[4321, 1]), "auth.allow_all = false");
    assert!(hub.log().contains("nobody may sign in"), "{}", hub.log());
    let refused = Browser::new(&hub).sign_in("ada", PASSWORD, "");
    assert!(refused.status == 403 && refused.body.contains("Ask the administrator to let it in."));
    assert!(hub.log().contains("auth.local.allowed_groups"), "{}", hub.log());
}

#[test]
fn a_list_of_groups_of_which_none_is_there_is_told_to_the_operator() {
    let hub =
        hub(&of_groups(&[4321]), "auth.allow_all = false\nauth.local.allowed_groups = [\"no-such-group\"]");
    assert_eq!(Browser::new(&hub).sign_in("ada", PASSWORD, "").status, 403);
    assert!(hub.log().contains("no such group") && hub.log().contains("no-such-group"), "{}", hub.log());
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
