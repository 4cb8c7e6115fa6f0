//! Asks before something is taken away. Scripts ask in a dialog and say so with the form; without them it is a page.

use super::deeds::Order;
use crate::web::pages::form::Form;
use crate::web::render::pages::admin::ConfirmView;
use crate::web::texts::Voice;

/// The question, if `order` needs one that was not answered.
pub(super) fn question(voice: &Voice, order: &Order, form: &Form, back: &str) -> Option<ConfirmView> {
    if form.last("sure").is_some() {
        return None;
    }
    let (title, text) = match order.op() {
        "delete-user" => {
            let title = voice.with("admin-delete-user-ask", [("name", order.get("user").into())]);
            (title, voice.say("admin-delete-user-text"))
        }
        "delete-group" => {
            let title = voice.with("admin-delete-group-ask", [("group", order.get("group").into())]);
            (title, voice.say("admin-delete-group-text"))
        }
        "remove" => {
            let server = super::names::spoken(voice, &order.key());
            let title = voice.with("admin-delete-server", [("server", server.into())]);
            (title, voice.say("admin-delete-server-text"))
        }
        _ => return None,
    };
    Some(ConfirmView {
        title,
        text: format!("{text} {}", voice.say("admin-no-undo")),
        button: voice.say("server-delete"),
        deed: form.last("do").unwrap_or_default().to_owned(),
        back: back.to_owned(),
    })
}
