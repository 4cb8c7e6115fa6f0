//! The token page, and the offer of a server.

use super::*;

#[test]
fn the_token_page_has_what_scripts_and_browser_tests_hold_on_to() {
    let html = show(&visitor("ada"), &tokens("for the build"));
    has(
        &html,
        &[
            "id=\"request-token-form\"",
            "<label for=\"token-note\">Note</label>",
            "<label for=\"token-expiration-seconds\">Token expires in</label>",
            "<option value=\"3600\">1 Hour</option>",
            "<option value=\"\" selected>for the build</option>",
            "<label for=\"token-scopes\">Permissions</label>",
            ">Request new API token</button>",
            "id=\"token-area\"",
            "id=\"token-result\"",
            "Your new API Token",
            "<h2 id=\"api-tokens-title\">API Tokens</h2>",
            "<h2 id=\"oauth-clients-title\">Authorized Applications</h2>",
            "class=\"token-row\" data-token-id=\"a1\"",
            "data-token-id=\"a2\"",
            "<pre class=\"token-scope\">for the build</pre>",
            "class=\"revoke-token-btn",
            "data-tokens-api-url=\"/jh/hub/api/users/ada/tokens\"",
            "<form id=\"request-token-form\" method=\"post\" action=\"/jh/hub/token\"",
            "method=\"post\" action=\"/jh/hub/token/revoke\"",
            "<input type=\"hidden\" name=\"id\" value=\"a1\">",
            "<input type=\"checkbox\" name=\"scope\" value=\"for the build\">",
        ],
    );
    let nothing = TokenPage {
        api_tokens: Vec::new(),
        oauth_clients: Vec::new(),
        token_choices: Vec::new(),
        token_kind: TokenKind::All,
        ..tokens("x")
    };
    has(
        &show(&visitor("ada"), &nothing),
        &[
            "id=\"api-tokens-section\" class=\"section\" hidden",
            "id=\"oauth-clients-section\" class=\"section\" hidden",
        ],
    );
}

/// Parsed as HTML, there is one link to where accepting leads, and it is exactly that.
#[test]
fn sec_005_the_address_after_accepting_is_one_link_whatever_it_holds() {
    let links = Regex::new("<a href=\"([^\"]*)\">([^<]*)</a>").expect("a pattern");
    for next in
        ["/hub/home\"><img>", "/hub/'><img>", "/hub/\">x</a><a>", "/hub/?a=5&b=10", "/user/ada/lab?x=<b>#y"]
    {
        let page = AcceptSharePage { next_url: next.to_owned(), ..offer("grace") };
        let html = show(&visitor("ada"), &page);
        let plain = |text: &str| {
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&")
        };
        let found: Vec<(String, String)> =
            links.captures_iter(&html).map(|link| (plain(&link[1]), plain(&link[2]))).collect();
        let there: Vec<_> = found.iter().filter(|(href, _)| href == next).collect();
        assert_eq!(there, [&(next.to_owned(), next.to_owned())], "{html}");
        assert_eq!(html.matches("<img").count(), 1, "{html}");
    }
}

#[test]
fn an_offer_tells_who_shares_what() {
    let page = AcceptSharePage {
        server_name: "lab".to_owned(),
        next_url: "/jh/user/grace/lab/".to_owned(),
        ..offer("grace")
    };
    let html = show(&visitor("ada"), &page);
    has(
        &text(&html),
        &["grace shares a server with you", "You (ada) have been", "The server is not running now"],
    );
    has(
        &html,
        &[
            "name=\"code\" value=\"grace\"",
            "name=\"_xsrf\" value=\"2|token=\"",
            "value=\"Accept invitation\"",
        ],
    );
    let running = AcceptSharePage { spawner_ready: true, ..page };
    lacks(&show(&visitor("ada"), &running), &["not running now"]);
}

#[test]
fn ui_100_ui_108_a_token_is_shown_on_the_page_that_answers_its_form() {
    let html = show(&visitor("ada"), &tokens("x"));
    has(&html, &["aria-labelledby=\"token-area-title\" hidden>", "<code id=\"token-result\"></code>"]);
    let made = TokenPage { new_token: Some("0123abcd".to_owned()), ..tokens("x") };
    let html = show(&visitor("ada"), &made);
    has(&html, &["aria-labelledby=\"token-area-title\">", "<code id=\"token-result\">0123abcd</code>"]);
    let refused = TokenPage { problem: Some("No such scope: '<b>'".to_owned()), ..tokens("x") };
    has(
        &show(&visitor("ada"), &refused),
        &["role=\"alert\">No such scope: &#39;&lt;b&gt;&#39;</p>", "aria-invalid=\"true\""],
    );
}

#[test]
fn ui_045_the_account_page_tells_groups_and_roles() {
    let page = AccountPage {
        admin: false,
        groups: vec!["physics".to_owned()],
        roles: vec![ShownRole { name: "grader".to_owned(), description: "Grades exercises".to_owned() }],
        created: "2026-01-02T03:04:05Z".to_owned(),
        sessions: Vec::new(),
        ended: None,
        end_session_url: "/jh/hub/account/sessions/end".to_owned(),
        end_others_url: "/jh/hub/account/sessions/end-others".to_owned(),
        end_url: "/jh/hub/account/sign-out".to_owned(),
    };
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &[
            "<li>physics</li>",
            "<dt>grader</dt><dd>Grades exercises</dd>",
            "action=\"/jh/hub/account/sign-out\"",
        ],
    );
    has(&show(&visitor("ada"), &AccountPage { groups: Vec::new(), ..page }), &["You are in no group."]);
}

#[test]
fn ui_045_the_account_page_lists_browsers_and_marks_this_one() {
    let page = AccountPage {
        admin: false,
        groups: Vec::new(),
        roles: Vec::new(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        sessions: sessions("Firefox"),
        ended: None,
        end_session_url: "/jh/hub/account/sessions/end".to_owned(),
        end_others_url: "/jh/hub/account/sessions/end-others".to_owned(),
        end_url: "/jh/hub/account/sign-out".to_owned(),
    };
    let html = show(&visitor("ada"), &page);
    let browsers = [
        "Firefox on Firefox",
        ">curl<",
        "Unknown browser on Linux",
        ">Unknown browser<",
        "Browsers that JupyterHub signed in",
    ];
    has(&html, &browsers);
    has(
        &html,
        &[
            "<tr class=\"session-row\" role=\"row\" data-current>",
            "action=\"/jh/hub/account/sessions/end\" data-once",
            "name=\"session\" value=\"user-7\"",
            "action=\"/jh/hub/account/sessions/end-others\"",
        ],
    );
    assert_eq!(html.matches("class=\"current-session\"").count(), 1);
    lacks(&html, &["The session is ended.", "All other browsers are signed out."]);
    for (ended, told) in
        [(Ended::One, "The session is ended."), (Ended::Others, "All other browsers are signed out.")]
    {
        has(&show(&visitor("ada"), &AccountPage { ended: Some(ended), ..page.clone() }), &[told]);
    }
}

#[test]
fn ui_106_the_list_of_tokens_is_narrowed_without_a_script() {
    let html = show(&visitor("ada"), &tokens("x"));
    has(
        &html,
        &[
            "<a href=\"/jh/hub/token\">All (1)</a>",
            "<a href=\"/jh/hub/token?show=expiring\">Expire within a week (1)</a>",
            "<a href=\"/jh/hub/token?show=unused\" aria-current=\"true\">Not used for three months (1)</a>",
            "<input type=\"hidden\" name=\"show\" value=\"unused\">",
        ],
    );
    let none = TokenPage { api_tokens: Vec::new(), ..tokens("x") };
    has(&show(&visitor("ada"), &none), &["There are none of these.", "class=\"table-scroller\" hidden"]);
    let all = TokenPage { token_choices: Vec::new(), token_kind: TokenKind::All, ..tokens("x") };
    lacks(&show(&visitor("ada"), &all), &["token-choices", "name=\"show\""]);
}
