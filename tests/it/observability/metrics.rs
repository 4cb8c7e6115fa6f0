//! `/hub/metrics`.

use serde_json::json;

use super::*;

fn token(hub: &Hub, scopes: &[&str]) -> String {
    let reply = hub.admin("POST", "/users/ada/tokens", Some(json!({ "scopes": scopes })));
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[test]
fn obs_001_rbac_048_rest_162_sec_115_numbers_are_for_holders_of_read_metrics_however_filtered() {
    let extra = format!("{READS_METRICS}\nroles.user.scopes = [\"self\", \"read:metrics!user=ada\"]");
    let hub = Hub::with(&extra);
    hub.create_user("ada");
    let (reader, other) = (token(&hub, &["read:metrics!user=ada"]), token(&hub, &["read:users!user=ada"]));
    for path in ["/hub/metrics", "/hub/api/metrics"] {
        for refused in [get(&hub, path, &other), hub.get(path), get(&hub, path, "no-such-token")] {
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.header("content-type").unwrap().starts_with("text/html"), "{refused:?}");
            assert!(refused.body.contains("read:metrics"), "{}", refused.body);
        }
        let allowed = get(&hub, path, &reader);
        assert_eq!(allowed.status, 200, "{path}: {}", allowed.body);
        assert_eq!(allowed.header("content-type"), Some("text/plain; version=1.0.0; charset=utf-8"));
        assert_eq!(Browser::signed_in(&hub, "ada").get(path).status, 200, "{path}");
        assert_eq!(Browser::signed_in(&hub, "ada").send("POST", path, &[], String::new()).status, 403);
    }
}

#[test]
fn obs_001_numbers_are_open_where_nobody_has_to_say_who_they_are() {
    let hub = Hub::with("metrics.authenticate = false");
    assert_eq!((hub.get("/hub/metrics").status, hub.get("/hub/api/metrics").status), (200, 200));
    assert_eq!(get(&hub, "/hub/metrics", "no-such-token").status, 200);
    assert_eq!(hub.get("/hub/metrics/").status, 404, "the exact path only");
}

#[test]
fn obs_002_numbers_and_health_are_below_the_base_url() {
    let extra = format!("{READS_METRICS}\nhub.base_url = \"/lab/x/\"");
    let folder = tempfile::tempdir().unwrap();
    let port = crate::support::hub::free_port();
    let text = crate::support::hub::settings(folder.path(), port, &extra);
    std::fs::write(folder.path().join("orrery.toml"), text).unwrap();
    let mut hub = Hub::launched(folder);
    hub.url = format!("http://127.0.0.1:{port}");
    eventually("the hub to answer", || {
        let url = format!("{}/lab/x/hub/health", hub.url);
        agent().get(&url).call().ok().filter(|reply| reply.status() == 200)
    });
    for path in ["/lab/x/hub/api/health", "/lab/x/hub/health/ready"] {
        assert_eq!(hub.get(path).status, 200, "{path}");
    }
    for path in ["/lab/x/hub/metrics", "/lab/x/hub/api/metrics"] {
        assert!(get(&hub, path, ADMIN_TOKEN).body.contains("\njupyterhub_total_users 0.0\n"), "{path}");
    }
    let label = "handler=\"jupyterhub.handlers.pages.HealthCheckHandler\"";
    assert!(get(&hub, "/lab/x/hub/metrics", ADMIN_TOKEN).body.contains(label));
}

#[test]
fn obs_003_obs_004_a_fresh_hub_has_every_family_and_the_series_that_exist_before_anything_happened() {
    let hub = Hub::with(READS_METRICS);
    let text = numbers(&hub);
    let busy = ["check_routes", "hub_startup", "init_spawners", "proxy_poll", "event_loop", "active_users"];
    for line in
        include_str!("reference.txt").lines().filter(|line| !busy.iter().any(|name| line.contains(name)))
    {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    for name in ["hub_startup_duration_seconds", "init_spawners_duration_seconds"] {
        let series = format!("jupyterhub_{name}_count");
        eventually(&series, || number(&hub, &series).filter(|count| count == "1.0"));
    }
    for ours in [
        "process_resident_memory_bytes ",
        "orrery_build_info{",
        "orrery_store_connections{",
        "orrery_proxy_requests_web_total ",
    ] {
        assert!(text.contains(&format!("\n{ours}")), "{ours} is missing in\n{text}");
    }
    assert!(!text.contains("jupyterhub_login_duration_seconds_count"), "nobody has tried to sign in");
}

#[test]
fn obs_003_requests_are_counted_by_method_handler_and_code() {
    let hub = Hub::with(READS_METRICS);
    let count =
        |labels: &str| number(&hub, &format!("jupyterhub_request_duration_seconds_count{{{labels}}}"));
    hub.admin("GET", "/users/nobody", None);
    hub.admin("GET", "/users/nobody2", None);
    hub.get("/hub/home");
    hub.get("/no/such/page");
    let user = r#"code="404",handler="jupyterhub.apihandlers.users.UserAPIHandler",method="GET""#;
    assert_eq!(count(user).as_deref(), Some("2.0"));
    let home = r#"code="302",handler="jupyterhub.handlers.pages.HomeHandler",method="GET""#;
    assert_eq!(count(home).as_deref(), Some("1.0"));
    let odd = r#"code="302",handler="jupyterhub.handlers.base.PrefixRedirectHandler",method="GET""#;
    assert_eq!(count(odd).as_deref(), Some("1.0"));
    hub.get("/hub/logout");
    assert_eq!(number(&hub, "jupyterhub_logout_duration_seconds_count").as_deref(), Some("1.0"));
}

#[test]
fn obs_005_sign_ins_and_looks_at_processes_have_the_labels_of_the_reference_or_plain_ones() {
    for (compatible, login, poll) in [(true, "LoginStatus.", "ServerPollStatus."), (false, "", "")] {
        let hub = Hub::with(&format!("{READS_METRICS}\nmetrics.compat_labels = {compatible}"));
        let mut browser = Browser::new(&hub);
        assert_eq!(browser.sign_in("ada", "wrong", "").status, 403);
        assert_eq!(browser.sign_in("ada", "pw", "").status, 302);
        for status in ["success", "failure"] {
            let series = format!("jupyterhub_login_duration_seconds_count{{status=\"{login}{status}\"}}");
            assert_eq!(number(&hub, &series).as_deref(), Some("1.0"), "{series}");
        }
        let series = format!("jupyterhub_server_poll_duration_seconds_count{{status=\"{poll}running\"}}");
        assert_eq!(number(&hub, &series).as_deref(), Some("0.0"), "{series}");
    }
}

#[test]
fn obs_006_obs_007_the_environment_renames_all_and_replaces_buckets() {
    let variables = [
        "JUPYTERHUB_METRICS_PREFIX=lab",
        "JUPYTERHUB_SERVER_SPAWN_DURATION_SECONDS_BUCKETS=1,2,inf",
        "JUPYTERHUB_SERVER_STOP_DURATION_SECONDS_BUCKETS=0.5",
    ];
    let hub = Hub::with_variables(READS_METRICS, &variables);
    let text = numbers(&hub);
    assert!(!text.lines().any(|line| line.starts_with("jupyterhub_")), "{text}");
    assert!(text.contains("\nlab_total_users 0.0\n"), "{text}");
    let bounds = |name: &str, labels: &str| {
        let series = format!("lab_{name}_bucket{{le=\"");
        let ours =
            text.lines().filter_map(|line| line.strip_prefix(&series)).filter(|rest| rest.contains(labels));
        ours.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(bounds("server_spawn_duration_seconds", "status=\"error\""), ["1.0", "2.0", "+Inf"]);
    assert_eq!(bounds("server_stop_seconds", "status=\"failure\""), ["0.5", "+Inf"]);
}

#[test]
fn obs_008_total_users_is_the_number_of_users_at_every_moment() {
    let extra = format!(
        "{READS_METRICS}\nauth.admin_users = [\"boss\"]\ngroups.ops.users = [\"olga\"]\n\
         roles.helper.scopes = [\"read:hub\"]\nroles.helper.users = [\"hugo\"]"
    );
    let hub = Hub::with(&extra);
    let total = || number(&hub, "jupyterhub_total_users").unwrap();
    assert_eq!(total(), "3.0", "users made for groups and roles count from the start");
    hub.create_user("ada");
    assert_eq!(total(), "4.0");
    Browser::signed_in(&hub, "grace");
    assert_eq!(total(), "5.0");
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(total(), "4.0");
}

#[test]
fn obs_010_starts_and_stops_are_counted_and_running_servers_are_those_that_run() {
    let hub = Hub::with(&format!("{READS_METRICS}\nhub.limits.active_servers = 1"));
    hub.create_user("ada");
    hub.create_user("grace");
    let count = |name: &str| number(&hub, &format!("jupyterhub_{name}")).unwrap();
    hub.spawn("ada");
    assert_eq!(count("running_servers"), "1.0");
    assert_eq!(count(r#"server_spawn_duration_seconds_count{reason="",status="success"}"#), "1.0");
    assert_eq!(count(r#"proxy_add_duration_seconds_count{status="success"}"#), "1.0");
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429);
    assert_eq!(
        count(r#"server_spawn_duration_seconds_count{reason="too-many-users",status="failure"}"#),
        "1.0"
    );
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(count("running_servers"), "0.0");
    assert_eq!(count(r#"server_stop_seconds_count{status="success"}"#), "1.0");
    assert_eq!(count(r#"proxy_delete_duration_seconds_count{status="success"}"#), "1.0");
}

#[test]
fn obs_010_a_throttled_start_and_one_whose_process_ends_are_counted_with_their_reason() {
    let extra = format!(
        "{READS_METRICS}\nhub.limits.concurrent_spawns = 1\nhub.timeouts.slow_spawn = 0.01\n\
         spawner.environment.FAKE_DELAY = \"1\"\nspawner.environment.FAKE_FAIL = \"\""
    );
    let hub = Hub::with(&extra);
    hub.create_user("ada");
    hub.create_user("grace");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    assert_eq!(hub.admin("POST", "/users/grace/server", None).status, 429);
    let throttled = r#"jupyterhub_server_spawn_duration_seconds_count{reason="throttled",status="failure"}"#;
    assert_eq!(number(&hub, throttled).as_deref(), Some("1.0"));
    let failing = Hub::with(&format!("{READS_METRICS}\nspawner.environment.FAKE_FAIL = \"1\""));
    failing.create_user("ada");
    assert_eq!(failing.admin("POST", "/users/ada/server", None).status, 500);
    let exited = r#"jupyterhub_server_spawn_duration_seconds_count{reason="exited",status="error"}"#;
    assert_eq!(number(&failing, exited).as_deref(), Some("1.0"));
}

#[test]
fn obs_010_a_start_that_takes_too_long_is_an_error() {
    let extra =
        format!("{READS_METRICS}\nspawner.http_timeout = 0.3\nspawner.environment.FAKE_DELAY = \"60\"");
    let hub = Hub::with(&extra);
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 500);
    let error = r#"jupyterhub_server_spawn_duration_seconds_count{reason="",status="error"}"#;
    assert_eq!(number(&hub, error).as_deref(), Some("1.0"));
}

#[test]
fn obs_017_reports_of_broken_policies_are_counted_and_logged_but_cannot_fill_the_log() {
    let hub = Hub::with(READS_METRICS);
    let mut browser = Browser::signed_in(&hub, "ada");
    for number in 0..40 {
        let report = json!({ "csp-report": { "blocked-uri": format!("https://evil.example/{number}?token=hunter2") } });
        let headers = [("content-type", "application/csp-report")];
        let reply = browser.send("POST", "/hub/security/csp-report", &headers, report.to_string());
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    }
    assert_eq!(number(&hub, "jupyterhub_csp_reports_total").as_deref(), Some("40.0"));
    assert_eq!(number(&hub, "orrery_records_lost_total{of=\"csp-reports\"}").as_deref(), Some("10.0"));
    let log = hub.log();
    assert!(log.contains("https://evil.example/0?token=[secret]"), "{log}");
    assert_eq!(log.matches("a page broke its Content-Security-Policy").count(), 30);
}

#[test]
fn obs_009_a_user_is_active_in_the_periods_that_the_last_activity_falls_into() {
    let mut hub = Hub::with(READS_METRICS);
    let now = chrono::Utc::now();
    let minutes = [
        ("day", 23 * 60 + 30),
        ("day-over", 24 * 60 + 1),
        ("week", 6 * 24 * 60 + 23 * 60 + 30),
        ("week-over", 7 * 24 * 60 + 1),
        ("month", 29 * 24 * 60 + 23 * 60 + 30),
        ("month-over", 30 * 24 * 60 + 1),
    ];
    for (user, ago) in minutes {
        hub.create_user(user);
        let at = (now - chrono::Duration::minutes(ago)).to_rfc3339();
        let reply =
            hub.admin("POST", &format!("/users/{user}/activity"), Some(json!({ "last_activity": at })));
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    hub.create_user("never");
    assert_eq!(hub.terminate().code(), Some(0));
    hub.start_again();
    for (period, count) in [("24h", "1.0"), ("7d", "3.0"), ("30d", "5.0")] {
        let series = format!("jupyterhub_active_users{{period=\"{period}\"}}");
        eventually(&series, || number(&hub, &series).filter(|number| number == count));
    }
}
