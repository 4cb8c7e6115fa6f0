//! The commands of operators: what the running hub is asked, and how its answers are printed.
//!
//! Names and reasons come from users and their programs, so nothing is printed that could change a terminal.

use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use orrery::app::admin_client::{AdminClient, ClientError};
use orrery::app::doctor::{self, Finding, Level};
use orrery::config::{Sources, read};
use orrery::logging::escape::escape;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{NoticeOptions, Reach};
use crate::Failure;

/// Where the running hub is.
fn client(sources: &Sources, reach: &Reach) -> Result<AdminClient, Failure> {
    let socket = match &reach.socket {
        Some(socket) => socket.clone(),
        None => read(sources)?.config.admin_socket().ok_or(ClientError::Off)?,
    };
    Ok(AdminClient::new(Path::new(&socket)))
}

/// What a command ends with.
type Done = Result<(), Failure>;

pub(crate) fn status(sources: &Sources, reach: &Reach) -> Done {
    let status = client(sources, reach)?.ask("GET", "/status", None)?;
    if reach.json {
        return print_json(&status);
    }
    let text = |pointer: &str| shown(status.pointer(pointer).unwrap_or(&Value::Null));
    let mut lines = vec![
        format!("Orrery {} runs since {} (process {})", text("/version"), text("/started"), text("/pid")),
        format!("public: {}   hub: {}", text("/public_url"), text("/hub_url")),
    ];
    let count = |word: &str| format!("{} {word}", text(&format!("/servers/{word}")));
    let counts = ["ready", "starting", "stopping", "checking", "failed"].map(count);
    lines.push(format!("servers: {}", counts.join(", ")));
    lines.push(format!("database: {}, {}", text("/database/kind"), reached(&status, "/database")));
    lines.push(format!(
        "proxy: {}, {}, {} routes",
        text("/proxy/kind"),
        reached(&status, "/proxy"),
        text("/proxy/routes")
    ));
    let megabytes = status.pointer("/process/memory_bytes").and_then(Value::as_u64).unwrap_or_default() >> 20;
    lines.push(format!(
        "process: {megabytes} MB, {} s of processor time, {} threads, {} of {} files",
        text("/process/cpu_seconds"),
        text("/process/threads"),
        text("/process/open_files"),
        text("/process/open_files_limit"),
    ));
    for actor in items(&status, "actors").iter().filter(|actor| at(actor, "answers") != true) {
        lines.push(format!(
            "part {} does NOT answer; {} questions wait",
            shown(at(actor, "actor")),
            shown(at(actor, "waiting"))
        ));
    }
    for notice in items(&status, "notices") {
        lines.push(format!("{}: {}", shown(at(&notice, "kind")), shown(at(&notice, "message"))));
    }
    for server in items(&status, "pending") {
        let progress = shown(at(&server, "progress"));
        lines.push(format!(
            "{}: {} since {} {progress}",
            shown(at(&server, "server")),
            shown(at(&server, "state")),
            shown(at(&server, "since"))
        ));
    }
    print_lines(&lines);
    Ok(())
}

fn reached(status: &Value, part: &str) -> &'static str {
    match status.pointer(&format!("{part}/reachable")) {
        Some(Value::Bool(true)) => "answers",
        _ => "does NOT answer",
    }
}

pub(crate) fn servers(sources: &Sources, reach: &Reach, user: Option<&str>) -> Done {
    let target = match user {
        None => "/servers".to_owned(),
        Some(user) => format!("/servers?user={}", utf8_percent_encode(user, NON_ALPHANUMERIC)),
    };
    let answer = client(sources, reach)?.ask("GET", &target, None)?;
    if reach.json {
        return print_json(&answer);
    }
    let columns = ["server", "state", "pid", "started", "last_activity", "cull_at", "used"];
    let heads = ["SERVER", "STATE", "PID", "STARTED", "LAST ACTIVITY", "CULLED AT", "USES"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for server in items(&answer, "servers") {
        rows.push(columns.iter().map(|column| shown(at(&server, column))).collect());
    }
    print_lines(&aligned(&rows));
    Ok(())
}

pub(crate) fn explain(sources: &Sources, reach: &Reach, server: &str) -> Done {
    let (user, name) = server.split_once('/').unwrap_or((server, ""));
    let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let target = match name {
        "" => format!("/explain/{}", part(user)),
        name => format!("/explain/{}/{}", part(user), part(name)),
    };
    let told = client(sources, reach)?.ask("GET", &target, None)?;
    if reach.json {
        return print_json(&told);
    }
    let mut lines = vec![format!("{} is {}", shown(at(&told, "server")), shown(at(&told, "state")))];
    let facts = [
        ("pid", "process"),
        ("used", "uses"),
        ("url", "address"),
        ("started", "started"),
        ("last_activity", "last activity"),
        ("cull_at", "culled at"),
        ("keep_until", "kept until"),
        ("outcome", "last attempt"),
        ("no_starts", "no starts now"),
    ];
    for (key, name) in facts.iter().filter(|(key, _)| !at(&told, key).is_null()) {
        lines.push(format!("  {name}: {}", shown(at(&told, key))));
    }
    match (at(&told, "state"), at(&told, "route")) {
        (state, Value::Bool(false)) if state == "ready" => {
            lines.push("  the proxy has NO route to it".to_owned())
        }
        (_, Value::Null) => lines.push("  the proxy does not say whether it has a route to it".to_owned()),
        _ => {}
    }
    if !at(&told, "last_failure").is_null() {
        let failure = at(&told, "last_failure");
        lines.push(format!("last failure, {}: {}", shown(at(failure, "at")), shown(at(failure, "message"))));
        lines.extend(items(failure, "log").iter().map(|line| format!("  | {}", shown(line))));
    }
    lines.push("what happened, oldest first:".to_owned());
    lines.extend(
        aligned(&items(&told, "history").iter().map(happened).collect::<Vec<_>>())
            .iter()
            .map(|line| format!("  {line}")),
    );
    print_lines(&lines);
    Ok(())
}

/// A line of a server's history.
fn happened(line: &Value) -> Vec<String> {
    let what = if at(line, "state").is_null() { at(line, "action") } else { at(line, "state") };
    let by =
        if at(line, "by").is_null() { String::new() } else { format!(" (by {})", shown(at(line, "by"))) };
    let reason = if at(line, "reason").is_null() { String::new() } else { shown(at(line, "reason")) };
    vec![shown(at(line, "at")), shown(what), format!("{reason}{by}")]
}

/// Nothing is as it should be as soon as one thing is wrong: exit status 1.
pub(crate) fn doctor(sources: &Sources, json: bool) -> Done {
    let findings = doctor::examine(sources);
    let wrong = findings.iter().filter(|finding| finding.level == Level::Wrong).count();
    if json {
        print_json(&json!({ "well": wrong == 0, "findings": findings }))?;
    } else {
        print_lines(&findings.iter().flat_map(diagnosis).collect::<Vec<_>>());
    }
    if wrong > 0 { Err(Failure::Unwell(wrong)) } else { Ok(()) }
}

fn diagnosis(finding: &Finding) -> Vec<String> {
    let head = format!("{:<8} {}: {}", finding.level.as_str(), finding.check, finding.found);
    let advice = finding.advice.iter().map(|advice| format!("         -> {advice}"));
    std::iter::once(head).chain(advice).collect()
}

/// The hub reads its configuration again.
pub(crate) fn reload(sources: &Sources, reach: &Reach) -> Done {
    let report = client(sources, reach)?.ask("POST", "/reload", None)?;
    let head = format!("The configuration: {}.", shown(at(&report, "outcome")));
    print_report(&report, reach, (&head, "in force now:"))
}

/// What that would change.
pub(crate) fn preview_reload(sources: &Sources, reach: &Reach) -> Done {
    let report = client(sources, reach)?.ask("GET", "/reload", None)?;
    let head = match at(&report, "outcome").as_str() {
        Some("applied") => "A reload would change something; nothing was changed.",
        Some("refused") => "A reload would be refused.",
        _ => "A reload would change nothing that is in force.",
    };
    print_report(&report, reach, (head, "would be in force:"))
}

fn print_report(report: &Value, reach: &Reach, (head, in_force): (&str, &str)) -> Done {
    if reach.json {
        print_json(report)?;
    } else {
        let mut lines = vec![head.to_owned()];
        let change = |change: &Value| {
            format!("  {}: {} -> {}", shown(at(change, "key")), at(change, "before"), at(change, "after"))
        };
        for (list, head) in [("applied", in_force), ("needs_restart", "in force after a restart of the hub:")]
        {
            let changes = items(report, list);
            if !changes.is_empty() {
                lines.push(head.to_owned());
                lines.extend(changes.iter().map(change));
            }
        }
        lines.extend(items(report, "problems").iter().map(|problem| format!("wrong: {}", shown(problem))));
        lines.extend(items(report, "warnings").iter().map(|warning| format!("note: {}", shown(warning))));
        print_lines(&lines);
    }
    if at(report, "outcome") == "refused" { Err(Failure::NotReloaded) } else { Ok(()) }
}

/// What the operator says to everybody, on this path of the socket.
pub(crate) fn notice(sources: &Sources, reach: &Reach, path: &str, options: &NoticeOptions) -> Done {
    let client = client(sources, reach)?;
    let answer = if options.end {
        client.ask("DELETE", path, None)?
    } else {
        let now = Utc::now();
        let later = |seconds: Option<u64>| seconds.map(|seconds| after(now, seconds));
        let from = later(options.after);
        let until = options.lasting.map(|seconds| after(from.unwrap_or(now), seconds));
        let stamp = |time: DateTime<Utc>| time.to_rfc3339();
        let body = json!({
            "message": options.message.clone().unwrap_or_default(),
            "from": from.map(stamp),
            "until": until.map(stamp),
        });
        client.ask("POST", path, Some(&body))?
    };
    if reach.json {
        return print_json(&answer);
    }
    let notices = items(&answer, "notices");
    let line = |notice: &Value| {
        let times = [("begins", "from"), ("ends", "until")].map(|(key, word)| match &notice[key] {
            Value::Null => String::new(),
            time => format!(", {word} {}", shown(time)),
        });
        format!("{}{}: {}", shown(at(notice, "kind")), times.concat(), shown(at(notice, "message")))
    };
    print_lines(&notices.iter().map(line).collect::<Vec<_>>());
    if notices.is_empty() {
        print_lines(&["Nothing is announced.".to_owned()]);
    }
    Ok(())
}

fn after(time: DateTime<Utc>, seconds: u64) -> DateTime<Utc> {
    let delta = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
    delta.and_then(|delta| time.checked_add_signed(delta)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn items(object: &Value, name: &str) -> Vec<Value> {
    object.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A member of an object, null if there is none.
fn at<'a>(object: &'a Value, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// A value as people read it, harmless for a terminal.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => escape(text).into_owned(),
        other => escape(&other.to_string()).into_owned(),
    }
}

/// Columns under each other.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A reader that went away is no error.
fn print_lines(lines: &[String]) {
    let mut out = io::stdout().lock();
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
}

fn print_json(value: &Value) -> Done {
    let text = serde_json::to_string_pretty(value).map_err(|wrong| ClientError::Broken(wrong.to_string()))?;
    print_lines(&[text]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_wrote_cannot_change_a_terminal() {
        assert_eq!(shown(&json!("a\u{1b}[2Jb")), "a\\u{1b}[2Jb");
        assert_eq!(shown(&Value::Null), "-");
        assert_eq!(shown(&json!(7)), "7");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let lines = aligned(&[row(&["SERVER", "PID"]), row(&["ada/", "7"]), row(&["ä/lab-long", ""])]);
        assert_eq!(lines, ["SERVER      PID", "ada/        7", "ä/lab-long"]);
    }

    #[test]
    fn a_history_says_who_asked() {
        let step = json!({ "at": "t", "state": "ready", "reason": "it answers", "by": "user:ada" });
        assert_eq!(happened(&step), ["t", "ready", "it answers (by user:ada)"]);
        let act = json!({ "at": "t", "action": "POST /x", "reason": null, "by": null });
        assert_eq!(happened(&act), ["t", "POST /x", ""]);
    }
}
