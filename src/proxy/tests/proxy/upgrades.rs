//! Upgraded connections.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, client_async};

use crate::support::{Backend, Proxy, run};

/// A websocket server that greets and echoes.
async fn echo_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            actix_rt::spawn(async move {
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
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\nX-A: 1\r\n\r\n",
        )
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client
            .send("GET /c HTTP/1.1\r\nHost: hub\r\nConnection: keep-alive, Upgrade\r\nUpgrade: chat/2\r\nSec-WebSocket-Key: k\r\n\r\n")
            .await;
        let answer = client.head().await;
        assert_eq!(answer.first, "HTTP/1.1 101 Switching Protocols");
        assert_eq!((answer.get("upgrade"), answer.get("x-a")), (Some("chat/2"), Some("1")));
        assert_eq!(answer.get("connection").map(str::to_ascii_lowercase).as_deref(), Some("upgrade"));
        let asked = heads.borrow_mut().remove(0);
        assert_eq!((asked.get("connection"), asked.get("upgrade")), (Some("upgrade"), Some("chat/2")));
        assert_eq!((asked.get("x-forwarded-proto"), asked.get("x-forwarded-host")), (Some("ws"), None));
        assert_eq!(asked.get("sec-websocket-key"), Some("k"));
    });
}

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";
const ASK: &str = "GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";

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
fn an_upgrade_to_http2_or_with_a_body_is_an_ordinary_request() {
    run(async {
        let (server, heads) = Backend::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&[("/", server.url())]);
        for request in [
            "GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: raw\r\nContent-Length: 1\r\n\r\nx",
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
