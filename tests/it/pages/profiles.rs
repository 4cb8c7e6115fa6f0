//! Profiles: what may be started is data, and one set of rules judges the form, links and REST bodies.

use serde_json::{Value, json};

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, Reply, eventually};

const PROFILES: &str = r#"
groups.physics.users = ["grace"]
[spawner.profiles.small]
display_name = "Small & quick"
description = "For <b>looking</b> around"
default = true
set = { environment = { SIZE = "small" } }
[spawner.profiles.lab]
display_name = "Lab"
order = 1
set = { environment = { SIZE = "{memory}G", BRANCH = "{branch}", USER_NAME = "{username}" }, mem_limit = "{memory}G" }
options.memory = { type = "integer", label = "Memory", min = 1, max = 16, default = 2, unit = "GiB" }
options.branch = { type = "text", label = "Branch", pattern = "[a-z{}]*", help = "Lower-case letters." }
options.image = { type = "choice", label = "Image", choices = [
  { value = "py", label = "Python", set = { environment = { IMAGE = "python" } } },
  { value = "r", label = "R", set = { environment = { IMAGE = "r" } } } ] }
options.broken = { type = "boolean", label = "Fails", set = { environment = { FAKE_FAIL = "1" } } }
[spawner.profiles.secret]
display_name = "For physicists"
order = 2
groups = ["physics"]
"#;

fn submit(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Reply {
    let token = browser.xsrf();
    let mut all = vec![("_xsrf", token.as_str())];
    all.extend_from_slice(fields);
    browser.post(path, &all)
}

fn ready(hub: &Hub, user: &str) -> Value {
    eventually("the server", || Some(hub.server(user, "")).filter(|server| server["ready"] == true))
}

#[test]
fn the_form_offers_profiles_and_starts_with_the_chosen_one() {
    let hub = Hub::with(PROFILES);
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get("/hub/spawn?next=%2Fhub%2Fhome");
    assert_eq!(page.status, 200);
    for part in [
        "Small &amp; quick",
        "For &lt;b&gt;looking&lt;/b&gt; around",
        "name=\"profile\" value=\"small\" checked",
        "name=\"lab.memory\" value=\"2\"",
        "From 1 to 16.",
        "<option value=\"r\">R</option>",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("For physicists"), "of a group that ada is not in");
    let fields = [("profile", "lab"), ("lab.memory", "3"), ("lab.branch", "x{}"), ("lab.image", "r")];
    let started = submit(&mut browser, "/hub/spawn?next=%2Fhub%2Fhome", &fields);
    assert_eq!(started.location(), "/hub/spawn-pending/ada?next=%2Fhub%2Fhome", "{}", started.body);
    let server = ready(&hub, "ada");
    assert_eq!(
        server["user_options"],
        json!({"profile": "lab", "memory": 3, "branch": "x{}", "image": "r", "broken": false})
    );
    let env = browser.get("/user/ada/env").json();
    let told = ["SIZE", "BRANCH", "IMAGE", "USER_NAME", "MEM_LIMIT"].map(|name| env[name].clone());
    assert_eq!(told, ["3G", "x{}", "r", "ada", "3221225472"].map(Value::from));
    let home = browser.get("/hub/home").body;
    for part in ["Profile: Lab", "Memory: 3 GiB", "Image: R"] {
        assert!(home.contains(part), "UI-039: {part}: {home}");
    }
}

#[test]
fn ui_051_what_is_wrong_is_told_at_its_field_and_nothing_that_was_entered_is_lost() {
    let hub = Hub::with(PROFILES);
    let mut browser = Browser::signed_in(&hub, "ada");
    let fields = [
        ("profile", "lab"),
        ("lab.memory", "999"),
        ("lab.branch", "A<b>"),
        ("lab.image", "r"),
        ("lab.broken", "true"),
    ];
    let wrong = submit(&mut browser, "/hub/spawn", &fields);
    assert_eq!(wrong.status, 400);
    for part in [
        "id=\"spawn-error\"",
        "<a href=\"#option-lab-memory\">Memory</a>: Enter a whole number from 1 to 16 GiB.",
        "id=\"option-lab-memory-error\" class=\"field-error\">Enter a whole number",
        "aria-describedby=\"option-lab-memory-error\" aria-invalid=\"true\"",
        "name=\"lab.memory\" value=\"999\"",
        "name=\"lab.branch\" value=\"A&lt;b&gt;\"",
        "value=\"lab\" checked",
        "<option value=\"r\" selected>",
        "name=\"lab.broken\" value=\"true\" checked",
        "expected. Lower-case letters.",
    ] {
        assert!(wrong.body.contains(part), "{part}: {}", wrong.body);
    }
    assert!(hub.server("ada", "").is_null(), "nothing was started");
    for (name, value) in [("profile", "secret"), ("profile", "gone")] {
        let refused = submit(&mut browser, "/hub/spawn", &[(name, value)]);
        assert!(refused.status == 400 && refused.body.contains("for you: small, lab."), "{}", refused.body);
    }
    let mut grace = Browser::signed_in(&hub, "grace");
    assert!(grace.get("/hub/spawn").body.contains("For physicists"));
}

#[test]
fn rest_bodies_and_links_obey_the_same_rules() {
    let hub = Hub::with(PROFILES);
    hub.create_user("ada");
    let start = |body: Value| hub.admin("POST", "/users/ada/server", Some(body));
    for (body, told) in [
        (
            json!({"profile": "lab", "options": {"memory": 17}}),
            "Memory: Enter a whole number from 1 to 16 GiB.",
        ),
        (
            json!({"profile": "lab", "memroy": 1}),
            "The profile lab has no option 'memroy'; there are branch, broken, image, memory.",
        ),
        (
            json!({"user_options": {"profile": "secret"}}),
            "Choose one of the profiles that there are for you: small, lab.",
        ),
        (json!({"profile": "lab", "options": []}), "'options' must be an object"),
        (json!({"profile": "lab", "image": "perl"}), "Image: Choose one of py, r."),
    ] {
        let refused = start(body.clone());
        assert_eq!(refused.status, 400, "{body}: {}", refused.body);
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(told), "{body}: {message}");
    }
    assert!(start(json!({"profile": "lab", "options": {"memory": 4, "image": "r"}})).status < 300);
    let kept = json!({"profile": "lab", "branch": "", "broken": false, "image": "r", "memory": 4});
    assert_eq!(ready(&hub, "ada")["user_options"], kept);

    let mut grace = Browser::signed_in(&hub, "grace");
    let wrong = grace.get("/hub/spawn?opt-profile=lab&opt-memory=0");
    assert!(
        wrong.status == 400 && wrong.body.contains("name=\"lab.memory\" value=\"0\""),
        "UI-055: {}",
        wrong.body
    );
    let started = grace.get("/hub/spawn?opt-profile=lab&opt-memory=5");
    assert!(started.location().starts_with("/hub/spawn-pending/grace"), "{}", started.body);
    assert_eq!(ready(&hub, "grace")["user_options"]["memory"], 5);
}

#[test]
fn a_start_without_a_choice_is_one_of_the_preset_profile_and_is_kept() {
    let hub = Hub::with(PROFILES);
    hub.create_user("ada");
    assert!(hub.admin("POST", "/users/ada/server", None).status < 300);
    assert_eq!(ready(&hub, "ada")["user_options"], json!({"profile": "small"}));
}

#[test]
fn ui_040_ui_170_a_stopped_server_starts_as_the_last_time_or_with_other_options() {
    let hub = Hub::with(PROFILES);
    let mut browser = Browser::signed_in(&hub, "ada");
    assert!(
        browser.get("/hub/home").body.contains("href=\"/hub/spawn/ada\">Start My Server"),
        "nothing was chosen yet"
    );
    submit(&mut browser, "/hub/spawn", &[("profile", "lab"), ("lab.memory", "7"), ("lab.image", "r")]);
    ready(&hub, "ada");
    submit(&mut browser, "/hub/stop/ada", &[]);
    let home = eventually("the stop", || {
        let home = browser.get("/hub/home").body;
        home.contains("action=\"/hub/start/ada\"").then_some(home)
    });
    assert!(home.contains("href=\"/hub/spawn/ada\">Start with other options"), "{home}");
    let form = browser.get("/hub/spawn/ada").body;
    for part in ["name=\"lab.memory\" value=\"7\"", "value=\"lab\" checked", "<option value=\"r\" selected>"]
    {
        assert!(form.contains(part), "{part}: {form}");
    }
    let started = submit(&mut browser, "/hub/start/ada?next=%2Fhub%2Fhome", &[]);
    assert_eq!((started.status, started.location()), (303, "/hub/spawn-pending/ada?next=%2Fhub%2Fhome"));
    assert_eq!(ready(&hub, "ada")["user_options"]["memory"], 7);
    assert_eq!(submit(&mut browser, "/hub/start/ada", &[]).location(), "/user/ada/", "it runs");
}

#[test]
fn a_choice_that_fits_no_longer_leads_to_the_form() {
    let hub = Hub::with(PROFILES);
    let mut browser = Browser::signed_in(&hub, "grace");
    submit(&mut browser, "/hub/spawn", &[("profile", "secret")]);
    ready(&hub, "grace");
    submit(&mut browser, "/hub/stop/grace", &[]);
    eventually("the stop", || (hub.server("grace", "")["ready"] != true).then_some(()));
    assert!(hub.admin("DELETE", "/groups/physics/users", Some(json!({"users": ["grace"]}))).status < 300);
    let again = submit(&mut browser, "/hub/start/grace", &[]);
    assert_eq!((again.status, again.location()), (303, "/hub/spawn/grace"), "{}", again.body);
    let refused = hub.admin("POST", "/users/grace/server", None);
    assert!(refused.status == 400 && refused.body.contains("for you: small, lab."), "{}", refused.body);
}

/// A server that ends at once, without the time that an interpreter takes.
const FAILS_QUICKLY: &str =
    "spawner.cmd = [\"/bin/sh\", \"-c\", \"echo the disk quota of this user is exceeded >&2; exit 7\"]\n";

/// Asks for a start that fails within the second for which a page waits. On a machine that is too busy for that, the start
/// is waited for and asked for again.
fn fails_at_once(hub: &Hub, mut ask: impl FnMut() -> Reply) -> Reply {
    eventually("a start that fails within a second", || {
        let reply = ask();
        if reply.status != 302 {
            return Some(reply);
        }
        eventually("the end of the start", || hub.server("ada", "")["pending"].is_null().then_some(()));
        None
    })
}

#[test]
fn ui_051_ui_065_a_form_whose_start_fails_at_once_keeps_everything_and_says_why() {
    let hub = Hub::with(&format!("{FAILS_QUICKLY}{PROFILES}"));
    let mut browser = Browser::signed_in(&hub, "ada");
    let fields = [("profile", "lab"), ("lab.memory", "6"), ("lab.broken", "true")];
    let failed = fails_at_once(&hub, || submit(&mut browser, "/hub/spawn", &fields));
    assert_eq!(failed.status, 500);
    for part in
        ["could not be started", "the disk quota of this user is exceeded", "name=\"lab.memory\" value=\"6\""]
    {
        assert!(failed.body.contains(part), "{part}: {}", failed.body);
    }
}

#[test]
fn ui_065_a_start_that_fails_at_once_has_a_page_with_reason_log_and_retry() {
    let hub = Hub::with(&format!("{FAILS_QUICKLY}spawner.environment = {{ FAKE_FAIL = \"1\" }}"));
    let mut browser = Browser::signed_in(&hub, "ada");
    let failed = fails_at_once(&hub, || browser.get("/hub/spawn?next=%2Fhub%2Fhome"));
    assert_eq!(failed.status, 500);
    for part in
        ["Spawn failed", "disk quota of this user", "href=\"/hub/spawn/ada?next=%2Fhub%2Fhome\">Relaunch"]
    {
        assert!(failed.body.contains(part), "{part}: {}", failed.body);
    }
}

#[test]
fn ui_200_who_is_signed_out_meanwhile_signs_in_and_finds_the_form_as_it_was() {
    let hub = Hub::with(PROFILES);
    let fields = [("profile", "lab"), ("lab.memory", "9"), ("lab.branch", "a b")];
    let mut stranger = Browser::new(&hub);
    let reply = stranger.post("/hub/spawn/ada?next=%2Fhub%2Fhome", &fields);
    assert_eq!(reply.status, 403);
    assert!(
        reply.body.contains("Your session has ended") && !reply.body.contains("_xsrf'"),
        "{}",
        reply.body
    );
    let (_, link) = reply.body.split_once("id=\"sign-in\"").expect("a link to sign in");
    let link = link.split('"').nth(3).unwrap().replace("&amp;", "&");
    let back = link.strip_prefix("/hub/login?next=").expect("the login page");
    let back = percent_encoding::percent_decode_str(back).decode_utf8().unwrap().into_owned();
    let mut browser = Browser::signed_in(&hub, "ada");
    let form = browser.get(&back);
    assert_eq!(form.status, 200, "{back}");
    for part in
        ["name=\"lab.memory\" value=\"9\"", "name=\"lab.branch\" value=\"a b\"", "value=\"lab\" checked"]
    {
        assert!(form.body.contains(part), "{part}: {}", form.body);
    }
    assert!(hub.server("ada", "").is_null(), "looking starts nothing");
    // signed in again in another tab: the token is of another session
    let stale = browser.post("/hub/spawn", &[("_xsrf", "stale"), ("profile", "lab"), ("lab.memory", "9")]);
    assert!(stale.status == 403 && stale.body.contains("name=\"lab.memory\" value=\"9\""), "{}", stale.body);
    assert!(stale.body.contains("press Start once more"), "{}", stale.body);
}

#[test]
fn ui_051_a_form_of_the_operators_own_gets_back_what_was_entered() {
    let hub = Hub::with(
        "spawner.options_form = \"<input name='energy'>\"\nspawner.hooks.options_from_form = { command = [\"false\"] }",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    let failed = submit(&mut browser, "/hub/spawn", &[("energy", "5'11\"<i>")]);
    assert!(failed.status >= 400, "{}", failed.location());
    let kept = r#"data-entered='{"energy": ["5\u002711\"\u003ci\u003e"]}'"#;
    assert!(failed.body.contains(kept), "{}", failed.body);
}

#[test]
fn ui_029_ui_089_a_server_is_restarted_after_a_question_and_queued_while_it_stops() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    let page = browser.get("/hub/error/503?url=%2Fuser%2Fada%2Flab%3Fa%3D1");
    let link = "href=\"/hub/restart/ada?next=%2Fuser%2Fada%2Flab%3Fa%3D1\"";
    assert!(page.body.contains(link), "{}", page.body);
    let before = browser.get("/user/ada/whoami").json()["pid"].clone();
    let ask = browser.get("/hub/restart/ada?next=%2Fuser%2Fada%2Flab%3Fa%3D1");
    assert!(ask.status == 200 && ask.body.contains("what is not saved is lost"), "{}", ask.body);
    assert_eq!(browser.get("/user/ada/whoami").json()["pid"], before, "a link ends nothing");
    let reply = submit(&mut browser, "/hub/restart/ada?next=%2Fuser%2Fada%2Flab%3Fa%3D1", &[]);
    assert_eq!(
        (reply.status, reply.location()),
        (303, "/hub/spawn-pending/ada?next=%2Fuser%2Fada%2Flab%3Fa%3D1")
    );
    eventually("another process", || {
        let reply = browser.get("/user/ada/whoami");
        (reply.status == 200 && reply.json()["pid"] != before).then_some(())
    });
    assert_eq!(browser.get("/hub/restart/grace").status, 404);
    for url in ["%2Fservices%2Fx", "https%3A%2F%2Fevil.example%2Fuser%2Fada", "%2Fuser%2F"] {
        assert!(!browser.get(&format!("/hub/error/503?url={url}")).body.contains("/hub/restart/"), "{url}");
    }
}

#[test]
fn ui_044_what_i_share_is_listed_and_taken_back() {
    let hub = Hub::with(
        "roles.user.scopes = [\"self\", \"shares!user\", \"read:users:name\", \"read:groups:name\"]",
    );
    let mut ada = Browser::signed_in(&hub, "ada");
    let mut grace = Browser::signed_in(&hub, "grace");
    assert!(ada.get("/hub/home").body.contains("href=\"/hub/sharing\""));
    assert!(ada.get("/hub/sharing").body.contains("None of your servers is open"));
    let shared = submit(&mut ada, "/hub/sharing", &[("server", ""), ("kind", "user"), ("name", " grace ")]);
    assert!(shared.status == 200 && shared.body.contains("grace may use it now."), "{}", shared.body);
    for wrong in ["", "nobody", "ada"] {
        let refused = submit(&mut ada, "/hub/sharing", &[("server", ""), ("kind", "user"), ("name", wrong)]);
        assert!(
            refused.status == 400 && refused.body.contains("id=\"person-error\""),
            "{wrong}: {}",
            refused.body
        );
    }
    let made = submit(&mut ada, "/hub/sharing", &[("server", ""), ("kind", "link"), ("expires_in", "3600")]);
    let (_, link) = made.body.split_once("<code id=\"new-link\">").expect("a link");
    let link = link.split('<').next().unwrap().replace("&#x2f;", "/");
    let (_, path) = link.split_once("/hub/").expect("an address of the hub");
    assert!(grace.get(&format!("/hub/{path}")).body.contains("ada shares a server with you"), "{link}");
    let listed = ada.get("/hub/sharing").body;
    assert!(!listed.contains("accept-share?code"), "the link is shown once");
    let (_, id) = listed.split_once("Whoever has link ").expect("the link's row");
    let id: String = id.chars().take_while(char::is_ascii_digit).collect();
    for (kind, name) in [("user", "grace"), ("link", id.as_str()), ("link", id.as_str())] {
        let gone = submit(&mut ada, "/hub/sharing/revoke", &[("server", ""), ("kind", kind), ("name", name)]);
        assert_eq!((gone.status, gone.location()), (303, "/hub/sharing"), "{}", gone.body);
    }
    assert!(ada.get("/hub/sharing").body.contains("None of your servers is open"));
    assert_eq!(grace.get(&format!("/hub/{path}")).status, 404);
    let plain = Hub::start();
    let mut other = Browser::signed_in(&plain, "ada");
    assert_eq!(other.get("/hub/sharing").status, 403);
    assert!(!other.get("/hub/home").body.contains("/hub/sharing"));
}

#[test]
fn ui_204_a_busy_hub_says_when_to_try_again_and_offers_it() {
    let hub = Hub::with(
        "hub.limits.concurrent_spawns = 1\nhub.timeouts.slow_spawn = 0\nspawner.environment = { FAKE_DELAY = \"600\" }",
    );
    let mut ada = Browser::signed_in(&hub, "ada");
    assert!(ada.get("/hub/spawn").location().starts_with("/hub/spawn-pending/ada"));
    let mut grace = Browser::signed_in(&hub, "grace");
    let busy = grace.get("/hub/spawn?next=%2Fhub%2Fhome");
    assert_eq!(busy.status, 429, "{}", busy.body);
    let seconds = busy.header("retry-after").expect("a time").to_owned();
    for part in [
        format!("You can try again in {seconds} seconds."),
        "<form method=\"get\" action=\"/hub/spawn\">".to_owned(),
        "name=\"next\" value=\"/hub/home\"".to_owned(),
        format!("data-seconds=\"{seconds}\""),
    ] {
        assert!(busy.body.contains(&part), "{part}: {}", busy.body);
    }
}

#[test]
fn ui_053_a_script_that_sends_the_form_is_told_the_way_on_and_follows_it_itself() {
    let hub = Hub::with(PROFILES);
    let mut browser = Browser::signed_in(&hub, "ada");
    let mut send = |fields: &[(&str, &str)]| {
        let token = browser.xsrf();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("_xsrf", &token).extend_pairs(fields);
        let headers = [
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "same-origin"),
            ("x-requested-with", "fetch"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        browser.send("POST", "/hub/spawn?next=%2Fhub%2Fhome", &headers, body.finish())
    };
    let refused = send(&[("profile", "lab"), ("lab.memory", "99")]);
    assert!(refused.status == 400 && refused.body.contains("id=\"spawn_form\""), "{}", refused.body);
    let begun = send(&[("profile", "small")]);
    assert_eq!((begun.status, begun.location()), (202, "/hub/spawn-pending/ada?next=%2Fhub%2Fhome"));
    assert_eq!(ready(&hub, "ada")["user_options"], json!({"profile": "small"}));
}
