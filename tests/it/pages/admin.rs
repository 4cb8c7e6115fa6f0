//! The administration pages by addresses and forms alone: what browsers without scripts do (UI-138), and who may.

use serde_json::json;

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, Reply, eventually};

const CONFIG: &str = "auth.admin_users = [\"boss\"]\nhub.named_servers.enabled = true\n";

/// Sends a form with what a button of it asks for.
fn press(browser: &mut Browser, path: &str, deed: &str, more: &[(&str, &str)]) -> Reply {
    let xsrf = browser.xsrf();
    let mut fields = vec![("_xsrf", xsrf.as_str()), ("do", deed)];
    fields.extend_from_slice(more);
    browser.post(path, &fields)
}

/// The names of the users on a page of the list.
fn listed(page: &str) -> Vec<&str> {
    page.split("data-user=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn ui_138_users_are_searched_filtered_sorted_and_paged_by_addresses() {
    let hub = Hub::with(CONFIG);
    let names: Vec<String> = (0..60).map(|number| format!("u{number:02}")).collect();
    assert_eq!(hub.admin("POST", "/users", Some(json!({ "usernames": names }))).status, 201);
    let mut boss = Browser::signed_in(&hub, "boss");
    let first = boss.get("/hub/admin?name_filter=u&sort=-name&limit=25").body;
    assert!(first.contains("Displaying 1-25 of 60"), "{first}");
    assert_eq!(listed(&first)[..2], ["u59", "u58"]);
    let next =
        first.split("data-testid=\"paginate-next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = boss.get(&next.replace("&amp;", "&")).body;
    assert!(second.contains("Displaying 26-50 of 60"), "{second}");
    assert_eq!((listed(&second)[0], listed(&second).len()), ("u34", 25));
    assert_eq!(listed(&boss.get("/hub/admin?admin=1").body), ["boss"]);
    assert!(boss.get("/hub/admin?state=active").body.contains("No user matches."));
    assert!(
        boss.get("/hub/admin?after=nonsense&limit=x&sort=running").body.contains("Displaying 1-50 of 61")
    );
}

#[test]
fn ui_138_servers_users_and_groups_are_changed_by_forms() {
    let hub = Hub::with(CONFIG);
    let mut boss = Browser::signed_in(&hub, "boss");
    let added = press(&mut boss, "/hub/admin/add-users", "", &[("names", "ada, boss\na/b"), ("admin", "on")]);
    assert!(added.body.contains("1 user added, 1 existed already, 1 could not be added."), "{}", added.body);
    assert_eq!(hub.admin("GET", "/users/ada", None).json()["admin"], true);

    let started = press(&mut boss, "/hub/admin?name_filter=ada", "op=start&user=ada&server=", &[]);
    assert!(started.status == 200 && started.body.contains("Server of ada: start"), "{}", started.body);
    eventually("the server", || {
        hub.admin("GET", "/users/ada", None).json()["server"].is_string().then_some(())
    });
    let again = press(&mut boss, "/hub/admin", "op=start&user=ada&server=", &[]);
    assert_eq!(again.status, 400);
    assert!(again.body.contains("row-error\" role=\"alert\">ada is already running"), "{}", again.body);
    let running = boss.get("/hub/admin?state=active").body;
    assert_eq!(listed(&running), ["ada"]);
    let stopped = press(&mut boss, "/hub/admin", "op=stop&user=ada&server=", &[]);
    assert!(stopped.body.contains("Server of ada: stop"), "{}", stopped.body);
    eventually("the server", || {
        hub.admin("GET", "/users/ada", None).json()["server"].is_null().then_some(())
    });

    let group = press(&mut boss, "/hub/admin/groups", "op=add-group", &[("name", " ")]);
    assert!(group.status == 400 && group.body.contains("Type a name"), "{}", group.body);
    let odd = press(&mut boss, "/hub/admin/groups", "op=add-group", &[("name", "lab/1")]);
    let page = boss.get(odd.location());
    assert!(page.status == 200 && page.body.contains("<h1>Group lab/1</h1>"), "{}", page.body);
    let group = press(&mut boss, "/hub/admin/groups", "op=add-group", &[("name", "the lab")]);
    assert_eq!((group.status, group.location()), (303, "/hub/admin/groups/the%20lab"));
    let path = "/hub/admin/groups/the%20lab";
    let joined = press(&mut boss, path, "op=join", &[("names", "ada, nobody")]);
    assert!(joined.status == 400 && joined.body.contains("there is no such user"), "{}", joined.body);
    let saved = press(&mut boss, path, "op=properties", &[("key", "tier"), ("value", "x")]);
    assert!(saved.body.contains("Properties saved."), "{}", saved.body);
    let model = hub.admin("GET", "/groups/the%20lab", None).json();
    assert_eq!((&model["users"], &model["properties"]), (&json!(["ada"]), &json!({ "tier": "x" })));
    press(&mut boss, path, "op=leave&group=the+lab&user=ada", &[]);
    assert_eq!(hub.admin("GET", "/groups/the%20lab", None).json()["users"], json!([]));

    let taken = press(&mut boss, "/hub/admin/users/ada", "op=save-user", &[("name", "boss")]);
    assert!(taken.status == 400 && taken.body.contains("already exists"), "{}", taken.body);
    let asked = press(&mut boss, "/hub/admin/users/ada", "op=delete-user&user=ada", &[]);
    assert!(asked.body.contains("<h1>Delete the user ada?</h1>"), "{}", asked.body);
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 200, "nothing is taken away unasked");
    let gone = press(&mut boss, "/hub/admin/users/ada", "op=delete-user&user=ada", &[("sure", "1")]);
    assert_eq!((gone.status, gone.location()), (303, "/hub/admin?gone=ada"));
    assert!(boss.get("/hub/admin?gone=ada").body.contains("User ada: deleted."));
    assert!(!boss.get("/hub/admin?gone=boss").body.contains("User boss: deleted."), "said only if it is so");
    let own = press(&mut boss, "/hub/admin", "op=delete-user&user=boss", &[("sure", "1")]);
    assert!(own.status == 400 && own.body.contains("Cannot delete yourself!"), "{}", own.body);
}

#[test]
fn ui_121_ui_140_several_users_are_planned_first_and_done_with_a_result_each() {
    let hub = Hub::with(CONFIG);
    hub.admin("POST", "/users", Some(json!({ "usernames": ["ada", "bob", "cy"] })));
    assert!(hub.admin("POST", "/users/ada/server", None).status < 300);
    eventually("the server", || {
        hub.admin("GET", "/users/ada", None).json()["server"].is_string().then_some(())
    });
    let mut boss = Browser::signed_in(&hub, "boss");
    let xsrf = boss.xsrf();
    let some =
        [("_xsrf", xsrf.as_str()), ("op", "start"), ("user", "ada"), ("user", "bob"), ("user", "gone")];
    let plan = boss.post("/hub/admin/bulk", &some).body;
    for part in ["Start 1 server?", "1 server of 2 users will start.", "1 server is running already."] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert!(hub.admin("GET", "/users/bob", None).json()["server"].is_null(), "a plan does nothing");
    let all = [("_xsrf", xsrf.as_str()), ("op", "delete"), ("all", "1"), ("matching", "")];
    let plan = boss.post("/hub/admin/bulk", &all).body;
    assert!(plan.contains("Delete 3 users?") && plan.contains("nobody can delete themselves"), "{plan}");
    let go = [
        ("_xsrf", xsrf.as_str()),
        ("op", "delete"),
        ("confirmed", "1"),
        ("item", "op=delete-user&user=bob"),
        ("item", "op=delete-user&user=gone"),
        ("item", "op=stop&user=ada&server="),
    ];
    let done = boss.post("/hub/admin/bulk", &go).body;
    assert!(done.contains("1 of 3 deleted.") && done.contains("No such user"), "{done}");
    assert!(done.contains("not what the page was made for"), "{done}");
    assert_eq!(hub.admin("GET", "/users/bob", None).status, 404);
    assert!(hub.admin("GET", "/users/ada", None).json()["server"].is_string());
    let join = [("_xsrf", xsrf.as_str()), ("op", "group"), ("user", "cy"), ("to_group", "nowhere")];
    let refused = boss.post("/hub/admin/bulk", &join);
    assert!(refused.status == 400 && refused.body.contains("There is no group nowhere."), "{}", refused.body);
    let nobody = boss.post("/hub/admin/bulk", &[("_xsrf", &xsrf), ("op", "stop")]);
    assert!(nobody.status == 400 && nobody.body.contains("Choose at least one user"), "{}", nobody.body);
}

#[test]
fn ui_133_each_part_shows_and_does_what_the_scopes_allow() {
    let hub = Hub::with(&format!(
        "{CONFIG}roles.panel.scopes = [\"admin-ui\", \"list:users!user=ada\", \"read:servers!user=ada\"]\nroles.panel.users = [\"grace\"]\nroles.look.scopes = [\"admin-ui\"]\nroles.look.users = [\"eve\"]",
    ));
    hub.admin("POST", "/users", Some(json!({ "usernames": ["ada", "bob"] })));
    let mut grace = Browser::signed_in(&hub, "grace");
    let list = grace.get("/hub/admin").body;
    assert_eq!(listed(&list), ["ada"]);
    assert!(!list.contains("name=\"do\"") && !list.contains("id=\"bulk\""), "{list}");
    let tried = press(&mut grace, "/hub/admin", "op=start&user=ada&server=", &[]);
    assert!(tried.status == 404 && tried.body.contains("No access to resources"), "{}", tried.body);
    for (path, status) in [
        ("/hub/admin/users/bob", 404),
        ("/hub/admin/servers/bob", 404),
        ("/hub/admin/servers/ada", 200),
        ("/hub/admin/add-users", 403),
        ("/hub/admin/groups", 403),
        ("/hub/admin/services", 403),
        ("/hub/admin/roles", 403),
        ("/hub/admin/hub", 403),
    ] {
        assert_eq!(grace.get(path).status, status, "{path}");
    }
    assert!(!grace.get("/hub/admin/servers/ada").body.contains("<caption class=\"visually-hidden\">Events"));
    let mut eve = Browser::signed_in(&hub, "eve");
    assert!(eve.get("/hub/admin").body.contains("The list of users is not shown"), "with the reason");
    let mut nobody = Browser::signed_in(&hub, "nobody");
    for path in [
        "",
        "/add-users",
        "/users/ada",
        "/servers/ada",
        "/groups",
        "/groups/x",
        "/services",
        "/roles",
        "/hub",
    ] {
        let refused = nobody.get(&format!("/hub/admin{path}"));
        assert!(refused.status == 403 && refused.body.contains("admin-ui"), "{path}: {}", refused.body);
    }
    let mut stranger = Browser::new(&hub);
    assert!(stranger.get("/hub/admin/hub").location().starts_with("/hub/login?next="));
}

#[test]
fn forms_of_other_sites_change_nothing() {
    let hub = Hub::with(CONFIG);
    let mut boss = Browser::signed_in(&hub, "boss");
    for path in ["", "/add-users", "/users/boss", "/servers/boss", "/groups", "/groups/x", "/hub", "/bulk"] {
        let forged = boss.post(&format!("/hub/admin{path}"), &[("do", "op=shutdown"), ("word", "shutdown")]);
        assert_eq!(forged.status, 403, "{path}");
    }
    assert_eq!(hub.admin("GET", "/info", None).status, 200);
}

#[test]
fn the_hub_page_tells_announces_previews_and_ends() {
    let mut hub = Hub::with(CONFIG);
    {
        let mut boss = Browser::signed_in(&hub, "boss");
        let path = "/hub/admin/hub";
        let page = boss.get(path).body;
        for part in ["Orrery 0", "Servers that run or start", "no limit", "Who did what", "hub.start"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let said =
            press(&mut boss, path, "op=announce", &[("message", "Cake <b>now</b>"), ("for_hours", "2")]);
        assert!(
            said.body.contains("Cake &lt;b&gt;now&lt;/b&gt;") && said.body.contains("Ends <time"),
            "{}",
            said.body
        );
        press(&mut boss, path, "op=withdraw", &[]);
        let closed = press(&mut boss, path, "op=maintain", &[("message", ""), ("in_minutes", "")]);
        assert!(closed.body.contains("notice-maintenance"), "{}", closed.body);
        let opened = press(&mut boss, path, "op=open", &[]);
        assert!(
            opened.body.contains("Servers are started again.") && !opened.body.contains("notice-maintenance")
        );
        let none = press(&mut boss, path, "op=preview", &[]);
        assert!(none.body.contains("No key has another value"), "{}", none.body);
        let odd = press(&mut boss, path, "op=shutdown", &[("word", "yes")]);
        assert!(odd.status == 400 && odd.body.contains("Type shutdown"), "{}", odd.body);
        let ends = press(&mut boss, path, "op=shutdown", &[("word", "shutdown"), ("servers", "on")]);
        assert!(ends.body.contains("id=\"hub-ending\""), "{}", ends.body);
    }
    hub.wait();
}

/// UI-210: names that people chose are text on every page that shows them.
#[test]
fn hostile_names_are_inert_on_administration_pages() {
    let hub = Hub::with(&format!("{CONFIG}groups.\"<img src=x>\".users = [\"boss\"]"));
    let shown = json!({ "display_name": "<img src=y>", "user_options": { "<img src=z>": "<img src=w>" } });
    assert_eq!(hub.admin("PUT", "/users/boss/servers/lab", Some(shown)).status, 201);
    let mut boss = Browser::signed_in(&hub, "boss");
    for path in ["", "/users/boss", "/servers/boss/lab", "/groups", "/groups/%3Cimg%20src%3Dx%3E", "/hub"] {
        let page = boss.get(&format!("/hub/admin{path}"));
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(
            !page.body.contains("<img src=x") && !page.body.contains("<img src=y"),
            "{path}: {}",
            page.body
        );
        assert!(
            !page.body.contains("<img src=z") && !page.body.contains("<img src=w"),
            "{path}: {}",
            page.body
        );
    }
}
