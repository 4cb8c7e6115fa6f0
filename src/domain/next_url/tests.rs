use proptest::prelude::*;

use super::*;

fn local() -> Origin {
    Origin::of_request(Scheme::Http, "127.0.0.1:18101")
}

fn check(origin: &Origin, vectors: &[(&str, Option<&str>)]) {
    for (next, expected) in vectors {
        assert_eq!(validate(next, origin).as_deref(), *expected, "{next}");
    }
}

/// Defines a test for each address of a visitor of [`local`]: what becomes of it.
macro_rules! vectors {
    ($($name:ident: $next:expr => $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            let expected: Option<&str> = $expected;
            for next in $next {
                assert_eq!(validate(next, &local()).as_deref(), expected, "{next}");
            }
        }
    )*};
}

// cookies-xsrf.md 6.2, in its order; `None` is the default target.
vectors! {
    cook_050_a_path_of_ours_is_kept: ["/hub/home"] => Some("/hub/home");
    cook_051_with_query_and_fragment: ["/hub/home?a=b#frag"] => Some("/hub/home?a=b#frag");
    cook_052_space_around_it_does_not_count: [" /hub/home", "/hub/home\n"] => Some("/hub/home");
    cook_053_a_host_without_scheme_is_refused: ["//evil.com"] => None;
    cook_054_three_slashes_are_a_host_too: ["///evil.com"] => None;
    cook_055_so_are_four: ["////evil.com/x"] => None;
    cook_056_another_host_is_refused: ["http://evil.com/", "https:evil.com"] => None;
    cook_057_an_empty_host_is_refused: ["http:///evil.com"] => None;
    cook_058_one_slash_is_no_path_of_ours: ["http:/evil.com"] => None;
    cook_059_another_scheme_is_another_origin: ["https://127.0.0.1:18101/hub/home"] => None;
    cook_060_our_own_url_is_cut_to_its_path: ["http://127.0.0.1:18101/hub/home?x=1"] => Some("/hub/home?x=1");
    cook_061_our_own_origin_alone_is_the_root: ["http://127.0.0.1:18101"] => Some("/");
    cook_062_our_own_host_needs_no_scheme: ["//127.0.0.1:18101/x", "///127.0.0.1:18101/x"] => Some("/x");
    cook_063_slashes_behind_our_own_origin_become_one:
        ["http://127.0.0.1:18101//evil.com/x", "http://127.0.0.1:18101///evil.com/x"] => Some("/evil.com/x");
    cook_064_a_longer_host_is_another: ["http://127.0.0.1:18101.evil.com/"] => None;
    cook_065_a_user_name_like_our_host_is_no_host: ["http://127.0.0.1:18101@evil.com/"] => None;
    cook_066_schemes_are_compared_to_the_letter: ["HTTP://127.0.0.1:18101/x"] => None;
    cook_067_backslashes_are_no_slashes: ["\\\\evil.com"] => None;
    cook_068_a_backslash_in_a_path_is_escaped: ["/\\evil.com"] => Some("/%5Cevil.com");
    cook_069_an_escaped_backslash_stays: ["/%5Cevil.com"] => Some("/%5Cevil.com");
    cook_070_a_script_is_refused: ["javascript:alert(1)"] => None;
    cook_071_a_relative_path_is_refused: ["hub/home"] => None;
    cook_072_a_query_alone_is_refused: ["?a=b"] => None;
    cook_073_a_fragment_alone_is_refused: ["#x"] => None;
    cook_074_nothing_is_nothing: ["", " "] => None;
    cook_075_escaped_slashes_are_not_unescaped: ["%2F%2Fevil.com"] => None;
    cook_076_paths_are_not_tidied: ["/foo//evil.com"] => Some("/foo//evil.com");
}

#[test]
fn cook_076_nor_are_dots_and_colons() {
    check(&local(), &[("/../x", Some("/../x")), ("/", Some("/")), ("/hub/x:y://z", Some("/hub/x:y://z"))]);
}

#[test]
fn cook_077_behind_https_our_own_http_url_is_another_origin() {
    let through_proxy = browser_scheme(None, None, Some("https"), Scheme::Http);
    let origin = Origin::of_request(through_proxy, "127.0.0.1:18101");
    check(&origin, &[("http://127.0.0.1:18101/x", None)]);
}

#[test]
fn cook_078_the_first_of_two_proxies_names_the_scheme() {
    let through_two = browser_scheme(None, None, Some("https,http"), Scheme::Http);
    let origin = Origin::of_request(through_two, "127.0.0.1:18101");
    check(&origin, &[("https://127.0.0.1:18101/x", Some("/x"))]);
}

#[test]
fn cook_079_forwarded_names_the_scheme_too() {
    let forwarded = browser_scheme(Some("proto=https"), None, None, Scheme::Http);
    let origin = Origin::of_request(forwarded, "pub.com");
    check(&origin, &[("https://pub.com/x", Some("/x"))]);
}

#[test]
fn sec_001_what_a_browser_could_misread_is_refused() {
    let refused = [
        "/\t/evil.com",
        "/\n/evil.com",
        "/\r\nSet-Cookie: a=b",
        "/hub\0",
        "//",
        "///",
        "http://",
        "http:///",
        "//127.0.0.1:18101@evil.com",
        "//127.0.0.1:1810/x",
        "//127.0.0.1:18101\\@evil.com/",
    ];
    check(&local(), &refused.map(|next| (next, None)));
}

#[test]
fn addresses_come_out_fit_for_a_header() {
    check(&local(), &[("/user/é?x=→", Some("/user/%C3%A9?x=%E2%86%92"))]);
}

#[test]
fn the_outermost_proxy_names_the_scheme() {
    use Scheme::{Http, Https};
    for (forwarded, x_scheme, x_proto, connection, expected) in [
        (None, None, None, Http, Http),
        (None, None, None, Https, Https),
        (Some("for=1.2.3.4; Proto=\"HTTPS\";by=x, proto=http"), Some("http"), None, Http, Https),
        (Some("for=1.2.3.4, proto=https"), Some("http"), Some("https"), Https, Http),
        (Some("proto=gopher"), None, Some("https"), Http, Https),
        (None, Some(" HTTPS , http"), Some("http"), Http, Https),
        (None, Some("gopher"), None, Https, Https),
    ] {
        let scheme = browser_scheme(forwarded, x_scheme, x_proto, connection);
        assert_eq!(scheme, expected, "{forwarded:?} {x_scheme:?} {x_proto:?}");
    }
}

#[test]
fn cook_080_the_public_url_is_the_only_origin() {
    let origin = Origin::of_public_url("https://pub.example.com/jhub/").unwrap();
    check(
        &origin,
        &[
            ("https://pub.example.com/hub/home", Some("/hub/home")),
            ("http://127.0.0.1:18101/hub/home", None),
            ("http://pub.example.com/hub/home", None),
        ],
    );
    for bad in ["pub.example.com", "ftp://pub.example.com/", "https:///x"] {
        assert_eq!(Origin::of_public_url(bad), None, "{bad}");
    }
}

#[test]
fn cook_081_users_hosts_are_ours_too_and_look_alikes_are_not() {
    let origin = Origin::of_public_url("http://hub.test:18120/jhub/").unwrap();
    check(
        &origin.with_subdomains("hub.test:18120"),
        &[
            ("http://alice.hub.test:18120/jhub/user/alice/", Some("/jhub/user/alice/")),
            ("https://foo.hub.test:18120//evil/x", Some("/evil/x")),
            ("//x.hub.test:18120/y", Some("/y")),
            ("http://hub.test:18120/y", Some("/y")),
            ("//x.hub.test:18120?a=b", Some("/?a=b")),
            ("http://evilhub.test:18120/", None),
            ("http://hub.test/x", None),
            ("http://x.hub.test:18120.evil.com/", None),
        ],
    );
}

proptest! {
    #[test]
    fn a_redirect_never_leaves_the_hub(
        next in "(https?:)?[/\\\\]{0,4}(a\\.hub\\.test|hub\\.test|evil)?[@:/\\\\?#.\t\n %a-zé]{0,12}"
    ) {
        let origin = Origin::of_request(Scheme::Http, "hub.test").with_subdomains("hub.test");
        if let Some(local) = validate(&next, &origin) {
            prop_assert!(local.starts_with('/') && !local.starts_with("//"));
            prop_assert!(local.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'\\'));
            prop_assert_eq!(validate(&local, &origin), Some(local.clone()));
        }
    }
}
