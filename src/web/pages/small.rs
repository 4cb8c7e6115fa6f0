//! Endpoints that need no page.

use std::time::Instant;

use actix_web::{HttpResponse, web};
use log::warn;
use serde_json::Value;

use super::form::body;
use super::visitor::SignedIn;
use crate::logging::redact;
use crate::metrics::Loss;
use crate::web::error::PageError;
use crate::web::state::Hub;

/// A report is short.
const REPORT_LIMIT: usize = 16 << 10;

/// `health`: the hub answers.
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// `POST security/csp-report`: a browser says that a page broke its Content-Security-Policy. Browsers send no XSRF
/// token with reports, and nothing is changed by them but the log, which takes some of them in a minute; all are counted.
///
/// # Errors
/// 403 for strangers, who could fill the log.
pub async fn csp_report(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    payload: web::Payload,
) -> Result<HttpResponse, PageError> {
    let report = body(payload, REPORT_LIMIT).await?;
    hub.metrics.csp_report();
    if hub.csp_reports.admits(Instant::now()) {
        let report = without_secrets(&report);
        warn!(user = visitor.name.as_str(), report = report.as_str(); "a page broke its Content-Security-Policy");
    } else {
        hub.metrics.lost(Loss::CspReports, 1);
    }
    Ok(HttpResponse::Ok().finish())
}

/// The report as it may be logged: the addresses in it may have been those of a sign-in.
fn without_secrets(report: &[u8]) -> String {
    match serde_json::from_slice::<Value>(report) {
        Ok(mut report) => {
            clean(&mut report);
            report.to_string()
        }
        Err(_) => redact::uri(&String::from_utf8_lossy(report)).into_owned(),
    }
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact::uri(text).into_owned(),
        Value::Array(members) => members.iter_mut().for_each(clean),
        Value::Object(members) => members.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obs_017_addresses_in_a_report_lose_their_secrets() {
        let report = br#"{"csp-report":{"document-uri":"https://h/hub/x?code=abc&a=b","n":1}}"#;
        let shown = without_secrets(report);
        assert_eq!(shown, r#"{"csp-report":{"document-uri":"https://h/hub/x?code=[secret]&a=b","n":1}}"#);
        assert_eq!(without_secrets(b"no json?token=abc"), "no json?token=[secret]");
    }
}
