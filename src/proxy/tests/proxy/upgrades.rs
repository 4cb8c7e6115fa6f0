//! Upgraded connections.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, client_async};

use crate::support::{Backend, Proxy, eventually, run};

/// A websocket server that greets and echoes.
async fn echo_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(async move {
                let mut socket = accept_async(stream).await.unwrap();
                socket.send(Message::text("hello")).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if !message.is_close() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    format!("http://{addr}")
}

#[test]
fn proxy_012_websocket_messages_pass_both_ways() {
    run(async {
        let proxy = Proxy::start(&[("/user/ada/", echo_server().await)]);
        let stream = TcpStream::connect(proxy.addr).await.unwrap();
        let (mut socket, response) = client_async("ws://hub/user/ada/ws", stream).await.unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
        for message in [Message::text("x"), Message::binary(vec![7; 300_000]), Message::text("")] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), message);
        }
        socket.close(None).await.unwrap();
        assert!(socket.next().await.is_none_or(|last| last.is_ok_and(|last| last.is_close())));
    });
}

#[test]
fn proxy_009_an_upgrade_request_keeps_its_fields_and_is_marked_ws() {
    run(async {
        let (server, heads) = Backend::recording(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: 1\r\n\r\n",
        )
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client
            .send("GET /c HTTP/1.1\r\nHost: hub\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n")
            .await;
        let answer = client.head().await;
        assert_eq!(answer.first, "HTTP/1.1 101 Switching Protocols");
        assert_eq!((answer.get("upgrade"), answer.get("x-a")), (Some("websocket"), Some("1")));
        assert_eq!(answer.get("connection").map(str::to_ascii_lowercase).as_deref(), Some("upgrade"));
        let asked = heads.borrow_mut().remove(0);
        assert_eq!((asked.get("connection"), asked.get("upgrade")), (Some("upgrade"), Some("websocket")));
        assert_eq!((asked.get("x-forwarded-proto"), asked.get("x-forwarded-host")), (Some("ws"), None));
        assert_eq!(asked.get("sec-websocket-key"), Some("k"));
    });
}

#[test]
fn chp_011_a_websocket_echo_passes_and_counts_as_use_of_its_route_only() {
    run(async {
        let server = echo_server().await;
        let proxy = Proxy::start(&[("/user/ada/", server.clone()), ("/", server)]);
        let used = |path: &str| proxy.routes.load().get(path).unwrap().last_activity_ms();
        let (before, of_root) = (used("/user/ada/"), used("/"));
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        eventually(|| now() > Duration::from_millis(before + 1)).await;
        let stream = TcpStream::connect(proxy.addr).await.unwrap();
        let (mut socket, _) = client_async("ws://hub/user/ada/ws", stream).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
        assert_eq!(used("/user/ada/"), before);
        socket.send(Message::text("echo")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("echo"));
        assert!(used("/user/ada/") > before);
        assert_eq!(used("/"), of_root);
    });
}

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const ASK: &str = "GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[test]
fn bytes_sent_together_with_the_heads_are_not_lost() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send(format!("{SWITCH}early from the server")).await;
            assert_eq!(wire.bytes(21).await, "early from the client");
            wire.send("thanks").await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send(format!("{ASK}early from the client")).await;
        assert_eq!(client.head().await.code(), 101);
        assert_eq!(client.until_closed().await, "early from the serverthanks");
    });
}

#[test]
fn proxy_012_both_directions_of_a_tunnel_end_together() {
    run(async {
        let (send, mut events) = tokio::sync::mpsc::unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let send = send.clone();
            async move {
                wire.head().await;
                wire.send(SWITCH).await;
                send.send(wire.until_closed().await).unwrap();
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send(ASK).await;
        assert_eq!(client.head().await.code(), 101);
        client.send("last words").await;
        drop(client);
        assert_eq!(events.recv().await.as_deref(), Some("last words"));
    });
}

/// How long one direction of a tunnel may outlive the other.
const LINGER: Duration = Duration::from_secs(3);

/// The other direction has its time, and no more.
fn assert_lingered(since: Instant) {
    let elapsed = since.elapsed();
    assert!(elapsed > LINGER / 2 && elapsed < LINGER * 2, "{elapsed:?}");
}

#[test]
fn sec_097_a_tunnel_that_its_client_half_closed_ends_soon_even_if_the_server_goes_on_talking() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send(SWITCH).await;
            assert_eq!(wire.bytes(10).await, "last words");
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            while wire.try_send("still here").await.is_ok() {
                pace.tick().await;
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send(ASK).await;
        assert_eq!(client.head().await.code(), 101);
        client.send("last words").await;
        client.finish().await;
        let since = Instant::now();
        assert!(client.until_closed().await.starts_with("still here"));
        assert_lingered(since);
        eventually(|| proxy.routes.load().get("/").unwrap().under_way() == 0).await;
    });
}

#[test]
fn sec_097_a_tunnel_that_its_server_half_closed_ends_soon_even_if_the_client_stays() {
    run(async {
        let (send, mut ended) = tokio::sync::mpsc::unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let send = send.clone();
            async move {
                wire.head().await;
                wire.send(SWITCH).await;
                wire.finish().await;
                let since = Instant::now();
                wire.until_closed().await;
                send.send(since).unwrap();
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send(ASK).await;
        assert_eq!(client.head().await.code(), 101);
        assert_eq!(client.until_closed().await, "");
        assert_lingered(ended.recv().await.unwrap());
        eventually(|| proxy.routes.load().get("/").unwrap().under_way() == 0).await;
    });
}

#[test]
fn sec_090_bytes_after_a_declined_upgrade_are_a_request_of_their_own() {
    run(async {
        let (first, heads) = Backend::recording("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno").await;
        let other = Backend::mirror().await;
        let proxy = Proxy::start(&[("/", first.url()), ("/other/", other.url())]);
        let mut client = proxy.client().await;
        client.send(format!("{ASK}GET /other/x HTTP/1.1\r\nHost: hub\r\n\r\n")).await;
        assert_eq!(client.answer().await.body, "no");
        assert_eq!(client.answer().await.body, "GET /other/x HTTP/1.1\n");
        assert_eq!(heads.borrow().len(), 1);
    });
}

#[test]
fn sec_090_only_a_get_without_a_body_becomes_a_websocket_and_nothing_else_becomes_anything() {
    run(async {
        let (server, heads) = Backend::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&[("/", server.url())]);
        for request in [
            "GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
            "POST / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\n\r\n",
        ] {
            let mut client = proxy.client().await;
            client.send(request).await;
            assert_eq!(client.answer().await.code(), 200);
            let head = heads.borrow_mut().pop().unwrap();
            for gone in ["connection", "upgrade", "http2-settings"] {
                assert_eq!(head.get(gone), None, "{gone}");
            }
        }
    });
}
