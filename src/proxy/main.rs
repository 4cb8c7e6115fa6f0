//! The data plane as a program of its own: arguments, exit status.

use std::process::ExitCode;

use clap::Parser;
use orrery_proxy::cli::{Cli, Settings, version};
use orrery_proxy::program;

fn main() -> ExitCode {
    let environment = |name: &str| std::env::var(name).ok();
    if let Some(status) = program::start_successor(&environment) {
        return status;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // To the standard output for --help; nobody is left to tell if that fails.
            let _ = usage.print();
            return ExitCode::from(u8::from(usage.use_stderr()));
        }
    };
    if cli.version {
        println!("{}", version());
        return ExitCode::SUCCESS;
    }
    if let Some(pid) = cli.running.hand_over {
        return match program::order(pid) {
            Ok(successor) => {
                println!("Process {successor} serves in place of {pid}");
                ExitCode::SUCCESS
            }
            Err(problem) => fail(&problem),
        };
    }
    let settings = match Settings::new(cli, &environment) {
        Ok(settings) => settings,
        Err(problem) => return fail(&problem),
    };
    match program::run(settings, &environment) {
        Ok(status) => ExitCode::from(status),
        Err(problem) => fail(&problem),
    }
}

fn fail(problem: &dyn std::error::Error) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::FAILURE
}
