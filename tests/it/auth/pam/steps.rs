//! Prompts as steps of the login page.

use super::*;
use crate::support::hub::eventually;

/// A password, a code that may be seen, and a question that may not.
fn three() -> Value {
    json!({ "login": [
        { "info": "Authorised use only.\nYou are recorded." },
        password(),
        { "prompt": "Code: ", "echo": true, "expect": "123456" },
        { "error": "One more." },
        { "prompt": "Pet: ", "expect": "cat" },
        accept("ada"),
    ]})
}

#[test]
fn three_prompts_are_three_forms_without_javascript() {
    let hub = hub(&three(), "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "?next=%2Fhub%2Fhome");
    assert_eq!(page.status, 200, "{}", page.body);
    for part in [
        "Authorised use only.\nYou are recorded.",
        "<strong>ada</strong>",
        "Code:",
        "type=\"text\" name=\"answer\"",
        "autocomplete=\"one-time-code\"",
        "login?next=%2Fhub%2Fhome",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let page = answer(&mut browser, &page, "123456");
    assert!(page.body.contains("role=\"alert\">One more.") && page.body.contains("Pet:"), "{}", page.body);
    assert!(page.body.contains("type=\"password\" name=\"answer\""), "{}", page.body);
    assert!(!page.body.contains("Authorised use only"), "told once");
    assert!(!page.body.contains("123456") && !page.body.contains(PASSWORD), "no answer comes back");
    let (id, xsrf) = (hidden(&page.body, "question"), browser.xsrf());
    let fields = [("question", id.as_str()), ("answer", "cat"), ("_xsrf", &xsrf)];
    let reply = browser.post("/hub/login?next=%2Fhub%2Fhome", &fields);
    assert_eq!((reply.status, reply.location()), (302, "/hub/home"), "{}", reply.body);
    assert_eq!(answers(&hub), [PASSWORD, "123456", "cat"]);
    assert_eq!(browser.get("/hub/home").status, 200);
    let again =
        browser.post("/hub/login", &[("question", &id), ("answer", "cat"), ("_xsrf", &browser.xsrf())]);
    assert_eq!(again.status, 403, "a question is good once");
}

#[test]
fn a_wrong_answer_ends_it_and_says_no_more_than_a_wrong_password() {
    let hub = hub(&three(), "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "");
    let refused = answer(&mut browser, &page, "000000");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("Invalid username or password") && refused.body.contains("value=\"ada\""));
    assert!(refused.body.contains("name=\"password\""), "the form again");
    assert_eq!(answers(&hub).len(), 2);
}

#[test]
fn texts_of_modules_do_nothing_in_a_page() {
    let hostile = "\"><script>alert(1)</script>{{ 7 * 7 }}\u{1b}[2J\u{202e}";
    let plan = json!({ "login": [
        { "info": hostile }, { "error": hostile }, { "prompt": hostile }, { "deny": 4, "text": hostile },
    ]});
    let hub = hub(&plan, "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", "", "");
    let refused = answer(&mut browser, &page, "x");
    for page in [page, refused] {
        assert!(!page.body.contains("<script>alert") && !page.body.contains('\u{1b}'), "{}", page.body);
        assert!(!page.body.contains('\u{202e}') && !page.body.contains("49\u{1b}"), "{}", page.body);
    }
    assert!(!hub.log().contains('\u{1b}'));
}

#[test]
fn only_the_browser_that_was_asked_can_answer_and_only_from_our_page() {
    let hub = hub(&three(), "");
    let mut ada = Browser::new(&hub);
    let page = ada.sign_in("ada", PASSWORD, "");
    let mut eve = Browser::new(&hub);
    let own = eve.sign_in("ada", PASSWORD, "");
    assert_eq!(own.status, 200);
    let stolen = answer(&mut eve, &page, "123456");
    assert!(stolen.status == 403 && stolen.body.contains("This sign-in has ended"), "{}", stolen.body);
    let id = hidden(&page.body, "question");
    let forged = ada.post("/hub/login", &[("question", &id), ("answer", "123456"), ("_xsrf", "forged")]);
    assert_eq!(forged.status, 403);
    assert_eq!(answers(&hub), [PASSWORD, PASSWORD], "nothing reached PAM");
    let page = answer(&mut ada, &page, "123456");
    in_or(&answer(&mut ada, &page, "cat"));
    let own = answer(&mut eve, &own, "123456");
    assert!(own.body.contains("Pet:"), "eve's own goes on: {}", own.body);
}

#[test]
fn a_second_window_begins_anew_and_the_first_ends() {
    let hub = hub(&three(), "");
    let mut browser = Browser::new(&hub);
    let first = browser.sign_in("ada", PASSWORD, "");
    let second = browser.sign_in("ada", PASSWORD, "");
    eventually("the first to end", || log(&hub).contains(&json!({ "gone": true })).then_some(()));
    let refused = answer(&mut browser, &first, "123456");
    assert!(refused.status == 403 && refused.body.contains("another window"), "{}", refused.body);
    let page = answer(&mut browser, &second, "123456");
    in_or(&answer(&mut browser, &page, "cat"));
}

#[test]
fn a_form_that_is_sent_twice_answers_one_question() {
    let hub = hub(&three(), "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "");
    let next = answer(&mut browser, &page, "123456");
    let again = answer(&mut browser, &page, "123456");
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(hidden(&again.body, "question"), hidden(&next.body, "question"));
    assert_eq!(answers(&hub), [PASSWORD, "123456"]);
    in_or(&answer(&mut browser, &again, "cat"));
}

#[test]
fn cancelling_ends_the_transaction() {
    let hub = hub(&three(), "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "");
    let (id, xsrf) = (hidden(&page.body, "question"), browser.xsrf());
    let fields = [("question", id.as_str()), ("answer", ""), ("cancel", "1"), ("_xsrf", &xsrf)];
    let reply = browser.post("/hub/login?next=%2Fhub%2Ftoken", &fields);
    assert_eq!((reply.status, reply.location()), (303, "/hub/login?next=%2Fhub%2Ftoken"));
    eventually("it to end", || log(&hub).contains(&json!({ "gone": true })).then_some(()));
}

#[test]
fn an_expired_password_is_changed_in_the_browser() {
    let plan = json!({ "login": [
        password(),
        { "error": "You are required to change your password immediately (password expired)." },
        { "prompt": "Current password: ", "expect": PASSWORD },
        { "prompt": "New password: " },
        { "error": "BAD PASSWORD: it is too short" },
        { "prompt": "New password: " },
        { "prompt": "Retype new password: " },
        accept("ada"),
    ]});
    let hub = hub(&plan, "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "");
    assert!(page.body.contains("required to change your password"), "{}", page.body);
    assert!(page.body.contains("autocomplete=\"current-password\""), "{}", page.body);
    let page = answer(&mut browser, &page, PASSWORD);
    assert!(page.body.contains("autocomplete=\"new-password\""), "{}", page.body);
    let page = answer(&mut browser, &page, "short");
    assert!(page.body.contains("BAD PASSWORD: it is too short"), "{}", page.body);
    let page = answer(&mut browser, &page, "long enough");
    in_or(&answer(&mut browser, &page, "long enough"));
}

#[test]
fn sec_040_only_who_proved_to_be_the_owner_learns_why() {
    let hub = hub(&usual_plan(), "");
    for (reason, told, shows_texts) in [
        (1, "Invalid username or password", false),
        (2, "This account has expired or is locked", true),
        (3, "The password has expired and was not changed", true),
        (4, "may not sign in here, or not now", true),
        (5, "Invalid username or password", false),
        (6, "took too long or was broken off", true),
        (7, "outside of what the administrator permits", true),
        (8, "no account on this machine", true),
    ] {
        let text = "The system is going down for maintenance";
        replan(&hub, &json!({ "login": [password(), { "error": text }, { "deny": reason, "text": "t" }] }));
        let reply = Browser::new(&hub).sign_in(&format!("user-{reason}"), PASSWORD, "");
        assert_eq!(reply.status, 403, "{reason}");
        assert!(reply.body.contains(told), "{reason}: {}", reply.body);
        assert_eq!(reply.body.contains(text), shows_texts, "{reason}: {}", reply.body);
    }
}

#[test]
fn what_does_not_work_is_told_to_the_operator_and_hardly_to_visitors() {
    let hub = hub(&usual_plan(), "");
    for (step, logged) in [
        (json!({ "refuse": 26 }), "pam_service"),
        (json!({ "exit": 14 }), "launch.policy is missing"),
        (json!({ "die": 9 }), "killed by signal 9"),
        (json!({ "raw": "ff" }), "of the same version"),
        (json!({ "deny": 9, "text": "no module" }), "no module"),
    ] {
        replan(&hub, &json!({ "login": [password(), step] }));
        let reply = Browser::new(&hub).sign_in("ada", PASSWORD, "");
        assert_eq!(reply.status, 500, "{logged}: {}", reply.body);
        assert!(reply.body.contains("does not work at the moment"), "{}", reply.body);
        assert!(!reply.body.contains(logged), "{}", reply.body);
        assert!(hub.log().contains(logged), "{logged}: {}", hub.log());
    }
    replan(&hub, &usual_plan());
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
}

#[test]
fn a_killed_program_ends_the_step_with_a_sentence() {
    let plan = json!({ "login": [password(), { "prompt": "Code: " }, { "die": 9 }] });
    let hub = hub(&plan, "");
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "");
    let reply = answer(&mut browser, &page, "1");
    assert!(reply.status == 500 && reply.body.contains("does not work at the moment"), "{}", reply.body);
    assert!(reply.body.contains("name=\"password\""), "the form again");
}
