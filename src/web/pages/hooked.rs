//! What visitors hear of hooks that decide what pages say.

use actix_web::http::StatusCode;
use log::error;

use crate::hooks::HookError;
use crate::web::error::Refused;

/// A hook's own no in its words; of one that is broken, only that it is.
pub(super) fn refused(failed: HookError) -> Refused {
    match failed {
        HookError::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status_code.unwrap_or(400));
            Refused::new(status.unwrap_or(StatusCode::BAD_REQUEST), refusal.message)
        }
        broken => {
            error!(error:% = broken; "a hook failed");
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, broken.to_string())
        }
    }
}

/// A hook answered something else than it may.
pub(super) fn unusable(hook: &str, expected: &str) -> Refused {
    error!(hook, expected; "a hook gave no usable answer");
    Refused::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("the hook {hook} gave no usable answer: expected {expected}"),
    )
}
