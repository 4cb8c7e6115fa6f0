//! Asks before something is taken away. Scripts ask in a dialog and say so with the form; without them it is a page.

use actix_web::HttpResponse;

use super::deeds::Order;
use super::{Admin, Came, Part};
use crate::web::error::PageError;
use crate::web::pages::form::Form;
use crate::web::render::pages::admin::ConfirmView;

/// The question, if `order` needs one that was not answered.
pub(super) fn question(order: &Order, form: &Form, back: &str) -> Option<ConfirmView> {
    if form.last("sure").is_some() {
        return None;
    }
    let (what, text) = match order.op() {
        "delete-user" => (format!("the user {}", order.get("user")), USER),
        "delete-group" => (format!("the group {}", order.get("group")), GROUP),
        "remove" => (format!("the {}", super::names::spoken(&order.key())), SERVER),
        _ => return None,
    };
    Some(ConfirmView {
        title: format!("Delete {what}?"),
        text: text.to_owned(),
        button: "Delete",
        deed: form.last("do").unwrap_or_default().to_owned(),
        back: back.to_owned(),
    })
}

const USER: &str = "All servers and tokens of the user will be gone, too. Files in the home directory stay. This cannot be undone.";
const GROUP: &str = "Its members lose what it gives them. This cannot be undone.";
const SERVER: &str = "Its name, its options and its shares will be gone. Files in the home directory stay. This cannot be undone.";

/// Asks it.
pub(super) async fn ask(admin: Admin, part: Part, question: ConfirmView) -> Result<HttpResponse, PageError> {
    admin.show(part, question, Came::looking()).await
}
