//! UI-045: the browsers in which somebody is signed in, and the end of one, some or all of them.

use diesel::prelude::*;

use super::*;
use crate::support::hub::eventually;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
const HOSTILE: &str = "<img src=x onerror=alert(1)> on \"' Mars";

fn signed_in<'h>(hub: &'h Hub, name: &str, user_agent: &'static str) -> Browser<'h> {
    let mut browser = Browser::new(hub);
    browser.user_agent = Some(user_agent);
    assert_eq!(browser.sign_in(name, crate::support::hub::PASSWORD, "").status, 302);
    browser
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    html: String,
    id: String,
}

impl Row {
    fn is_current(&self) -> bool {
        self.html.contains(" data-current")
    }
}

fn rows_of(page: &str, before_id: &str) -> Vec<Row> {
    let rows = page.split("<tr class=\"session-row\"").skip(1);
    rows.map(|rest| {
        let html = rest.split("</tr>").next().unwrap().to_owned();
        let id = html.split(before_id).nth(1).unwrap().split('"').next().unwrap().to_owned();
        Row { html, id }
    })
    .collect()
}

fn rows(browser: &mut Browser<'_>) -> Vec<Row> {
    let page = browser.get("/hub/account");
    assert_eq!(page.status, 200, "{}", page.body);
    rows_of(&page.body, "name=\"session\" value=\"")
}

fn current(browser: &mut Browser<'_>) -> String {
    let mut all = rows(browser);
    all.retain(Row::is_current);
    let [row] = all.as_slice() else { panic!("{all:?}") };
    row.id.clone()
}

fn end(browser: &mut Browser<'_>, id: &str) -> Reply {
    let xsrf = browser.xsrf();
    browser.post("/hub/account/sessions/end", &[("_xsrf", &xsrf), ("session", id)])
}

fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/hub/home").status == 200
}

#[test]
fn ui_045_browsers_are_listed_and_one_is_ended_from_another() {
    let hub = Hub::start();
    let mut here = signed_in(&hub, "ada", FIREFOX);
    let mut there = signed_in(&hub, "ada", CHROME);
    signed_in(&hub, "grace", CHROME);
    let listed = rows(&mut here);
    let [first, second] = listed.as_slice() else { panic!("{listed:?}") };
    let (mine, other) = if first.is_current() { (first, second) } else { (second, first) };
    assert!(mine.html.contains("Firefox on Linux") && mine.html.contains(">127.0.0.1<"), "{mine:?}");
    assert!(other.html.contains("Chrome on Windows") && !other.is_current(), "{other:?}");
    assert_eq!(current(&mut there), other.id);

    let ended = end(&mut here, &other.id);
    assert_eq!((ended.status, ended.location()), (303, "/hub/account?ended=one"));
    assert!(here.get("/hub/account?ended=one").body.contains("The session is ended."));
    let login = there.get("/hub/account");
    assert_eq!((login.status, login.location()), (302, "/hub/login?next=%2Fhub%2Faccount"));
    assert_eq!(there.api("GET", "/user").status, 403);
    assert!(there.cookie("jupyterhub-hub-login").is_none(), "it is taken away");
    assert!(is_signed_in(&mut here));
    assert_eq!(rows(&mut here).len(), 1);
    assert_eq!(end(&mut here, &other.id).status, 404, "it is over already");

    assert_eq!(there.sign_in("ada", crate::support::hub::PASSWORD, "").status, 302, "and comes back");
    assert_ne!(current(&mut there), other.id);
    let journal = crate::support::hub::eventually("the journal", || {
        let found = hub.admin("GET", "/journal?action=session.end", None).json();
        Some(found["items"].clone()).filter(|items| items[0].is_object())
    });
    assert_eq!(journal[0]["actor"], "user:ada");
}

#[test]
fn ui_045_a_copy_of_the_cookie_ends_with_the_session() {
    let hub = Hub::start();
    let (mut here, mut there) = (signed_in(&hub, "ada", FIREFOX), signed_in(&hub, "ada", CHROME));
    let mut copy = Browser::new(&hub);
    copy.cookies.clone_from(&there.cookies);
    assert!(is_signed_in(&mut copy));
    let id = current(&mut there);
    assert_eq!(end(&mut here, &id).status, 303);
    assert!(!is_signed_in(&mut copy));
    // what was seen shortly before the end does not bring it back
    assert!(rows(&mut here).iter().all(|row| row.id != id));
}

#[test]
fn ui_045_ending_the_session_of_this_browser_signs_out() {
    let hub = Hub::start();
    let (mut here, mut there) = (signed_in(&hub, "ada", FIREFOX), signed_in(&hub, "ada", CHROME));
    let before = here.cookies.clone();
    let id = current(&mut here);
    let ended = end(&mut here, &id);
    assert_eq!((ended.status, ended.location()), (303, "/hub/login"));
    let cleared = set_cookie(&ended, "jupyterhub-hub-login").unwrap();
    assert!(cleared.starts_with("jupyterhub-hub-login=;"), "{cleared}");
    assert!(!is_signed_in(&mut here) && is_signed_in(&mut there));
    here.cookies = before;
    assert!(!is_signed_in(&mut here), "a copy of the cookies");
    assert_eq!(rows(&mut there).len(), 1);
}

#[test]
fn ui_045_all_others_are_ended_and_this_one_goes_on_no_longer_than_before() {
    let hub = Hub::start();
    let mut here = signed_in(&hub, "ada", FIREFOX);
    let mut others = [signed_in(&hub, "ada", CHROME), signed_in(&hub, "ada", FIREFOX)];
    let mut grace = signed_in(&hub, "grace", CHROME);
    let signed_at = |browser: &Browser<'_>| {
        let value = browser.cookie("jupyterhub-hub-login").unwrap().value.clone();
        value.split('|').nth(2).unwrap().to_owned()
    };
    let (before, copy) = (signed_at(&here), here.cookies.clone());
    let xsrf = here.xsrf();
    let done = here.post("/hub/account/sessions/end-others", &[("_xsrf", &xsrf)]);
    assert_eq!((done.status, done.location()), (303, "/hub/account?ended=others"));
    for other in &mut others {
        assert!(!is_signed_in(other));
    }
    assert!(here.get("/hub/account?ended=others").body.contains("All other browsers are signed out."));
    assert_eq!(signed_at(&here), before, "it is the same sign-in");
    assert_eq!(rows(&mut here).len(), 1);
    assert!(is_signed_in(&mut grace));
    let mut stolen = Browser::new(&hub);
    stolen.cookies = copy;
    assert!(!is_signed_in(&mut stolen), "a copy of this browser's old cookie");
    // forms go on working with the page that came
    let id = current(&mut here);
    assert_eq!(end(&mut here, &id).status, 303);
}

#[test]
fn ui_045_sessions_of_others_are_nobodys_and_forms_need_a_token() {
    let hub = Hub::start();
    let (mut ada, mut grace) = (signed_in(&hub, "ada", FIREFOX), signed_in(&hub, "grace", CHROME));
    let (mine, hers) = (current(&mut ada), current(&mut grace));
    for id in [hers.as_str(), "", "nobodys", "user-1", "' OR 1=1 --"] {
        assert_eq!(end(&mut ada, id).status, 404, "{id}");
    }
    assert!(is_signed_in(&mut grace));
    for path in ["/hub/account/sessions/end", "/hub/account/sessions/end-others", "/hub/account/sign-out"] {
        assert_eq!(ada.post(path, &[("session", &mine)]).status, 403, "{path}");
        assert_eq!(ada.post(path, &[("session", &mine), ("_xsrf", &grace.xsrf())]).status, 403, "{path}");
        assert_eq!(ada.get(path).status, 405, "{path}");
        let login = Browser::new(&hub).post(path, &[]);
        assert_eq!(login.status, 403, "{path}");
    }
    assert!(is_signed_in(&mut ada));
}

#[test]
fn ui_045_sec_005_what_a_browser_calls_itself_is_not_shown() {
    let hub = Hub::start();
    let mut ada = signed_in(&hub, "ada", HOSTILE);
    let page = ada.get("/hub/account").body;
    assert!(!page.contains("Mars") && !page.contains("<img src=x"), "{page}");
    assert!(page.contains("Unknown browser"), "{page}");
}

/// The database of a hub.
fn execute(hub: &Hub, sql: &str) -> usize {
    let file = hub.path("orrery.sqlite");
    let mut db = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut db).unwrap();
    diesel::sql_query(sql).execute(&mut db).unwrap()
}

#[test]
fn ui_045_a_login_from_before_the_table_goes_on_and_is_listed_when_it_is_seen() {
    let mut hub = Hub::start();
    let cookies = signed_in(&hub, "ada", FIREFOX).cookies;
    hub.terminate();
    assert_eq!(execute(&hub, "DELETE FROM logins"), 1);
    hub.start_again();
    let mut before = Browser::new(&hub);
    before.cookies = cookies;
    before.user_agent = Some(FIREFOX);
    assert!(is_signed_in(&mut before));
    let mut here = signed_in(&hub, "ada", CHROME);
    let found = eventually("the old browser", || {
        rows(&mut here).into_iter().find(|row| row.html.contains("Firefox on Linux"))
    });
    assert_eq!(end(&mut here, &found.id).status, 303);
    assert!(!is_signed_in(&mut before));
}

#[test]
fn ui_045_the_administration_lists_and_ends_sessions_of_a_user() {
    let hub = Hub::with("auth.admin_users = [\"root\", \"toor\"]");
    let mut root = signed_in(&hub, "root", FIREFOX);
    let mut ada = signed_in(&hub, "ada", CHROME);
    let page = root.get("/hub/admin/users/ada").body;
    let found = rows_of(&page, "name=\"do\" value=\"");
    let [row] = found.as_slice() else { panic!("{page}") };
    assert!(row.html.contains("Chrome on Windows") && row.html.contains(">127.0.0.1<"), "{row:?}");
    let deed = row.id.replace("&amp;", "&");
    let xsrf = root.xsrf();
    assert_eq!(ada.post("/hub/admin/users/ada", &[("_xsrf", &ada.xsrf()), ("do", &deed)]).status, 403);
    assert_eq!(root.post("/hub/admin/users/ada", &[("do", &deed)]).status, 403);
    assert!(is_signed_in(&mut ada));
    let elsewhere = deed.replace("ada", "root");
    assert_eq!(root.post("/hub/admin/users/root", &[("_xsrf", &xsrf), ("do", &elsewhere)]).status, 404);
    let done = root.post("/hub/admin/users/ada", &[("_xsrf", &xsrf), ("do", &deed)]);
    assert!(done.status == 200 && done.body.contains("The session is ended."), "{}", done.body);
    assert!(!is_signed_in(&mut ada));
    assert!(done.body.contains("not signed in in any browser"), "{}", done.body);
    assert_eq!(root.post("/hub/admin/users/ada", &[("_xsrf", &xsrf), ("do", &deed)]).status, 404);
}

#[test]
fn ui_045_who_may_not_modify_admins_does_not_see_their_sessions() {
    let hub = Hub::with(
        "auth.admin_users = [\"root\"]\nroles.helpers.scopes = [\"admin-ui\", \"list:users\", \"admin:users\"]\nroles.helpers.users = [\"ada\"]",
    );
    let mut root = signed_in(&hub, "root", FIREFOX);
    let mut ada = signed_in(&hub, "ada", CHROME);
    assert!(!ada.get("/hub/admin/users/root").body.contains("session-row"));
    let id = current(&mut root);
    let deed = format!("op=end-session&user=root&session={id}");
    let xsrf = ada.xsrf();
    assert_eq!(ada.post("/hub/admin/users/root", &[("_xsrf", &xsrf), ("do", &deed)]).status, 403);
    assert!(is_signed_in(&mut root));
}
