//! The events of a start's progress: what each holds, and how it goes over the wire.

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use log::warn;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::actors::directory::{Outcome, Progress, ServerStatus};
use crate::domain::timestamp;
use crate::hooks::Hook;

/// One event.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ProgressEvent)]
pub(in crate::web) struct Event {
    /// From 0 to 100.
    progress: u8,
    /// Whether the server takes visitors: the last event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ready: bool,
    /// Whether it came to nothing: the last event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    /// What happens.
    message: String,
    /// The same for pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    html_message: Option<String>,
    /// Where the server is.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// When it will be stopped for being idle or old, if that is known. Not of the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    cull_at: Option<String>,
}

impl Event {
    pub(super) fn progress(progress: &Progress) -> Self {
        Self { progress: progress.percent.min(99), message: progress.message.clone(), ..Self::default() }
    }

    /// How the start ended.
    pub(super) fn last(status: &ServerStatus, url: &str) -> Self {
        if status.ready {
            return Self::ready(url);
        }
        match &status.outcome {
            Some(Outcome::Failed(failure) | Outcome::Ended(failure)) => {
                let event = Self::failed(&format!("Spawn failed: {}", failure.message), &failure.last_lines);
                let html = failure.rejection.as_ref().and_then(|rejection| rejection.message_html.clone());
                Self { html_message: html.or(event.html_message.clone()), ..event }
            }
            Some(Outcome::Refused(refusal)) => {
                Self::failed(&format!("Spawn failed: {}", refusal.message), &[])
            }
            Some(Outcome::Stopped | Outcome::Culled(_) | Outcome::Cancelled | Outcome::Ready) | None => {
                Self::failed("Spawn cancelled", &[])
            }
        }
    }

    /// The actor that started the server is gone: its successor verifies what there is.
    pub(super) fn lost() -> Self {
        Self::failed("Spawn failed: the hub lost track of the start; reload to see what became of it", &[])
    }

    fn ready(url: &str) -> Self {
        let shown = escape(url);
        Self {
            progress: 100,
            ready: true,
            message: format!("Server ready at {url}"),
            html_message: Some(format!("Server ready at <a href=\"{shown}\">{shown}</a>")),
            url: Some(url.to_owned()),
            ..Self::default()
        }
    }

    /// The same event, for a server that goes at this time.
    pub(super) fn due(self, at: Option<DateTime<Utc>>) -> Self {
        Self { cull_at: at.map(timestamp::format), ..self }
    }

    /// With the last lines that the process wrote, since they mostly say why.
    fn failed(message: &str, lines: &[String]) -> Self {
        let failed = Self { progress: 100, failed: true, message: message.to_owned(), ..Self::default() };
        if lines.is_empty() {
            return failed;
        }
        let lines = lines.join("\n");
        let html = format!("{}<pre>{}</pre>", escape(message), escape(&lines));
        Self { message: format!("{message}\n{lines}"), html_message: Some(html), ..failed }
    }

    /// What the hook `progress_ready` makes of this event, as it goes over the wire; `None` if it has nothing to say or
    /// fails. It stays the last event, whatever the hook says.
    pub(super) async fn changed_by(&self, hook: &Hook, question: &Value) -> Option<Bytes> {
        let mut question = question.clone();
        question.as_object_mut()?.insert("payload".to_owned(), serde_json::to_value(self).ok()?);
        match hook.ask(&question).await {
            Ok(Some(Value::Object(mut event))) => {
                event.insert("ready".to_owned(), true.into());
                event.entry("progress").or_insert_with(|| 100.into());
                Some(Bytes::from(format!("data: {}\n\n", Value::Object(event))))
            }
            Ok(None | Some(Value::Null)) => None,
            Ok(Some(_)) => {
                warn!("the hook progress_ready gave no usable answer: expected an event");
                None
            }
            Err(failed) => {
                warn!(error:% = failed; "a hook failed");
                None
            }
        }
    }

    /// As it goes over the wire: JSON has no line breaks of its own, so an event is one line.
    pub(super) fn bytes(&self) -> Bytes {
        // a struct of strings and numbers always has a JSON form
        let json = serde_json::to_string(self).unwrap_or_default();
        Bytes::from(format!("data: {json}\n\n"))
    }
}

/// Text as HTML shows it, also inside an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::server_state::{Failure, FailureKind};

    fn read(event: &Event) -> Value {
        let bytes = event.bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        let json = text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!json.contains('\n'));
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn rest_112_the_ready_event_leads_to_the_server() {
        let status = ServerStatus { ready: true, ..ServerStatus::default() };
        assert_eq!(
            read(&Event::last(&status, "/user/ada/")),
            json!({
                "progress": 100, "ready": true, "message": "Server ready at /user/ada/", "url": "/user/ada/",
                "html_message": "Server ready at <a href=\"/user/ada/\">/user/ada/</a>",
            })
        );
    }

    #[test]
    fn rest_113_the_failed_event_says_why_and_escapes_what_the_process_wrote() {
        let mut failure = Failure::new(FailureKind::Exited, "it ended");
        let outcome = |failure: &Failure| Some(Outcome::Failed(Arc::new(failure.clone())));
        let status = ServerStatus { outcome: outcome(&failure), ..ServerStatus::default() };
        let plain = json!({"progress": 100, "failed": true, "message": "Spawn failed: it ended"});
        assert_eq!(read(&Event::last(&status, "/")), plain);

        failure.last_lines = vec!["<script>".to_owned(), "a & b".to_owned()];
        let status = ServerStatus { outcome: outcome(&failure), ..ServerStatus::default() };
        let event = read(&Event::last(&status, "/"));
        assert_eq!(event["message"], "Spawn failed: it ended\n<script>\na & b");
        assert_eq!(event["html_message"], "Spawn failed: it ended<pre>&lt;script&gt;\na &amp; b</pre>");
    }

    #[test]
    fn a_cancelled_start_says_so() {
        let status = ServerStatus { outcome: Some(Outcome::Cancelled), ..ServerStatus::default() };
        assert_eq!(read(&Event::last(&status, "/"))["message"], "Spawn cancelled");
    }
}
