//! Streams that tell open pages of changes: who is told of what, and how many may listen.

use std::io::BufRead;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, agent, eventually};
use super::anonymous;

/// A group's administrator, one who sees the panel only, and one with every right.
const CONFIG: &str = "auth.admin_users = [\"boss\"]
hub.named_servers.enabled = true
groups.physics.users = [\"ada\"]
roles.panel.scopes = [\"admin-ui\", \"list:users!group=physics\", \"read:servers!group=physics\"]
roles.panel.users = [\"grace\"]
roles.look.scopes = [\"admin-ui\", \"read:hub\"]
roles.look.users = [\"eve\"]
";

/// An open stream; its versions come as they are told.
struct Stream(Receiver<String>);

impl Stream {
    fn open(hub: &Hub, browser: &Browser<'_>, path: &str) -> Self {
        let cookies: Vec<String> =
            browser.cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let answer = agent()
            .get(&format!("{}{path}", hub.url))
            .header("cookie", &cookies.join("; "))
            .config()
            .timeout_global(Some(Duration::from_secs(300)))
            .build()
            .call()
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let (told, heard) = channel();
        std::thread::spawn(move || {
            let mut lines = std::io::BufReader::new(answer.into_body().into_reader());
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                let version = line.strip_prefix("data: ").map(|version| version.trim().to_owned());
                if version.is_some_and(|version| told.send(version).is_err()) {
                    return;
                }
                line.clear();
            }
        });
        Self(heard)
    }

    /// The next version; `None` if none comes in this time.
    fn within(&self, seconds: u64) -> Option<String> {
        self.0.recv_timeout(Duration::from_secs(seconds)).ok()
    }

    fn next(&self) -> String {
        self.within(30).unwrap_or_else(|| panic!("no event"))
    }

    /// Whether the hub has ended it.
    fn is_over(&self) -> bool {
        loop {
            match self.0.try_recv() {
                Ok(_) => {}
                Err(over) => return over == std::sync::mpsc::TryRecvError::Disconnected,
            }
        }
    }
}

fn version(html: &str) -> String {
    let (_, rest) = html.split_once("data-version=\"").unwrap_or_else(|| panic!("{html}"));
    rest.split('"').next().unwrap().to_owned()
}

fn users(hub: &Hub) {
    let made = hub.admin("POST", "/users", Some(json!({ "usernames": ["ada", "bob"] })));
    assert!(matches!(made.status, 201 | 409), "{}", made.body);
}

/// UI-134: a server that starts shows in less than two seconds, and the page itself has what the stream tells of.
#[test]
fn ui_134_an_open_list_of_users_is_told_of_a_start_at_once() {
    let hub = Hub::with(CONFIG);
    users(&hub);
    let mut boss = Browser::signed_in(&hub, "boss");
    let first = version(&boss.get("/hub/admin?name_filter=ada").body);
    let stream = Stream::open(&hub, &boss, "/hub/admin/events?name_filter=ada");
    assert_eq!(stream.next(), first, "what the page has already is known by its version");
    let others = ["users/ada", "servers/ada", "hub"]
        .map(|page| (page, Stream::open(&hub, &boss, &format!("/hub/admin/events/{page}"))));
    others.iter().for_each(|(_, stream)| drop(stream.next()));
    let before = Instant::now();
    hub.admin("POST", "/users/ada/server", None);
    let mut told = stream.within(2).unwrap_or_else(|| panic!("nothing after {:?}", before.elapsed()));
    for (page, stream) in &others {
        assert!(stream.within(2).is_some(), "{page}");
    }
    eventually("the running server", || (hub.server("ada", "")["ready"] == true).then_some(()));
    eventually("the news of the running server", || {
        let page = boss.get("/hub/admin?name_filter=ada").body;
        let current = page.contains("state-running") && version(&page) == told;
        if !current && let Some(next) = stream.within(1) {
            told = next;
        }
        current.then_some(())
    });
}

/// A window of the list hears of the servers in it; a narrowed list of those who come into it.
#[test]
fn a_page_of_the_list_is_told_of_whom_it_shows() {
    let hub = Hub::with(CONFIG);
    users(&hub);
    let boss = Browser::signed_in(&hub, "boss");
    let ada = Stream::open(&hub, &boss, "/hub/admin/events?name_filter=ada");
    let failed = Stream::open(&hub, &boss, "/hub/admin/events?state=failed");
    let active = Stream::open(&hub, &boss, "/hub/admin/events?state=active");
    for stream in [&ada, &failed, &active] {
        stream.next();
    }
    hub.admin("POST", "/users/bob/server", None);
    assert!(active.within(3).is_some());
    assert_eq!((ada.within(8), failed.within(1)), (None, None));
}

/// Rights are checked as on the pages, and nothing is told of those who may not be seen.
#[test]
fn ui_133_who_sees_some_users_is_told_of_those_only() {
    let hub = Hub::with(CONFIG);
    users(&hub);
    let grace = Browser::signed_in(&hub, "grace");
    let stream = Stream::open(&hub, &grace, "/hub/admin/events");
    stream.next();
    // a start that nobody may see, written to the database and the journal
    hub.spawn("bob");
    hub.admin("PUT", "/users/bob/servers/lab", None);
    hub.admin("PATCH", "/users/bob", Some(json!({ "admin": true })));
    assert_eq!(stream.within(8), None);
    hub.admin("POST", "/users/ada/server", None);
    assert!(stream.within(2).is_some());
}

#[test]
fn streams_are_refused_as_their_pages_are() {
    let hub = Hub::with(CONFIG);
    users(&hub);
    let pages = ["", "/users/ada", "/servers/ada", "/groups", "/groups/physics", "/services", "/hub"];
    let mut people = ["bob", "eve", "grace"].map(|name| Browser::signed_in(&hub, name));
    for page in pages {
        let path = format!("/hub/admin/events{page}");
        let stranger = anonymous(&hub, "GET", &path, &[]);
        assert!(stranger.location().starts_with("/hub/login"), "{path}");
        for browser in &mut people {
            let status = browser.get(&format!("/hub/admin{page}")).status;
            if status != 200 {
                assert_eq!(browser.get(&path).status, status, "{path}");
            }
        }
        assert_eq!(people[0].get(&path).status, 403, "{path}");
    }
    let eve = |path: &str| Stream::open(&hub, &people[1], path).next();
    eve("/hub/admin/events/hub");
    let mut boss = Browser::signed_in(&hub, "boss");
    for gone in ["users/nobody", "servers/nobody", "servers/ada/nothing", "groups/none"] {
        assert_eq!(boss.get(&format!("/hub/admin/events/{gone}")).status, 404, "{gone}");
    }
    assert_eq!(boss.api("GET", "/users/boss").status, 200);
}

/// Who signs out, or loses the right, is told nothing any more.
#[test]
fn a_stream_ends_with_the_session_and_with_the_right() {
    let hub = Hub::with(CONFIG);
    users(&hub);
    let mut boss = Browser::signed_in(&hub, "boss");
    let second = Browser::signed_in(&hub, "bob");
    assert_eq!(hub.admin("PATCH", "/users/bob", Some(json!({ "admin": true }))).status, 200);
    let signed_out = Stream::open(&hub, &boss, "/hub/admin/events");
    let demoted = Stream::open(&hub, &second, "/hub/admin/events");
    signed_out.next();
    demoted.next();
    let xsrf = boss.xsrf();
    assert!(boss.post("/hub/account/sign-out", &[("_xsrf", &xsrf)]).status < 400);
    assert_eq!(hub.admin("PATCH", "/users/bob", Some(json!({ "admin": false }))).status, 200);
    eventually("the end of both", || (signed_out.is_over() && demoted.is_over()).then_some(()));
}

/// Somebody who asks for ever more streams is refused; others and his other requests are not.
#[test]
fn one_user_has_a_bounded_number_of_streams() {
    let hub = Hub::with(CONFIG);
    users(&hub);
    let mut boss = Browser::signed_in(&hub, "boss");
    let mut open = Vec::new();
    while open.len() < 40 {
        let path = if open.len() % 2 == 0 { "/hub/admin/events" } else { "/hub/home/events" };
        open.push(Stream::open(&hub, &boss, path));
    }
    for path in ["/hub/admin/events", "/hub/home/events"] {
        let refused = boss.get(path);
        assert!(refused.status == 429 && refused.body.contains("too many pages"), "{}", refused.body);
    }
    assert_eq!(boss.get("/hub/admin").status, 200);
    let ada = Browser::signed_in(&hub, "ada");
    Stream::open(&hub, &ada, "/hub/home/events").next();
}

/// Looking at what has changed is nobody's activity: an open page keeps nobody signed in or busy.
#[test]
fn a_page_that_looks_again_is_no_activity() {
    let hub = Hub::with(&format!("{CONFIG}hub.activity.resolution = 0\n"));
    let mut boss = Browser::signed_in(&hub, "boss");
    boss.get("/hub/admin");
    let last = || hub.admin("GET", "/users/boss", None).json()["last_activity"].clone();
    let stored =
        |before: &serde_json::Value| eventually("activity", || Some(last()).filter(|now| now != before));
    let before = last();
    boss.get("/hub/admin");
    let visit = stored(&before);
    Stream::open(&hub, &boss, "/hub/admin/events").next();
    boss.send("GET", "/hub/admin", &[("x-orrery-refresh", "1")], String::new());
    // activity is stored in the order in which it comes: this one would come after
    let ada = Browser::signed_in(&hub, "ada");
    drop(ada);
    assert_eq!(last(), visit);
}

/// A hub that ends does not wait for those who listen.
#[test]
fn open_streams_hold_no_shutdown_up() {
    let mut hub = Hub::with(CONFIG);
    let boss = Browser::signed_in(&hub, "boss");
    let streams = ["/hub/admin/events", "/hub/home/events"].map(|path| Stream::open(&hub, &boss, path));
    streams.iter().for_each(|stream| drop(stream.next()));
    let before = Instant::now();
    assert!(hub.terminate().success());
    assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
    eventually("the end of the streams", || streams.iter().all(Stream::is_over).then_some(()));
}
