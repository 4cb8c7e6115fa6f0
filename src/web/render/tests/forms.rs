//! Pages that ask something or say no: login, options, authorization, errors.

use super::*;

#[test]
fn login_has_the_form_that_clients_expect() {
    let page = LoginPage {
        authenticator_login_url: "/jh/hub/login?next=%2Fjh%2Fhub%2Ftoken%3Fa%3Db".to_owned(),
        username: "zed".to_owned(),
        login_error: Some("Invalid username or password".to_owned()),
        otp_prompt: Some("OTP:".to_owned()),
        login_service: None,
        ..LoginPage::default()
    };
    let anonymous = PageContext { user: None, ..visitor("") };
    let html = show(&anonymous, &page);
    has(
        &html,
        &[
            "<title>Sign in · Orrery</title>",
            "id=\"login-main\"",
            "action=\"/jh/hub/login?next=%2Fjh%2Fhub%2Ftoken%3Fa%3Db\" method=\"post\"",
            "<input type=\"hidden\" name=\"_xsrf\" value=\"2|token=\">",
            "<label for=\"username_input\">Username:</label>",
            "name=\"username\" value=\"zed\" autocomplete=\"username\"",
            "<label for=\"password_input\">Password:</label>",
            "type=\"password\" name=\"password\" autocomplete=\"current-password\" autofocus",
            "<label for=\"otp_input\">OTP:</label>",
            "autocomplete=\"one-time-code\"",
            "id=\"login_submit\" class=\"btn-lg\" type=\"submit\" value=\"Sign in\"",
            "class=\"login_error\" role=\"alert\">Invalid username or password</p>",
        ],
    );
    lacks(&html, &["/hub/home", "id=\"login\"", "id=\"logout\""]);
    let plain = show(&anonymous, &LoginPage { login_error: None, otp_prompt: None, ..page.clone() });
    lacks(&plain, &["otp", "login_error\"", "login_terms"]);
    let service = show(&anonymous, &LoginPage { login_service: Some("Git<Hub".to_owned()), ..page });
    lacks(&service, &["name=\"username\"", "type=\"password\""]);
    has(&service, &["Sign in with Git&lt;Hub", "Invalid username"]);
}

#[test]
fn ui_013_the_terms_come_before_the_button_and_are_required() {
    let mut site = Site::new("/");
    site.template_vars.insert("login_term_url".to_owned(), "https://x.example/terms".into());
    let html = renderer(&site).render(&visitor("ada"), &LoginPage::default()).expect("a page");
    let terms = html.find("name=\"login_terms\" required").expect("a checkbox");
    assert!(terms < html.find("login_submit").expect("a button"));
    has(&html, &["href=\"https://x.example/terms\""]);
}

#[test]
fn spawn_inserts_the_form_and_posts_where_told() {
    let page = SpawnPage {
        for_user: Some("grace".to_owned()),
        spawner_options_form: "<input name=\"energy\">".to_owned(),
        url: "/jh/hub/spawn?next=%2Fx&_xsrf=t".to_owned(),
        error_message: Some("<bad>".to_owned()),
        html_error_message: Some("<i>ignored</i>".to_owned()),
        ..SpawnPage::default()
    };
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &[
            "<form id=\"spawn_form\" class=\"card\" enctype=\"multipart/form-data\" method=\"post\" action=\"/jh/hub/spawn?next=%2Fx&amp;_xsrf=t\"",
            "<input type=\"hidden\" name=\"_xsrf\" value=\"",
            "<input name=\"energy\">",
            "Spawning server for grace",
            "class=\"spawn-error-msg\" role=\"alert\" tabindex=\"-1\">Error: &lt;bad&gt;",
            "type=\"submit\" class=\"btn-lg\" value=\"Start\"",
        ],
    );
    lacks(&html, &["<i>ignored</i>"]);
    let marked = show(&visitor("ada"), &SpawnPage { error_message: None, ..page });
    has(&marked, &["<i>ignored</i>"]);
}

#[test]
fn oauth_sends_back_each_scope_and_tells_what_it_means() {
    let mut page = oauth("JupyterHub service asks", &["read:users!user", "access:services!service=asks"]);
    page.scope_descriptions.push(ScopeDescription {
        scope: "read:users!user".to_owned(),
        description: "Read user models.".to_owned(),
        filter: "user ada".to_owned(),
        filter_kind: "user",
        filter_name: "ada".to_owned(),
    });
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &[
            "<input type=\"hidden\" name=\"_xsrf\" value=\"2|token=\">",
            "<input type=\"hidden\" name=\"scopes\" value=\"read:users!user\">",
            "<input type=\"hidden\" name=\"scopes\" value=\"access:services!service=asks\">",
            "<input type=\"submit\" value=\"Authorize\">",
            "<form method=\"post\" action=\"\"",
        ],
    );
    assert_eq!(html.matches("<p>").count(), 1, "browser tests expect one paragraph");
    has(&text(&html), &["JupyterHub service asks (oauth URL: http://127.0.0.1:9/asks/oauth_callback)"]);
    has(&text(&html), &["Read user models. Applies to the user ada."]);
    lacks(&html, &["id=\"logout\""]);
    has(&show(&visitor("ada"), &oauth("x", &["s"])), &["It only learns who you are"]);
}

#[test]
fn ui_205_errors_name_their_status_once() {
    let page = |status_code, message: Option<&str>| ErrorPage {
        status_code,
        status_message: "Not Found".to_owned(),
        message: message.map(str::to_owned),
        ..ErrorPage::default()
    };
    let html = show(&visitor("ada"), &page(404, None));
    has(
        &html,
        &[
            "<h1>Page not found</h1>",
            "404 : Not Found",
            "There is no page at this address",
            "<span class=\"visually-hidden\">Account </span>ada</a>",
        ],
    );
    lacks(&html, &["id=\"logout\""]);
    let named = show(&visitor("ada"), &page(404, Some("No such user: <x>")));
    has(&named, &["No such user: &lt;x&gt;"]);
    lacks(&named, &["There is no page"]);
    let repeated = show(&visitor("ada"), &page(410, Some("Not Found")));
    assert_eq!(repeated.matches("Not Found").count(), 1);
    let way_out = ErrorPage {
        message_html: Some("<b>why</b>".to_owned()),
        extra_error_html: Some("<a href=\"/x\">out</a>".to_owned()),
        ..page(500, Some("not shown"))
    };
    let html = show(&PageContext::default(), &way_out);
    has(&html, &["<b>why</b>", "<a href=\"/x\">out</a>"]);
    lacks(&html, &["not shown"]);
}
