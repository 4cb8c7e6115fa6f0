//! Writes `orrery-launch(8)` from the declarations of `orrery-wire`, and fails when it is out of date: keys of the policy from
//! the table that opens `policy.rs`, refusals from their type, files from the comments of `paths.rs`.
//! `ORRERY_WRITE_MANUAL=1 cargo test --lib manual` brings it up to date.

use std::fmt::Write;

use orrery_wire::Refusal;

use crate::config::manual::{is_current, roff};

const HEAD: &str = ".\\\" Written by `ORRERY_WRITE_MANUAL=1 cargo test --lib manual` from src/wire and src/privileged/manual.\n\
                    .TH orrery\\-launch 8 \"\" \"Orrery\" \"System administration\"\n.SH NAME\n\
                    orrery\\-launch, orrery\\-session \\- logins and starts of user servers for orrery(1)\n";
const INTRODUCTION: &str = include_str!("manual/introduction.roff");
const POLICY: &str = include_str!("../wire/policy.rs");
const PATHS: &str = include_str!("../wire/paths.rs");
/// Files that no path of `orrery-wire` names.
const OTHER_FILES: &[(&str, &str)] = &[(
    "/etc/pam.d/orrery",
    "How people sign in, and the session that their servers run in (`pam_service` names it).",
)];
const SEE_ALSO: &str = ".SH SEE ALSO\n.BR orrery (1),\n.BR orrery.toml (5),\n.BR pam (7)\n";

/// The cells of every row of the table in a module's comment, without its head.
fn rows(source: &str) -> impl Iterator<Item = Vec<&str>> {
    let table = source.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    table.map(|row| row.split(" | ").collect()).skip(2)
}

/// The value of every text constant, and its comment.
fn files(source: &str) -> Vec<(&str, String)> {
    let (mut found, mut comment) = (Vec::new(), Vec::new());
    for line in source.lines() {
        if let Some(said) = line.strip_prefix("/// ") {
            comment.push(said);
        } else if line.starts_with("pub const") {
            let value = line.split('"').nth(1);
            found.extend(value.map(|path| (path, comment.join(" "))));
            comment.clear();
        }
    }
    found
}

fn entry(page: &mut String, term: &str, text: &str) {
    writeln!(page, ".TP\n\\fB{}\\fR\n{}", roff(term), roff(text)).unwrap();
}

fn page() -> String {
    let mut page = format!("{HEAD}{INTRODUCTION}");
    page.push_str(
        ".SH POLICY\nLines of\n.BR \"key = value\" ;\n\\fB#\\fR begins a comment line. A key that holds a list may stand in several \
         lines, each with one value; all others at most once. Every login and start reads it anew.\n",
    );
    for row in rows(POLICY) {
        let [key, default, meaning] = row.as_slice() else { panic!("{row:?} is no row of three") };
        entry(&mut page, key.trim_matches('`'), &format!("{meaning}. Default: {default}."));
    }
    page.push_str(
        ".SH EXIT STATUS\n0 when it has become\n.BR orrery\\-session .\nOtherwise why not: the hub is told, and the system's log has \
         it with its particulars (facility auth,\n.BR \"journalctl \\-t orrery\\-launch \\-t orrery\\-session\" ).\n",
    );
    for refusal in Refusal::ALL {
        entry(&mut page, &refusal.exit_status().to_string(), &format!("{refusal}."));
    }
    page.push_str(".SH FILES\n");
    let named = files(PATHS);
    let others = OTHER_FILES.iter().map(|(path, said)| (*path, (*said).to_owned()));
    for (path, said) in named.into_iter().chain(others) {
        entry(&mut page, path, &said);
    }
    page.push_str(SEE_ALSO);
    page
}

#[test]
fn the_manual_page_of_the_privileged_programs_is_what_they_do() {
    let page = page();
    for key in ["caller_uid", "log_limit"] {
        assert!(page.contains(&format!(".TP\n\\fB{key}\\fR\n")), "{page}");
    }
    assert!(page.contains(".TP\n\\fB29\\fR\n") && page.contains("launch.policy"), "{page}");
    is_current("packaging/man/orrery-launch.8", &page);
}
