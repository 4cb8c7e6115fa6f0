//! What has to be there before a server can run, in the order in which it is made.

use std::path::PathBuf;

use nix::fcntl::FlockArg;
use nix::sys::stat::Mode;
use orrery_wire::policy::Cgroups;
use orrery_wire::{Listen, Policy, Start, StartFailure, is_server_id};

use super::cgroup::{self, Group, Hierarchies, Limits};
use super::child::{Child, Failed, Step, output_pipe};
use super::command::Command;
use super::control::Control;
use super::keeper::{Keeper, take_signals};
use super::lock::Lock;
use super::output::Output;
use super::places::Places;
use super::session::Session;
use super::{NotStarted, environment, exit_record};
use crate::account::Account;
use crate::sys::process;

/// An account that may be served, the places of its server, and the locks on them.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) account: Account,
    pub(crate) places: Places,
    pub(crate) hub_gid: u32,
    /// The server's socket; none with TCP.
    pub(crate) socket: Option<PathBuf>,
    pub(crate) server_lock: Lock,
    pub(crate) user_lock: Lock,
    hierarchies: Hierarchies,
}

impl Ground {
    /// Asks the name service, makes root's folders, takes the locks and ends what dead keepers of this user have left.
    pub(crate) fn prepare(policy: &Policy, start: &Start, has_ticket: bool) -> Result<Self, NotStarted> {
        let account = account(policy, start, has_ticket)?;
        let hub_gid = hub_group(policy)?;
        let places = Places::new(account.uid, hub_gid, &start.server_id);
        let system = |what| NotStarted::because(StartFailure::System, what);
        places.make_roots_folders().map_err(system("a folder in /run/orrery-launch could not be made"))?;
        let lock = "the server could not be locked";
        let user_lock = Lock::take(&places.user_lock(), FlockArg::LockShared).map_err(system(lock))?;
        let server_lock =
            Lock::take(&places.server_lock(), FlockArg::LockExclusiveNonblock).map_err(system(lock))?;
        let running = || NotStarted::new(StartFailure::Running, "a server with this id runs already");
        let (user_lock, server_lock) = (user_lock.ok_or_else(running)?, server_lock.ok_or_else(running)?);
        let hierarchies = match policy.cgroups {
            Cgroups::Off => Hierarchies::default(),
            Cgroups::Try | Cgroups::Require => Hierarchies::find().unwrap_or_default(),
        };
        let socket = (start.listen == Listen::Unix).then(|| places.socket());
        let ground = Self { account, places, hub_gid, socket, server_lock, user_lock, hierarchies };
        ground.end_what_dead_keepers_left(policy);
        cgroup::leave_hubs_group(&ground.hierarchies, &policy.cgroup_parent);
        exit_record::forget(&ground.places);
        Ok(ground)
    }

    /// A group whose lock is free has no keeper.
    fn end_what_dead_keepers_left(&self, policy: &Policy) {
        for id in Group::ids(&self.hierarchies, &policy.cgroup_parent, self.account.uid) {
            let places = Places::new(self.account.uid, self.hub_gid, &id);
            let lock = Lock::take(&places.server_lock(), FlockArg::LockExclusiveNonblock);
            if let Ok(Some(lock)) = lock {
                Group::named(&self.hierarchies, &policy.cgroup_parent, self.account.uid, &id).clear();
                let _ = std::fs::remove_file(places.control());
                lock.discard();
            }
        }
    }

    /// Makes group, folder, log and control socket, and starts the server. If one of them fails, all are removed again.
    pub(crate) fn start_server(
        &self,
        policy: &Policy,
        start: &Start,
        session: &mut Session,
    ) -> Result<Keeper, NotStarted> {
        let (group, notes) = self.make_group(policy, start)?;
        let started = self.start_in(group.as_ref(), policy, start, session, notes);
        match started {
            Ok((server, output, control, signals)) => {
                Ok(Keeper::new(server, group, output, control, signals))
            }
            Err(failure) => {
                if let Some(group) = group {
                    group.clear();
                }
                Err(failure)
            }
        }
    }

    fn make_group(&self, policy: &Policy, start: &Start) -> Result<(Option<Group>, Vec<String>), NotStarted> {
        if policy.cgroups == Cgroups::Off {
            return Ok((None, Vec::new()));
        }
        let limits = Limits { memory: start.memory, cpu: start.cpu, processes: start.processes };
        let made = Group::make(&self.hierarchies, &policy.cgroup_parent, start.uid, &start.server_id);
        let (group, problem) = match made {
            Ok(group) => match group.limit(&limits).join(", ") {
                missing if missing.is_empty() => return Ok((Some(group), Vec::new())),
                missing => (Some(group), format!("this machine cannot set: {missing}")),
            },
            Err(error) => (None, format!("no control group could be made: {error}")),
        };
        if policy.cgroups == Cgroups::Try {
            return Ok((group, vec![problem]));
        }
        if let Some(group) = group {
            group.clear();
        }
        Err(NotStarted::new(StartFailure::ControlGroup, format!("{problem} (cgroups = require)")))
    }

    fn start_in(
        &self,
        group: Option<&Group>,
        policy: &Policy,
        start: &Start,
        session: &mut Session,
        notes: Vec<String>,
    ) -> Result<(nix::unistd::Pid, Output, Control, nix::sys::signalfd::SignalFd), NotStarted> {
        use StartFailure::{ControlGroup, Log, SocketFolder, System};
        if self.socket.is_some() {
            let made = self.places.make_socket_folder();
            made.map_err(NotStarted::because(SocketFolder, "the socket folder could not be made"))?;
        }
        let (output, writer) =
            self.make_output(policy, start).map_err(NotStarted::because(Log, "the log could not be made"))?;
        let mut output = output;
        for line in notes.iter().chain(&session.told()) {
            output.say(line);
        }
        let control = Control::listen(&self.places, policy.caller_uid, self.hub_gid)
            .map_err(NotStarted::because(System, "the control socket could not be made"))?;
        let gates = group.map_or_else(|| Ok(Vec::new()), Group::gates);
        let gates = match (gates, policy.cgroups) {
            (Ok(gates), _) => gates,
            (Err(error), Cgroups::Require) => {
                control.stop_listening();
                return Err(NotStarted::because(ControlGroup, "the control group could not be opened")(
                    error,
                ));
            }
            (Err(_), _) => Vec::new(),
        };
        let Some(child) = self.child(policy, start, session, gates, writer) else {
            control.stop_listening();
            return Err(NotStarted::new(StartFailure::Program, "there is no command"));
        };
        let started = child.start().map_err(|failed| not_started(failed, start)).and_then(|server| {
            // Only now: helpers of PAM modules and the server itself are not to inherit it.
            let signals = take_signals().map_err(NotStarted::because(System, "signals could not be set up"));
            signals.inspect_err(|_| end_at_once(server)).map(|signals| (server, signals))
        });
        match started {
            Ok((server, signals)) => Ok((server, output, control, signals)),
            Err(failure) => {
                control.stop_listening();
                Err(failure)
            }
        }
    }

    fn make_output(&self, policy: &Policy, start: &Start) -> std::io::Result<(Output, std::os::fd::OwnedFd)> {
        let file = self.places.make_log()?;
        let (reader, writer) = output_pipe()?;
        // Scripts write to /dev/stderr, which opens the pipe anew.
        nix::unistd::fchown(&writer, Some(self.account.uid.into()), Some(self.account.gid.into()))?;
        let limit =
            if start.log_limit == 0 { policy.log_limit } else { start.log_limit.min(policy.log_limit) };
        Ok((Output::new(reader, file, limit), writer))
    }

    fn child<'a>(
        &self,
        policy: &Policy,
        start: &Start,
        session: &'a Session,
        gates: Vec<std::fs::File>,
        output: std::os::fd::OwnedFd,
    ) -> Option<Child<'a>> {
        let socket = self.places.socket();
        let command = Command::new(start, &self.account, &socket)?;
        let home = || self.account.home.clone();
        Some(Child {
            identity: &session.identity,
            no_new_privs: policy.no_new_privs,
            gates,
            output,
            umask: start.umask.map_or(session.umask, |umask| Mode::from_bits_truncate(umask & 0o777)),
            new_keyring: !session.is_pam(),
            folder: if start.folder.is_empty() { home() } else { PathBuf::from(&start.folder) },
            environment: environment::build(
                policy,
                session.environment(),
                start,
                &self.account,
                self.socket.as_deref(),
            ),
            socket: self.socket.clone(),
            program: command.program,
            arguments: command.arguments,
        })
    }
}

/// Looks at the request once more, though `orrery-launch` has: this program is the one that could do harm.
fn account(policy: &Policy, start: &Start, has_ticket: bool) -> Result<Account, NotStarted> {
    let no_account = |text: &str| NotStarted::new(StartFailure::NoAccount, text);
    let program = start.command.first().map_or("", String::as_str);
    if !is_server_id(&start.server_id) || !policy.admits_command(program) {
        return Err(NotStarted::new(StartFailure::System, "the request was not checked"));
    }
    if !policy.admits_uid(start.uid) {
        return Err(no_account("the user's uid is outside of what the policy permits (uids)"));
    }
    let account = Account::by_uid(start.uid).map_err(|error| no_account(&error.to_string()))?;
    if !has_ticket {
        admit_unattended(policy, &account)?;
    }
    Ok(account)
}

fn admit_unattended(policy: &Policy, account: &Account) -> Result<(), NotStarted> {
    let refused = |text: &str| Err(NotStarted::new(StartFailure::Unattended, text));
    if !policy.admits_unattended(account.uid) {
        return refused("the user has not signed in, and the policy does not permit that (unattended_uids)");
    }
    let groups = account.groups().map_err(NotStarted::because(StartFailure::NoAccount, "no groups"))?;
    let is_member = |name: &String| process::group_number(name).is_some_and(|gid| groups.contains(&gid));
    if policy.unattended_groups.is_empty() || policy.unattended_groups.iter().any(is_member) {
        Ok(())
    } else {
        refused("the user has not signed in and is in no group that the policy names (unattended_group)")
    }
}

/// The group of the daemon's account: it may read logs and reach sockets.
fn hub_group(policy: &Policy) -> Result<u32, NotStarted> {
    let account = Account::by_uid(policy.caller_uid);
    account.map(|account| account.gid).map_err(|error| {
        NotStarted::new(StartFailure::System, format!("the daemon's account (caller_uid): {error}"))
    })
}

fn not_started(failed: Failed, start: &Start) -> NotStarted {
    let program = start.command.first().map_or("", String::as_str);
    let (reason, what) = match failed.step {
        Step::ControlGroup => (StartFailure::ControlGroup, String::new()),
        Step::Drop => (StartFailure::Privileges, String::new()),
        Step::Program => (StartFailure::Program, format!("{program}: ")),
        Step::Fork | Step::Session | Step::Descriptors | Step::Folder => {
            (StartFailure::System, String::new())
        }
    };
    NotStarted::new(reason, format!("{what}{}: {}", failed.step.text(), failed.error.desc()))
}

fn end_at_once(server: nix::unistd::Pid) {
    let _ = nix::sys::signal::kill(server, nix::sys::signal::Signal::SIGKILL);
}
