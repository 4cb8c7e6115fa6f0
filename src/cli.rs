//! The command line: its form, and which keys of the configuration its options set.

pub(crate) mod operate;
#[cfg(test)]
mod paper;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// Gives every person on a shared machine an own web server.
#[derive(Debug, Parser)]
#[command(name = "orrery", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What applies to every command.
    #[command(flatten)]
    pub(crate) options: Options,
    /// What to do; without one, the hub runs.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Configuration file [default: /etc/orrery/orrery.toml, else ./orrery.toml]
    #[arg(short = 'c', long, visible_short_alias = 'f', global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the configuration; other users can see it, so no secrets
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// How much is logged: debug, info, warn or error
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Log everything
    #[arg(long, global = true, conflicts_with = "log_level")]
    debug: bool,
    /// Database: sqlite:///file, a file name, or a PostgreSQL URL without a password
    #[arg(long, visible_alias = "db", global = true, value_name = "URL")]
    database: Option<String>,
    /// Keep the database in memory; everything is forgotten at the end
    #[arg(long, global = true, conflicts_with = "database")]
    no_db: bool,
    /// URL prefix under which everything lives
    #[arg(long, global = true, value_name = "PATH")]
    base_url: Option<String>,
    /// Public address, such as http://127.0.0.1:8000
    #[arg(long, global = true)]
    url: Option<String>,
    /// Public address without port
    #[arg(long, global = true, value_name = "ADDRESS")]
    ip: Option<String>,
    /// Public port
    #[arg(long, global = true)]
    port: Option<u16>,
    /// File for the process id
    #[arg(long, global = true, value_name = "FILE")]
    pid_file: Option<String>,
    /// Answer yes to every question
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) yes: bool,
    /// Upgrade the database's schema at the start
    #[arg(long, global = true)]
    upgrade_db: bool,
}

/// What to do.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// The configuration
    Config {
        /// What to do with it.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// The database
    Db {
        /// What to do with it.
        #[command(subcommand)]
        command: DbCommand,
    },
    /// The Python environment that users' servers run from
    UserEnv {
        /// What to do with it.
        #[command(subcommand)]
        command: UserEnvCommand,
    },
    /// Make an API token for a user and print it
    Token {
        /// Name of the user [default: you]
        name: Option<String>,
    },
    /// Make a new key for cookies; those of the last one stay good, unless --keep 0 ends everybody's sign-in
    RotateSecret {
        /// How many of the old keys go on to be good for cookies that they have signed
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        keep: u16,
        /// Where the hub is.
        #[command(flatten)]
        reach: Reach,
    },
    /// Show what the running hub does
    Status(Reach),
    /// List what runs, starts or stops; of one user, all servers
    Servers {
        /// Name of the user [default: all users]
        user: Option<String>,
        /// Where the hub is.
        #[command(flatten)]
        reach: Reach,
    },
    /// Tell what a server does, what it went through and who asked for it
    Explain {
        /// The server; the default server is just USER
        #[arg(value_name = "USER[/SERVER]")]
        server: String,
        /// Where the hub is.
        #[command(flatten)]
        reach: Reach,
    },
    /// Look at configuration, ports, files, database, programs and machine; status 1 if something is wrong
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let the running hub read its configuration again
    Reload {
        /// Only tell what would change
        #[arg(long)]
        dry_run: bool,
        /// Where the hub is.
        #[command(flatten)]
        reach: Reach,
    },
    /// Start no more servers; those that run go on
    Drain {
        /// What people are told.
        #[command(flatten)]
        notice: NoticeOptions,
        /// Where the hub is.
        #[command(flatten)]
        reach: Reach,
    },
    /// Show a message on all pages
    Announce {
        /// What people are told.
        #[command(flatten)]
        notice: NoticeOptions,
        /// Where the hub is.
        #[command(flatten)]
        reach: Reach,
    },
}

/// What to do with the environment of users' servers.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum UserEnvCommand {
    /// Build it, or build it anew and switch to the new one; as root
    Create {
        /// Where it is to be
        #[arg(long, value_name = "PATH", default_value = "/opt/orrery/jupyter")]
        path: PathBuf,
        /// File of requirements for pip [default: jupyterhub of the version whose contract this is, jupyterlab]
        #[arg(long, value_name = "FILE")]
        requirements: Option<PathBuf>,
        /// The Python that it is made from
        #[arg(long, value_name = "PROGRAM", default_value = "/usr/bin/python3")]
        python: PathBuf,
    },
}

/// Where the running hub is, and how its answer is printed.
#[derive(Debug, PartialEq, Eq, Args)]
pub(crate) struct Reach {
    /// The hub's admin socket [default: that of the configuration]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A message for everybody, and when it holds.
#[derive(Debug, PartialEq, Eq, Args)]
pub(crate) struct NoticeOptions {
    /// What people are told
    pub(crate) message: Option<String>,
    /// Begin later, for example in 30m
    #[arg(long = "in", value_name = "TIME", value_parser = seconds)]
    pub(crate) after: Option<u64>,
    /// End by itself after this long, for example 2h
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    pub(crate) lasting: Option<u64>,
    /// End it now
    #[arg(long, conflicts_with_all = ["message", "after", "lasting"])]
    pub(crate) end: bool,
}

/// What to do with the configuration.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the configuration that results from all sources, without secrets
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell what is wrong with the configuration
    Check,
    /// Write a file to start from
    Init {
        /// File to write
        #[arg(default_value = "orrery.toml")]
        file: PathBuf,
    },
}

/// What to do with the database.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum DbCommand {
    /// Upgrade the database's schema
    Migrate {
        /// Only tell whether that is needed
        #[arg(long)]
        check: bool,
    },
    /// Copy a SQLite database, beside it; a hub may be running
    Backup,
    /// Put a copy in the place of a SQLite database, and keep what was there; the hub must not be running
    Restore {
        /// The copy, such as those that upgrades leave beside the database
        file: PathBuf,
    },
}

impl Cli {
    /// The keys that the options set, the strongest last.
    pub(crate) fn overrides(&self) -> Vec<(String, String)> {
        let options = &self.options;
        let text = |value: &Option<String>| value.as_deref().map(quoted);
        let flag = |set: bool, value: &str| set.then(|| value.to_owned());
        let short = [
            ("logging.level", text(&options.log_level)),
            ("logging.level", flag(options.debug, "\"debug\"")),
            ("database.url", text(&options.database)),
            ("database.url", flag(options.no_db, "\"sqlite:///:memory:\"")),
            ("hub.base_url", text(&options.base_url)),
            ("proxy.bind_url", text(&options.url)),
            ("proxy.ip", text(&options.ip)),
            ("proxy.port", options.port.map(|port| port.to_string())),
            ("hub.pid_file", text(&options.pid_file)),
            ("database.upgrade_on_start", flag(options.upgrade_db, "true")),
        ];
        let short = short.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        short.chain(options.set.iter().cloned()).collect()
    }
}

/// A text as TOML, so that it stays a text whatever it looks like.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// `90`, `90s`, `30m`, `2h`, `1d` in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("write a number and s, m, h or d, for example 30m".to_owned()),
    };
    let number: u64 =
        number.parse().map_err(|_| "write a number and s, m, h or d, for example 30m".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "that is too long".to_owned())
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write section.key=value")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once(&"orrery").chain(words)).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn cfg_004_short_options_come_before_set() {
        let cli = parse(&["--port", "9000", "--set", "proxy.port=9001", "--ip", "::1", "--debug"]);
        let expected = [
            ("logging.level", "\"debug\""),
            ("proxy.ip", "\"::1\""),
            ("proxy.port", "9000"),
            ("proxy.port", "9001"),
        ];
        assert_eq!(cli.overrides(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!(cli.command.is_none());
    }

    #[test]
    fn options_may_follow_the_command() {
        let cli = parse(&["config", "show", "--json", "-f", "x.toml", "--base-url", "/a\"b"]);
        assert_eq!(cli.command, Some(Command::Config { command: ConfigCommand::Show { json: true } }));
        assert_eq!(cli.options.config, Some(PathBuf::from("x.toml")));
        assert_eq!(cli.overrides(), [("hub.base_url".to_owned(), "\"/a\\\"b\"".to_owned())]);
    }

    #[test]
    fn secrets_are_rotated_with_the_last_one_kept_unless_told_otherwise() {
        let keep = |words: &[&str]| match parse(words).command {
            Some(Command::RotateSecret { keep, .. }) => keep,
            other => panic!("{other:?}"),
        };
        assert_eq!((keep(&["rotate-secret"]), keep(&["rotate-secret", "--keep", "0"])), (1, 0));
        assert!(Cli::try_parse_from(["orrery", "db", "restore"]).is_err(), "the copy is named");
    }

    #[test]
    fn a_reload_may_be_looked_at_first() {
        let is_dry = |words: &[&str]| match parse(words).command {
            Some(Command::Reload { dry_run, .. }) => dry_run,
            other => panic!("{other:?}"),
        };
        assert!(is_dry(&["reload", "--dry-run", "--json"]) && !is_dry(&["reload"]));
    }

    #[test]
    fn cfg_007_further_words_are_quoted_back() {
        let error = Cli::try_parse_from(["orrery", "nonsense"]).unwrap_err().to_string();
        assert!(error.contains("nonsense"), "{error}");
        let error = Cli::try_parse_from(["orrery", "token", "ada", "grace"]).unwrap_err().to_string();
        assert!(error.contains("grace"), "{error}");
    }

    #[test]
    fn a_notice_ends_or_has_a_message_and_times() {
        let drain = |words: &[&str]| match parse(words).command {
            Some(Command::Drain { notice, .. }) => notice,
            other => panic!("{other:?}"),
        };
        let notice = drain(&["drain", "soon", "--in", "30m", "--for", "2h"]);
        assert_eq!((notice.after, notice.lasting), (Some(1800), Some(7200)));
        assert!(drain(&["drain", "--end"]).end);
        assert!(Cli::try_parse_from(["orrery", "drain", "x", "--end"]).is_err());
        for wrong in ["", "m", "3w", "-1", "99999999999999999999", "9999999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(assignment("hub.default_url=/x?a=b").unwrap().1, "/x?a=b");
        assert!(assignment("hub.port").is_err());
    }
}
