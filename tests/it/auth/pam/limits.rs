//! What never reaches PAM, and how often anybody may try.

use super::*;

#[test]
fn sec_044_passwords_that_only_burn_time_do_not_reach_pam() {
    let hub = hub(&usual_plan(), "");
    for password in ["x".repeat(1025), "correct\0horse".to_owned()] {
        let reply = Browser::new(&hub).sign_in("ada", &password, "");
        assert!(reply.status == 403 && reply.body.contains("Invalid username or password"));
    }
    assert_eq!(Browser::new(&hub).sign_in("", PASSWORD, "").status, 403, "PAM would ask for a name");
    assert_eq!(logins(&hub), 0);
    replan(&hub, &json!({ "login": [password(), { "prompt": "Code: " }, accept("ada")] }));
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", PASSWORD, "");
    assert_eq!(answer(&mut browser, &page, &"1".repeat(1025)).status, 403);
    assert_eq!(answers(&hub), [PASSWORD]);
}

#[test]
fn sec_045_the_limit_is_before_pam_and_tells_nothing() {
    let hub = hub(&usual_plan(), "auth.rate_limit.per_account = 2");
    for _ in 0..2 {
        assert_eq!(Browser::new(&hub).sign_in("ada", "wrong", "").status, 403);
    }
    for password in ["wrong", PASSWORD] {
        let reply = Browser::new(&hub).sign_in("Ada", password, "");
        assert_eq!(reply.status, 429);
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(logins(&hub), 2);
    let journal = hub.admin("GET", "/journal", None).json().to_string();
    assert!(journal.contains("login.refused") || journal.contains("refused"), "{journal}");
}

#[test]
fn sec_042_each_answer_of_a_module_that_asks_again_counts() {
    let mut steps = vec![password()];
    steps.extend((0..30).map(|_| json!({ "prompt": "Try again: " })));
    let plan = json!({ "login": steps });
    let hub = hub(&plan, "auth.rate_limit.per_account = 4");
    let mut browser = Browser::new(&hub);
    let mut page = browser.sign_in("ada", PASSWORD, "");
    for guess in ["1", "2", "3"] {
        page = answer(&mut browser, &page, guess);
        assert_eq!(page.status, 200, "{}", page.body);
    }
    let stopped = answer(&mut browser, &page, "4");
    assert_eq!(stopped.status, 429, "{}", stopped.body);
    assert_eq!(answers(&hub), [PASSWORD, "1", "2", "3"]);
    assert_eq!(Browser::new(&hub).sign_in("ada", PASSWORD, "").status, 429, "and all have failed");
}

#[test]
fn sec_042_a_module_that_asks_without_end_is_cut() {
    let mut steps = vec![password()];
    steps.extend((0..30).map(|_| json!({ "prompt": "Again: " })));
    let hub = hub(&json!({ "login": steps }), "auth.rate_limit.enabled = false");
    let mut browser = Browser::new(&hub);
    let mut page = browser.sign_in("ada", PASSWORD, "");
    let mut rounds = 0;
    while page.status == 200 {
        page = answer(&mut browser, &page, "x");
        rounds += 1;
    }
    assert_eq!((page.status, rounds), (403, 19), "{}", page.body);
}

#[test]
fn sec_043_an_unknown_name_reads_like_a_wrong_password() {
    let plan = json!({ "login": [
        { "prompt": "Password: " },
        { "for": ["ada"], "deny": 1, "text": "Authentication failure" },
        { "deny": 1, "text": "User not known to the underlying authentication module" },
    ]});
    let hub = hub(&plan, "");
    let seen = |name: &str| {
        let mut browser = Browser::new(&hub);
        let reply = browser.sign_in(name, "wrong", "");
        let (_, shown) = reply.body.split_once("<body").unwrap();
        (reply.status, shown.replace(name, "NAME").replace(&browser.xsrf(), "XSRF"))
    };
    assert_eq!(seen("ada"), seen("eve"));
}
