//! The administration pages, whole without scripts.

use serde_json::{Value, json};

use super::super::pages::admin::{
    AddUsersView, BulkItem, BulkView, Capacity, Column, ConfirmView, Frame, Framed, GroupPageView, GroupRow,
    GroupsView, HubView, JournalLine, Membership, NameResult, Outcome, Pager, Property, RoleRow, RolesView,
    ServerPageView, ServerRow, ServiceRow, ServicesView, ShownFilter, StandingNotice, Tab, UserPageView,
    UserRow, UsersView, View,
};
use super::*;

fn framed<V: View>(text: &str, view: V) -> Framed<V> {
    let outcome = Outcome {
        told: Some(text.to_owned()),
        problem: Some(text.to_owned()),
        at: Some(format!("{text}/{text}")).filter(|_| text.len() > 10),
    };
    let frame = Frame {
        tabs: vec![Tab { title: "Users".to_owned(), url: "/jh/hub/admin".to_owned(), here: true }],
        here: "/jh/hub/admin".to_owned(),
        outcome,
        version: "49d51fc89641023d".to_owned(),
        server_version: "1.2.3",
    };
    Framed { frame, view }
}

fn server(text: &str) -> ServerRow {
    let some = || Some(text.to_owned());
    ServerRow {
        key: format!("{text}/{text}"),
        name: text.to_owned(),
        spoken: text.to_owned(),
        state: ServerState::Failed,
        model: json!({
            "display_name": format!("{text}!"), "last_activity": text, "started": text, "url": text,
            "state": { "uid": text }, "queue": { "position": 1 }, "user_options": {},
        }),
        failure: some(),
        used: some(),
        url: text.to_owned(),
        open_url: some(),
        spawn_url: some(),
        start: some(),
        stop: some(),
        remove: some(),
    }
}

fn user(text: &str) -> UserRow {
    UserRow {
        name: text.to_owned(),
        model: json!({
            "admin": true, "groups": [text, "b", "c", "d", "e"], "roles": [text], "created": text, "last_activity": text,
        }),
        url: text.to_owned(),
        servers: vec![server(text)],
    }
}

fn results(text: &str) -> Vec<NameResult> {
    vec![NameResult { name: text.to_owned(), fine: false, what: text.to_owned() }]
}

fn membership(text: &str) -> Membership {
    Membership { name: text.to_owned(), url: Some(text.to_owned()), leave: Some(text.to_owned()) }
}

fn users(text: &str) -> UsersView {
    UsersView {
        filter: ShownFilter {
            name_filter: text.to_owned(),
            group: text.to_owned(),
            sort: text.to_owned(),
            ..ShownFilter::default()
        },
        most: 200,
        rows: vec![user(text)],
        columns: vec![
            Column { title: "User".to_owned(), url: text.to_owned(), order: "ascending" },
            Column { title: "Last activity".to_owned(), url: text.to_owned(), order: "none" },
        ],
        pager: Pager { previous: Some(text.to_owned()), next: Some(text.to_owned()), ..Pager::default() },
        matching: text.to_owned(),
        bulk_url: "/jh/hub/admin/bulk".to_owned(),
        narrowed: true,
        add_url: Some("/jh/hub/admin/add-users".to_owned()),
        may: vec!["start", "stop", "delete", "group"],
        missing: None,
    }
}

fn hub(text: &str) -> HubView {
    let notice = || {
        Some(StandingNotice {
            message: text.to_owned(),
            begins: Some(text.to_owned()),
            ends: Some(text.to_owned()),
            by: text.to_owned(),
        })
    };
    HubView {
        status: json!({
            "version": text, "pid": 1, "started": text, "public_url": text, "authenticator": text, "spawner": text,
            "servers": { "failed": 0 }, "pending": [{ "server": text, "pending": "spawn", "state": text, "progress": text }],
            "database": { "kind": text, "reachable": true, "milliseconds": 1.0 },
            "proxy": { "kind": text, "reachable": false, "routes": null },
            "actors": [{ "actor": text, "answers": false }],
            "process": { "memory_bytes": 1_000_000, "open_files": 3, "open_files_limit": 9 },
        }),
        capacity: vec![Capacity { title: "Servers that start".to_owned(), now: 1, limit: 3 }],
        queued: 1,
        journal: Some(vec![JournalLine {
            at: text.to_owned(),
            actor: text.to_owned(),
            action: text.to_owned(),
            target: text.to_owned(),
            detail: vec![(text.to_owned(), text.to_owned())],
        }]),
        older: Some(text.to_owned()),
        announced: notice(),
        closed: notice(),
        may_run: true,
        report: Some(json!({
            "applied": [{ "key": text, "before": text, "after": text }], "needs_restart": [],
            "warnings": [text], "files": [text],
        })),
        ending: true,
        typed: text.to_owned(),
        started: text.to_owned(),
        ..HubView::default()
    }
}

fn group(text: &str) -> GroupPageView {
    GroupPageView {
        name: text.to_owned(),
        model: json!({ "roles": [text] }),
        members: Some(vec![membership(text)]),
        member_count: 30,
        member: text.to_owned(),
        properties: Some(vec![Property { key: text.to_owned(), value: text.to_owned() }]),
        may_change: true,
        remove: Some(text.to_owned()),
        results: results(text),
        typed: text.to_owned(),
        users_url: Some(text.to_owned()),
    }
}

/// Every one of them, with `text` wherever a stranger could have chosen the words.
pub(super) fn every(visitor: &PageContext, text: &str) -> Vec<(&'static str, String)> {
    let text_of = || text.to_owned();
    let add = AddUsersView { names: text_of(), results: results(text), may_make_admins: true, admin: true };
    let one = UserPageView {
        row: user(text),
        may_edit: true,
        may_make_admins: true,
        remove: Some(text_of()),
        no_removal: Some("no".to_owned()),
        groups: vec![membership(text)],
        may_join: true,
        sessions: Some(
            sessions(text).into_iter().map(|row| SessionRow { deed: Some(text_of()), ..row }).collect(),
        ),
        typed: Some(text_of()),
        waiting: Some(vec![message(text)]),
        unsent: text_of(),
        longest: 2000,
    };
    let details = ServerPageView {
        row: server(text),
        owner: text_of(),
        owner_url: text_of(),
        facts: json!({
            "last_failure": { "message": text, "at": text, "log": [text] }, "progress": [{ "message": text }],
            "route": true, "pid": 7, "cull_at": text, "keep_until": text, "used": text, "outcome": text,
            "no_starts": text, "history": [{ "at": text, "action": text, "reason": text, "by": text }],
        }),
        options: vec![(text_of(), text_of())],
        raw: text_of(),
    };
    let groups = GroupsView {
        name_filter: text_of(),
        rows: vec![GroupRow { name: text_of(), url: text_of(), members: Some(1) }],
        pager: Pager::default(),
        may_add: true,
        typed: text_of(),
    };
    let service = ServiceRow {
        model: json!({ "name": text, "admin": true, "roles": [text], "url": text, "pid": 3, "command": [text] }),
        phase: text_of(),
        badge: "running",
        starts: Some(1),
        trouble: text_of(),
        open_url: Some(text_of()),
    };
    let role = RoleRow {
        name: text_of(),
        description: text_of(),
        scopes: vec![(text_of(), text_of())],
        managed: true,
        users: Some(1),
        some_users: vec![text_of()],
        groups: Some(vec![text_of()]),
        services: Some(vec![text_of()]),
    };
    let confirm = ConfirmView {
        title: text_of(),
        text: text_of(),
        button: "Delete".to_owned(),
        deed: text_of(),
        back: text_of(),
    };
    let item = BulkItem {
        key: text_of(),
        what: text_of(),
        deed: text_of(),
        method: "POST",
        url: text_of(),
        body: json!({ "users": [text] }),
        result: results(text).pop(),
    };
    let bulk = BulkView {
        title: text_of(),
        notes: vec![text_of()],
        button: text_of(),
        danger: true,
        items: vec![item],
        text: Some(text_of()),
        longest: 2000,
        done: false,
        op: text_of(),
        matching: text_of(),
        back: text_of(),
    };
    vec![
        ("admin", show(visitor, &framed(text, users(text)))),
        ("admin add", show(visitor, &framed(text, add))),
        ("admin user", show(visitor, &framed(text, one))),
        ("admin server", show(visitor, &framed(text, details))),
        ("admin groups", show(visitor, &framed(text, groups))),
        ("admin group", show(visitor, &framed(text, group(text)))),
        ("admin services", show(visitor, &framed(text, ServicesView { rows: vec![service] }))),
        ("admin roles", show(visitor, &framed(text, RolesView { roles: vec![role] }))),
        ("admin hub", show(visitor, &framed(text, hub(text)))),
        ("admin confirm", show(visitor, &framed(text, confirm))),
        ("admin bulk", show(visitor, &framed(text, bulk))),
    ]
}

/// UI-123, 133, 136: what went wrong stands in its row, and what may not be done is not offered.
#[test]
fn a_row_shows_its_failure_and_only_what_may_be_done() {
    let mut view = users("ada");
    let mut page = framed("ada", view.clone());
    page.frame.outcome =
        Outcome { told: None, problem: Some("It is busy.".to_owned()), at: Some("ada/ada".to_owned()) };
    let html = show(&visitor("boss"), &page);
    has(&html, &["class=\"version_footer", "Orrery 1.2.3", "aria-current=\"page\">Users"]);
    has(&html, &["row-error\" role=\"alert\">It is busy.", "ada!", "(admin)", "<li>b</li>", "and 1 more"]);
    let row = &mut view.rows[0].servers[0];
    (row.start, row.stop, row.remove) = (None, None, None);
    view.may = Vec::new();
    let html = show(&visitor("boss"), &framed("", view));
    lacks(&html, &["name=\"do\"", "id=\"bulk\"", "type=\"checkbox\" name=\"user\""]);
}

/// UI-127: a user of whom nothing is to be seen keeps a row.
#[test]
fn lists_say_why_they_are_empty() {
    let empty = |narrowed| UsersView { rows: Vec::new(), narrowed, ..users("") };
    has(&show(&visitor("boss"), &framed("", empty(true))), &["No user matches."]);
    has(&show(&visitor("boss"), &framed("", empty(false))), &["There are no users yet."]);
    let missing = UsersView { missing: Some("no right".to_owned()), ..empty(false) };
    has(&show(&visitor("boss"), &framed("", missing)), &["is not shown: no right"]);
    let nothing = HubView { status: Value::Null, ..HubView::default() };
    lacks(&show(&visitor("boss"), &framed("", nothing)), &["Shut down", "Who did what", "Spawner"]);
}
