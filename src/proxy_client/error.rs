//! What can go wrong with a separate proxy, and what to do about it.

use hyper::Method;

use crate::config::address::ApiUrl;

/// Why a proxy has not done what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It did not answer, or only that it cannot.
    #[error("the proxy at {url} did not answer for {seconds} s: {reason}")]
    Unreachable {
        /// Its REST API.
        url: String,
        /// How long it was asked.
        seconds: u64,
        /// What came of the last try.
        reason: String,
    },
    /// It refused.
    #[error("the proxy at {url} refused {method} {path} with status {status}{advice}")]
    Refused {
        /// Its REST API.
        url: String,
        /// The method of the request.
        method: String,
        /// The path of the request below `/api/routes`.
        path: String,
        /// The status of the answer.
        status: u16,
        /// What may help.
        advice: &'static str,
    },
    /// It answered something that no proxy answers.
    #[error("{url} is no REST API of a proxy: {reason}")]
    Strange {
        /// Its REST API.
        url: String,
        /// What was odd.
        reason: String,
    },
}

impl ProxyError {
    pub(super) fn refused(status: u16, method: &Method, path: &str, url: &ApiUrl) -> Self {
        let advice = match status {
            401 | 403 => "; its CONFIGPROXY_AUTH_TOKEN and the hub's `proxy.auth_token` must be the same",
            404 if method == Method::GET => {
                "; does `proxy.api_url` name the proxy's API rather than its public port?"
            }
            _ => "",
        };
        Self::Refused {
            url: url.to_string(),
            method: method.to_string(),
            path: path.to_owned(),
            status,
            advice,
        }
    }
}
