//! Stopping gracefully.

use orrery_proxy::{Stop, Tunnels};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;

use crate::support::{Backend, Proxy, eventually, run};

#[test]
fn a_graceful_stop_lets_a_request_finish_and_ends_idle_connections_and_tunnels() {
    run(async {
        let (send, receive) = unbounded_channel::<()>();
        let gate = std::rc::Rc::new(std::cell::RefCell::new(Some(receive)));
        let slow = Backend::start(move |mut wire| {
            let gate = gate.take();
            async move {
                wire.head().await;
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nbegu").await;
                gate.unwrap().recv().await;
                wire.send("ndun").await;
            }
        })
        .await;
        let raw = Backend::answering(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await;
        let quick = Backend::named("quick").await;
        let proxy = Proxy::start(&[("/slow/", slow.url()), ("/raw/", raw.url()), ("/quick/", quick.url())]);

        let mut idle = proxy.client().await;
        idle.send("GET /quick/ HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert_eq!(idle.answer().await.body, "quick");
        let mut tunnel = proxy.client().await;
        tunnel
            .send("GET /raw/ HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            .await;
        assert_eq!(tunnel.head().await.code(), 101);
        let mut busy = proxy.client().await;
        busy.send("GET /slow/ HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        busy.head().await;
        assert_eq!(busy.bytes(4).await, "begu");

        let handle = proxy.handle.clone();
        let stopped = tokio::task::spawn_local(async move { handle.stop(Stop::Drain(Tunnels::Cut)).await });
        assert_eq!(idle.until_closed().await, "");
        assert_eq!(tunnel.until_closed().await, "");
        assert!(!stopped.is_finished());
        send.send(()).unwrap();
        assert_eq!(busy.until_closed().await, "ndun");
        stopped.await.unwrap();
        assert!(TcpStream::connect(proxy.addr).await.is_err());
    });
}

#[test]
fn a_graceful_stop_without_connections_is_immediate() {
    run(async {
        let proxy = Proxy::start(&[]);
        assert_eq!(proxy.get("/").await.code(), 404);
        let handle = proxy.handle.clone();
        let stopped = tokio::task::spawn_local(async move { handle.stop(Stop::Drain(Tunnels::Cut)).await });
        eventually(|| stopped.is_finished()).await;
        assert!(TcpStream::connect(proxy.addr).await.is_err());
    });
}
