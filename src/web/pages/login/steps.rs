//! What PAM asks besides name and password: each prompt is a form of its own. Works without JavaScript.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use log::{info, warn};

use super::super::address::escape_value;
use super::super::form::Form;
use super::super::visitor::Visitor;
use super::{enter, form};
use crate::auth::Prompt;
use crate::domain::allow::{abbreviate, loggable};
use crate::secret::Secret;
use crate::web::dialogues::{Found, NoQuestion, Question};
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{LoginMessage, LoginPage, LoginStep};
use crate::web::sign_in::{self, Entered, Pending};
use crate::web::state::Hub;
use crate::web::visit::Renewal;

/// The field with the question's id.
pub(super) const ID: &str = "question";
/// The field with the answer.
const ANSWER: &str = "answer";
/// The button of who does not want to go on.
const CANCEL: &str = "cancel";

/// Asks the first question.
pub(super) async fn begin(
    hub: &Hub,
    mut visitor: Visitor,
    pending: Box<Pending>,
) -> Result<HttpResponse, PageError> {
    visitor.set_cookies.extend(visitor.visit.ensure_session(hub)?);
    let session = visitor.visit.session_id.clone().unwrap_or_default();
    let (username, address) = (pending.dialogue.username().to_owned(), pending.dialogue.address());
    match hub.dialogues.begin(&session, pending) {
        Ok(question) => show(hub, visitor, question).await,
        Err(NoQuestion::Full) => {
            warn!(user = loggable(&username).as_str(), address:%; "login refused: too many wait for an answer");
            let told = "Too many people are signing in at this moment. Try again in a minute.";
            let refused =
                Refused { retry_after: Some(60), ..Refused::new(StatusCode::SERVICE_UNAVAILABLE, told) };
            form(hub, visitor, refused.status, username, Some(refused)).await
        }
        Err(NoQuestion::Random(failed)) => Err(Refused::from(failed).into()),
    }
}

/// Takes an answer, and shows what it leads to.
pub(super) async fn follow(
    hub: &Hub,
    request: &HttpRequest,
    visitor: Visitor,
    fields: &Form,
    id: &str,
) -> Result<HttpResponse, PageError> {
    let session = visitor.visit.session_id.clone().unwrap_or_default();
    let pending = match hub.dialogues.take(&session, id).await {
        Found::Open(pending) => pending,
        Found::Answered(question) => return show(hub, visitor, question).await,
        Found::Nothing => return over(hub, visitor).await,
    };
    let username = pending.dialogue.username().to_owned();
    if fields.last(CANCEL).is_some() {
        info!(user = loggable(&username).as_str(), address:% = visitor.visit.address; "login broken off");
        hub.dialogues.end(&session, id);
        let next = visitor.arguments().last("next").unwrap_or_default().to_owned();
        let to = format!("{}?next={}", hub.path("login"), escape_value(&next));
        return visitor.redirect(StatusCode::SEE_OTHER, &to);
    }
    let given = Secret::new(fields.last(ANSWER).unwrap_or_default());
    let origin = sign_in::origin(request, hub);
    match sign_in::by_answer(hub, *pending, &given, &origin).await {
        Ok(Entered::User(user)) => {
            hub.dialogues.end(&session, id);
            enter(hub, visitor, &user).await
        }
        Ok(Entered::Asks(pending)) => match hub.dialogues.go_on(&session, id, pending) {
            Ok(Some(question)) => show(hub, visitor, question).await,
            Ok(None) => over(hub, visitor).await,
            Err(failed) => Err(Refused::internal(&failed).into()),
        },
        Err(turned) => {
            hub.dialogues.end(&session, id);
            let refused = Refused::from(turned);
            form(hub, visitor, refused.status, username, Some(refused)).await
        }
    }
}

/// There is nothing to answer: it took too long, or another window began anew.
async fn over(hub: &Hub, visitor: Visitor) -> Result<HttpResponse, PageError> {
    let told = "This sign-in has ended: it took too long, or another window began a new one. Start again.";
    let refused = Refused::forbidden(told);
    form(hub, visitor, refused.status, String::new(), Some(refused)).await
}

async fn show(hub: &Hub, mut visitor: Visitor, question: Question) -> Result<HttpResponse, PageError> {
    let next = visitor.arguments().last("next").unwrap_or_default().to_owned();
    let Question { id, username, prompt, told } = question;
    let told = told.into_iter().map(|told| LoginMessage { is_error: told.is_error, text: told.text });
    let step = LoginStep {
        id,
        username: abbreviate(&username),
        autocomplete: autocomplete(&prompt),
        label: if prompt.text.is_empty() { "Your answer:".to_owned() } else { prompt.text },
        echo: prompt.echo,
        told: told.collect(),
    };
    let page = LoginPage {
        authenticator_login_url: format!("{}?next={}", hub.path("login"), escape_value(&next)),
        step: Some(step),
        ..LoginPage::default()
    };
    visitor.renewal = Renewal::Always;
    visitor.page(hub, StatusCode::OK, &page).await
}

/// What a browser may offer to fill in. Prompts are words for people, so this is a guess; a wrong one costs nothing but
/// convenience.
fn autocomplete(prompt: &Prompt) -> &'static str {
    let text = prompt.text.to_lowercase();
    match text.contains("password") && !prompt.echo {
        true if text.contains("new") => "new-password",
        true if !text.contains("one") && !text.contains("time") => "current-password",
        _ => "one-time-code",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_051_codes_are_filled_in_as_codes_and_passwords_as_passwords() {
        for (text, echo, expected) in [
            ("Verification code:", false, "one-time-code"),
            ("Token:", true, "one-time-code"),
            ("", false, "one-time-code"),
            ("One-time password (OATH) for `ada':", false, "one-time-code"),
            ("Password:", false, "current-password"),
            ("(current) UNIX password:", false, "current-password"),
            ("New password:", false, "new-password"),
            ("Retype new password:", false, "new-password"),
        ] {
            let prompt = Prompt { echo, text: text.to_owned() };
            assert_eq!(autocomplete(&prompt), expected, "{text}");
        }
    }
}
