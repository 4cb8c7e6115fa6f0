use std::future;
use std::net::SocketAddr;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::spawn::testing::{Bench, DEADLINE, run};

const OK: &str = "HTTP/1.1 200 OK\r\nX-JupyterHub-Version: 6.1.1\r\nContent-Length: 2\r\n\r\n{}";

/// Listens where no other test does: the ports of the tests that start servers are on 127.0.0.1.
async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.77.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn url(address: SocketAddr) -> ReadyUrl {
    let address = Address::Tcp { ip: address.ip().to_string(), port: address.port() };
    ReadyUrl::new(&address, "/user/a@b%20c/")
}

/// Gives one answer per connection, an empty one meaning that it hangs up; returns the requests.
async fn serve(listener: TcpListener, answers: &[&str]) -> Vec<String> {
    let mut requests = Vec::new();
    for answer in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        request.truncate(length);
        requests.push(String::from_utf8(request).unwrap());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    requests
}

async fn wait(url: &ReadyUrl) -> Result<Responded, ReadyError> {
    wait_ready(url, DEADLINE, future::pending()).await
}

/// What a server that gives these answers is waited for with, and what it was asked.
async fn answered(answers: &[&str]) -> (Responded, Vec<String>) {
    let (listener, address) = listener().await;
    let url = url(address);
    let (responded, requests) = futures_util::future::join(wait(&url), serve(listener, answers)).await;
    (responded.unwrap(), requests)
}

#[test]
fn su_014_the_question_has_no_credentials_and_no_trailing_slash() {
    run(async {
        let (responded, requests) = answered(&[OK]).await;
        assert_eq!(responded.version.as_deref(), Some("6.1.1"));
        let request = requests[0].to_lowercase();
        assert!(request.starts_with("get /user/a@b%20c/api http/1.1\r\n"), "{request}");
        assert!(request.contains("host: 127.77.0.1:") && request.contains("accept: */*\r\n"), "{request}");
        assert!(!request.contains("authorization") && !request.contains("cookie"), "{request}");
    });
}

#[test]
fn su_014_a_redirect_is_an_answer_and_not_followed() {
    run(async {
        let (listener, address) = listener().await;
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: http://{address}/away\r\nContent-Length: 0\r\n\r\n");
        let (url, answers) = (url(address), [answer.as_str()]);
        let (responded, requests) = futures_util::future::join(wait(&url), serve(listener, &answers)).await;
        assert_eq!((responded.unwrap().version, requests.len()), (None, 1));
    });
}

#[test]
fn su_015_not_found_and_forbidden_count_as_up() {
    run(async {
        answered(&["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]).await;
        answered(&["HTTP/1.1 403 Forbidden\r\n\r\n"]).await;
        answered(&["HTTP/1.0 200 OK\r\n\r\n"]).await;
    });
}

#[test]
fn su_015_a_server_that_fails_or_hangs_up_is_asked_again() {
    run(async {
        let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        let broken = "HTTP/1.1 500 Internal Server Error\r\n\r\n";
        let (_, requests) = answered(&[busy, "", "no HTTP\r\n\r\n", broken, OK]).await;
        assert_eq!(requests.len(), 5);
    });
}

#[test]
fn a_server_is_asked_until_it_listens() {
    run(async {
        let (closed, address) = listener().await;
        drop(closed);
        let url = url(address);
        let mut waiting = pin!(wait(&url));
        // refused for a while
        assert!(timeout(Duration::from_millis(30), &mut waiting).await.is_err());
        let listener = TcpListener::bind(address).await.unwrap();
        let (responded, _) = futures_util::future::join(waiting, serve(listener, &[OK])).await;
        assert!(responded.is_ok());
    });
}

#[test]
fn su_020_a_missing_or_strange_version_does_not_prevent_readiness() {
    run(async {
        let long = format!("HTTP/1.1 200 OK\r\nX-JupyterHub-Version: {}\r\n\r\n", "6".repeat(65));
        assert_eq!(answered(&[&long]).await.0.version, None);
        assert_eq!(
            answered(&["HTTP/1.1 200 OK\r\nX-JupyterHub-Version: \u{fc}\r\n\r\n"]).await.0.version,
            None
        );
        assert_eq!(answered(&["HTTP/1.1 200 OK\r\n\r\n"]).await.0.version, None);
    });
}

#[test]
fn life_016_a_server_that_never_answers_is_given_up_in_these_words() {
    run(async {
        let (listener, address) = listener().await;
        let url = url(address);
        let begin = Instant::now();
        // connects, because the system accepts for it, but hears nothing
        let error = wait_ready(&url, Duration::from_millis(50), future::pending()).await.unwrap_err();
        assert!(begin.elapsed() >= Duration::from_millis(50));
        assert_eq!(
            error.to_string(),
            format!("Server at http://{address}/user/a@b%20c/api didn't respond in 0.05 seconds")
        );
        drop(listener);
        let error = wait_ready(&url, Duration::from_secs(1) / 20, future::pending()).await.unwrap_err();
        assert!(
            matches!(&error, ReadyError::TimedOut { last_try, .. } if last_try.contains("refused")),
            "{error:?}"
        );
    });
}

#[test]
fn whole_seconds_are_told_without_a_fraction() {
    let error = ReadyError::TimedOut {
        url: ReadyUrl::new(&Address::reaching("::", 80), "/"),
        seconds: Duration::from_secs(30).as_secs_f64(),
        last_try: String::new(),
    };
    assert_eq!(error.to_string(), "Server at http://[::1]:80/api didn't respond in 30 seconds");
}

#[test]
fn the_end_of_the_process_ends_the_wait() {
    run(async {
        let (_listener, address) = listener().await;
        let running = Bench::new().shell("exit 7").await.running;
        let error = wait_ready(&url(address), DEADLINE * 10, running.ended()).await.unwrap_err();
        assert_eq!(error.to_string(), "The server ended before it was ready: exit status 7");
    });
}

#[test]
fn a_real_server_becomes_ready() {
    run(async {
        let script = "exec python3 -u -c '\n\
            import os, http.server as h, urllib.parse as u\n\
            url = u.urlsplit(os.environ[\"JUPYTERHUB_SERVICE_URL\"])\n\
            h.HTTPServer((url.hostname, url.port), h.SimpleHTTPRequestHandler).serve_forever()'";
        let bench = Bench::new();
        let mut request = crate::spawn::testing::request(&["/bin/sh", "-c", script]);
        request.environment.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        let launched = bench.spawner.launch(request).await.unwrap();
        let url = ReadyUrl::new(&launched.address, "/user/ada/");
        let responded = wait_ready(&url, DEADLINE, launched.running.ended()).await;
        launched.running.signal(rustix::process::Signal::KILL).unwrap();
        assert_eq!(responded.unwrap(), Responded { version: None });
    });
}

proptest! {
    #[test]
    fn su_016_no_pause_is_longer_than_a_second_or_shorter_than_a_blink(elapsed in 0_u64..100_000_000, refused: bool) {
        let not_ready = if refused {
            NotReady::NoAnswer(ExchangeError::Unreachable(ErrorKind::ConnectionRefused.into()))
        } else {
            NotReady::Status(503)
        };
        let elapsed = Duration::from_micros(elapsed);
        let pause = not_ready.pause(elapsed);
        prop_assert!(pause >= SHORTEST_PAUSE / 2 && pause <= LONGEST_PAUSE);
        let part = if refused { 50 } else { 10 };
        prop_assert!(pause <= SHORTEST_PAUSE.max(elapsed / part));
    }
}
