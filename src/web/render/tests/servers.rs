//! Pages about servers: home, progress, stopping, not running.

use super::*;

#[test]
fn home_offers_to_start_a_stopped_server() {
    let html = show(&visitor("a b"), &home("a b", ServerState::Stopped, Vec::new()));
    has(&html, &["id=\"start\"", "href=\"/jh/hub/spawn/a%20b\">Start My Server</a>", ">Stopped</span>"]);
    lacks(&html, &["id=\"stop\"", "data-server-name=\"lab\""]);
}

#[test]
fn home_stops_a_running_server_without_scripts_too() {
    let html = show(&visitor("ada"), &home("ada", ServerState::Running, Vec::new()));
    has(
        &html,
        &[
            "<form class=\"inline stop-form\" method=\"post\" action=\"/jh/hub/stop/ada\">",
            "<input type=\"hidden\" name=\"_xsrf\" value=\"2|token=\">",
            "id=\"stop\"",
            ">Stop My Server</button>",
            "<a id=\"start\" class=\"btn btn-primary\" role=\"button\" href=\"/jh/user/ada/\">My Server",
        ],
    );
    let stopping = show(&visitor("ada"), &home("ada", ServerState::Stopping, Vec::new()));
    has(
        &stopping,
        &["disabled>Stop My Server", "role=\"button\" href=\"/jh/hub/spawn-pending/ada\">Progress"],
    );
    let starting = show(&visitor("ada"), &home("ada", ServerState::Starting, Vec::new()));
    has(&starting, &["id=\"stop\"", ">Cancel<", "href=\"/jh/hub/spawn-pending/ada\">Progress"]);
}

#[test]
fn home_shows_named_servers_by_state() {
    let named = vec![
        server("ada", "down", ServerState::Stopped),
        HomeServer { display_name: "Ünï".to_owned(), ..server("ada", "up", ServerState::Running) },
    ];
    let html = show(&visitor("ada"), &home("ada", ServerState::Stopped, named));
    has(
        &html,
        &[
            "class=\"server card home-server-row\" data-server-name=\"down\"",
            "id=\"start-down\" class=\"btn btn-primary start-server\" role=\"button\" href=\"/jh/hub/spawn/ada/down\">Start",
            "data-api-url=\"/jh/hub/api/users/ada/servers/up\"",
            "<a class=\"btn btn-primary server-link\" href=\"/jh/user/ada/up/\">Open",
            "action=\"/jh/hub/stop/ada/up\">",
            "id=\"delete-down\" class=\"btn-small btn-plain delete-server\" type=\"button\"",
            "class=\"new-server-name\"",
            "class=\"new-server-btn\" type=\"submit\">",
            "<h2>Ünï</h2>",
        ],
    );
    lacks(&html, &["action=\"/jh/hub/stop/ada/down\"", "id=\"delete-up\""]);
    let off = HomePage { allow_named_servers: false, ..home("ada", ServerState::Stopped, Vec::new()) };
    lacks(&show(&visitor("ada"), &off), &["add-server-row", "id=\"named-servers"]);
    let limited =
        HomePage { named_server_limit_per_user: 3, ..home("ada", ServerState::Stopped, Vec::new()) };
    has(&text(&show(&visitor("ada"), &limited)), &["up to 3 more servers"]);
}

#[test]
fn ui_047_home_tells_why_the_last_start_failed() {
    let mut page = home("ada", ServerState::Failed, Vec::new());
    page.default_server.failure = Some(failure("no <b>space</b> left"));
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &["no &lt;b&gt;space&lt;/b&gt; left", "<pre class=\"server-log\"", "second line", "2026-01-02"],
    );
    has(&html, &["state-failed", "href=\"/jh/hub/spawn/ada\">Retry"]);
}

#[test]
fn ui_074_markup_of_the_spawner_wins_and_is_not_escaped() {
    let trusted = Failure { message_html: Some("<em>full</em>".to_owned()), ..failure("not shown") };
    let page = NotRunningPage {
        owner: "ada".to_owned(),
        failed: true,
        failure: Some(Failure { log: Vec::new(), ..trusted }),
        ..NotRunningPage::default()
    };
    let html = show(&visitor("ada"), &page);
    has(&html, &["<em>full</em>"]);
    lacks(&html, &["not shown", "server-log"]);
    let silent = NotRunningPage { failure: Some(Failure::default()), ..page };
    has(&show(&visitor("ada"), &silent), &["without giving a reason"]);
}

#[test]
fn ui_068_progress_watches_and_stops_the_server_that_it_shows() {
    let html = show(&visitor("root"), &pending("ada"));
    has(
        &html,
        &[
            "data-progress-url=\"/jh/hub/api/users/ada/servers/lab/progress\"",
            "data-api-url=\"/jh/hub/api/users/ada/servers/lab\"",
            "action=\"/jh/hub/stop/ada/lab\"",
            "id=\"progress-bar\" class=\"waiting\" role=\"progressbar\"",
            "id=\"progress-message\" aria-live=\"polite\"",
            "id=\"progress-log\"",
            "id=\"progress-details\"",
            "id=\"stop-server-btn\"",
            "href=\"/jh/hub/spawn/ada/lab?next=%2Fx\" hidden>Try again",
            "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
            "The server of ada",
            "<li class=\"navbar-text\"><a href=\"/jh/hub/account\"><span class=\"visually-hidden\">Account </span>root</a></li>",
        ],
    );
    has(&text(&show(&visitor("ada"), &pending("ada"))), &["Your server lab is starting up"]);
}

#[test]
fn ui_075_stopping_looks_again_and_can_start_again() {
    let page = StopPendingPage {
        owner: "ada".to_owned(),
        server_name: String::new(),
        api_url: "/jh/hub/api/users/ada/server".to_owned(),
    };
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &[
            "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
            "id=\"refresh\"",
            "id=\"start-again\"",
            "data-api-url=\"/jh/hub/api/users/ada/server\"",
        ],
    );
    has(&text(&html), &["Your server is stopping"]);
}

#[test]
fn not_running_offers_one_way_to_start() {
    let page = NotRunningPage {
        owner: "ada".to_owned(),
        server_name: "lab".to_owned(),
        spawn_url: Some("/jh/hub/spawn/ada/lab?next=%2Fjh%2Fhub%2Fuser%2Fada%2Flab%2F".to_owned()),
        ..NotRunningPage::default()
    };
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &[
            "<h1>Server not running</h1>",
            "id=\"start\"",
            ">Launch Server</a>",
            "href=\"/jh/hub/spawn/ada/lab?next=",
        ],
    );
    has(&text(&html), &["Your server lab is not running."]);
    lacks(&html, &["data-implicit", "implicit-spawn"]);
    let soon = NotRunningPage { implicit_spawn_seconds: 0.5, ..page.clone() };
    has(&show(&visitor("ada"), &soon), &["data-implicit-spawn-seconds=\"0.5\"", "implicit-spawn-cancel"]);
    let failed = NotRunningPage { failed: true, ..page.clone() };
    has(
        &show(&visitor("ada"), &failed),
        &["<h1>Spawn failed</h1>", "Relaunch Server", "could not be started"],
    );
    let guest = show(&visitor("guest"), &NotRunningPage { spawn_url: None, ..page });
    lacks(&guest, &["id=\"start\"", "Your server"]);
    has(&text(&guest), &["The server of ada lab is not running. Only its owner can start it."]);
}

/// What scripts fetch is what the page shows: one template.
#[test]
fn ui_024_the_part_that_scripts_fetch_is_part_of_the_page() {
    let page = home("ada", ServerState::Starting, vec![server("ada", "lab", ServerState::Running)]);
    let part = show(&visitor("ada"), &ServersPart(page.clone()));
    let whole = show(&visitor("ada"), &page);
    has(&whole, &[part.trim()]);
    has(&part, &["id=\"servers-part\" data-version=\"0123\"", "data-user-api-url=\"/jh/hub/api/users/ada\""]);
    lacks(&part, &["<main", "<script", "<nav"]);
}

#[test]
fn ui_044_servers_of_others_can_be_opened_and_left() {
    let shared = SharedServer {
        owner: "grace".to_owned(),
        name: "lab".to_owned(),
        ready: false,
        url: "/jh/user/grace/lab/".to_owned(),
        leave_url: Some("/jh/hub/api/users/ada/shared/grace/lab".to_owned()),
    };
    let through_group = SharedServer { owner: "joan".to_owned(), leave_url: None, ..shared.clone() };
    let page = HomePage {
        shared_servers: vec![shared, through_group],
        ..home("ada", ServerState::Stopped, Vec::new())
    };
    let html = show(&visitor("ada"), &page);
    has(
        &html,
        &["data-leave-url=\"/jh/hub/api/users/ada/shared/grace/lab\"", "href=\"/jh/user/grace/lab/\">Open"],
    );
    assert_eq!(html.matches("data-action=\"leave\"").count(), 1);
}
