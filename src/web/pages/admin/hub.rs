//! `admin/hub`: how the hub does, what it tells everybody, what a reload would change, and its end.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde_json::{Map, Value};

use super::deeds::{Doer, Order};
use super::{Admin, Came, Part};
use crate::domain::access::Resource;
use crate::domain::notice::{Notice, NoticeKind};
use crate::domain::reload::{Outcome, ReloadReport};
use crate::domain::timestamp;
use crate::store::journal::{self, JournalFilter, Record};
use crate::web::admin::{Facts, status};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::address::{self, Arguments};
use crate::web::pages::form::{Form, Submission};
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{Capacity, HubView, JournalLine, StandingNotice};
use crate::web::state::Hub;
use crate::web::texts::Voice;

/// How the hub does.
const READ: &[&str] = &["read:hub"];
/// Notices, reload, shutdown: as in the REST API.
const RUN: &[&str] = &["shutdown"];
/// Who did what: as in the REST API.
const JOURNAL: &[&str] = &["admin:users"];
/// So many records are shown.
const RECORDS: i64 = 20;
/// What has to be typed to end the hub.
const WORD: &str = "shutdown";

/// Whether any of it is for this visitor.
pub(super) fn is_open_to(caller: &Caller) -> bool {
    [READ, RUN, JOURNAL].iter().any(|scopes| caller.may(scopes, Resource::None))
}

/// Shows it.
///
/// # Errors
/// 403 without any of the scopes.
pub async fn show(
    hub: web::Data<Hub>,
    facts: web::Data<Facts>,
    visitor: SignedIn,
) -> Result<HttpResponse, PageError> {
    page(Admin::enter(hub, visitor)?, &facts, Came::looking(), HubView::default()).await
}

/// Announces, reloads, ends.
///
/// # Errors
/// 403 without any of the scopes; what goes wrong with the order is told on the page.
pub async fn submit(
    hub: web::Data<Hub>,
    facts: web::Data<Facts>,
    submission: Submission,
) -> Result<HttpResponse, PageError> {
    let (admin, form) = Admin::sent(hub, submission)?;
    let doer = admin.doer();
    let mut view = HubView::default();
    let done = perform(&doer, &form, &mut view).await;
    if done.is_err() {
        view.typed = form.last("message").unwrap_or_default().to_owned();
    }
    page(admin, &facts, Came::of(done, None), view).await
}

async fn perform(doer: &Doer, form: &Form, view: &mut HubView) -> Result<String, Refused> {
    let voice = &doer.voice;
    match Order::of(form).op() {
        "announce" => {
            doer.give_notice(false, notice(voice, form)?).await?;
            Ok(voice.say("admin-announced"))
        }
        "withdraw" => {
            doer.withdraw_notice(false).await?;
            Ok(voice.say("admin-withdrawn"))
        }
        "maintain" => {
            doer.give_notice(true, notice(voice, form)?).await?;
            Ok(voice.say("admin-maintained"))
        }
        "open" => {
            doer.withdraw_notice(true).await?;
            Ok(voice.say("admin-opened"))
        }
        "preview" => {
            doer.caller.require(RUN, Resource::None)?;
            reported(voice, view, doer.hub.reloader.preview(&doer.caller.journal_name()).await?)?;
            Ok(String::new())
        }
        "reload" => {
            doer.caller.require(RUN, Resource::None)?;
            reported(voice, view, doer.hub.reloader.reload(&doer.caller.journal_name()).await?)?;
            view.reloaded = true;
            Ok(voice.say("admin-reloaded"))
        }
        "shutdown" => {
            if form.last("word").unwrap_or_default().trim() != WORD {
                return Err(Refused::bad(voice.with("admin-shutdown-no", [("word", WORD.into())])));
            }
            doer.shut_down(form.last("servers").is_some(), form.last("proxy").is_some()).await?;
            view.ending = true;
            Ok(voice.say("admin-shutting-down"))
        }
        _ => Err(doer.unknown()),
    }
}

/// The report, or why nothing can be changed.
fn reported(voice: &Voice, view: &mut HubView, report: ReloadReport) -> Result<(), Refused> {
    if report.outcome == Outcome::Refused {
        let problems = report.problems.join("; ");
        let text = voice.with("admin-reload-wrong", [("problems", problems.into())]);
        return Err(Refused::new(StatusCode::CONFLICT, text));
    }
    view.report = serde_json::to_value(&report).ok();
    Ok(())
}

/// A notice as the REST API takes it: minutes until it begins, hours until it ends.
fn notice(voice: &Voice, form: &Form) -> Result<Value, Refused> {
    let mut body = Map::new();
    let typed = |name: &str| form.last(name).map(str::trim).filter(|text| !text.is_empty());
    if let Some(message) = typed("message") {
        body.insert("message".to_owned(), message.into());
    }
    for (field, key, seconds) in [("in_minutes", "in", 60.0), ("for_hours", "for", 3600.0)] {
        if let Some(text) = typed(field) {
            let number = text.parse::<f64>().ok().filter(|number| (0.0..1e6).contains(number));
            let number = number.ok_or_else(|| Refused::bad(voice.say("admin-odd-times")))?;
            body.insert(key.to_owned(), whole(number * seconds));
        }
    }
    Ok(Value::Object(body))
}

/// Seconds without a fraction.
fn whole(seconds: f64) -> Value {
    format!("{seconds:.0}").parse::<i64>().map_or(Value::Null, Value::from)
}

async fn page(admin: Admin, facts: &Facts, came: Came, view: HubView) -> Result<HttpResponse, PageError> {
    let view = self::view(&admin, facts, view).await?;
    admin.show(Part::Hub, view, came).await
}

/// Whether who did what is for this visitor.
pub(super) fn may_read_journal(caller: &Caller) -> bool {
    caller.may(JOURNAL, Resource::None)
}

/// What the page shows, besides what came of a form.
pub(super) async fn view(admin: &Admin, facts: &Facts, mut view: HubView) -> Result<HubView, Refused> {
    let (hub, caller, uri) = (&admin.hub, &admin.caller, &admin.visitor.visit.uri);
    if !is_open_to(caller) {
        caller.require(READ, Resource::None)?;
    }
    let now = Utc::now();
    if caller.may(READ, Resource::None) {
        view.status = status::gather(hub, facts).await;
        view.capacity = capacity(hub, &admin.voice);
        view.queued = hub.servers.directory().select(|status| status.place.is_some()).len();
    }
    if may_read_journal(caller) {
        let before = Arguments::of(uri).last("records_before").and_then(|text| text.parse().ok());
        let filter = JournalFilter { before, limit: RECORDS, ..JournalFilter::default() };
        let records = hub.store.read(move |db| journal::page(db, &filter)).await?;
        let full = i64::try_from(records.len()).is_ok_and(|count| count == RECORDS);
        let last = records.last().map(|record| record.id).filter(|_| full);
        let older = |id: i64| Arguments::default().with("records_before", id.to_string());
        view.older = last.map(|id| older(id).added_to(address::path(uri)));
        view.journal = Some(records.into_iter().map(line).collect());
    }
    let notices = hub.board.now();
    let standing = |kind| notices.get(kind, now).map(|notice| standing(notice, now));
    view.announced = standing(NoticeKind::Announcement);
    view.closed = standing(NoticeKind::Maintenance);
    view.may_run = caller.may(RUN, Resource::None);
    view.cleanup_servers = hub.settings.cleanup_servers;
    view.cleanup_proxy = hub.settings.cleanup_proxy;
    view.started = timestamp::format(facts.started);
    Ok(view)
}

fn capacity(hub: &Hub, voice: &Voice) -> Vec<Capacity> {
    let (limits, directory) = (hub.servers.limits(), hub.servers.directory());
    let starting = directory.select(|status| {
        status.pending == Some(crate::domain::server_state::Pending::Spawn) && status.place.is_none()
    });
    let active = directory.select(|status| status.is_active() && status.place.is_none());
    vec![
        Capacity { title: voice.say("admin-run-or-start"), now: active.len(), limit: limits.active },
        Capacity { title: voice.say("admin-starting"), now: starting.len(), limit: limits.starting },
    ]
}

fn line(Record { entry, .. }: Record) -> JournalLine {
    JournalLine {
        at: timestamp::format(entry.at),
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        detail: entry.detail.map(pairs).unwrap_or_default(),
    }
}

/// What an entry has beside its columns, as pairs to read; what is null is left out.
fn pairs(detail: Value) -> Vec<(String, String)> {
    let Value::Object(fields) = detail else { return Vec::new() };
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    { fields }
        .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}

fn standing(notice: &Notice, now: chrono::DateTime<Utc>) -> StandingNotice {
    StandingNotice {
        message: notice.message.clone(),
        begins: Some(notice.from).filter(|from| *from > now).map(timestamp::format),
        ends: notice.until.map(timestamp::format),
        by: notice.by.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_record_says_is_read_as_names_and_values() {
        let shown = pairs(
            json!({ "status": 201, "via": "cookie", "reason": null, "fields": { "usernames": ["a"] } }),
        );
        let shown: Vec<_> = shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(shown, [("status", "201"), ("via", "cookie"), ("fields", r#"{"usernames":["a"]}"#)]);
        assert!(pairs(Value::Null).is_empty() && pairs(json!({})).is_empty());
    }

    #[test]
    fn times_of_a_notice_are_minutes_and_hours() {
        let voice = Voice::english();
        let read =
            |body: &str| notice(&voice, &Form::parse("application/x-www-form-urlencoded", body.as_bytes()));
        assert_eq!(
            read("message=+soon+&in_minutes=5&for_hours=1.5").unwrap(),
            json!({"message": "soon", "in": 300, "for": 5400})
        );
        assert_eq!(read("message=&in_minutes=&for_hours=").unwrap(), json!({}));
        for wrong in ["in_minutes=soon", "for_hours=-1", "for_hours=1e9", "for_hours=NaN"] {
            assert_eq!(read(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
