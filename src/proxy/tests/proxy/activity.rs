//! What counts as use of a route (proxy.md section 10).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::unbounded_channel;

use crate::support::{Backend, Proxy, dead_url, eventually, run};

/// Waits until a use now would be later than `instant`.
async fn after(instant: u64) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    eventually(|| now() > Duration::from_millis(instant + 1)).await;
}

fn last(proxy: &Proxy) -> u64 {
    proxy.routes.load().get("/a/").unwrap().last_activity_ms()
}

#[test]
fn proxy_013_a_successful_answer_counts_and_a_failed_one_does_not() {
    run(async {
        for (status, counts) in
            [("200 OK", true), ("204 No Content", true), ("302 Found", false), ("404 No", false)]
        {
            let server = Backend::answering(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).await;
            let proxy = Proxy::start(&[("/a/", server.url())]);
            let before = last(&proxy);
            after(before).await;
            let mut client = proxy.client().await;
            client.send("GET /a/ HTTP/1.1\r\nHost: hub\r\n\r\n").await;
            client.head().await;
            if counts {
                // At its completion, which the client may see first.
                eventually(|| last(&proxy) > before).await;
            } else {
                client.send("GET /none HTTP/1.1\r\nHost: hub\r\n\r\n").await;
                client.head().await;
                assert_eq!(last(&proxy), before, "{status}");
            }
        }
    });
}

#[test]
fn proxy_013_a_proxy_error_does_not_count() {
    run(async {
        let proxy = Proxy::start(&[("/a/", dead_url().await)]);
        let before = last(&proxy);
        after(before).await;
        assert_eq!(proxy.get("/a/").await.code(), 503);
        assert_eq!(last(&proxy), before);
    });
}

#[test]
fn proxy_013_each_piece_of_an_upload_counts_whatever_the_answer() {
    run(async {
        let (send, mut arrived) = unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let send = send.clone();
            async move {
                wire.head().await;
                for _ in 0..2 {
                    send.send(wire.bytes(3).await).unwrap();
                }
                wire.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
            }
        })
        .await;
        let proxy = Proxy::start(&[("/a/", server.url())]);
        let mut client = proxy.client().await;
        client.send("PUT /a/ HTTP/1.1\r\nHost: hub\r\nContent-Length: 6\r\n\r\n").await;
        for _ in 0..2 {
            let before = last(&proxy);
            after(before).await;
            client.send("abc").await;
            assert_eq!(arrived.recv().await.as_deref(), Some("abc"));
            assert!(last(&proxy) > before);
        }
        assert_eq!(client.answer().await.code(), 404);
    });
}

#[test]
fn proxy_013_in_a_tunnel_the_bytes_of_the_client_count_and_those_of_the_server_do_not() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nserver",
            )
            .await;
            let words = wire.bytes(6).await;
            wire.send(words).await;
            wire.until_closed().await;
        })
        .await;
        let proxy = Proxy::start(&[("/a/", server.url())]);
        let before = last(&proxy);
        after(before).await;
        let mut client = proxy.client().await;
        client
            .send("GET /a/ HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            .await;
        client.head().await;
        assert_eq!((client.bytes(6).await.as_str(), last(&proxy)), ("server", before));
        client.send("client").await;
        assert_eq!(client.bytes(6).await, "client");
        assert!(last(&proxy) > before);
    });
}
