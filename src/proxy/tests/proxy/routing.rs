//! Which server gets a request, and under which path.

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use orrery_proxy::RouteTable;
use tokio::net::TcpStream;

use crate::support::{Backend, Proxy, dead_url, route, run};

#[test]
fn the_longest_prefix_on_whole_segments_wins() {
    run(async {
        let (hub, ada) = (Backend::named("hub").await, Backend::named("ada").await);
        let proxy = Proxy::start(&[("/", hub.url()), ("/user/ada/", ada.url())]);
        for (path, expected) in [
            ("/user/ada/lab", "ada"),
            ("/user/ada", "ada"),
            ("/user/ada?x=1", "ada"),
            ("/user/adam", "hub"),
            ("/", "hub"),
        ] {
            assert_eq!(proxy.get(path).await.body, expected, "{path}");
        }
    });
}

#[test]
fn every_escaping_of_a_name_reaches_its_server_and_is_forwarded_as_received() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/user/a@b.c%20d/", server.url())]);
        for path in [
            "/user/a@b.c%20d/x",
            "/user/a%40b.c%20d/x%2Fy?q=%41",
            "/user%2fa@b.c%20d/",
            "/user/a@b.c%20d/|^'",
        ] {
            assert_eq!(proxy.get(path).await.body, format!("GET {path} HTTP/1.1\n"));
        }
    });
}

#[test]
fn proxy_005_dot_segments_and_backslashes_are_resolved_before_matching_and_forwarding() {
    run(async {
        let (hub, ada) = (Backend::named("hub").await, Backend::mirror().await);
        let proxy = Proxy::start(&[("/", hub.url()), ("/user/ada/", ada.url())]);
        assert_eq!(proxy.get("/user/ada/./a/../b?c=../d").await.body, "GET /user/ada/b?c=../d HTTP/1.1\n");
        assert_eq!(proxy.get(r"/user\ada\b").await.body, "GET /user/ada/b HTTP/1.1\n");
        assert_eq!(proxy.get("/user/ada/%2E./bob/").await.body, "hub");
    });
}

#[test]
fn proxy_008_the_path_of_a_target_goes_before_the_path_of_the_request() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/bar/", format!("{}/foo/", server.url()))]);
        assert_eq!(proxy.get("/bar/rest?q=1").await.body, "GET /foo/bar/rest?q=1 HTTP/1.1\n");
    });
}

#[test]
fn characters_that_browsers_escape_are_escaped() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/", server.url())]);
        assert_eq!(proxy.get("/a\"{b}?c={d}").await.body, "GET /a%22%7Bb%7D?c={d} HTTP/1.1\n");
    });
}

#[test]
fn an_absolute_form_request_is_routed_by_its_path() {
    run(async {
        let server = Backend::mirror().await;
        let proxy = Proxy::start(&[("/a/", server.url())]);
        let mut client = proxy.client().await;
        client.send("GET http://hub/a/b?c HTTP/1.1\r\nHost: hub\r\n\r\n").await;
        assert_eq!(client.answer().await.body, "GET /a/b?c HTTP/1.1\n");
    });
}

#[test]
fn proxy_022_a_server_on_a_unix_socket_is_reached() {
    run(async {
        let folder = std::env::temp_dir().join(format!("orrery-proxy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("server.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 1024];
            tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
        });
        let escaped = path.to_str().unwrap().replace('/', "%2F");
        let proxy = Proxy::start(&[("/", format!("http+unix://{escaped}"))]);
        assert_eq!(proxy.get("/x").await.body, "unix");
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

#[test]
fn sec_081_not_a_byte_reaches_a_socket_of_another_user_than_the_routes() {
    run(async {
        let folder = std::env::temp_dir().join(format!("orrery-proxy-peer-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("server.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let own = rustix::process::geteuid().as_raw();
        let escaped = path.to_str().unwrap().replace('/', "%2F");
        let target = |uid: u32| format!("http+unix://{uid}@{escaped}");
        let proxy = Proxy::start(&[("/own/", target(own)), ("/foreign/", target(own + 1))]);
        let server = tokio::task::spawn_local(async move {
            let mut heads = Vec::new();
            while heads.len() < 2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 1024];
                let length = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.unwrap();
                head.truncate(length);
                if length > 0 {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nown";
                    tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
                }
                heads.push(String::from_utf8(head).unwrap());
            }
            heads
        });
        let refused = proxy.get("/foreign/secret").await;
        assert_eq!(refused.head.code(), 503, "{}", refused.body);
        assert_eq!(proxy.get("/own/x").await.body, "own");
        let heads = server.await.unwrap();
        assert!(heads[0].is_empty() && heads[1].starts_with("GET /own/x "), "{heads:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

#[test]
fn proxy_014_a_published_table_counts_for_new_requests_on_old_connections() {
    run(async {
        let (old, new) = (Backend::named("old").await, Backend::named("new").await);
        let proxy = Proxy::start(&[("/", old.url())]);
        let mut client = proxy.client().await;
        for (url, expected) in [(old.url(), "old"), (new.url(), "new"), (old.url(), "old")] {
            proxy.routes.publish(RouteTable::new([route("/", &url)]));
            client.send("GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await;
            assert_eq!(client.answer().await.body, expected);
        }
    });
}

#[test]
fn proxy_014_a_request_under_way_outlives_its_route() {
    run(async {
        let patient = Backend::start(|mut wire| async move {
            let head = wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            wire.send_chunk("first").await;
            // The upload ends only after the route is gone.
            assert_eq!(wire.body(&head).await, "go on");
            wire.send_chunk("second").await;
            wire.send("0\r\n\r\n").await;
        })
        .await;
        let proxy = Proxy::start(&[("/a/", patient.url())]);
        let mut client = proxy.client().await;
        client.send("POST /a/ HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\n\r\n").await;
        let head = client.head().await;
        assert_eq!(client.chunk().await, "first");
        proxy.routes.publish(RouteTable::default());
        client.send("go on").await;
        assert_eq!((head.code(), client.body(&head).await.as_str()), (200, "second"));
        assert_eq!(proxy.get("/a/").await.code(), 404);
    });
}

#[test]
fn http2_with_prior_knowledge_becomes_http1_with_one_cookie_field_and_a_host() {
    run(async {
        let (server, heads) = Backend::recording("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        let proxy = Proxy::start(&[("/", server.url())]);
        let stream = TcpStream::connect(proxy.addr).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::task::spawn_local(connection);
        let request = http::Request::get("http://hub.example/a?b")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(Empty::<bytes::Bytes>::new());
        let response = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(response.collect().await.unwrap().to_bytes(), "ok");
        let head = heads.borrow_mut().remove(0);
        assert_eq!(head.first, "GET /a?b HTTP/1.1");
        assert_eq!((head.get("host"), head.all("cookie")), (Some("hub.example"), vec!["a=1; b=2"]));
    });
}

#[test]
fn proxy_017_the_health_url_is_answered_on_an_exact_match_only() {
    run(async {
        let proxy = Proxy::start(&[("/", dead_url().await)]);
        let healthy = proxy.get("/_chp_healthz").await;
        assert_eq!((healthy.code(), healthy.body.as_str()), (200, r#"{"status":"OK"}"#));
        assert_eq!(proxy.get("/_chp_healthz?x").await.code(), 503);
    });
}
