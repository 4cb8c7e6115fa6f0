//! Bodies: streamed in both directions, complete or visibly broken.

use tokio::sync::mpsc::unbounded_channel;

use crate::support::{Backend, Proxy, run};

#[test]
fn server_sent_events_arrive_one_by_one() {
    run(async {
        let (send, receive) = unbounded_channel::<&str>();
        let events = std::rc::Rc::new(std::cell::RefCell::new(Some(receive)));
        let server = Backend::start(move |mut wire| {
            let events = events.take();
            async move {
                wire.head().await;
                wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .await;
                let mut events = events.unwrap();
                while let Some(event) = events.recv().await {
                    wire.send_chunk(event).await;
                }
                wire.send("0\r\n\r\n").await;
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET /progress HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert_eq!(client.head().await.get("content-type"), Some("text/event-stream"));
        for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
            send.send(event).unwrap();
            assert_eq!(client.chunk().await, event); // before the next one is made
        }
        drop(send);
        assert_eq!(client.chunk().await, "");
    });
}

#[test]
fn an_upload_arrives_piece_by_piece() {
    run(async {
        let (send, mut arrived) = unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let send = send.clone();
            async move {
                assert_eq!(wire.head().await.get("transfer-encoding"), Some("chunked"));
                loop {
                    let piece = wire.chunk().await;
                    send.send(piece.clone()).unwrap();
                    if piece.is_empty() {
                        break wire.send("HTTP/1.1 204 No Content\r\n\r\n").await;
                    }
                }
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("PUT /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        for piece in ["one", "two"] {
            client.send_chunk(piece).await;
            assert_eq!(arrived.recv().await.as_deref(), Some(piece)); // before the next one is sent
        }
        client.send("0\r\n\r\n").await;
        assert_eq!(client.answer().await.code(), 204);
    });
}

#[test]
fn proxy_011_a_megabyte_passes_both_ways_with_a_length_and_chunked() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let megabyte = "0123456789abcdef".repeat(65_536);
        let mut client = proxy.client().await;
        client
            .send(format!("POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: {}\r\n\r\n", megabyte.len()))
            .await;
        client.send(&megabyte).await;
        assert_eq!(client.answer().await.body, format!("POST /x HTTP/1.1\n{megabyte}"));
        client.send("POST /y HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        client.send_chunk(&megabyte).await;
        client.send("0\r\n\r\n").await;
        assert_eq!(client.answer().await.body, format!("POST /y HTTP/1.1\n{megabyte}"));
    });
}

#[test]
fn proxy_010_chunked_bodies_pass_both_ways_even_with_get() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            let head = wire.head().await;
            let body = wire.body(&head).await;
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            wire.send_chunk(&body).await;
            wire.send("0\r\n\r\n").await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        client.send_chunk("question").await;
        client.send("0\r\n\r\n").await;
        assert_eq!(client.answer().await.body, "question");
    });
}

#[test]
fn proxy_010_an_answer_to_head_keeps_its_length_and_has_no_body() {
    run(async {
        let server = Backend::answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        for _ in 0..2 {
            client.send("HEAD / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
            let head = client.head().await;
            assert_eq!((head.code(), head.get("content-length")), (200, Some("1234")));
        }
        assert_eq!(server.connections.get(), 1);
    });
}

#[test]
fn proxy_010_204_and_304_pass_without_a_body() {
    run(async {
        for answer in ["204 No Content\r\nX-A: 1", "304 Not Modified\r\nContent-Length: 99\r\nETag: \"e\""] {
            let server = Backend::answering(format!("HTTP/1.1 {answer}\r\n\r\n")).await;
            let proxy = Proxy::start(&[("/", server.url())]);
            let mut client = proxy.client().await;
            for _ in 0..2 {
                client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
                let head = client.head().await;
                assert_eq!(head.first, format!("HTTP/1.1 {}", answer.lines().next().unwrap()));
                assert_eq!(head.get("transfer-encoding"), None);
            }
        }
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client
            .send(
                "POST /1 HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\n\r\noneGET /2 HTTP/1.1\r\nHost: hub\r\n\r\n\
                 GET /3 HTTP/1.1\r\nHost: hub\r\n\r\n",
            )
            .await;
        for expected in ["POST /1 HTTP/1.1\none", "GET /2 HTTP/1.1\n", "GET /3 HTTP/1.1\n"] {
            assert_eq!(client.answer().await.body, expected);
        }
    });
}

#[test]
fn a_client_that_expects_100_continue_gets_it() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client
            .send("PUT /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            .await;
        assert_eq!(client.head().await.code(), 100);
        client.send("hi").await;
        assert_eq!(client.answer().await.body, "PUT /x HTTP/1.1\nhi");
    });
}

#[test]
fn proxy_011_a_client_that_leaves_cancels_its_request() {
    run(async {
        for part in ["", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbegun"] {
            let (send, mut events) = unbounded_channel();
            let server = Backend::start(move |mut wire| {
                let send = send.clone();
                async move {
                    wire.head().await;
                    wire.send(part).await;
                    send.send("asked".to_owned()).unwrap();
                    send.send(wire.until_closed().await).unwrap();
                }
            })
            .await;
            let proxy = Proxy::start(&[("/", server.url())]);
            let mut client = proxy.client().await;
            client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
            assert_eq!(events.recv().await.as_deref(), Some("asked"));
            drop(client);
            assert_eq!(events.recv().await.as_deref(), Some(""));
        }
    });
}

#[test]
fn an_upload_that_breaks_off_never_looks_complete_to_the_server() {
    run(async {
        let (send, mut events) = unbounded_channel();
        let server = Backend::start(move |mut wire| {
            let send = send.clone();
            async move {
                wire.head().await;
                send.send(wire.chunk().await).unwrap();
                send.send(wire.until_closed().await).unwrap();
            }
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("PUT /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        client.send_chunk("half").await;
        assert_eq!(events.recv().await.as_deref(), Some("half"));
        drop(client);
        assert_eq!(events.recv().await.as_deref(), Some("")); // no final `0`
    });
}

#[test]
fn an_answer_that_breaks_off_never_looks_complete_to_the_client() {
    run(async {
        for framing in ["Content-Length: 99", "Transfer-Encoding: chunked"] {
            let server = Backend::start(move |mut wire| async move {
                wire.head().await;
                wire.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n")).await;
                wire.send_chunk("half").await;
            })
            .await;
            let proxy = Proxy::start(&[("/", server.url())]);
            let mut client = proxy.client().await;
            client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
            assert_eq!(client.head().await.code(), 200);
            let received = client.until_closed().await;
            assert!(!received.contains("0\r\n\r\n") && received.len() < 99, "{framing}: {received:?}");
        }
    });
}

#[test]
fn an_early_answer_to_an_upload_reaches_the_client() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno").await;
            wire.until_closed().await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("PUT /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000000\r\n\r\nbegin").await;
        let answer = client.answer().await;
        assert_eq!((answer.code(), answer.body.as_str()), (413, "no"));
    });
}
