//! Kept connections to servers.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use orrery_proxy::ProxyConfig;

use crate::support::{Backend, Proxy, config, run};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn requests_of_several_clients_share_one_kept_connection() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/", server.url())]);
        for _ in 0..3 {
            let mut client = proxy.client().await;
            for _ in 0..3 {
                client.send("POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi").await;
                assert_eq!(client.answer().await.body, "POST /x HTTP/1.1\nhi");
            }
        }
        assert_eq!(server.connections.get(), 1);
    });
}

#[test]
fn answers_without_a_body_free_their_connection() {
    run(async {
        let server = Backend::answering("HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n").await;
        let proxy = Proxy::start(&[("/", server.url())]);
        for _ in 0..3 {
            assert_eq!(proxy.get("/").await.code(), 304);
        }
        assert_eq!(server.connections.get(), 1);
    });
}

#[test]
fn chunked_answers_free_their_connection() {
    run(async {
        let server =
            Backend::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
                .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        for _ in 0..3 {
            assert_eq!(proxy.get("/").await.body, "ok");
        }
        assert_eq!(server.connections.get(), 1);
    });
}

#[test]
fn a_server_that_closes_after_each_answer_gets_a_connection_per_request() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        for _ in 0..3 {
            client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
            assert_eq!(client.answer().await.body, "ok");
        }
        assert_eq!(server.connections.get(), 3);
    });
}

#[test]
fn a_server_that_closes_unannounced_between_requests_loses_none() {
    run(async {
        // Promises keep-alive and closes all the same, before the next request.
        let server = Backend::start(|mut wire| async move {
            let head = wire.head().await;
            wire.body(&head).await;
            wire.send(OK).await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        for _ in 0..20 {
            client.send("POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi").await;
            assert_eq!(client.answer().await.code(), 200);
        }
        assert_eq!(server.connections.get(), 20);
    });
}

#[test]
fn a_request_with_effects_that_a_server_has_seen_is_never_sent_twice() {
    run(async {
        let seen = Rc::new(Cell::new(0));
        let counter = Rc::clone(&seen);
        let server = Backend::start(move |mut wire| {
            let counter = Rc::clone(&counter);
            async move {
                let first = wire.head().await;
                wire.body(&first).await;
                counter.set(counter.get() + 1);
                wire.send(OK).await;
                // Takes the second request and dies of it.
                if wire.try_head().await.is_some() {
                    counter.set(counter.get() + 1);
                }
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        for expected in [200, 503] {
            client.send("POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi").await;
            assert_eq!(client.answer().await.code(), expected);
        }
        assert_eq!((seen.get(), server.connections.get()), (2, 1));
    });
}

#[test]
fn an_unused_connection_is_closed_after_the_idle_timeout() {
    run(async {
        let (closed, mut has_closed) = tokio::sync::mpsc::unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let closed = closed.clone();
            async move {
                wire.head().await;
                wire.send(OK).await;
                closed.send(wire.until_closed().await).unwrap();
            }
        })
        .await;
        let short = ProxyConfig { idle_timeout: Duration::from_millis(40), ..config() };
        let proxy = Proxy::with(short, &[("/", server.url())]);
        assert_eq!(proxy.get("/").await.body, "ok");
        assert_eq!(has_closed.recv().await.as_deref(), Some(""));
    });
}

#[test]
fn no_more_connections_are_kept_than_configured() {
    run(async {
        let (closed, mut has_closed) = tokio::sync::mpsc::unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let closed = closed.clone();
            async move {
                wire.head().await;
                wire.send(OK).await;
                closed.send(wire.until_closed().await).unwrap();
            }
        })
        .await;
        let none = ProxyConfig { max_idle_per_target: 0, ..config() };
        let proxy = Proxy::with(none, &[("/", server.url())]);
        assert_eq!(proxy.get("/").await.body, "ok");
        assert_eq!(has_closed.recv().await.as_deref(), Some(""));
    });
}

#[test]
fn a_request_without_effects_is_sent_again_when_a_kept_connection_ends_without_an_answer() {
    run(async {
        // Closes, without a word before, when it is asked again on a connection: as a hub that is restarted may.
        let forgetful = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce").await;
            wire.head().await;
        })
        .await;
        let proxy = Proxy::start(&[("/", forgetful.url())]);
        for method in ["GET", "OPTIONS"] {
            assert_eq!(proxy.get("/").await.body, "once");
            let mut client = proxy.client().await;
            client.send(format!("{method} / HTTP/1.1\r\nHost: hub\r\n\r\n")).await;
            assert_eq!(client.answer().await.body, "once", "{method}");
        }
        assert_eq!(proxy.get("/").await.body, "once");
        let mut client = proxy.client().await;
        client.send("POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\n\r\nx").await;
        assert_eq!(client.answer().await.code(), 503, "it may have had an effect");
    });
}
