use proptest::prelude::*;

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_795_305_540;
const ALICE: Identity<'_> = Identity::User { session_id: "5e5510", cookie_id: "a11ce" };

fn ask<'a>(method: &'a str, mode: Option<&'a str>, site: Option<&'a str>) -> Request<'a> {
    Request {
        method,
        fetch_mode: mode,
        fetch_site: site,
        origin: None,
        credentials: Credentials::Cookie,
        endpoint: EndpointKind::Api,
    }
}

/// `Sec-Fetch-Mode`, `Sec-Fetch-Site`, and whether a GET from the API is checked.
const MATRIX: [(Option<&str>, Option<&str>, bool); 9] = [
    (None, None, false),
    (Some("navigate"), Some("cross-site"), false),
    (Some("websocket"), Some("cross-site"), false),
    (Some("no-cors"), Some("same-origin"), false),
    (Some("no-cors"), Some("cross-site"), true),
    (Some("no-cors"), None, true),
    (Some("cors"), Some("same-origin"), true),
    (Some("same-origin"), Some("same-origin"), true),
    (Some("unheard-of"), Some("same-origin"), true),
];

fn keys(secret: &[u8]) -> SigningKeys {
    SigningKeys::new([secret.to_vec().into()]).unwrap()
}

#[test]
fn cook_022_the_matrix_decides_about_reading_the_api() {
    for (mode, site, checked) in MATRIX {
        assert_eq!(must_check(&ask("GET", mode, site)), checked, "{mode:?} {site:?}");
    }
}

#[test]
fn cook_023_sec_002_every_writing_request_is_checked() {
    for (mode, site, _) in MATRIX {
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND"] {
            for endpoint in [EndpointKind::Page, EndpointKind::Api] {
                let request = Request { endpoint, ..ask(method, mode, site) };
                assert!(must_check(&request), "{request:?}");
            }
        }
    }
}

#[test]
fn cook_024_head_and_options_are_never_checked_nor_is_reading_a_page() {
    for (mode, site, _) in MATRIX {
        assert!(!must_check(&ask("HEAD", mode, site)));
        assert!(!must_check(&ask("OPTIONS", mode, site)));
        let page = Request { endpoint: EndpointKind::Page, ..ask("GET", mode, site) };
        assert!(!must_check(&page));
    }
}

#[test]
fn cook_025_requests_with_a_token_are_never_checked() {
    for endpoint in [EndpointKind::Page, EndpointKind::Api] {
        let request = Request {
            credentials: Credentials::Token,
            origin: Some("https://evil.example"),
            endpoint,
            ..ask("POST", Some("cors"), Some("cross-site"))
        };
        assert!(!must_check(&request));
    }
}

#[test]
fn cook_027_nobody_is_checked_at_the_api_only_when_another_site_asks() {
    let request = |origin, endpoint| Request {
        credentials: Credentials::Nobody,
        origin,
        endpoint,
        ..ask("POST", Some("cors"), None)
    };
    assert!(!must_check(&request(None, EndpointKind::Api)));
    assert!(must_check(&request(Some("https://evil.example"), EndpointKind::Api)));
    assert!(must_check(&request(None, EndpointKind::Page)), "the login form");
}

#[test]
fn ids_are_those_of_the_reference() {
    assert_eq!(ALICE.id(), "5e5510:a11ce");
    let anonymous = |session_id| Identity::Anonymous { session_id, fingerprint: "x=" }.id();
    assert_eq!(anonymous(Some("5e5510")), "5e5510:x=");
    assert_eq!(anonymous(None), "None:x=");
    assert_eq!(Identity::Service.id(), ":");
}

#[test]
fn cook_028_browsers_are_told_apart_by_address_and_headers() {
    let agent: Option<&[u8]> = Some(b"Mozilla/5.0");
    let home = "127.0.0.1".parse().unwrap();
    let plain = fingerprint(home, &[], [agent]);
    assert_eq!(plain, "eTHuwVZAR-wUQ0cBvwV-q4auKhTDBytw6hstwJohfoM=");
    let others = [
        fingerprint("127.0.0.2".parse().unwrap(), &[], [agent]),
        fingerprint(home, &[], [Some(b"curl".as_slice())]),
        fingerprint(home, &[], [None]),
        fingerprint(home, &[], [agent, None]),
    ];
    assert!(!others.contains(&plain));

    let networks: Vec<Network> =
        ["192.0.2.0/24", "10.0.0.0/8"].iter().map(|net| net.parse().unwrap()).collect();
    let roaming =
        |address: &str| fingerprint(address.parse().unwrap(), &networks, [agent, Some(b"de".as_slice())]);
    assert_eq!(roaming("10.1.2.3"), "283OcWkzuViaeFYWodsGzU-jpB4CVs8Yph0Rs-88ApY=");
    assert_eq!(roaming("10.9.9.9"), roaming("10.1.2.3"));
}

#[test]
fn a_token_is_what_the_reference_would_have_made() {
    let secret: Vec<u8> = (0..32).collect();
    let by_tornado = "MnwxOjB8MTA6MTc5NTMwNTU0MHw1Ol94c3JmfDEyOlRtOXVaVHBoWW1NOXw3YzM0Y2U2M2IxZTJlMzQ0MzNjZTc5NjE1ZWYyNGNiNDkxZTYzODEzZWI3NWVmZjdmNThiNzEzMmI4YWY1ZGJh";
    assert_eq!(token(&secret, "None:abc=", NOW), by_tornado);
    assert_eq!(decode(&keys(&secret), by_tornado, NOW + 31 * 86_400), Some(b"None:abc=".to_vec()));
    assert_eq!(decode(&keys(&secret), by_tornado, NOW + 31 * 86_400 + 1), None);
    assert_eq!(decode(&keys(SECRET), by_tornado, NOW), None);
}

#[test]
fn cook_021_missing_and_wrong_tokens_are_told_apart() {
    let cookie = token(SECRET, &ALICE.id(), NOW);
    let check = |submitted| verify(&keys(SECRET), [cookie.as_str()], &ALICE.id(), submitted, "POST", NOW);
    assert_eq!(check(Some(cookie.as_str())), Ok(()));
    assert_eq!(check(None).unwrap_err().to_string(), "'_xsrf' argument missing from POST");
    assert_eq!(check(Some("")).unwrap_err().to_string(), "'_xsrf' argument missing from POST");
    // even a token that is good for alice must be the one in her cookie
    let other = token(SECRET, &ALICE.id(), NOW + 1);
    for wrong in ["wrong", &other] {
        let refusal = check(Some(wrong)).unwrap_err();
        assert_eq!(refusal.to_string(), "XSRF cookie does not match POST argument");
    }
    let no_cookie = verify(&keys(SECRET), [], &ALICE.id(), Some(cookie.as_str()), "POST", NOW);
    assert_eq!(no_cookie, Err(XsrfError::Mismatch("POST".to_owned())));
}

#[test]
fn cook_029_cook_030_a_token_is_void_for_anyone_else_and_after_login() {
    let bob = Identity::User { session_id: "5e5510", cookie_id: "b0b" };
    let anonymous = Identity::Anonymous { session_id: Some("5e5510"), fingerprint: "x=" };
    for (before, after) in [(ALICE, bob), (anonymous, ALICE), (ALICE, anonymous)] {
        let old = token(SECRET, &before.id(), NOW);
        let outcome = verify(&keys(SECRET), [old.as_str()], &after.id(), Some(&old), "POST", NOW);
        assert_eq!(outcome, Err(XsrfError::Mismatch("POST".to_owned())));
    }
}

#[test]
fn cook_031_sec_004_other_xsrf_cookies_do_not_disturb() {
    let own = token(SECRET, &ALICE.id(), NOW);
    let of_a_server = token(b"the server's secret", "5e5510:x", NOW);
    let tossed = token(SECRET, "5e5510:mallory", NOW);
    let stale = token(SECRET, &ALICE.id(), NOW - 32 * 86_400);
    let strangers = [of_a_server.as_str(), &tossed, &stale, "junk", ""];
    let before: Vec<&str> = strangers.iter().copied().chain([own.as_str()]).collect();
    let after: Vec<&str> = before.iter().rev().copied().collect();
    for cookies in [before, after] {
        assert_eq!(find_cookie(&keys(SECRET), cookies.clone(), &ALICE.id(), NOW), Some(own.as_str()));
        assert_eq!(verify(&keys(SECRET), cookies.clone(), &ALICE.id(), Some(&own), "PUT", NOW), Ok(()));
        for submitted in strangers {
            assert!(
                verify(&keys(SECRET), cookies.clone(), &ALICE.id(), Some(submitted), "PUT", NOW).is_err()
            );
        }
    }
    assert_eq!(find_cookie(&keys(SECRET), strangers, &ALICE.id(), NOW), None);
}

proptest! {
    #[test]
    fn decoding_strangers_text_never_panics(text in "[A-Za-z0-9_-]{0,200}|.{0,80}") {
        prop_assert_eq!(decode(&keys(SECRET), &text, NOW), None);
    }

    #[test]
    fn a_token_gives_its_id_back(id in ".{0,80}") {
        prop_assert_eq!(decode(&keys(SECRET), &token(SECRET, &id, NOW), NOW), Some(id.into_bytes()));
    }
}
