use super::settings::{PREFIX_VARIABLE, SPAWN_BUCKETS_VARIABLE, STOP_BUCKETS_VARIABLE};
use super::*;

fn metrics(labels: Labels, variables: &[(&str, &str)]) -> Metrics {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Metrics::new(&Settings::new(labels, variable).unwrap()).unwrap()
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn obs_003_names_kinds_labels_and_buckets_are_those_of_the_reference() {
    let metrics = metrics(Labels::Compatible, &[]);
    metrics.request("GET", "jupyterhub.handlers.pages.HomeHandler", "200", SECOND);
    metrics.login(Outcome::Success, SECOND);
    let text = metrics.text();
    for line in include_str!("../../tests/it/observability/reference.txt").lines() {
        has(&text, line);
    }
    has(
        &text,
        r#"jupyterhub_request_duration_seconds_bucket{code="200",handler="jupyterhub.handlers.pages.HomeHandler",le="1.0",method="GET"} 1.0"#,
    );
}

#[test]
fn obs_004_series_are_there_before_anything_has_happened_and_sign_ins_are_not() {
    let text = metrics(Labels::Compatible, &[]).text();
    for (status, reason) in [
        ("success", ""),
        ("failure", ""),
        ("error", ""),
        ("failure", "throttled"),
        ("failure", "too-many-users"),
        ("failure", "already-pending"),
    ] {
        let labels = format!("reason=\"{reason}\",status=\"{status}\"");
        has(&text, &format!("jupyterhub_server_spawn_duration_seconds_count{{{labels}}} 0.0"));
    }
    has(&text, "# TYPE jupyterhub_login_duration_seconds histogram");
    assert!(!text.contains("jupyterhub_login_duration_seconds_count"), "{text}");
    for period in ["24h", "7d", "30d"] {
        has(&text, &format!("jupyterhub_active_users{{period=\"{period}\"}} 0.0"));
    }
}

#[test]
fn obs_005_two_labels_are_written_as_dashboards_expect_them_or_plainly() {
    for (labels, login, poll) in [
        (Labels::Compatible, "LoginStatus.failure", "ServerPollStatus.stopped"),
        (Labels::Plain, "failure", "stopped"),
    ] {
        let metrics = metrics(labels, &[]);
        metrics.login(Outcome::Failure, SECOND);
        let text = metrics.text();
        has(&text, &format!("jupyterhub_login_duration_seconds_count{{status=\"{login}\"}} 1.0"));
        has(&text, &format!("jupyterhub_server_poll_duration_seconds_count{{status=\"{poll}\"}} 0.0"));
    }
}

#[test]
fn obs_006_the_prefix_renames_all_but_ours() {
    let text = metrics(Labels::Plain, &[("JUPYTERHUB_METRICS_PREFIX", "lab")]).text();
    assert!(!text.contains("jupyterhub_"), "{text}");
    has(&text, "lab_total_users 0.0");
    has(&text, "# TYPE lab_csp_reports_total counter");
    assert!(text.contains("\norrery_build_info{"));
    let bare = metrics(Labels::Plain, &[("JUPYTERHUB_METRICS_PREFIX", "")]).text();
    has(&bare, "total_users 0.0");
    let odd = |name: &str| (name == PREFIX_VARIABLE).then(|| "1 x".to_owned());
    assert!(Settings::new(Labels::Plain, odd).is_err());
}

#[test]
fn obs_007_variables_replace_the_buckets_of_starts_and_stops() {
    let text =
        metrics(Labels::Plain, &[(SPAWN_BUCKETS_VARIABLE, "3,inf"), (STOP_BUCKETS_VARIABLE, "1,2")]).text();
    let buckets = |name: &str| {
        let name = format!("jupyterhub_{name}_bucket{{");
        let ours = text.lines().filter(|line| line.starts_with(&name) && line.contains("status=\"success\""));
        ours.filter_map(|line| line.split("le=\"").nth(1)?.split('"').next()).collect::<Vec<_>>()
    };
    assert_eq!(buckets("server_spawn_duration_seconds"), ["3.0", "+Inf"]);
    assert_eq!(buckets("server_stop_seconds"), ["1.0", "2.0", "+Inf"]);
    assert_eq!(buckets("proxy_add_duration_seconds").len(), 15);
}

#[test]
fn invented_methods_and_odd_reasons_cannot_break_the_page() {
    let metrics = metrics(Labels::Plain, &[]);
    metrics.request("BREW", "h", "405", SECOND);
    metrics.request("COFFEE", "h", "405", SECOND);
    metrics.spawn(SpawnStatus::Failure, "no \"quota\"\n\\", SECOND);
    let text = metrics.text();
    has(&text, r#"jupyterhub_request_duration_seconds_count{code="405",handler="h",method="OTHER"} 2.0"#);
    assert!(text.contains(r#"reason="no \"quota\"\n\\""#), "{text}");
}

#[test]
fn what_others_have_to_say_is_on_the_page_too() {
    let metrics = metrics(Labels::Plain, &[]);
    metrics.add_source(|page| page.push_str("orrery_x 1\n"));
    metrics.hook("post_auth", HookOutcome::Rejected, SECOND);
    metrics.lost(Loss::Journal, 3);
    let text = metrics.text();
    has(&text, "orrery_x 1");
    has(&text, r#"orrery_hook_duration_seconds_count{hook="post_auth",status="rejected"} 1.0"#);
    has(&text, r#"orrery_records_lost_total{of="journal"} 3.0"#);
}
