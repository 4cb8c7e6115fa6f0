//! A path never reaches a server whose prefix it does not have, however it is spelled (SEC-094).

use orrery_proxy::{Matching, ProxyConfig, Route, RouteTable};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::support::{Backend, Proxy, config, run};

/// A server that answers with its name and the first line it has received.
async fn named(name: &'static str) -> String {
    let server = Backend::start(move |mut wire| async move {
        while let Some(head) = wire.try_head().await {
            let text = format!("{name} {}", head.first);
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())).await;
        }
    })
    .await;
    server.url()
}

#[test]
fn sec_094_each_spelling_of_a_path_has_one_owner_who_gets_it_as_matched() {
    run(async {
        let proxy = Proxy::start(&[
            ("/", named("hub").await),
            ("/user/ada/", named("ada").await),
            ("/user/ad/", named("ad").await),
            ("/user/a@b/", named("a@b").await),
            ("/user/%E7%A7%80/", named("shu").await),
            ("/services/x/", named("x").await),
        ]);
        for (asked, owner, forwarded) in [
            ("/user/ada", "ada", ""),
            ("/user/ad", "ad", ""),
            ("/user/adam/", "hub", ""),
            ("/user/adA/", "hub", ""),
            ("/USER/ada/", "hub", ""),
            // Parameters and what looks like the end of a path to some.
            ("/user/ada;x/", "hub", ""),
            ("/user;x/ada/", "hub", ""),
            ("/user/ada%3Bx/", "hub", ""),
            ("/user/ada%00/", "hub", ""),
            ("/user/ada%20/", "hub", ""),
            ("/user/ada./", "hub", ""),
            ("/user/ada%2e/", "hub", ""),
            ("/user/ada%3F/", "hub", ""),
            ("/user/ada%23/", "hub", ""),
            ("/user/ada?/../ad/", "ada", ""),
            ("/user/ad?x=/user/ada", "ad", ""),
            // Empty segments.
            ("//user/ada/", "hub", ""),
            ("/user//ada/", "hub", ""),
            ("/user/ada//../ad/", "ada", "/user/ada/ad/"),
            // Dot segments in every escaping; what only resembles one stays.
            ("/./user/ada/", "ada", "/user/ada/"),
            ("/user/ada/../ad/x", "ad", "/user/ad/x"),
            ("/user/ada/%2e%2e/ad/x", "ad", "/user/ad/x"),
            ("/user/ada/.%2E/ad/x", "ad", "/user/ad/x"),
            ("/user/ada/%2e/x", "ada", "/user/ada/x"),
            ("/user/ada/../../../../services/x/y", "x", "/services/x/y"),
            ("/services/x/../../user/ada/..", "hub", "/user/"),
            ("/user/ada/..;/ad/x", "ada", ""),
            ("/user/ada/.../ad/x", "ada", ""),
            ("/user/ada/%252e%252e/ad/x", "ada", ""),
            ("/user/ada/..%2fad/x", "ada", ""),
            ("/user/ada%2f..%2fad/x", "ada", ""),
            ("/user%2f..%2fservices/x/", "hub", ""),
            // Separators.
            ("/user%2Fada%2Fx", "ada", ""),
            ("/user%2fada", "ada", ""),
            ("/user%252Fada/x", "hub", ""),
            ("/user%5Cada/x", "hub", ""),
            (r"/user\ada\x", "ada", "/user/ada/x"),
            (r"/user/ada\..\ad\x", "ad", "/user/ad/x"),
            (r"\user\ada", "400", ""),
            // Escapes.
            ("/user/%61d%61/x", "ada", ""),
            ("/user/%2561da/x", "hub", ""),
            ("/user/a%40b/x", "a@b", ""),
            ("/user/a%2540b/x", "hub", ""),
            ("/user/%e7%a7%80/x", "shu", ""),
            ("/user/%c0%ae%c0%ae/ad/", "500", ""),
            ("/user/ad%c1%a1/", "500", ""),
            ("/user/ada/%u002e/", "500", ""),
            // With a host before it.
            ("http://hub/user/ada/../ad/x", "ad", "/user/ad/x"),
            ("http://hub//user/ada", "hub", "//user/ada"),
        ] {
            let answer = proxy.get(asked).await;
            let forwarded = if forwarded.is_empty() { asked } else { forwarded };
            let expected = format!("{owner} GET {forwarded} HTTP/1.1");
            match owner.parse::<u16>() {
                Ok(code) => assert_eq!(answer.code(), code, "{asked}"),
                Err(_) => assert_eq!(answer.body, expected, "{asked}"),
            }
        }
    });
}

/// The prefix by which a server may own a path: how it reads what it got, whoever wrote it in which way.
fn owner(path: &str) -> &'static str {
    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{path}");
    let decoded = percent_decode_str(path).decode_utf8().unwrap();
    match decoded.split('/').collect::<Vec<_>>().as_slice() {
        ["", "user", "ada", ..] => "ada",
        ["", "user", "..", ..] => "dots",
        _ => "hub",
    }
}

#[test]
fn sec_094_no_combination_of_spellings_reaches_a_server_that_would_not_read_its_own_prefix() {
    const PIECES: [&str; 8] = ["user", "us%65r", "ada", "..", "%2E.", "", "user%2Fad%61", r"x\..\user"];
    run(async {
        let proxy = Proxy::start(&[("/", named("hub").await), ("/user/ada/", named("ada").await)]);
        let mut client = proxy.client().await;
        let mut owned = 0;
        for number in 0..PIECES.len().pow(4) {
            let piece = |place: u32| PIECES[number / PIECES.len().pow(place) % PIECES.len()];
            let asked = format!("/{}/{}/{}/{}", piece(3), piece(2), piece(1), piece(0));
            client.send(format!("GET {asked} HTTP/1.1\r\nHost: hub\r\n\r\n")).await;
            let answer = client.answer().await;
            let [name, _, path, _] = answer.body.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let reads = owner(path);
            assert_eq!(name, if reads == "dots" { "hub" } else { reads }, "{asked} as {path}");
            owned += usize::from(name == "ada");
        }
        // Enough of both, or this proves nothing.
        assert!(owned > 100 && owned < 3000, "{owned}");
    });
}

#[test]
fn sec_094_with_host_routing_a_spelling_of_a_host_has_one_owner_too() {
    run(async {
        let proxy = Proxy::with(ProxyConfig { host_routing: true, ..config() }, &[]);
        let (hub, ada) = (named("hub").await, named("ada").await);
        let route =
            |key: &str, target: &str| Route::from_key(Matching::Host, key, target, Value::Null).unwrap();
        proxy.routes.publish(RouteTable::new([route("/", &hub), route("/ada.test/user/ada", &ada)]));
        for (host, path, expected) in [
            ("ada.test", "/user/ada/x", "ada"),
            ("ADA.Test:8000", "/user/ada/x", "ada"),
            ("ada.test.", "/user/ada/x", "ada"),
            ("ada.test", "/user/adam/", "hub"),
            ("ada.test.evil", "/user/ada/x", "hub"),
            ("evil.ada.test", "/user/ada/x", "hub"),
            ("ada.test%2Fuser", "/ada/x", "hub"),
            ("ada%2Etest", "/user/ada/x", "hub"),
            ("hub", "/ada.test/user/ada/x", "hub"),
            ("hub", "/../ada.test/user/ada/x", "hub"),
            ("ada.test", "/../hub/user/ada/x", "hub"),
        ] {
            let mut client = proxy.client().await;
            client.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
            let answer = client.answer().await;
            assert_eq!(answer.body.split(' ').next(), Some(expected), "{host} {path}");
        }
    });
}
