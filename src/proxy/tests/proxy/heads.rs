//! Message heads: what is removed, added, and left alone.

use orrery_proxy::{Confined, Forwarding, ProxyConfig, Route, Trust};
use tokio::sync::mpsc::unbounded_channel;

use crate::support::{Backend, Proxy, config, dead_url, run};

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
        for gone in ["x-hop", "keep-alive", "upgrade"] {
            assert_eq!(answer.head.get(gone), None, "{gone}");
        }
        assert_eq!(answer.head.all("connection"), ["keep-alive"]);
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
fn informational_answers_pass_before_the_real_one_but_not_to_http10_clients() {
    run(async {
        let server = Backend::answering(
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        )
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        let hints = client.head().await;
        assert_eq!((hints.code(), hints.get("link")), (103, Some("</x>")));
        let answer = client.answer().await;
        assert_eq!((answer.code(), answer.body.as_str()), (200, "ok"));
        let mut old = proxy.client().await;
        old.send("GET / HTTP/1.0\r\n\r\n").await;
        assert_eq!(old.head().await.code(), 200);
    });
}

#[test]
fn sec_095_what_a_client_says_about_itself_is_not_passed_on_unless_it_is_a_trusted_proxy() {
    run(async {
        const SPOOFED: &str = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n\
             X-Forwarded-Port: 1\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Scheme: https\r\nRemote-User: root\r\n";
        let (server, heads) = Backend::recording(OK).await;
        for (is_trusted, from, real_ip) in
            [(true, "6.6.6.6,127.0.0.1", Some("6.6.6.6")), (false, "127.0.0.1", None)]
        {
            let forwarding =
                Forwarding { trust: Some(Trust::new(move |_| is_trusted)), ..Forwarding::default() };
            let proxy = Proxy::with(ProxyConfig { forwarding, ..config() }, &[("/", server.url())]);
            let mut client = proxy.client().await;
            client.send(format!("GET / HTTP/1.1\r\nHost: hub\r\n{SPOOFED}\r\n")).await;
            assert_eq!(client.answer().await.code(), 200);
            let head = heads.borrow_mut().remove(0);
            assert_eq!((head.all("x-forwarded-for"), head.get("x-real-ip")), (vec![from], real_ip));
            for name in ["forwarded", "x-scheme", "remote-user"] {
                assert_eq!(head.get(name).is_some(), is_trusted, "{name}");
            }
            assert_eq!(head.get("x-forwarded-host"), Some(if is_trusted { "evil" } else { "hub" }));
        }
    });
}

#[test]
fn sec_095_a_confined_field_reaches_its_path_and_no_other() {
    run(async {
        let (server, heads) = Backend::recording(OK).await;
        let header = "x-secret".parse().unwrap();
        let confined = Some(Confined { header, path: "/hub/login".to_owned() });
        let forwarding = Forwarding { confined, ..Forwarding::default() };
        let proxy = Proxy::with(ProxyConfig { forwarding, ..config() }, &[("/", server.url())]);
        for (path, passes) in [
            ("/hub/login", true),
            ("/hub/login?next=%2Fuser%2Feve%2F", true),
            ("/hub/./x/../login", true),
            ("/user/eve/", false),
            ("/user/eve/?x=/hub/login", false),
            ("/hub/login/", false),
            ("/hub/loginx", false),
            ("/hub/login/../../user/eve/hub/login", false),
            ("/HUB/login", false),
        ] {
            let mut client = proxy.client().await;
            client
                .send(format!("GET {path} HTTP/1.1\r\nHost: hub\r\nX-Secret: s\r\nX-SECRET: t\r\n\r\n"))
                .await;
            assert_eq!(client.answer().await.code(), 200);
            let head = heads.borrow_mut().remove(0);
            assert_eq!(head.all("x-secret").len(), if passes { 2 } else { 0 }, "{path}");
        }
    });
}

#[test]
fn a_path_with_a_bad_escape_reaches_the_hub_if_it_answers_for_them_and_nobody_else() {
    run(async {
        let (server, heads) = Backend::recording(OK).await;
        for (answers, marked, code) in [(true, true, 200), (true, false, 500), (false, true, 500)] {
            let config = ProxyConfig { hub_answers_bad_escapes: answers, ..config() };
            let proxy = Proxy::with(config, &[("/user/eve/", dead_url().await)]);
            let data = serde_json::json!({ "hub": marked });
            proxy.routes.add(Route::new("/", &server.url(), data).unwrap());
            for path in ["/hub/api/users/%FF", "/%", "/user/eve/%zz"] {
                let mut client = proxy.client().await;
                client.send(format!("GET {path} HTTP/1.1\r\nHost: hub\r\n\r\n")).await;
                assert_eq!(client.answer().await.code(), code, "{path}");
                let came = heads.borrow_mut().pop().map(|head| head.first);
                assert_eq!(came, (code == 200).then(|| format!("GET {path} HTTP/1.1")));
            }
        }
    });
}

/// What a server receives, byte for byte, of each of these requests. `SERVER` stands for its address.
async fn received(config: ProxyConfig, requests: &[&str]) -> Vec<String> {
    let (send, mut heads) = unbounded_channel();
    let server = Backend::start(move |mut wire| {
        let send = send.clone();
        async move { send.send(wire.raw_head().await).unwrap() }
    })
    .await;
    let proxy = Proxy::with(config, &[("/", server.url())]);
    let mut all = Vec::new();
    for request in requests {
        let mut client = proxy.client().await;
        client.send(request).await;
        all.push(heads.recv().await.unwrap().replace(&server.addr.to_string(), "SERVER"));
    }
    all
}

const MINIMAL: &str = "GET /x HTTP/1.1\r\nHost: hub.test:8000\r\n\r\n";
const WEBSOCKET: &str = "GET /x HTTP/1.1\r\nHost: hub.test:8000\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A snapshot: whoever adds a field shows everybody's code something, and has to say so in proxy.md section 8.2.
#[test]
fn sec_102_a_server_receives_nothing_but_the_request_and_the_documented_additions() {
    run(async {
        let heads = received(
            config(),
            &[
                MINIMAL,
                WEBSOCKET,
                "GET /x HTTP/1.0\r\n\r\n",
                "DELETE /x HTTP/1.1\r\nHost: hub.test\r\n\r\n",
                "PUT /x HTTP/1.1\r\nHost: hub.test\r\nContent-Length: 1\r\n\r\nx",
                "GET /x HTTP/1.1\r\nHost: hub.test\r\nX-Forwarded-Host: a\r\nX-Forwarded-Proto: b\r\n\r\n",
            ],
        )
        .await;
        let expected = [
            "GET /x HTTP/1.1\r\nHost: hub.test:8000\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Port: 8000\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Host: hub.test:8000",
            "GET /x HTTP/1.1\r\nHost: hub.test:8000\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n\
             X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Port: 8000\r\nX-Forwarded-Proto: ws\r\n\
             Connection: upgrade\r\nUpgrade: websocket",
            "GET /x HTTP/1.1\r\nHost: SERVER\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Port: 80\r\n\
             X-Forwarded-Proto: http",
            "DELETE /x HTTP/1.1\r\nHost: hub.test\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Port: 80\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Host: hub.test\r\nContent-Length: 0",
            "PUT /x HTTP/1.1\r\nHost: hub.test\r\nContent-Length: 1\r\nX-Forwarded-For: 127.0.0.1\r\n\
             X-Forwarded-Port: 80\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: hub.test",
            "GET /x HTTP/1.1\r\nHost: hub.test\r\nX-Forwarded-Host: a\r\nX-Forwarded-For: 127.0.0.1\r\n\
             X-Forwarded-Port: 80\r\nX-Forwarded-Proto: b,http",
        ];
        assert_eq!(heads, expected);
    });
}

#[test]
fn sec_102_without_forwarded_fields_a_server_receives_the_request_alone() {
    run(async {
        let forwarding = Forwarding { x_forwarded: false, ..Forwarding::default() };
        let heads = received(ProxyConfig { forwarding, ..config() }, &[MINIMAL, WEBSOCKET]).await;
        let websocket = "GET /x HTTP/1.1\r\nHost: hub.test:8000\r\nSec-WebSocket-Key: k\r\n\
             Sec-WebSocket-Version: 13\r\nConnection: upgrade\r\nUpgrade: websocket";
        assert_eq!(heads, [MINIMAL.trim_end(), websocket]);
    });
}

#[test]
fn sec_099_a_server_that_only_ever_sends_interim_answers_is_given_up() {
    run(async {
        let server = Backend::start(|mut wire| async move {
            wire.head().await;
            wire.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(1000)).await;
            wire.until_closed().await;
        })
        .await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        let mut head = client.head().await;
        let mut interim = 0;
        while head.code() == 103 {
            interim += 1;
            head = client.head().await;
        }
        assert_eq!(head.code(), 503);
        assert!((1..=33).contains(&interim), "{interim}");
    });
}
