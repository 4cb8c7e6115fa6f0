use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;
use hyper::body::Frame;
use proptest::prelude::*;

use super::*;
use crate::api::{ApiToken, Gate, RouteWriter};
use crate::metrics::Metrics;
use crate::route::Matching;
use crate::table::Routes;

/// Status and text of the answer to a request with the token.
fn asked(api: &Api, method: &str, uri: &str, body: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(uri).header("authorization", "token t");
    let request = request.body(Full::<Bytes>::from(body.to_owned())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let answer = answer(api, request).await;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    })
}

fn api(matching: Matching) -> Api {
    let routes = Routes::default();
    let writer = Arc::new(routes.clone());
    let (token, gate) = (ApiToken::new("t"), Gate::default());
    Api { routes, writer, token, matching, metrics: Metrics::new(), gate }
}

/// A body of which nothing ever comes.
struct Silent;

impl Body for Silent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

#[test]
fn sec_099_a_body_that_does_not_come_is_not_waited_for() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let answer = runtime.unwrap().block_on(async {
        let request = Request::post("/api/routes/a").body(Silent).unwrap();
        tokio::time::timeout(BODY_TIME * 2, answer(&api(Matching::Path), request)).await
    });
    assert_eq!(answer.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
}

/// Refuses everything, and remembers what it was asked to remove.
#[derive(Default)]
struct Stubborn(Mutex<Vec<String>>);

impl RouteWriter for Stubborn {
    fn add(&self, _: Arc<Route>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Err("no".to_owned()) })
    }

    fn remove<'a>(&'a self, spec: &'a str) -> BoxFuture<'a, bool> {
        self.0.lock().unwrap().push(spec.to_owned());
        Box::pin(async { false })
    }
}

#[test]
fn changes_go_through_the_writer_whose_refusal_is_told() {
    let writer = Arc::new(Stubborn::default());
    let api = Api { writer: Arc::<Stubborn>::clone(&writer), ..api(Matching::Path) };
    let outcome = asked(&api, "POST", "/api/routes/a", r#"{"target": "http://h:1"}"#);
    assert_eq!(outcome, (500, "no".to_owned()));
    api.routes.add(Route::new("/b%40r/", "http://h:1", Value::Null).unwrap());
    assert_eq!(asked(&api, "DELETE", "/api/routes/b@r", "").0, 404);
    assert_eq!(*writer.0.lock().unwrap(), ["/b%40r/"], "by its own spec");
    assert_eq!(asked(&api, "GET", "/api/routes/b@r", "").0, 200, "and data that is no object is no harm");
}

#[test]
fn proxy_003_any_key_and_value_comes_back_in_its_order() {
    let api = api(Matching::Path);
    let data = r#""z":1,"a":{"":[null,true,-1.5e3,"\u0000"]},"jupyterhub":true"#;
    asked(&api, "POST", "/api/routes/x", &format!(r#"{{"target":"http://h:1",{data}}}"#));
    let (status, shown) = asked(&api, "GET", "/api/routes/x", "");
    assert_eq!(status, 200);
    let start = r#"{"target":"http://h:1","z":1,"a":{"":[null,true,-1500.0,"\u0000"]},"jupyterhub":true,"last_activity":""#;
    assert!(shown.starts_with(start), "{shown}");
}

proptest! {
    #[test]
    fn proxy_001_nothing_a_client_sends_gives_an_unknown_status(
        method in "GET|POST|DELETE|PUT|HEAD",
        path in "(/api/routes)?(/|%2[fF]|%[0-9a-fA-F]{2}|%|[a-z@~]|\\.{1,2}){0,12}",
        query in "(\\?(inactive_since|inactiveSince)=[0-9TZ:.+-]{0,24})?",
        body in r#"(\{"target": ?("[ -~]{0,20}"|[0-9]|null|\{\})(,"[a-z]{0,3}": ?[0-9])?\})|[ -~]{0,30}"#,
        by_host in any::<bool>(),
    ) {
        let api = api(if by_host { Matching::Host } else { Matching::Path });
        let Ok(uri) = format!("/{}{query}", path.trim_start_matches('/')).parse::<http::Uri>() else { return Ok(()) };
        for _ in 0..2 {
            let (status, _) = asked(&api, &method, &uri.to_string(), &body);
            prop_assert!([200, 201, 204, 400, 404, 405].contains(&status), "{status}");
        }
        let (status, table) = asked(&api, "GET", "/api/routes", "");
        prop_assert_eq!(status, 200);
        prop_assert!(serde_json::from_str::<Map<String, Value>>(&table).is_ok());
        // Whatever could be added is found under its key, and can be removed.
        let keys: Vec<String> = api.routes.load().iter().map(|route| route.key()).collect();
        for key in keys {
            let escaped = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC);
            prop_assert_eq!(asked(&api, "DELETE", &format!("/api/routes/{escaped}"), "").0, 204, "{}", key);
        }
        prop_assert!(api.routes.load().is_empty());
    }
}

#[test]
fn a_change_that_waits_for_a_hand_over_is_made_or_told_to_come_again() {
    let api = api(Matching::Path);
    let target = r#"{"target": "http://h:1"}"#;
    let request = |key: &str| {
        let request = Request::builder().method("POST").uri(format!("/api/routes{key}"));
        request.header("authorization", "token t").body(Full::<Bytes>::from(target)).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let held = api.gate.hold();
        let mut waiting = std::pin::pin!(answer(&api, request("/a")));
        let early = tokio::time::timeout(Duration::from_millis(20), waiting.as_mut()).await;
        assert!(early.is_err() && api.routes.load().is_empty());
        drop(held);
        assert_eq!(waiting.await.status(), 201);
        let held = api.gate.hold();
        let waiting = async { answer(&api, request("/b")).await.status() };
        let (status, ()) = tokio::join!(waiting, async { held.gone() });
        assert_eq!((status.as_u16(), api.routes.load().len()), (503, 1));
        assert_eq!(answer(&api, request("/c")).await.status(), 503);
    });
    assert_eq!(asked(&api, "GET", "/api/routes/a", "").0, 200);
    assert_eq!(asked(&api, "DELETE", "/api/routes/a", "").0, 503);
}
