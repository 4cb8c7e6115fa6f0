//! The listener of the metrics: `/metrics`, and nothing else.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::metrics::Metrics;
use crate::side::{self, Closing, Limits};
use crate::socket::Listener;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) async fn serve(listener: Listener, closing: Closing, metrics: Arc<Metrics>) -> io::Result<()> {
    side::serve(listener, Limits::default(), closing, move |request| {
        std::future::ready(answer(request.uri().path(), &metrics))
    })
    .await
}

fn answer(path: &str, metrics: &Metrics) -> Response<Full<Bytes>> {
    if path != "/metrics" {
        let mut answer = Response::new(Full::from("Not Found"));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return answer;
    }
    let mut answer = Response::new(Full::from(metrics.text()));
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_019_only_the_exact_path_has_metrics() {
        let metrics = Metrics::new();
        let found = answer("/metrics", &metrics);
        assert_eq!((found.status(), found.headers().get(CONTENT_TYPE)), (StatusCode::OK, Some(&TEXT)));
        for path in ["/", "/metrics/", "/Metrics", "/x"] {
            assert_eq!(answer(path, &metrics).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
