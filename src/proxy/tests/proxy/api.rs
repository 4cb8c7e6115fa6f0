//! CHP's REST API, asked over the wire (proxy.md section 6).

use serde_json::{Value, json};

use crate::binary::{Program, TOKEN, ask, echo};

fn is_timestamp(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}

/// Status and text of an answer without the right to ask.
fn without_token(program: &mut Program, method: &str, path: &str, fields: &str, body: &str) -> (u16, String) {
    let reply = ask(program.api_address(), method, path, fields, body);
    (reply.status, reply.body)
}

#[test]
fn proxy_001_each_request_has_the_status_and_text_of_chp() {
    let mut program = Program::start(&["--default-target", "http://127.0.0.1:1"]);
    let good = r#"{"target": "http://127.0.0.1:9"}"#;
    let no_target = "Must specify 'target' as string";
    for (method, path, body, status, text) in [
        ("POST", "/x", good, 201, ""),
        ("POST", "", good, 201, ""),
        ("POST", "/", good, 201, ""),
        ("POST", "/x", "", 400, "Body not valid JSON: SyntaxError: Unexpected end of JSON input"),
        ("POST", "/x", "{}", 400, no_target),
        ("POST", "/x", "[]", 400, no_target),
        ("POST", "/x", "null", 400, no_target),
        ("POST", "/x", r#"{"target": 5}"#, 400, no_target),
        ("POST", "/x", r#"{"target": null}"#, 400, no_target),
        ("POST", "/odd", r#"{"target": ""}"#, 201, ""),
        ("DELETE", "/odd", "", 204, ""),
        ("DELETE", "/odd", "", 404, ""),
        ("GET", "/nope", "", 404, ""),
        ("DELETE", "/", "", 204, ""),
        ("DELETE", "/", "", 404, ""),
        ("DELETE", "", "", 404, ""),
        ("PUT", "/x", good, 405, "Method not supported"),
        ("PATCH", "/x", good, 405, "Method not supported"),
        ("OPTIONS", "/", "", 405, "Method not supported"),
        ("HEAD", "", "", 405, ""),
        (
            "GET",
            "?inactive_since=endoftheuniverse",
            "",
            400,
            "Invalid datestamp 'endoftheuniverse' must be ISO8601.",
        ),
        ("GET", "?inactive_since=2000&inactiveSince=x", "", 400, "Invalid datestamp 'x' must be ISO8601."),
        ("GET", "/x?inactive_since=endoftheuniverse", "", 200, ""),
    ] {
        let reply = program.api(method, path, body);
        let shown = if status == 200 { "" } else { reply.body.as_str() };
        assert_eq!((reply.status, shown), (status, text), "{method} {path} {body}");
    }
    let invalid = program.api("POST", "/x", "x");
    assert!(invalid.status == 400 && invalid.body.starts_with("Body not valid JSON: "), "{invalid:?}");
}

#[test]
fn proxy_001_other_paths_are_not_found_without_a_token_and_wrong_methods_are_refused_before_it() {
    let mut program = Program::start(&[]);
    for path in ["/", "/api", "/api/", "/metrics", "/api/routesx", "/api/route"] {
        assert_eq!(without_token(&mut program, "GET", path, "", ""), (404, "Not Found".to_owned()), "{path}");
    }
    let refused = without_token(&mut program, "PUT", "/api/routes/x", "", "");
    assert_eq!(refused, (405, "Method not supported".to_owned()));
}

#[test]
fn proxy_001_without_the_token_nothing_is_told_or_changed_but_a_bad_body_is_named_first() {
    let mut program = Program::start(&[]);
    for fields in [
        String::new(),
        "Authorization: token wrong\r\n".to_owned(),
        format!("Authorization: Bearer {TOKEN}\r\n"),
        format!("Authorization: Token {TOKEN}\r\n"),
        format!("Authorization: x token {TOKEN}\r\n"),
    ] {
        for (method, path) in [
            ("GET", "/api/routes"),
            ("GET", "/api/routes/x"),
            ("POST", "/api/routes/x"),
            ("DELETE", "/api/routes/x"),
        ] {
            let body = if method == "POST" { r#"{"target": "http://h"}"# } else { "" };
            let outcome = without_token(&mut program, method, path, &fields, body);
            assert_eq!(outcome, (403, String::new()), "{method} {path} {fields}");
        }
    }
    assert_eq!(without_token(&mut program, "POST", "/api/routes/x", "", "x").0, 400);
    assert_eq!(program.api("GET", "", "").json(), json!({}));
}

#[test]
fn proxy_002_without_a_configured_token_everyone_may_and_a_warning_says_so() {
    let options = ["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1"];
    let mut program = Program::run(crate::binary::command(&options));
    assert!(program.line_with("REST API is not authenticated.").contains("warn:"));
    assert_eq!(without_token(&mut program, "GET", "/api/routes", "", ""), (200, "{}".to_owned()));
}

#[test]
fn chp_001_the_default_target_is_the_root_route_and_serves_what_no_other_route_does() {
    let (root, other) = (echo(), echo());
    let mut program = Program::start(&["--default-target", &format!("{root}/root")]);
    assert_eq!(program.api("GET", "/", "").json()["/"]["target"], format!("{root}/root"));
    program.api("POST", "/other", &format!(r#"{{"target": "{other}/other"}}"#));
    let public = program.public();
    for (path, expected) in [
        ("/", "GET /root/ HTTP/1.1"),
        ("/any/thing", "GET /root/any/thing HTTP/1.1"),
        ("/others", "GET /root/others HTTP/1.1"),
        ("/other/x", "GET /other/other/x HTTP/1.1"),
    ] {
        assert_eq!(ask(public, "GET", path, "", "").body.lines().next(), Some(expected), "{path}");
    }
    let mut without = Program::start(&[]);
    assert_eq!(without.api("GET", "", "").json(), json!({}));
    assert_eq!(ask(without.public(), "GET", "/", "", "").status, 404);
}

#[test]
fn chp_002_and_004_data_come_back_as_they_were_given_and_activity_is_a_date() {
    let mut program = Program::start(&["--default-target", "http://127.0.0.1:1"]);
    let data =
        json!({"target": "http://127.0.0.1:9", "a": [1, null, {"ü": 1.5}], "": true, "last_activity": "lie"});
    assert_eq!(program.api("POST", "/user/ada/", &data.to_string()).status, 201);
    let reply = program.api("GET", "", "");
    assert_eq!(reply.field("content-type"), Some("application/json"));
    let mut table = reply.json();
    assert_eq!(table["/"]["target"], "http://127.0.0.1:1");
    let activity = table["/user/ada"].as_object_mut().unwrap().remove("last_activity").unwrap();
    assert!(is_timestamp(&activity), "{activity}");
    assert_eq!(
        table["/user/ada"],
        json!({"target": "http://127.0.0.1:9", "a": [1, null, {"ü": 1.5}], "": true})
    );
    assert_eq!(program.api("GET", "/", "").json().as_object().unwrap().len(), 2);
}

#[test]
fn chp_003_one_route_is_got_exactly_and_not_by_prefix() {
    let mut program = Program::start(&[]);
    program.api("POST", "/user/ada", r#"{"target": "http://h:1", "k": "v"}"#);
    for path in ["/user/ada", "/user/ada/", "/user/%61da"] {
        let route = program.api("GET", path, "").json();
        assert_eq!((&route["target"], &route["k"]), (&json!("http://h:1"), &json!("v")), "{path}");
    }
    for path in ["/user", "/user/ada/lab", "/user/grace"] {
        assert_eq!(program.api("GET", path, "").status, 404, "{path}");
    }
}

#[test]
fn chp_005_keys_are_decoded_and_match_every_escaping() {
    let mut program = Program::start(&[]);
    let body = format!(r#"{{"target": "{}"}}"#, echo());
    program.api("POST", "/user/foo%40bar/b%20r/%E7%A7%80/", &body);
    let table = program.api("GET", "", "").json();
    assert!(table.get("/user/foo@bar/b r/秀").is_some(), "{table}");
    let public = program.public();
    for path in ["/user/foo%40bar/b%20r/%E7%A7%80/x", "/user/foo@bar/b%20r/%e7%a7%80/x"] {
        let reply = ask(public, "GET", path, "", "");
        assert!(reply.body.starts_with(&format!("GET {path} HTTP/1.1")), "{}", reply.body);
    }
}

#[test]
fn chp_004_a_route_is_replaced_as_a_whole_and_works_at_once() {
    let mut program = Program::start(&[]);
    program.api("POST", "/a", r#"{"target": "http://127.0.0.1:1", "old": 1}"#);
    program.api("POST", "/a/", &format!(r#"{{"target": "{}", "new": 2}}"#, echo()));
    let route = program.api("GET", "/a", "").json();
    assert!(route.get("old").is_none() && route["new"] == 2, "{route}");
    let public = program.public();
    assert_eq!(ask(public, "GET", "/a/x", "", "").status, 200);
    assert_eq!(program.api("DELETE", "/a", "").status, 204);
    assert_eq!(ask(public, "GET", "/a/x", "", "").status, 404);
}

#[test]
fn chp_006_a_post_without_a_path_sets_the_root_route() {
    for path in ["", "/"] {
        let mut program = Program::start(&["--default-target", "http://127.0.0.1:1"]);
        let body = format!(r#"{{"target": "{}/new"}}"#, echo());
        let reply = program.api("POST", path, &body);
        assert_eq!((reply.status, reply.body.as_str()), (201, ""));
        let table = program.api("GET", "", "").json();
        let keys: Vec<_> = table.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["/"], "{path:?}");
        let reply = ask(program.public(), "GET", "/x", "", "");
        assert!(reply.body.starts_with("GET /new/x HTTP/1.1"), "{}", reply.body);
    }
}

#[test]
fn chp_007_a_deleted_route_is_gone_and_its_parent_and_children_stay() {
    let mut program = Program::start(&[]);
    let target = echo();
    for path in ["/a", "/a/b", "/a/b/c"] {
        program.api("POST", path, &format!(r#"{{"target": "{target}{path}"}}"#));
    }
    let reply = program.api("DELETE", "/a/b", "");
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(program.api("GET", "/a/b", "").status, 404);
    let table = program.api("GET", "", "").json();
    let keys: Vec<_> = table.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["/a", "/a/b/c"]);
    let public = program.public();
    for (path, expected) in [("/a/b/x", "GET /a/a/b/x HTTP/1.1"), ("/a/b/c/x", "GET /a/b/c/a/b/c/x HTTP/1.1")]
    {
        assert_eq!(ask(public, "GET", path, "", "").body.lines().next(), Some(expected));
    }
}

#[test]
fn chp_008_a_time_that_is_none_is_named_and_refused() {
    let mut program = Program::start(&[]);
    program.api("POST", "/a", r#"{"target": "http://h:1"}"#);
    for name in ["inactive_since", "inactiveSince"] {
        for (time, shown) in
            [("endoftheuniverse", "endoftheuniverse"), ("2000-13-01", "2000-13-01"), ("x%20y", "x y")]
        {
            let reply = program.api("GET", &format!("?{name}={time}"), "");
            let expected = format!("Invalid datestamp '{shown}' must be ISO8601.");
            assert_eq!((reply.status, reply.body), (400, expected));
        }
    }
}

#[test]
fn a_target_that_leads_nowhere_is_accepted_and_fails_with_500_at_request_time() {
    let mut program = Program::start(&[]);
    let public = program.public();
    for target in ["", "nonsense", "ftp://127.0.0.1/"] {
        assert_eq!(program.api("POST", "/odd", &json!({"target": target}).to_string()).status, 201);
        assert_eq!(program.api("GET", "/odd", "").json()["target"], target);
        assert_eq!(ask(public, "GET", "/odd/x", "", "").status, 500, "{target}");
    }
}

#[test]
fn chp_009_routes_are_filtered_by_their_last_use() {
    let mut program = Program::start(&[]);
    program.api("POST", "/a", r#"{"target": "http://h:1"}"#);
    for (time, expected) in [
        ("1970-01-02T00:00:00.000Z", 0),
        ("2999-01-01T00:00:00.000Z", 1),
        ("2999-01-01T00:00:00%2B00:00", 1),
        ("2999-01-01T00:00:00+00:00", 1),
        ("2999-01-01", 1),
        ("", 1),
    ] {
        for name in ["inactive_since", "inactiveSince"] {
            let table = program.api("GET", &format!("?{name}={time}"), "").json();
            assert_eq!(table.as_object().unwrap().len(), expected, "{name}={time}");
        }
    }
}

#[test]
fn chp_009_between_the_last_uses_of_two_routes_only_the_older_is_inactive() {
    let mut program = Program::start(&[]);
    program.api("POST", "/yesterday", r#"{"target": "http://h:1"}"#);
    let used =
        |program: &mut Program, path: &str| program.api("GET", path, "").json()["last_activity"].clone();
    let yesterday = used(&mut program, "/yesterday");
    // Until the clock has moved on, the two cannot be told apart.
    let today = std::iter::repeat_with(|| {
        program.api("POST", "/today", r#"{"target": "http://h:1"}"#);
        used(&mut program, "/today")
    })
    .find(|today| *today != yesterday)
    .unwrap();
    for (time, expected) in [(&yesterday, &[][..]), (&today, &["/yesterday"])] {
        let table = program.api("GET", &format!("?inactive_since={}", time.as_str().unwrap()), "").json();
        let keys: Vec<_> = table.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected, "{time}");
    }
}

#[test]
fn chp_022_with_host_routing_hosts_lead_to_their_own_servers_and_others_to_the_root() {
    let mut program = Program::start(&["--host-routing", "--default-target", &format!("{}/root", echo())]);
    let body = format!(r#"{{"target": "{}/host", "host": "lie"}}"#, echo());
    assert_eq!(program.api("POST", "/Ada.Test/user/ada", &body).status, 201);
    let table = program.api("GET", "", "").json();
    assert_eq!(table["/Ada.Test/user/ada"]["host"], "Ada.Test");
    assert!(table["/"].get("host").is_none(), "{table}");
    assert_eq!(program.api("DELETE", "/ada.test/user/ada", "").status, 204);
}

#[test]
fn a_body_that_is_too_large_or_too_deep_or_a_bad_escape_is_refused() {
    let mut program = Program::start(&[]);
    let large = format!(r#"{{"target": "http://h:1", "x": "{}"}}"#, "x".repeat(1024 * 1024));
    assert_eq!(program.api("POST", "/a", &large).status, 413);
    let deep = format!(r#"{{"target": "http://h:1", "x": {}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
    assert_eq!(program.api("POST", "/a", &deep).status, 400);
    for path in ["/%zz", "/%ff", "/a%"] {
        assert_eq!(program.api("POST", path, r#"{"target": "http://h:1"}"#).status, 400, "{path}");
    }
    assert_eq!(program.api("POST", &"/a".repeat(65), r#"{"target": "http://h:1"}"#).status, 400);
}

#[test]
fn proxy_031_queries_of_calls_and_of_targets_stay_out_of_the_log() {
    let mut program = Program::start(&["--log-level", "debug"]);
    let public = program.public();
    program.api("POST", "/a", r#"{"target": "http://u:hidden@127.0.0.1:1/?token=hidden"}"#);
    program.api("GET", "?inactive_since=2000&x=hidden", "");
    ask(public, "GET", "/a/x?token=hidden", "", "");
    ask(public, "GET", "/nowhere?token=hidden", "", "");
    program.terminate();
    let hidden: Vec<_> = program.log.iter().filter(|line| line.contains("hidden")).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    assert!(program.log.iter().any(|line| line.contains("Route added /a -> http://***@127.0.0.1:1/")));
    assert!(
        program.log.iter().any(|line| line.ends_with("info: 201 POST /api/routes/a")),
        "{:?}",
        program.log
    );
}

#[test]
fn sec_099_clients_that_say_nothing_do_not_keep_others_from_the_api() {
    let mut program = Program::start(&[]);
    let address = program.api_address();
    let _silent: Vec<_> = (0..200).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    assert_eq!(program.api("GET", "", "").status, 200);
}
