//! What a client sees when no server answers.

use std::time::Duration;

use orrery_proxy::ProxyConfig;

use crate::support::{Backend, Proxy, config, dead_url, run};

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: no=1\r\nContent-Length: 4\r\n\r\nsad!";

#[test]
fn proxy_015_the_hub_renders_the_page_and_the_proxy_keeps_the_code() {
    run(async {
        let (hub, heads) = Backend::recording(PAGE).await;
        let proxy = Proxy::with_error_target(
            &format!("{}/hub/error", hub.url()),
            &[("/user/ada/", dead_url().await)],
        );
        for (path, code, asked) in [
            ("/nobody?a=1&b=2", 404, "GET /hub/error/404?url=%2Fnobody%3Fa%3D1%26b%3D2 HTTP/1.1"),
            ("/user/ada/lab", 503, "GET /hub/error/503?url=%2Fuser%2Fada%2Flab HTTP/1.1"),
            ("/user/ada/%", 500, "GET /hub/error/500?url=%2Fuser%2Fada%2F%25 HTTP/1.1"),
            ("/user/ada/%ff", 500, "GET /hub/error/500?url=%2Fuser%2Fada%2F%25ff HTTP/1.1"),
        ] {
            let mut client = proxy.client().await;
            client.send(format!("GET {path} HTTP/1.1\r\nHost: hub\r\nCookie: secret=1\r\n\r\n")).await;
            let answer = client.answer().await;
            assert_eq!((answer.code(), answer.body.as_str()), (code, "sad!"), "{path}");
            assert!(answer.head.get("content-type").is_some_and(|kind| kind.starts_with("text/html")));
            assert_eq!(answer.head.get("set-cookie"), None);
            let fetched = heads.borrow_mut().pop().unwrap();
            assert_eq!((fetched.first.as_str(), fetched.get("cookie")), (asked, None));
        }
    });
}

#[test]
fn proxy_015_without_a_page_the_answer_is_plain_text() {
    run(async {
        let broken = Backend::answering("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops").await;
        let huge = Backend::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n{}",
            "x".repeat(2_000_000)
        ))
        .await;
        for target in [dead_url().await, broken.url(), huge.url()] {
            let proxy = Proxy::with_error_target(&target, &[]);
            let answer = proxy.get("/x").await;
            assert!(answer.body.starts_with("404: Not Found"), "{}", answer.body);
            assert_eq!(
                (answer.code(), answer.head.get("content-type")),
                (404, Some("text/plain; charset=utf-8"))
            );
        }
    });
}

#[test]
fn proxy_016_without_an_error_target_there_is_a_page_all_the_same() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("404.html"), "not here").unwrap();
        std::fs::write(folder.path().join("error.html"), "something else").unwrap();
        let own = ProxyConfig { error_path: Some(folder.path().to_owned()), ..config() };
        for (settings, missing, dead) in [
            (own, "not here", "something else"),
            (config(), "<title>404: Not Found</title>", "<title>503: Service"),
        ] {
            let proxy = Proxy::with(settings, &[("/dead/", dead_url().await)]);
            for (path, code, words) in [("/x", 404, missing), ("/dead/", 503, dead)] {
                let answer = proxy.get(path).await;
                assert!(answer.code() == code && answer.body.contains(words), "{}", answer.body);
                assert!(answer.head.get("content-type").is_some_and(|kind| kind.starts_with("text/html")));
            }
        }
    });
}

#[test]
fn a_server_that_hangs_up_or_talks_nonsense_is_unavailable() {
    run(async {
        for nonsense in [
            "",
            "nonsense\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ] {
            let server = Backend::start(move |mut wire| async move {
                wire.head().await;
                wire.send(nonsense).await;
            })
            .await;
            let proxy = Proxy::start(&[("/", server.url())]);
            assert_eq!(proxy.get("/").await.code(), 503, "{nonsense:?}");
        }
    });
}

#[test]
fn proxy_023_a_server_that_takes_too_long_is_unavailable() {
    run(async {
        let server = Backend::start(|mut wire| async move { drop(wire.until_closed().await) }).await;
        let hasty = ProxyConfig { response_timeout: Some(Duration::from_millis(30)), ..config() };
        let proxy = Proxy::with(hasty, &[("/", server.url())]);
        assert_eq!(proxy.get("/").await.code(), 503);
    });
}

#[test]
fn an_error_leaves_the_connection_usable() {
    run(async {
        let server = Backend::named("fine").await;
        let proxy = Proxy::start(&[("/ok/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET /no HTTP/1.1\r\nHost: hub\r\n\r\nGET /ok/ HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert_eq!(client.answer().await.code(), 404);
        assert_eq!(client.answer().await.body, "fine");
    });
}

#[test]
fn proxy_012_a_failed_upgrade_gets_a_bare_answer_and_a_closed_connection() {
    run(async {
        let (hub, heads) = Backend::recording(PAGE).await;
        let proxy = Proxy::with_error_target(&hub.url(), &[("/dead/", dead_url().await)]);
        for (path, code) in [("/none", 404), ("/dead/", 503)] {
            let mut client = proxy.client().await;
            client
                .send(format!(
                    "GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                ))
                .await;
            let head = client.head().await;
            assert_eq!((head.code(), head.get("content-length")), (code, Some("0")));
            assert_eq!(client.until_closed().await, "");
        }
        assert!(heads.borrow().is_empty());
    });
}
