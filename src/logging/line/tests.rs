use log::kv::ToValue;

use super::*;

fn line(format: Format, target: &str, message: &str, pairs: &[(&str, &dyn ToValue)]) -> Line {
    let pairs: Vec<(&str, Value<'_>)> = pairs.iter().map(|(key, value)| (*key, value.to_value())).collect();
    of(
        format,
        &Record::builder()
            .args(format_args!("{message}"))
            .level(Level::Warn)
            .target(target)
            .module_path(Some("orrery::web::pages::login"))
            .line(Some(7))
            .key_values(&pairs)
            .build(),
    )
}

#[test]
fn sec_013_neither_message_nor_value_can_forge_a_line() {
    for format in [Format::Text, Format::Jupyterhub, Format::Json] {
        let made = line(
            format,
            "orrery",
            "a\nb \u{1b}[2J",
            &[("user", &"eve\nroot \u{202e}signed in"), ("pid", &7)],
        );
        let shown = made.styled(Style::Plain);
        assert_eq!(shown.matches('\n').count(), 1, "{shown}");
        assert!(!shown.trim_end().contains(is_unsafe), "{shown}");
        assert!(shown.contains("root") && shown.contains('7'), "{shown}");
    }
}

#[test]
fn sec_013_a_line_is_bounded_whatever_is_in_it() {
    let long = "x".repeat(1 << 20);
    for format in [Format::Text, Format::Jupyterhub, Format::Json] {
        let made = line(format, "orrery", &long, &[("user", &long.as_str())]);
        assert!(made.styled(Style::Plain).len() < 6_000);
    }
}

#[test]
fn a_line_for_people_has_its_values_behind_the_message() {
    let made = line(Format::Text, "orrery::x", "it happened", &[("user", &"ada"), ("why", &"no reason")]);
    assert_eq!(made.body, r#"it happened user=ada why="no reason""#);
    assert!(made.head.ends_with("Z WARN  orrery::x: "), "{}", made.head);
    assert_eq!(made.styled(Style::Journal), "<4>it happened user=ada why=\"no reason\"\n");
}

#[test]
fn obs_011_lines_of_jupyterhub_begin_with_level_time_and_place() {
    let made = line(Format::Jupyterhub, "orrery::web", "user logged in", &[("user", &"ada"), ("x", &1)]);
    let shown = made.styled(Style::Plain);
    let pattern =
        r"^\[W \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} JupyterHub login:7\] User logged in: ada x=1\n$";
    assert!(regex::Regex::new(pattern).unwrap().is_match(&shown), "{shown}");
    let shown = made.styled(Style::Terminal);
    assert!(shown.starts_with("\u{1b}[1;33m[W ") && shown.contains("]\u{20}\u{1b}[0mUser"), "{shown}");
}

#[test]
fn obs_011_an_access_line_shows_its_values_once() {
    let pairs: [(&str, &dyn ToValue); 3] = [("status", &200), ("duration_ms", &1.5), ("request_id", &"r1")];
    let message = "200 GET /hub/home (ada@127.0.0.1) 1.50ms";
    assert_eq!(line(Format::Text, ACCESS, message, &pairs).body, format!("{message} request_id=r1"));
    assert_eq!(line(Format::Jupyterhub, ACCESS, message, &pairs).body, message);
    let json = line(Format::Json, ACCESS, message, &pairs).body;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["status"], &json["duration_ms"], &json["msg"]),
        (&200.into(), &1.5.into(), &message.into())
    );
}

#[test]
fn obs_013_headers_are_indented_json_as_jupyterhub_shows_them() {
    let headers = r#"{"Host":"hub","Cookie":"a=[secret]"}"#;
    let pairs: [(&str, &dyn ToValue); 1] = [("headers", &headers)];
    let shown = line(Format::Jupyterhub, ACCESS, "headers of the request", &pairs).body;
    assert_eq!(shown, "{\n  \"Host\": \"hub\",\n  \"Cookie\": \"a=[secret]\"\n}");
    assert_eq!(line(Format::Text, ACCESS, "headers", &pairs).body, format!("headers headers={headers}"));
    let json: serde_json::Value =
        serde_json::from_str(&line(Format::Json, ACCESS, "h", &pairs).body).unwrap();
    assert_eq!(json["headers"]["Host"], "hub");
}

#[test]
fn values_in_json_cannot_take_the_place_of_our_members() {
    let pairs: [(&str, &dyn ToValue); 2] = [("level", &"info"), ("msg", &"other")];
    let json: serde_json::Value = serde_json::from_str(&line(Format::Json, "t", "m", &pairs).body).unwrap();
    assert_eq!((&json["level"], &json["msg"], &json["msg_"]), (&"warn".into(), &"m".into(), &"other".into()));
}
