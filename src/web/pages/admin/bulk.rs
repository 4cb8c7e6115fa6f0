//! `admin/bulk`: what is done to several users at once.
//!
//! First a page says what would be done and what would be left alone; pressing its button does it. Scripts do one item
//! after the other and show what came of each; without them the page's form does so many at a time, and offers the rest.

mod plan;

use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, stream};

use self::plan::{Deed, Plan};
use super::deeds::{Doer, Order};
use super::{Admin, Came, Part};
use crate::domain::notice;
use crate::web::error::{PageError, Refused};
use crate::web::pages::form::{Form, Submission};
use crate::web::render::pages::admin::{BulkItem, BulkView, NameResult};
use crate::web::state::Hub;

/// So many items are done for one form; others wait for the next.
const AT_ONCE: usize = 50;
/// So many of them at the same time.
const ABREAST: usize = 8;

/// Says what would be done, or does it.
///
/// # Errors
/// 403 without `admin-ui`.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let (admin, form) = Admin::sent(hub, submission)?;
    let Some(deed) = Deed::read(form.last("op").unwrap_or_default()) else {
        return Err(Refused::bad(admin.voice.say("admin-choose-deed")).into());
    };
    let matching = form.last("matching").unwrap_or_default().to_owned();
    let back = back(&admin.hub, &matching);
    if let Some(Err(wrong)) = text_of(deed, &form).filter(|_| form.last("confirmed").is_some()) {
        let view = BulkView { matching, text: typed(deed, &form), ..again(&admin, deed, &form, back) };
        return admin.show(Part::Users, view, Came::of(Err(wrong), None)).await;
    }
    if form.last("confirmed").is_some() {
        let view = BulkView { matching, ..carry_out(&admin, deed, &form, back).await };
        return admin.show(Part::Users, view, Came::looking()).await;
    }
    match plan::make(&admin, deed, &form).await {
        Ok(plan) => {
            let view = BulkView { matching, ..proposal(deed, plan, back) };
            admin.show(Part::Users, view, Came::looking()).await
        }
        Err(refused) => {
            let view = BulkView { matching, ..proposal(deed, Plan::default(), back) };
            admin.show(Part::Users, view, Came::of(Err(refused), None)).await
        }
    }
}

/// Back to the list as it was narrowed.
fn back(hub: &Hub, matching: &str) -> String {
    let query = matching.strip_prefix('?').unwrap_or(matching);
    match query {
        "" => hub.path("admin"),
        query => hub.path(&format!("admin?{query}")),
    }
}

fn proposal(deed: Deed, plan: Plan, back: String) -> BulkView {
    BulkView {
        title: plan.title,
        notes: plan.notes,
        button: plan.button,
        danger: deed.takes_away(),
        items: plan.items,
        text: deed.has_text().then(String::new),
        longest: notice::LONGEST,
        done: false,
        op: deed.word().to_owned(),
        matching: String::new(),
        back,
    }
}

/// What was written to those who are chosen; nothing for a deed without words.
fn typed(deed: Deed, form: &Form) -> Option<String> {
    deed.has_text().then(|| form.last("message").unwrap_or_default().to_owned())
}

/// Whether it can be sent: found out before any of it is.
fn text_of(deed: Deed, form: &Form) -> Option<Result<String, Refused>> {
    let text = typed(deed, form)?;
    Some(notice::plain_text(&text).map_err(|wrong| Refused::bad(wrong.to_string())))
}

/// The same items once more, none of them done.
fn again(admin: &Admin, deed: Deed, form: &Form, back: String) -> BulkView {
    let doer = admin.doer();
    let items: Vec<BulkItem> =
        form.all("item").map(|text| plan::item(deed, &doer, &Order::read(text))).collect();
    let title = admin.voice.with("admin-bulk-title", [("deed", deed.word().into())]);
    let button = plan::button(&admin.voice, deed, items.len());
    proposal(deed, Plan { title, notes: Vec::new(), button, items }, back)
}

/// Does the first items of the form. The rest is shown again, to be gone on with.
async fn carry_out(admin: &Admin, deed: Deed, form: &Form, back: String) -> BulkView {
    let doer = admin.doer();
    let orders: Vec<String> = form.all("item").map(str::to_owned).collect();
    let (now, later) = orders.split_at(orders.len().min(AT_ONCE));
    let message = typed(deed, form);
    let does = |order: &String| {
        let (doer, text, message) = (doer.clone(), order.clone(), message.clone());
        async move {
            let order = Order::read(&text);
            // what an item may ask for is what its page asks for
            let done = match (deed.fits(order.op()), message) {
                (true, Some(message)) => doer.tell(order.get("user"), &message).await.map(|()| String::new()),
                (true, None) => doer.perform(&order).await,
                (false, _) => Err(Refused::bad(doer.voice.say("admin-other-order"))),
            };
            done_item(deed, &doer, text, &order, done)
        }
    };
    let mut items: Vec<BulkItem> = stream::iter(now.iter().map(does)).buffered(ABREAST).collect().await;
    let failed = items.iter().filter(|item| item.result.as_ref().is_some_and(|result| !result.fine)).count();
    let (voice, all) = (&admin.voice, items.len());
    let done = all.saturating_sub(failed);
    let values = [("done", done.into()), ("count", all.into()), ("deed", deed.word().into())];
    let mut notes = vec![voice.with("admin-some-done", values)];
    if failed > 0 {
        notes.push(voice.with("admin-some-failed", [("count", failed.into())]));
    }
    if !later.is_empty() {
        notes.push(voice.with("admin-some-wait", [("count", later.len().into())]));
    }
    items.extend(later.iter().map(|text| plan::item(deed, &doer, &Order::read(text))));
    let left = failed.saturating_add(later.len());
    BulkView {
        title: voice.with("admin-bulk-title", [("deed", deed.word().into())]),
        notes,
        button: if left > 0 { voice.with("admin-go-on", [("count", left.into())]) } else { String::new() },
        danger: deed.takes_away(),
        items,
        text: message,
        longest: notice::LONGEST,
        done: true,
        op: deed.word().to_owned(),
        matching: String::new(),
        back,
    }
}

fn done_item(
    deed: Deed,
    doer: &Doer,
    text: String,
    order: &Order,
    done: Result<String, Refused>,
) -> BulkItem {
    let item = plan::item(deed, doer, order);
    let (fine, what) = match done {
        Ok(_) => (true, doer.voice.with("admin-past", [("deed", deed.word().into())])),
        Err(refused) => (false, doer.voice.said(&refused.message)),
    };
    let result = NameResult { name: item.what.clone(), fine, what };
    BulkItem { deed: text, result: Some(result), ..item }
}
