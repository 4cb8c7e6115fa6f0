//! `[spawner]`: how servers are started.

pub mod profile;
pub mod variant;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use self::profile::ProfileConfig;
use super::setting::{choice, section};
use super::value::{ByteSize, Command, FileMode, Hook, SecondsOrOff, minutes};

choice! {
    /// How servers are started.
    pub enum SpawnerType {
        /// As the user's own account.
        Local = "local" | "localprocess" | "default",
        /// As the hub's account, each in a directory of its own; for tests.
        Simple = "simple",
        /// By a program.
        Command = "command",
    }
}

choice! {
    /// On what a server listens.
    pub enum Transport {
        /// On a UNIX socket that only its user and the hub can reach.
        Unix = "unix",
        /// On a TCP port, which every user of the machine can connect to.
        Tcp = "tcp",
    }
}

choice! {
    /// What a server's environment begins with.
    pub enum ServerEnvironment {
        /// The PAM session's variables, and the account's.
        Clean = "clean",
        /// What the user's login shell makes of it: profiles, modules.
        Login = "login",
    }
}

choice! {
    /// Whether a server that ended by itself is started again.
    pub enum Restart {
        /// Never.
        Never = "never",
        /// After a non-zero exit status or a signal.
        OnFailure = "on-failure",
    }
}

choice! {
    /// What becomes of the fields of the options form.
    pub enum OptionsFromForm {
        /// Lists of texts, as they came.
        Passthrough = "passthrough",
        /// Single values where there is one.
        Simple = "simple",
    }
}

section! {
    /// `[spawner]`: how servers are started.
    pub struct SpawnerConfig {
        /// How servers are started.
        pub r#type: SpawnerType = SpawnerType::Local,
        /// The command of a server. No shell reads it.
        pub cmd: Vec<String> as Command = vec!["jupyterhub-singleuser".to_owned()],
        /// Arguments after the command.
        pub args: Vec<String> = Vec::new(),
        /// On what a server listens. Not set: on a UNIX socket with the type `local`, else on a TCP port.
        pub transport: Option<Transport> = None,
        /// The address on which a server listens; empty means all interfaces. Without effect on UNIX sockets.
        pub ip: String = "127.0.0.1".to_owned(),
        /// The port on which a server listens; 0 means any free one.
        pub port: u16 = 0,
        /// The directory that a server shows; `{username}` becomes the name. Not set: the home directory.
        pub notebook_dir: String = String::new(),
        /// The page of a server that people land on, for example `/lab`; `{username}` becomes the name.
        pub default_url: String = String::new(),
        /// Ignores configuration files of the user.
        pub disable_user_config: bool = false,
        /// Makes servers log more.
        pub debug: bool = false,
        /// Environment variables of servers; they win over those that the hub sets.
        pub environment: BTreeMap<String, String> = BTreeMap::new(),
        /// Variables of the hub's own environment that servers get.
        pub env_keep: Vec<String> = words(&[
            "CONDA_DEFAULT_ENV", "CONDA_ROOT", "JUPYTERHUB_SINGLEUSER_APP", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH",
            "PYTHONPATH", "VIRTUAL_ENV",
        ]),
        /// How long starting the process may take.
        pub start_timeout: Duration = Duration::from_secs(60),
        /// How long the server may then take to answer.
        pub http_timeout: Duration = Duration::from_secs(30),
        /// How often a running server is checked; 0 or less never does.
        pub poll_interval: Duration as SecondsOrOff = Duration::from_secs(30),
        /// Varies the interval by up to this fraction, from 0 to 1.
        pub poll_jitter: f64 = 0.1,
        /// Pauses starts after so many failures in a row: those of one user, or, when they failed for so many different users,
        /// everybody's. Counted for each value of the option `profile`; 0 never pauses. A success ends it, or an administrator.
        pub consecutive_failure_limit: u32 = 0,
        /// The first such pause; after it one start is tried, and each further failure doubles the pause.
        pub failure_pause: Duration = minutes(1),
        /// The longest such pause.
        pub failure_max_pause: Duration = minutes(60),
        /// The memory that a server may use, told to it as `MEM_LIMIT`. With the type `local` a process that goes beyond it is
        /// killed: a kernel, as a rule, not the server.
        pub mem_limit: Option<ByteSize> = None,
        /// The memory that a server can count on, told to it as `MEM_GUARANTEE`.
        pub mem_guarantee: Option<ByteSize> = None,
        /// The processor cores that a server may use, told to it as `CPU_LIMIT`. Kept with the type `local`.
        pub cpu_limit: Option<f64> = None,
        /// The processor cores that a server can count on, told to it as `CPU_GUARANTEE`.
        pub cpu_guarantee: Option<f64> = None,
        /// The processes and threads that a server may have; 0 means any number. Kept with the type `local`.
        pub process_limit: u32 = 4096,
        /// HTML of a form that is shown before a start.
        pub options_form: String = String::new(),
        /// A file that holds the form.
        pub options_form_file: PathBuf = PathBuf::new(),
        /// What becomes of the form's fields.
        pub options_from_form: OptionsFromForm = OptionsFromForm::Passthrough,
        /// Options that set keys of this section: option to key, or to `environment.NAME` for one variable.
        pub user_options: BTreeMap<String, String> = BTreeMap::new(),
        /// What users may choose for a server: a form before the start, and options of links and REST bodies.
        pub profiles: BTreeMap<String, ProfileConfig> = BTreeMap::new(),
        /// Keys of this section that have other values for members of groups.
        pub group_overrides: BTreeMap<String, GroupOverride> = BTreeMap::new(),
        /// Scopes of a server's own token. Not set: the role `server`.
        pub server_token_scopes: Vec<String> = Vec::new(),
        /// Further scopes that a server may ask its visitors for.
        pub oauth_client_allowed_scopes: Vec<String> = Vec::new(),
        /// The hub's URL for servers, if it is another one than for the hub's own machine.
        pub hub_connect_url: String = String::new(),
        /// Names in a server's certificate.
        pub ssl_alt_names: Vec<String> = Vec::new(),
        /// Adds localhost to them.
        pub ssl_alt_names_include_local: bool = true,
        /// Where the output of servers is kept. Not set: `server-logs` beside the SQLite database, else in the current directory.
        pub log_dir: PathBuf = PathBuf::new(),
        /// Whether a server that ended by itself is started again.
        pub restart: Restart = Restart::Never,
        /// How often a server is started again within `restart_window`; after that it stays stopped until somebody starts it.
        pub restart_limit: u32 = 5,
        /// How long a restart counts.
        pub restart_window: Duration = minutes(10),
        /// The pause before the first restart; it doubles with each one within the window.
        pub restart_delay: Duration = Duration::from_secs(1),
        /// The longest pause before a restart.
        pub restart_max_delay: Duration = minutes(1),
        /// Programs that decide instead of built-in rules.
        pub hooks: SpawnerHooks = SpawnerHooks::default(),
        /// Servers that are processes of this machine.
        pub local: LocalSpawnerConfig = LocalSpawnerConfig::default(),
        /// Type `simple`.
        pub simple: SimpleSpawnerConfig = SimpleSpawnerConfig::default(),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

section! {
    /// `[spawner.group_overrides.<name>]`: other values for members of groups. The tables apply in the order of their names.
    pub struct GroupOverride {
        /// The groups.
        pub groups: Vec<String> = Vec::new(),
        /// Keys of `[spawner]` and their values.
        pub r#override: Map<String, Json> = Map::new(),
    }
}

section! {
    /// `[spawner.hooks]`: programs that decide instead of built-in rules.
    pub struct SpawnerHooks {
        /// Runs before a start, and may refuse it; may answer with keys of `[spawner]` and their values for this start.
        pub pre_spawn: Option<Hook> = None,
        /// Runs after a stop.
        pub post_stop: Option<Hook> = None,
        /// Gets what the sign-in left, before a start; may answer as `pre_spawn` does.
        pub auth_state: Option<Hook> = None,
        /// Applies a user's options: answers with the keys of `[spawner]` that they change.
        pub apply_user_options: Option<Hook> = None,
        /// A program that tells how a start goes, one JSON object with `progress` and `message` a line; it is ended with the start. Its `timeout` has no meaning.
        pub progress: Option<Hook> = None,
        /// Changes what the progress page says at the end.
        pub progress_ready: Option<Hook> = None,
        /// Answers with the HTML of the form that is shown before a start, instead of `spawner.options_form`.
        pub options_form: Option<Hook> = None,
        /// Turns the fields of the form, or of a link, into options, instead of `spawner.options_from_form`.
        pub options_from_form: Option<Hook> = None,
    }
}

section! {
    /// `[spawner.local]`: servers that are processes of this machine (types `local` and `simple`).
    pub struct LocalSpawnerConfig {
        /// How long a server may take to end after an interrupt.
        pub interrupt_timeout: Duration = Duration::from_secs(30),
        /// How long it may then take after a request to terminate.
        pub term_timeout: Duration = Duration::from_secs(30),
        /// How long it may then take after being killed.
        pub kill_timeout: Duration = Duration::from_secs(5),
        /// The working directory, entered as the user. Not set: the home directory.
        pub cwd: PathBuf = PathBuf::new(),
        /// The umask. Type `local` only.
        pub umask: Option<FileMode> = None,
        /// What a server's environment begins with. `login` needs `login_shell = yes` in `/etc/orrery/launch.policy`. Type
        /// `local` only.
        pub environment: ServerEnvironment = ServerEnvironment::Clean,
        /// Arguments that make the command listen on a UNIX socket; `{socket}` becomes its path. `/etc/orrery/launch.policy`
        /// must name them as they are written here. Type `local` only.
        pub socket_args: Vec<String> = words(&["--ServerApp.sock={socket}", "--ServerApp.sock_mode=0660"]),
        /// A file for the standard output.
        pub stdout: PathBuf = PathBuf::new(),
        /// A file for the standard error.
        pub stderr: PathBuf = PathBuf::new(),
        /// Lets the user's login shell run the command, as `environment = "login"` does. Type `local` only.
        pub shell: bool = false,
        /// A shell and its arguments that run the command, which becomes one more argument. With the type `local`,
        /// `/etc/orrery/launch.policy` must name all of these words.
        pub shell_cmd: Vec<String> as Command = Vec::new(),
    }
}

section! {
    /// `[spawner.simple]`: servers as the hub's account, for tests.
    pub struct SimpleSpawnerConfig {
        /// The home directory; `{username}` becomes the name.
        pub home_dir_template: String = "/tmp/{username}".to_owned(),
    }
}
