//! Against a proxy of the test's own, which answers what the test says and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::domain::route_check::Purpose;
use crate::domain::route_spec::Routing;

/// Head and body of a request.
type Asked = (String, String);

fn answer_one(stream: impl Read + Write, answer: &str) -> Asked {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// A proxy that gives these answers, one a connection.
fn proxy(answers: &'static [&'static str]) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            if answer.is_empty() {
                continue; // closes the connection
            }
            let _ = sender.send(answer_one(stream, answer));
        }
    });
    (url, asked)
}

fn client(url: &str) -> ProxyClient {
    let peer = Peer { url: ApiUrl::parse(url).unwrap(), token: Secret::new("the-token") };
    ProxyClient::new(peer, 2)
}

fn hub_route() -> (RouteSpec, WantedRoute) {
    let spec = RouteSpec::parse("/has%20space/", Routing::Paths).unwrap();
    (spec, WantedRoute { target: "http://127.0.0.1:8081".to_owned(), purpose: Purpose::Hub })
}

const CREATED: &str = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_route_is_added_as_the_api_wants_it() {
    let (url, asked) = proxy(&[CREATED]);
    let (spec, route) = hub_route();
    client(&url).add(&spec, &route).await.unwrap();
    let (head, body) = asked.recv().unwrap();
    assert!(head.starts_with("POST /api/routes/has%20space HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: token the-token\r\n"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let wanted = serde_json::json!({"hub": true, "jupyterhub": true, "target": "http://127.0.0.1:8081"});
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn proxy_028_what_a_proxy_cannot_do_now_is_asked_again() {
    let (url, asked) = proxy(&[BROKEN, "", CREATED]);
    let (spec, route) = hub_route();
    client(&url).add(&spec, &route).await.unwrap();
    assert_eq!(asked.iter().count(), 2, "the broken connection told nothing");
}

#[tokio::test]
async fn proxy_028_what_a_proxy_refuses_is_not_asked_again() {
    let (url, asked) = proxy(&[FORBIDDEN, CREATED]);
    let (spec, route) = hub_route();
    let error = client(&url).add(&spec, &route).await.unwrap_err();
    assert!(matches!(error, ProxyError::Refused { status: 403, .. }));
    assert!(
        error.to_string().contains("proxy.auth_token") && !error.to_string().contains("the-token"),
        "{error}"
    );
    assert_eq!(asked.try_iter().count(), 1);
}

#[tokio::test]
async fn proxy_028_a_proxy_that_stays_away_is_given_up_when_the_time_is_over() {
    let begin = Instant::now();
    let mut client = client("http+unix://%2Fnowhere%2Fproxy.sock");
    assert_eq!(client.patience, Duration::from_secs(30));
    client.patience = Duration::from_millis(800);
    let error = client.routes().await.unwrap_err();
    assert!(matches!(&error, ProxyError::Unreachable { .. }), "{error}");
    let spent = begin.elapsed();
    assert!(spent > client.patience / 4 && spent <= client.patience * 4, "{spent:?}");
}

#[tokio::test]
async fn a_route_that_is_gone_already_is_removed() {
    let (url, asked) = proxy(&[MISSING]);
    client(&url).remove(&hub_route().0).await.unwrap();
    assert!(asked.recv().unwrap().0.starts_with("DELETE /api/routes/has%20space HTTP/1.1\r\n"));
}

#[tokio::test]
async fn net_014_the_api_may_be_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("api");
    let listener = UnixListener::bind(&socket).unwrap();
    let served = std::thread::spawn(move || {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"/x\": {\"target\": \"http\"}}";
        answer_one(listener.accept().unwrap().0, answer)
    });
    let url = socket.display().to_string().replace('/', "%2F");
    let table = client(&format!("http+unix://{url}")).routes().await.unwrap();
    assert_eq!(table["/x"]["target"], "http");
    assert!(served.join().unwrap().0.starts_with("GET /api/routes HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_answer_that_is_no_table_is_told() {
    let (url, _asked) = proxy(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"]);
    let error = client(&url).routes().await.unwrap_err();
    assert!(matches!(error, ProxyError::Strange { .. }), "{error}");
}

#[tokio::test]
async fn proxy_030_the_next_request_goes_to_another_proxy() {
    let (first, _) = proxy(&[]);
    let (second, asked) = proxy(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]);
    let client = client(&first);
    client.switch(Peer { url: ApiUrl::parse(&second).unwrap(), token: Secret::new("another") });
    client.routes().await.unwrap();
    assert!(asked.recv().unwrap().0.contains("authorization: token another\r\n"));
}
