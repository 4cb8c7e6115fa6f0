//! The authorization endpoint: who may ask whom for what (oauth.md 2 and 3).

use super::*;

/// Asks with exactly these fields.
fn ask(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Reply {
    browser.get(&format!("/hub/api/oauth2/authorize?{}", encoded(fields)))
}

/// The scopes that a confirmation page would send, sorted.
fn offered(page: &Reply) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.body);
    let inputs = page.body.split("name=\"scopes\" value=\"").skip(1);
    let mut scopes: Vec<String> = inputs.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    scopes.sort();
    scopes
}

#[test]
fn oauth_005_the_hubs_own_client_is_nobodys_to_use() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = ask(&mut browser, &[("client_id", "jupyterhub"), ("response_type", "code")]);
    assert_eq!((reply.status, reply.header("location")), (400, None));
}

#[test]
fn oauth_007_a_stranger_signs_in_first() {
    let hub = hub();
    let path = authorize("asks", &[("state", "s&=?1")]);
    let reply = hub.get(&path);
    assert_eq!(reply.status, 302);
    let (to, query) = reply.location().split_once('?').unwrap();
    assert_eq!(to, "/hub/login");
    assert_eq!(form_urlencoded::parse(query.as_bytes()).next().unwrap().1, path);
}

#[test]
fn oauth_008_tokens_authorize_nobody() {
    let hub = hub();
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let headers = [("authorization".to_owned(), format!("token {token}"))];
    let url = format!("{}{}", hub.url, authorize("silent", &[]));
    let reply = request(&agent(), "GET", &url, &headers, String::new());
    assert!(reply.location().starts_with("/hub/login?"));
}

#[test]
fn oauth_009_a_client_in_doubt_is_told_of_on_a_page() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    for (query, words) in [
        ("response_type=code", "Missing client_id parameter."),
        ("client_id=service-nobody&response_type=code", "Invalid client_id parameter value."),
        (
            "client_id=service-silent&client_id=service-silent&response_type=code",
            "Duplicate client_id parameter.",
        ),
        ("client_id=service-silent&state=a&state=b&response_type=code", "Duplicate state parameter."),
        (
            "client_id=service-silent&response_type=code&response_type=code",
            "Duplicate response_type parameter.",
        ),
    ] {
        let reply = browser.get(&format!("/hub/api/oauth2/authorize?{query}"));
        assert_eq!((reply.status, reply.header("location")), (400, None), "{query}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{query}");
        assert!(reply.body.contains(words), "{query}: {}", reply.body);
    }
}

#[test]
fn oauth_010_an_address_must_be_the_registered_one_to_the_letter() {
    let hub = hub_with(
        "services.plane.url = \"http://127.0.0.1:9\"\nservices.plane.api_token = \"secret-of-plane-0123\"",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    let own = format!("{CALLBACK}/silent");
    for wrong in [
        "http://evil.example/",
        "relative",
        "/services/silent/oauth_callback",
        &format!("{own}/"),
        &format!("{own}?x=y"),
        &format!("{own}/../x"),
        &own.to_uppercase(),
        &own.replace("127.0.0.1:9", "127.0.0.1:9@evil.example"),
    ] {
        let fields = [("client_id", "service-silent"), ("redirect_uri", wrong), ("response_type", "code")];
        let reply = ask(&mut browser, &fields);
        assert_eq!((reply.status, reply.header("location")), (400, None), "{wrong}");
    }
    let absent = ask(&mut browser, &[("client_id", "service-silent"), ("response_type", "code")]);
    assert!(absent.location().starts_with(&format!("{own}?code=")), "{}", absent.location());
    // A path is an address, too; that this one may not be used is another matter.
    let path = "/services/plane/oauth_callback";
    let fields = [("client_id", "service-plane"), ("redirect_uri", path), ("response_type", "code")];
    assert_eq!(ask(&mut browser, &fields).status, 403);
}

#[test]
fn oauth_011_the_response_type_is_code() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    for (fields, error) in [
        (vec![("client_id", "service-silent"), ("state", "st")], "invalid_request"),
        (
            vec![("client_id", "service-silent"), ("state", "st"), ("response_type", "token")],
            "unsupported_response_type",
        ),
        (
            vec![("client_id", "service-silent"), ("state", "st"), ("response_type", "CODE")],
            "unsupported_response_type",
        ),
    ] {
        let reply = ask(&mut browser, &fields);
        assert_eq!(returned(&reply, "error").as_deref(), Some(error), "{fields:?}");
        assert_eq!(returned(&reply, "state").as_deref(), Some("st"), "{fields:?}");
        assert_eq!(returned(&reply, "code"), None, "{fields:?}");
    }
}

#[test]
fn oauth_012_errors_come_back_as_error_description_and_state_in_this_order() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let own = format!("{CALLBACK}/silent?error=");
    let reply = ask(&mut browser, &[("client_id", "service-silent"), ("state", "s t")]);
    let missing = "invalid_request&error_description=Missing+response_type+parameter.&state=s+t";
    assert_eq!(reply.location(), format!("{own}{missing}"));
    let reply = ask(&mut browser, &[("client_id", "service-silent"), ("response_type", "x"), ("state", "é")]);
    assert_eq!(reply.location(), format!("{own}unsupported_response_type&state=%C3%A9"));
    let reply = ask(&mut browser, &[("client_id", "service-silent"), ("response_type", "x")]);
    assert_eq!(reply.location(), format!("{own}unsupported_response_type"));
}

#[test]
fn oauth_013_scopes_are_scopes_or_roles_and_identify_is_none() {
    let hub = hub_with_wide("[\"read:users!user\", \"inherit\"]");
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get(&authorize("wide", &[("scope", "no-such-scope"), ("state", "st")]));
    assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_scope"));
    assert_eq!(returned(&reply, "state").as_deref(), Some("st"));
    let identity = ["access:services!service=wide", "read:users:groups!user", "read:users:name!user"];
    assert_eq!(offered(&browser.get(&authorize("wide", &[("scope", "identify")]))), identity);
    // The role `token` holds `inherit`; then nothing else needs saying.
    assert_eq!(offered(&browser.get(&authorize("wide", &[("scope", "token")]))), ["inherit"]);
    let mixed = browser.get(&authorize("wide", &[("scope", "token no-such-role")]));
    assert_eq!(returned(&mixed, "error").as_deref(), Some("invalid_scope"));
}

#[test]
fn oauth_014_a_client_gets_no_more_than_it_is_allowed() {
    let hub = hub();
    let mut admin = Browser::signed_in(&hub, "ada");
    for scope in ["admin:users", "read:users", "inherit", "read:users!user servers!user"] {
        let reply = admin.get(&authorize("asks", &[("scope", scope)]));
        assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_scope"), "{scope}");
    }
    let page = admin.get(&authorize("asks", &[("scope", "read:users!user=ada")]));
    assert!(offered(&page).contains(&"read:users!user=ada".to_owned()), "the same, written out");
    let foreign = admin.get(&authorize("asks", &[("scope", "read:users!user=grace")]));
    assert_eq!(returned(&foreign, "error").as_deref(), Some("invalid_scope"));
    let confirmed = confirm(&mut admin, &authorize("asks", &[]), &["servers!user"]);
    assert_eq!(returned(&confirmed, "error").as_deref(), Some("invalid_scope"), "nor by the form");
}

#[test]
fn oauth_015_what_the_user_lacks_is_not_offered() {
    let hub = hub_with_wide("[\"read:users!user\", \"list:groups\", \"read:servers\"]");
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get(&authorize("wide", &[]));
    let scopes = offered(&page);
    assert!(scopes.contains(&"read:users!user".to_owned()), "{scopes:?}");
    assert!(!scopes.iter().any(|scope| scope.starts_with("list:groups")), "{scopes:?}");
    let servers: Vec<_> = scopes.iter().filter(|scope| scope.starts_with("read:servers")).collect();
    assert_eq!(servers, ["read:servers!user=ada"], "of all servers, ada may see her own");
    // Confirming it all the same gives no more.
    let reply = confirm(&mut browser, &authorize("wide", &[]), &["list:groups", "read:users!user"]);
    let issued = exchange(&hub, "wide", &returned(&reply, "code").unwrap(), &[]).json();
    let granted = issued["scope"].as_str().unwrap();
    assert!(granted.contains("read:users!user") && !granted.contains("list:groups"), "{granted}");
}

#[test]
fn oauth_016_without_access_there_is_a_page_and_no_redirect() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get(&authorize("locked", &[("state", "s")]));
    assert_eq!((reply.status, reply.header("location")), (403, None));
    assert!(
        reply.body.contains("You do not have permission to access JupyterHub service locked"),
        "{}",
        reply.body
    );
}

#[test]
fn oauth_018_a_service_that_the_operator_trusts_needs_no_confirmation() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert!(returned(&browser.get(&authorize("silent", &[])), "code").is_some());
    assert_eq!(browser.get(&authorize("asks", &[])).status, 200, "this is no matter of the others");
}

#[test]
fn oauth_019_the_user_is_asked_again_only_for_more() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let (less, all) = (authorize("asks", &[("scope", "identify")]), authorize("asks", &[("state", "é x")]));
    let page = browser.get(&less);
    assert!(page.body.contains(&format!("{CALLBACK}/asks")), "it says who asks: {}", page.body);
    let scopes = offered(&page);
    let confirmed = confirm(&mut browser, &less, &scopes.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(browser.get(&less).status, 200, "a code is no token yet");
    assert_eq!(exchange(&hub, "asks", &returned(&confirmed, "code").unwrap(), &[]).status, 200);
    assert_eq!(browser.get(&less).status, 302, "the same again");
    assert_eq!(browser.get(&all).status, 200, "more");
    let confirmed = confirm(&mut browser, &all, &["read:users!user"]);
    assert_eq!(returned(&confirmed, "state").as_deref(), Some("é x"));
    let issued = exchange(&hub, "asks", &returned(&confirmed, "code").unwrap(), &[]).json();
    assert!(issued["scope"].as_str().unwrap().contains("read:users!user"), "{issued}");
    assert_eq!(browser.get(&all).status, 302);
    assert_eq!(Browser::signed_in(&hub, "grace").get(&less).status, 200, "somebody else");
}

#[test]
fn oauth_020_agreeing_needs_the_xsrf_token() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let path = authorize("asks", &[]);
    assert_eq!(browser.get(&path).status, 200);
    for fields in [&[("scopes", "read:users!user")][..], &[("scopes", "read:users!user"), ("_xsrf", "wrong")]]
    {
        let reply = browser.post(&path, fields);
        assert_eq!((reply.status, reply.header("location")), (403, None));
    }
    let stranger = Browser::new(&hub).post(&path, &[("scopes", "read:users!user")]);
    assert_eq!((stranger.status, stranger.header("location")), (403, None));
}

#[test]
fn oauth_021_confirming_nothing_grants_identity_and_access() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = confirm(&mut browser, &authorize("asks", &[]), &[]);
    let issued = exchange(&hub, "asks", &returned(&reply, "code").unwrap(), &[]).json();
    let mut scopes: Vec<&str> = issued["scope"].as_str().unwrap().split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["access:services!service=asks", "read:users:groups!user", "read:users:name!user"]);
}

#[test]
fn oauth_022_a_forged_agreement_is_judged_like_the_question() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let forged = confirm(&mut browser, &authorize("locked", &[]), &["access:services!service=locked"]);
    assert_eq!((forged.status, forged.header("location")), (403, None));
    for query in [
        "client_id=service-nobody&response_type=code",
        "client_id=service-asks&redirect_uri=http://evil.example/",
    ] {
        let forged = confirm(&mut browser, &format!("/hub/api/oauth2/authorize?{query}"), &[]);
        assert_eq!((forged.status, forged.header("location")), (400, None), "{query}");
    }
}

#[test]
fn oauth_023_a_client_that_may_everything_stands_for_the_user() {
    let hub = hub_with_wide("[\"inherit\"]");
    let mut browser = Browser::signed_in(&hub, "ada");
    let path = authorize("wide", &[]);
    assert_eq!(offered(&browser.get(&path)), ["inherit"]);
    let reply = confirm(&mut browser, &path, &["inherit"]);
    let issued = exchange(&hub, "wide", &returned(&reply, "code").unwrap(), &[]).json();
    let token = issued["access_token"].as_str();
    assert_eq!(hub.api("GET", "/users/ada", token, None).status, 200);
    assert_eq!(hub.api("POST", "/users/ada/tokens", token, None).status, 201);
    assert_eq!(hub.api("GET", "/users", token, None).status, 403, "and no more than the user");
}

#[test]
fn oauth_035_pkce_can_be_required() {
    let hub = hub_with("hub.oauth.require_pkce = true");
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get(&authorize("silent", &[]));
    assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_request"));
    assert_eq!(returned(&reply, "error_description").as_deref(), Some("Code challenge required."));
    let code = code(&mut browser, "silent", &[("code_challenge", "c"), ("code_challenge_method", "plain")]);
    assert_eq!(exchange(&hub, "silent", &code, &[("code_verifier", "c")]).status, 200);
}

#[test]
fn oauth_036_an_unknown_challenge_method_is_refused() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let extra = [("code_challenge", "c"), ("code_challenge_method", "S512"), ("state", "st")];
    let reply = browser.get(&authorize("silent", &extra));
    assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_request"));
    assert_eq!(returned(&reply, "error_description").as_deref(), Some("Transform algorithm not supported."));
    assert_eq!(returned(&reply, "state").as_deref(), Some("st"));
}

#[test]
fn oauth_052_a_browser_without_a_session_gets_one() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    browser.cookies.retain(|cookie| cookie.name != "jupyterhub-session-id");
    let reply = browser.get(&authorize("silent", &[]));
    let line = crate::pages::set_cookie(&reply, "jupyterhub-session-id").unwrap();
    assert!(line.contains("; Path=/;") && line.contains("; HttpOnly"), "{line}");
    let issued = exchange(&hub, "silent", &returned(&reply, "code").unwrap(), &[]).json();
    let session = browser.cookie("jupyterhub-session-id").unwrap().value.clone();
    assert_eq!(whoami(&hub, &issued["access_token"]).json()["session_id"], session);
}

#[test]
fn a_question_is_not_endless() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let many = "read:users:name!user ".repeat(101);
    let reply = browser.get(&authorize("silent", &[("scope", &many)]));
    assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_scope"));
    let confirmed = confirm(&mut browser, &authorize("silent", &[]), &["read:users:name!user"; 101]);
    assert_eq!(returned(&confirmed, "error").as_deref(), Some("invalid_scope"));
    let fewer = "read:users:name!user ".repeat(100);
    assert!(returned(&browser.get(&authorize("silent", &[("scope", &fewer)])), "code").is_some());
}

/// UI-091, RFC 6749 4.1.2.1: the client learns that the user said no.
#[test]
fn ui_091_who_does_not_agree_goes_back_to_the_client_with_access_denied() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let path = authorize("asks", &[("state", "s&1")]);
    let page = browser.get(&path);
    assert!(page.body.contains("name=\"refuse\" value=\"1\">Don&#39;t authorize"), "{}", page.body);
    let xsrf = browser.xsrf();
    let mut fields: Vec<(&str, &str)> = vec![("refuse", "1"), ("_xsrf", &xsrf)];
    let scopes = offered(&page);
    fields.extend(scopes.iter().map(|scope| ("scopes", scope.as_str())));
    let reply = browser.post(&path, &fields);
    assert_eq!(reply.status, 302);
    assert_eq!(
        reply.location(),
        format!(
            "{CALLBACK}/asks?error=access_denied&error_description=The+resource+owner+or+authorization+server+denied+the+request.&state=s%261"
        )
    );
    // nothing was granted, so the next time it asks again; and a forged refusal is none
    assert_eq!(browser.get(&path).status, 200);
    assert_eq!(browser.post(&path, &[("refuse", "1")]).status, 403);
}
