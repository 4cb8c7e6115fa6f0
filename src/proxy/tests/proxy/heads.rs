//! Message heads: what is removed, added, and left alone.

use crate::support::{Backend, Proxy, run};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn proxy_009_a_request_loses_its_hop_by_hop_fields_and_gains_forwarded_ones() {
    run(async {
        let (server, heads) = Backend::recording(OK).await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client
            .send(
                "GET / HTTP/1.1\r\nHost: Hub.Example:8000\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n\
                 Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: Basic eDp5\r\nUpgrade: foo\r\n\
                 X-Forwarded-For: 10.9.8.7\r\nCookie: a=1\r\nAuthorization: token t\r\nAccept: a\r\nAccept: b\r\n\r\n",
            )
            .await;
        assert_eq!(client.answer().await.code(), 200);
        let head = heads.borrow_mut().remove(0);
        for gone in ["connection", "x-hop", "keep-alive", "te", "proxy-authorization", "upgrade"] {
            assert_eq!(head.get(gone), None, "{gone}");
        }
        for (name, value) in [
            ("host", "Hub.Example:8000"),
            ("x-forwarded-for", "10.9.8.7,127.0.0.1"),
            ("x-forwarded-host", "Hub.Example:8000"),
            ("x-forwarded-port", "8000"),
            ("x-forwarded-proto", "http"),
            ("cookie", "a=1"),
            ("authorization", "token t"),
        ] {
            assert_eq!(head.all(name), [value], "{name}");
        }
        assert_eq!(head.all("accept"), ["a", "b"]);
    });
}

#[test]
fn proxy_010_an_answer_loses_its_hop_by_hop_fields_and_keeps_the_rest() {
    run(async {
        let server = Backend::answering(
            "HTTP/1.1 201 Made It\r\nContent-Length: 2\r\nConnection: close, x-hop\r\nX-Hop: 1\r\n\
             Keep-Alive: timeout=1\r\nUpgrade: h2c\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: me\r\n\r\nok",
        )
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let answer = proxy.get("/").await;
        assert_eq!((answer.head.first.as_str(), answer.body.as_str()), ("HTTP/1.1 201 Made It", "ok"));
        for gone in ["connection", "x-hop", "keep-alive", "upgrade"] {
            assert_eq!(answer.head.get(gone), None, "{gone}");
        }
        assert_eq!(answer.head.all("set-cookie"), ["a=1", "b=2"]);
        assert_eq!(answer.head.get("server"), Some("me"));
        assert!(answer.head.get("date").is_some());
    });
}

#[test]
fn proxy_010_an_http10_client_gets_a_closing_answer_from_an_http11_server() {
    run(async {
        let (server, heads) =
            Backend::recording("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
                .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET /x HTTP/1.0\r\n\r\n").await;
        let head = client.head().await;
        assert_eq!((head.code(), head.get("transfer-encoding")), (200, None));
        assert_eq!(client.until_closed().await, "ok");
        let asked = heads.borrow_mut().remove(0);
        assert_eq!(asked.first, "GET /x HTTP/1.1");
        assert_eq!(asked.get("host"), Some(server.addr.to_string().as_str()));
    });
}

#[test]
fn proxy_010_an_http10_answer_becomes_http11() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end").await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let answer = proxy.get("/").await;
        assert_eq!((answer.head.first.as_str(), answer.body.as_str()), ("HTTP/1.1 200 OK", "until the end"));
    });
}

#[test]
fn proxy_009_a_delete_without_a_body_says_so() {
    run(async {
        let (server, heads) = Backend::recording(OK).await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("DELETE /x HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert_eq!(client.answer().await.code(), 200);
        assert_eq!(heads.borrow_mut().remove(0).get("content-length"), Some("0"));
    });
}

#[test]
fn a_length_beside_a_transfer_coding_in_an_answer_is_dropped() {
    run(async {
        let server = Backend::answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        )
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let answer = proxy.get("/").await;
        assert_eq!((answer.head.get("content-length"), answer.body.as_str()), (None, "ok"));
    });
}

#[test]
fn informational_answers_before_the_real_one_do_not_confuse() {
    run(async {
        let server = Backend::answering(
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        )
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let answer = proxy.get("/").await;
        assert_eq!((answer.code(), answer.body.as_str()), (200, "ok"));
    });
}
