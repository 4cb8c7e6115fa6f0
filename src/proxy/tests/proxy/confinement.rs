//! Nothing but its route chooses the server that gets a request; no host in it does (SEC-093).

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use orrery_proxy::{Forwarding, ProxyConfig};

use crate::support::{Answer, Backend, Head, Proxy, config, run};

/// A port at which nobody may call, on both loopback addresses.
struct Canary {
    port: u16,
    listeners: Vec<TcpListener>,
}

impl Canary {
    fn new() -> Self {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        // There are machines without IPv6.
        let listeners = [Some(first), TcpListener::bind(("::1", port)).ok()].into_iter().flatten().collect();
        Self { port, listeners }
    }

    /// Ways to write where it is.
    fn names(&self) -> [String; 5] {
        ["127.0.0.1", "localhost", "localhost.", "[::1]", "u:p@127.0.0.1"]
            .map(|host| format!("{host}:{}", self.port))
    }

    fn assert_untouched(&self, what: &str) {
        for listener in &self.listeners {
            listener.set_nonblocking(true).unwrap();
            assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{what}");
        }
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const SECRETS: &str = "Cookie: secret=1\r\nAuthorization: token secret\r\n";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

/// A proxy with a root route and one for a user, and what their servers have received.
struct Site {
    proxy: Proxy,
    root: Rc<RefCell<Vec<Head>>>,
    ada: Rc<RefCell<Vec<Head>>>,
}

impl Site {
    async fn start(config: ProxyConfig) -> Self {
        // A server that never answers would be one that the request should not have reached.
        let config = ProxyConfig { response_timeout: Some(Duration::from_secs(10)), ..config };
        let (root_server, root) = Backend::recording(FINE).await;
        let (ada_server, ada) = Backend::recording(FINE).await;
        let proxy = Proxy::with(config, &[("/", root_server.url()), ("/user/ada/", ada_server.url())]);
        Self { proxy, root, ada }
    }

    async fn ask(&self, target: &str, host: &str, fields: &str) -> Answer {
        let mut client = self.proxy.client().await;
        client.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{SECRETS}{fields}\r\n")).await;
        client.answer().await
    }

    /// The first line that the root's server has received, and the one that the user's has.
    fn received(&self) -> [Option<String>; 2] {
        [&self.root, &self.ada].map(|heads| {
            let mut heads = heads.take();
            assert!(heads.len() < 2, "{heads:?}");
            heads.pop().map(|head| head.first)
        })
    }
}

/// What is asked for, with EVIL for the canary, and what the root's or the user's server gets of it.
const HOSTS_IN_PATHS: [(&str, &str); 17] = [
    ("/proxy/8888@EVIL/", "root /proxy/8888@EVIL/"),
    ("/proxy/absolute/http://EVIL/", "root /proxy/absolute/http://EVIL/"),
    ("/proxy/EVIL", "root /proxy/EVIL"),
    ("//EVIL/", "root //EVIL/"),
    ("///EVIL/", "root ///EVIL/"),
    (r"/\EVIL/", "root //EVIL/"),
    ("/%2e%2e//EVIL/", "root //EVIL/"),
    ("/user/ada/../..//EVIL/", "root //EVIL/"),
    ("/%2f%2fEVIL/", "root /%2f%2fEVIL/"),
    ("/@EVIL/", "root /@EVIL/"),
    ("/user/ada@EVIL/", "root /user/ada@EVIL/"),
    ("/?url=http://EVIL/", "root /?url=http://EVIL/"),
    ("/:80@EVIL/?@EVIL", "root /:80@EVIL/?@EVIL"),
    ("/user/ada//EVIL/", "ada /user/ada//EVIL/"),
    ("/user/ada/@EVIL/", "ada /user/ada/@EVIL/"),
    ("/user/ada/proxy/absolute/http://EVIL/", "ada /user/ada/proxy/absolute/http://EVIL/"),
    ("/user/ada?@EVIL/", "ada /user/ada?@EVIL/"),
];

#[test]
fn sec_093_a_host_in_a_path_is_a_path() {
    run(async {
        let canary = Canary::new();
        let site = Site::start(config()).await;
        for evil in canary.names() {
            for (asked, expected) in HOSTS_IN_PATHS {
                let (asked, expected) = (asked.replace("EVIL", &evil), expected.replace("EVIL", &evil));
                for fields in ["", UPGRADE] {
                    assert_eq!(site.ask(&asked, "hub", fields).await.code(), 200, "{asked}");
                    let line = |text: &str| Some(format!("GET {text} HTTP/1.1"));
                    let expected = match expected.split_once(' ').unwrap() {
                        ("root", text) => [line(text), None],
                        (_, text) => [None, line(text)],
                    };
                    assert_eq!(site.received(), expected, "{asked}");
                    canary.assert_untouched(&asked);
                }
            }
        }
    });
}

#[test]
fn sec_093_no_option_makes_a_host_of_a_path() {
    run(async {
        let canary = Canary::new();
        let usual = Forwarding::default();
        for forwarding in [
            Forwarding { change_origin: true, ..usual.clone() },
            Forwarding { include_prefix: false, ..usual.clone() },
            Forwarding { prepend_path: false, ..usual.clone() },
            Forwarding { include_prefix: false, prepend_path: false, ..usual.clone() },
        ] {
            let site = Site::start(ProxyConfig { forwarding: forwarding.clone(), ..config() }).await;
            for evil in canary.names() {
                for (asked, expected) in HOSTS_IN_PATHS {
                    let asked = asked.replace("EVIL", &evil);
                    assert_eq!(site.ask(&asked, "hub", "").await.code(), 200, "{asked} {forwarding:?}");
                    let [root, ada] = site.received();
                    let is_root = expected.starts_with("root");
                    assert_eq!(
                        (root.is_some(), ada.is_some()),
                        (is_root, !is_root),
                        "{asked} {forwarding:?}"
                    );
                    assert!(
                        root.or(ada).is_some_and(|line| line.starts_with("GET /")),
                        "{asked} {forwarding:?}"
                    );
                    canary.assert_untouched(&asked);
                }
            }
        }
    });
}

#[test]
fn sec_093_request_lines_with_another_host_are_refused() {
    run(async {
        let canary = Canary::new();
        let site = Site::start(config()).await;
        for evil in canary.names() {
            for asked in [
                "http://EVIL/",
                "HTTP://EVIL",
                "https://EVIL/user/ada/",
                "http://hub@EVIL/",
                "http://EVIL@hub/",
                "http://hub:80/",
                r"http://hub\@EVIL/",
                "http://hub?@EVIL/",
                "http://hub#@EVIL/",
                "http://hub/#@EVIL/",
                "http:///EVIL/",
                r"http:\\EVIL/",
                "http:EVIL/",
                "ws://EVIL/",
                "ftp://EVIL/",
                "file://EVIL/etc/passwd",
                "@EVIL/",
                ":80@EVIL/",
                "EVIL",
                "/#@EVIL/",
                "*@EVIL/",
            ] {
                let asked = asked.replace("EVIL", &evil);
                for fields in ["", UPGRADE] {
                    assert_eq!(site.ask(&asked, "hub", fields).await.code(), 400, "{asked}");
                    assert_eq!(site.received(), [None, None], "{asked}");
                    canary.assert_untouched(&asked);
                }
            }
        }
    });
}

#[test]
fn sec_093_hosts_in_fields_lead_nowhere() {
    run(async {
        let canary = Canary::new();
        for change_origin in [false, true] {
            for host_routing in [false, true] {
                let forwarding = Forwarding { change_origin, ..Forwarding::default() };
                let site = Site::start(ProxyConfig { forwarding, host_routing, ..config() }).await;
                for evil in canary.names().iter().filter(|name| !name.contains('@')) {
                    let fields = format!(
                        "X-Forwarded-Host: {evil}\r\nX-Forwarded-Server: {evil}\r\nForwarded: host={evil}\r\n\
                         X-Original-URL: http://{evil}/\r\nX-Rewrite-URL: //{evil}/\r\nX-Host: {evil}\r\n\
                         Referer: http://{evil}/\r\nOrigin: http://{evil}\r\nDestination: http://{evil}/\r\n"
                    );
                    for (target, host) in [
                        ("/x".to_owned(), "hub"),
                        ("/x".to_owned(), evil.as_str()),
                        (format!("http://{evil}/x"), evil.as_str()),
                    ] {
                        assert_eq!(site.ask(&target, host, &fields).await.code(), 200, "{target} {host}");
                        let [root, ada] = site.received();
                        assert_eq!(
                            (root.as_deref(), ada),
                            (Some("GET /x HTTP/1.1"), None),
                            "{target} {host}"
                        );
                        canary.assert_untouched(&target);
                    }
                }
            }
        }
    });
}

#[test]
fn sec_093_the_error_page_of_a_url_with_a_host_comes_from_the_error_target() {
    run(async {
        let canary = Canary::new();
        let (hub, heads) = Backend::recording("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsad!").await;
        let proxy = Proxy::with_error_target(&format!("{}/hub/error", hub.url()), &[]);
        for evil in canary.names() {
            for (asked, _) in HOSTS_IN_PATHS {
                let asked = asked.replace("EVIL", &evil);
                let answer = proxy.get(&asked).await;
                assert_eq!((answer.code(), answer.body.as_str()), (404, "sad!"), "{asked}");
                let line = heads.borrow_mut().pop().unwrap().first;
                assert!(line.starts_with("GET /hub/error/404?url=%2F") && !line.contains(&evil), "{line}");
                canary.assert_untouched(&asked);
            }
        }
    });
}
