//! Writes manual pages and shell completions of both programs from their declarations, and fails when they are out of
//! date. `ORRERY_WRITE_MANUAL=1 cargo test --bin orrery paper` brings them up to date.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::Cli;

fn programs() -> [Command; 2] {
    [Cli::command(), orrery_proxy::cli::Cli::command()]
}

/// A file below `packaging`, and what it should be.
type File = (PathBuf, Vec<u8>);

/// The page of a command and those of all below it, named as `git-commit(1)` is.
fn pages(command: Command, found: &mut Vec<File>) {
    let name = command.get_name().to_owned();
    let typed = command.get_bin_name().unwrap_or(&name).to_owned();
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        // clap wants names for ever; this is a test
        let full: &'static str = format!("{name}-{}", sub.get_name()).leak();
        let shown: &'static str = format!("{typed} {}", sub.get_name()).leak();
        pages(sub.clone().display_name(full).name(full).bin_name(shown), found);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).unwrap();
    found.push((PathBuf::from(format!("man/{name}.1")), page));
}

fn completions(command: &Command, found: &mut Vec<File>) {
    let name = command.get_name().to_owned();
    for (shell, file) in [
        (Shell::Bash, format!("{name}.bash")),
        (Shell::Zsh, format!("_{name}")),
        (Shell::Fish, format!("{name}.fish")),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command.clone(), &name, &mut script);
        found.push((Path::new("completions").join(file), script));
    }
}

fn expected() -> Vec<File> {
    let mut expected = Vec::new();
    for mut program in programs() {
        completions(&program, &mut expected);
        program.build();
        pages(program, &mut expected);
    }
    expected
}

#[test]
fn manual_pages_and_completions_say_what_the_programs_take() {
    for (file, content) in expected() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(&file);
        if std::env::var_os("ORRERY_WRITE_MANUAL").is_some() {
            std::fs::write(&path, &content).unwrap();
        }
        let found = std::fs::read(&path).unwrap_or_default();
        assert!(
            found == content,
            "{} is out of date: ORRERY_WRITE_MANUAL=1 cargo test --bin orrery paper",
            file.display()
        );
    }
}

/// What a page says is typed.
fn synopsis(page: &str) -> String {
    let line = page.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).unwrap();
    let bold = line.strip_prefix("\\fB").and_then(|rest| rest.split("\\fR").next()).unwrap();
    bold.replace("\\-", "-")
}

#[test]
fn every_synopsis_begins_with_a_command_that_there_is_and_is_named_after() {
    let programs = programs();
    for (path, page) in expected() {
        if path.extension().is_none_or(|section| section != "1") {
            continue;
        }
        let typed = synopsis(std::str::from_utf8(&page).unwrap());
        let mut words = typed.split(' ');
        let program = words.next().and_then(|name| programs.iter().find(|known| known.get_name() == name));
        let found = words.try_fold(program.unwrap(), |above, word| above.find_subcommand(word));
        assert!(found.is_some(), "{}: there is no `{typed}`", path.display());
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), typed.replace(' ', "-"));
    }
}
