//! What the proxy does not accept, and how long it waits.

use std::time::Duration;

use orrery_proxy::ProxyConfig;

use crate::support::{Backend, Proxy, config, run};

#[test]
fn sec_091_ambiguous_requests_are_refused_and_the_connection_closed() {
    run(async {
        let (server, heads) = Backend::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&[("/", server.url())]);
        for request in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
            "NONSENSE\r\n\r\n",
        ] {
            let mut client = proxy.client().await;
            client.send(request).await;
            assert_eq!(client.head().await.code(), 400, "{request}");
            client.until_closed().await;
        }
        assert!(heads.borrow().is_empty());
    });
}

#[test]
fn connect_is_not_supported() {
    run(async {
        let proxy = Proxy::start(&[("/", Backend::named("x").await.url())]);
        let mut client = proxy.client().await;
        client.send("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n").await;
        assert_eq!(client.answer().await.code(), 405);
        client.until_closed().await;
    });
}

#[test]
fn sec_099_heads_larger_than_the_limit_are_refused() {
    run(async {
        let small = ProxyConfig { max_header_bytes: 8192, ..config() };
        let proxy = Proxy::with(small, &[("/", Backend::named("x").await.url())]);
        let mut client = proxy.client().await;
        client.send(format!("GET / HTTP/1.1\r\nHost: hub\r\nX: {}", "x".repeat(9000))).await;
        assert_eq!(client.head().await.code(), 431);
        client.until_closed().await;
        assert_eq!(proxy.get("/").await.body, "x");
    });
}

#[test]
fn sec_099_a_client_that_does_not_finish_its_head_is_dropped() {
    run(async {
        let hasty = ProxyConfig { header_timeout: Duration::from_millis(50), ..config() };
        let proxy = Proxy::with(hasty, &[]);
        // Nothing, the beginning of the HTTP/2 preface, HTTP/2 without a request, half a head.
        for beginning in ["", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost: h"] {
            let mut client = proxy.client().await;
            client.send(beginning).await;
            client.until_closed().await;
        }
    });
}

#[test]
fn sec_099_an_idle_kept_connection_is_closed() {
    run(async {
        let hasty = ProxyConfig { keep_alive: Duration::from_millis(50), ..config() };
        let proxy = Proxy::with(hasty, &[("/", Backend::named("x").await.url())]);
        let mut client = proxy.client().await;
        client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert_eq!(client.answer().await.body, "x");
        assert_eq!(client.until_closed().await, "");
    });
}

#[test]
fn a_slow_answer_is_no_idleness() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            tokio::time::sleep(Duration::from_millis(150)).await; // several header timeouts
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl").await;
            tokio::time::sleep(Duration::from_millis(150)).await;
            wire.send("ow").await;
        })
        .await;
        let short = Duration::from_millis(40);
        let hasty = ProxyConfig { header_timeout: short, keep_alive: short, body_timeout: short, ..config() };
        let proxy = Proxy::with(hasty, &[("/", server.url())]);
        assert_eq!(proxy.get("/").await.body, "slow");
    });
}

#[test]
fn a_proxy_that_cannot_work_is_an_error_not_a_panic() {
    let without_listeners = orrery_proxy::serve(vec![], Default::default(), config());
    assert!(without_listeners.is_err());
    let listener = || vec![orrery_proxy::bind("127.0.0.1:0".parse().unwrap()).unwrap().into()];
    for odd in [
        ProxyConfig { workers: 0, ..config() },
        ProxyConfig { header_timeout: Duration::ZERO, ..config() },
        ProxyConfig { keep_alive: Duration::from_secs(100_000), ..config() },
    ] {
        assert!(orrery_proxy::serve(listener(), Default::default(), odd).is_err());
    }
}

#[test]
fn sec_099_a_client_that_takes_nothing_of_its_answer_is_dropped_and_its_server_freed() {
    run(async {
        let (freed, mut is_freed) = tokio::sync::mpsc::unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let freed = freed.clone();
            async move {
                wire.head().await;
                wire.send_until_refused("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n").await;
                freed.send(()).unwrap();
            }
        })
        .await;
        let hasty = ProxyConfig { body_timeout: Duration::from_millis(100), ..config() };
        let proxy = Proxy::with(hasty, &[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert!(is_freed.recv().await.is_some());
    });
}
