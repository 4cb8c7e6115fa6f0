//! The contract as a whole: what the hub says that it can do (`/hub/api/openapi.json`, which a unit test compares with the
//! table of routes) is tried, operation by operation, with every kind of credentials and every kind of bad input. An
//! operation that nobody told this test about fails it.

mod bad_input;
mod document;
mod expected;
mod methods;
mod names;
mod targets;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use self::document::Operation;
use super::support::hub::{ADMIN_TOKEN, Hub, Reply, agent, free_port, request};

/// A hub, its document, and one connection pool for each thread.
struct Contract {
    hub: Hub,
    /// The hub itself, without the proxy before it.
    api: String,
    operations: Vec<Operation>,
    fresh: AtomicUsize,
}

impl Contract {
    fn start(extra: &str) -> Self {
        let port = free_port();
        let usual = format!(
            "hub.bind_url = \"http://127.0.0.1:{port}\"\nhub.named_servers.enabled = true\nhub.timeouts.slow_spawn = 0\n{extra}"
        );
        let hub = Hub::with(&usual);
        let api = format!("http://127.0.0.1:{port}/hub/api");
        let document = hub.api("GET", "/openapi.json", None, None);
        assert_eq!(document.status, 200);
        Self { hub, api, operations: Operation::all(&document.json()), fresh: AtomicUsize::new(1) }
    }

    /// A number that nobody had before.
    fn number(&self) -> usize {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }

    /// Splits the operations among threads, and tries all of them before it fails.
    fn each(&self, act: impl Fn(&Client<'_>, &Operation) + Sync) {
        let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let client = self.client();
                    while let Some(operation) = self.operations.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tried = catch_unwind(AssertUnwindSafe(|| act(&client, operation)));
                        if tried.is_err() {
                            failures.lock().unwrap().push(operation.place());
                        }
                    }
                });
            }
        });
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "what went wrong is above: {failures:?}");
    }

    fn client(&self) -> Client<'_> {
        Client { contract: self, agent: agent() }
    }
}

/// One thread's connections.
struct Client<'a> {
    contract: &'a Contract,
    agent: ureq::Agent,
}

impl Client<'_> {
    /// Sends bytes with a token, if there is one.
    fn send(&self, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Reply {
        let headers: Vec<_> =
            token.map(|token| ("authorization".to_owned(), format!("token {token}"))).into_iter().collect();
        request(&self.agent, method, &format!("{}{path}", self.contract.api), &headers, body.to_vec())
    }

    /// Sends JSON, or nothing.
    fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
        self.send(method, path, token, body.map(Value::to_string).unwrap_or_default().as_bytes())
    }

    /// Does what a test needs to be there. `409` is as good: it is there.
    fn make(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let reply = self.call(method, path, Some(ADMIN_TOKEN), body.as_ref());
        assert!(matches!(reply.status, 200..=299 | 409), "{method} {path}: {} {}", reply.status, reply.body);
        reply
    }

    /// A token of the user `root`, who may do everything, with these scopes alone.
    fn limited(&self, scopes: &[String]) -> String {
        let made = self.make("POST", "/users/root/tokens", Some(json!({ "scopes": scopes })));
        made.json()["token"].as_str().unwrap().to_owned()
    }
}

/// Every error of the API is an object with its status and a sentence.
fn assert_is_error(reply: &Reply, status: u16, what: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"), "{what}");
    assert_eq!(reply.json()["status"], status, "{what}");
    assert!(
        reply.json()["message"].as_str().is_some_and(|message| !message.is_empty()),
        "{what}: {}",
        reply.body
    );
}
