//! What a hook answered.

use serde_json::Value;

use super::HookError;

/// A hook's own no: `{"error": {"status_code": 403, "message": "…"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// An HTTP status from 400 to 599, if it gave one.
    pub status_code: Option<u16>,
    /// For whoever is refused.
    pub message: String,
    /// The same as markup, for pages that show it.
    pub message_html: Option<String>,
    /// A word for programs.
    pub reason: Option<String>,
}

/// The JSON value; `None` if there is nothing but white space.
pub(super) fn read(name: &str, answer: &[u8]) -> Result<Option<Value>, HookError> {
    let unusable = |reason: String| HookError::Answer { name: name.to_owned(), reason };
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(answer).map_err(|wrong| {
        unusable(format!("it is no JSON (line {}, column {})", wrong.line(), wrong.column()))
    })?;
    match value.get("error") {
        None | Some(Value::Null) => Ok(Some(value)),
        Some(error) => Err(refusal(error).map_or_else(
            || unusable("`error` must be an object whose `status_code` is from 400 to 599".to_owned()),
            HookError::Refused,
        )),
    }
}

fn refusal(error: &Value) -> Option<Refusal> {
    let status_code = match error.get("status_code") {
        None | Some(Value::Null) => None,
        Some(code) => Some(code.as_u64().and_then(|code| u16::try_from(code).ok())?),
    };
    let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
    (error.is_object() && status_code.is_none_or(|code| (400..=599).contains(&code))).then(|| Refusal {
        status_code,
        message: text("message").unwrap_or_default(),
        message_html: text("message_html"),
        reason: text("reason"),
    })
}
