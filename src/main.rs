//! Arguments, subcommand, exit code.

mod cli;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, ConfigCommand, DbCommand, Reach, UserEnvCommand, operate};
use orrery::app::admin_client::ClientError;
use orrery::app::{self, AppError, TokenError};
use orrery::config::command::{CommandError, Existing, Format, Written, init, show};
use orrery::config::logging::{LogFormat, LoggingConfig};
use orrery::config::{Config, ConfigError, Sources, load, read};
use orrery::domain::names::{NameError, Username};
use orrery::logging;

/// Why the program ends with status 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    UserEnv(#[from] app::user_env::UserEnvError),
    #[error("{0} of these must be mended")]
    Unwell(usize),
    #[error("the hub goes on with the configuration that it had")]
    NotReloaded,
    #[error("say what is announced: `orrery announce MESSAGE`, or end it with --end")]
    NoMessage,
    #[error("the schema lacks {0}; run `orrery db migrate`")]
    SchemaOutdated(String),
    #[error("the schema has {0}, which this program does not know: a newer Orrery has used this database")]
    SchemaNewer(String),
    #[error("logging.file: {} cannot be written: {source}", path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error("who are you? Name the user: `orrery token NAME`")]
    Nobody,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // to the standard output for --help and --version; nobody is left to tell if that fails
            let _ = usage.print();
            return ExitCode::from(u8::from(usage.use_stderr()));
        }
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let sources = Sources::of_process(cli.options.config.clone(), cli.overrides());
    match &cli.command {
        None => run_hub(&sources),
        Some(Command::Config { command }) => match command {
            ConfigCommand::Show { json } => {
                show_config(&sources, if *json { Format::Json } else { Format::Toml })
            }
            ConfigCommand::Check => check_config(&sources),
            ConfigCommand::Init { file } => init_config(file, cli.options.yes),
        },
        Some(Command::Db { command: DbCommand::Migrate { check } }) => {
            let config = load(&sources)?.config;
            if *check { check_schema(&config) } else { migrate(&config) }
        }
        Some(Command::Db { command: DbCommand::Backup }) => {
            let copy = app::upkeep::back_up(&load(&sources)?.config)?;
            say(&copy.display().to_string());
            Ok(())
        }
        Some(Command::Db { command: DbCommand::Restore { file } }) => restore(&load(&sources)?.config, file),
        Some(Command::RotateSecret { keep, reach }) => rotate_secret(&sources, *keep, reach),
        Some(Command::UserEnv { command: UserEnvCommand::Create { path, requirements, python } }) => {
            let wanted = app::user_env::UserEnv {
                path: path.clone(),
                requirements: requirements.clone(),
                python: python.clone(),
            };
            user_env(&wanted)
        }
        Some(Command::Token { name }) => token(&load(&sources)?.config, name.clone()),
        Some(Command::Status(reach)) => operate::status(&sources, reach),
        Some(Command::Servers { user, reach }) => operate::servers(&sources, reach, user.as_deref()),
        Some(Command::Explain { server, reach }) => operate::explain(&sources, reach, server),
        Some(Command::Doctor { json }) => operate::doctor(&sources, *json),
        Some(Command::Reload { dry_run: false, reach }) => operate::reload(&sources, reach),
        Some(Command::Reload { dry_run: true, reach }) => operate::preview_reload(&sources, reach),
        Some(Command::Drain { notice, reach }) => operate::notice(&sources, reach, "/maintenance", notice),
        Some(Command::Announce { notice, .. }) if notice.message.is_none() && !notice.end => {
            Err(Failure::NoMessage)
        }
        Some(Command::Announce { notice, reach }) => {
            operate::notice(&sources, reach, "/announcement", notice)
        }
    }
}

fn user_env(wanted: &app::user_env::UserEnv) -> Result<(), Failure> {
    eprintln!("building; this takes a few minutes");
    let built = app::user_env::create(wanted)?;
    let program = wanted.path.join("bin/jupyterhub-singleuser");
    for removed in &built.removed {
        eprintln!("{} is gone: nothing used it any more", removed.display());
    }
    if !built.has_single_user {
        eprintln!(
            "note: it has no jupyterhub-singleuser, so no server starts from it; name jupyterhub in the requirements"
        );
    } else if !app::user_env::is_permitted(&program) {
        eprintln!(
            "note: add `command = {}` to /etc/orrery/launch.policy, or no server starts from it",
            program.display()
        );
    }
    println!("{} now leads to {}", wanted.path.display(), built.folder.display());
    Ok(())
}

fn run_hub(sources: &Sources) -> Result<(), Failure> {
    let loaded = load(sources)?;
    start_log(&loaded.config.logging)?;
    for warning in &loaded.warnings {
        log::warn!("{warning}");
    }
    let ended = app::run(loaded.config, sources.clone());
    logging::flush();
    Ok(ended?)
}

fn start_log(config: &LoggingConfig) -> Result<(), Failure> {
    let format = match config.format {
        LogFormat::Text => logging::Format::Text,
        LogFormat::Json => logging::Format::Json,
        LogFormat::Jupyterhub => logging::Format::Jupyterhub,
    };
    let file = Some(config.file.clone()).filter(|file| !file.as_os_str().is_empty());
    let level = config.level.0.to_level_filter();
    logging::start(&logging::Settings { level, format, file })
        .map_err(|source| Failure::Log { path: config.file.clone(), source })
}

fn check_schema(config: &Config) -> Result<(), Failure> {
    let state = app::upkeep::schema_state(config)?;
    if !state.unknown.is_empty() {
        return Err(Failure::SchemaNewer(state.unknown.join(", ")));
    }
    if !state.pending.is_empty() {
        return Err(Failure::SchemaOutdated(state.pending.join(", ")));
    }
    say("The schema is up to date.");
    Ok(())
}

fn migrate(config: &Config) -> Result<(), Failure> {
    let migrated = app::upkeep::migrate(config)?;
    if let Some(backup) = &migrated.backup {
        say(&format!("The database was copied to {}.", backup.display()));
    }
    match migrated.applied.as_slice() {
        [] => say("The schema is up to date."),
        applied => say(&format!("Applied: {}.", applied.join(", "))),
    }
    Ok(())
}

fn restore(config: &Config, file: &Path) -> Result<(), Failure> {
    let restored = app::upkeep::restore(config, file)?;
    if let Some(replaced) = &restored.replaced {
        say(&format!("What was there is kept in {}.", replaced.display()));
    }
    say(&format!("The database is that of {} again, at schema {}.", file.display(), restored.schema));
    Ok(())
}

/// A hub that runs takes the new key at once; to one that doesn't, it comes with its start.
fn rotate_secret(sources: &Sources, keep: u16, reach: &Reach) -> Result<(), Failure> {
    let config = load(sources)?.config;
    // found out before root gives up its rights
    let socket = reach.socket.clone().or_else(|| config.admin_socket());
    let keys = app::upkeep::rotate_secret(&config, keep.into())?;
    eprintln!("A new key signs cookies; {} older are still good.", keys.saturating_sub(1));
    let asked =
        socket.map(|socket| operate::reload(sources, &Reach { socket: Some(socket), json: reach.json }));
    match asked {
        None | Some(Err(Failure::Client(ClientError::Unreachable { .. }))) => {
            eprintln!("No hub was reached; it counts from the next start or reload of the hub.");
            Ok(())
        }
        Some(done) => done,
    }
}

fn token(config: &Config, name: Option<String>) -> Result<(), Failure> {
    let name = name.or_else(|| std::env::var("USER").ok()).ok_or(Failure::Nobody)?;
    let token = app::create_token(config, &Username::parse(&name)?)?;
    say(token.expose());
    Ok(())
}

fn show_config(sources: &Sources, format: Format) -> Result<(), Failure> {
    let loaded = read(sources)?;
    tell(&loaded.warnings);
    tell(&loaded.not_yet);
    say(show(&loaded.config, format)?.trim_end());
    Ok(())
}

fn check_config(sources: &Sources) -> Result<(), Failure> {
    let loaded = load(sources)?;
    tell(&loaded.warnings);
    let files: Vec<String> =
        loaded.files.iter().map(PathBuf::as_path).map(|f| f.display().to_string()).collect();
    let files = if files.is_empty() { "no file, only defaults".to_owned() } else { files.join(", ") };
    say(&format!("The configuration is right ({files})."));
    Ok(())
}

fn init_config(file: &Path, yes: bool) -> Result<(), Failure> {
    let mut ask = |question: &str| {
        let mut out = io::stdout();
        write!(out, "{question}")?;
        out.flush()?;
        io::stdin().lock().lines().next().transpose()
    };
    let existing = match (yes, io::stdin().is_terminal()) {
        (true, _) => Existing::Overwrite,
        (false, true) => Existing::Ask(&mut ask),
        (false, false) => Existing::Keep,
    };
    match init(file, existing)? {
        Written::Yes => say(&format!("{} is written.", file.display())),
        Written::Declined => say("Nothing is changed."),
    }
    Ok(())
}

/// Prints a line; a reader that went away is no error.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn tell(notes: &[impl std::fmt::Display]) {
    for note in notes {
        eprintln!("note: {note}");
    }
}
