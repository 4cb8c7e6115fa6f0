//! A machine on which the package is installed: mounts that only the thread of a test and its children see.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use hmac::{Hmac, Mac};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{geteuid, pipe};
use orrery_wire::{Facts, Listen, Login, Refusal, Reply, Request, Start, Ticket, frame, paths};
use sha2::Sha256;

/// The daemon's account.
pub(crate) const CALLER: u32 = 64_997;
/// Somebody who may be served.
pub(crate) const ADA: u32 = 64_001;
pub(crate) const KEY: [u8; 32] = [7; 32];
pub(crate) const POLICY: &str = "caller_uid = 64997\nuids = 64001-64900\nunattended_uids = 64800-64900\npam_service = orrery\n\
    command = /opt/lab/bin/single\nargument = --sock={socket}\nargument = --dir=*\n\
    environment = JUPYTERHUB_*\nenvironment = LANG\n";

pub(crate) struct Stage {
    log: UnixDatagram,
}

/// What came of one call.
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    /// Everything that was said on the socket.
    pub(crate) said: Vec<u8>,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said: String = String::from_utf8_lossy(&self.said).chars().take(200).collect();
        write!(f, "status {:?}, said {said:?}", self.status)
    }
}

impl Outcome {
    /// The report of the stand-in for `orrery-session`.
    pub(crate) fn report(&self) -> String {
        let text = String::from_utf8_lossy(&self.said).into_owned();
        assert!(
            self.status == Some(0) && text.starts_with("argument=orrery-session\n"),
            "not handed over: {self:?}"
        );
        text
    }

    pub(crate) fn ran(&self) -> bool {
        String::from_utf8_lossy(&self.said).contains("argument=")
    }

    /// The refusal, told by the frame and by the status alike, and nothing else said.
    #[track_caller]
    pub(crate) fn refusal(&self) -> Refusal {
        let Ok(Reply::Refused(refusal)) =
            frame::read(self.said.as_slice()).map(|bytes| Reply::decode(&bytes).unwrap())
        else {
            panic!("no refusal: {self:?}");
        };
        assert_eq!(self.said.len(), 6);
        assert_eq!(self.status, Some(i32::from(refusal.exit_status())), "{refusal:?}");
        refusal
    }
}

/// Runs a test on a fresh machine, in a thread of its own, whose end takes the mounts along.
pub(crate) fn on_stage(test: impl FnOnce(&Stage) + Send) {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let ended = thread::scope(|scope| scope.spawn(|| test(&Stage::new())).join());
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

impl Stage {
    fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        tmpfs("/run");
        for folder in ["/etc", "/usr/lib"] {
            overlay(folder);
        }
        devices();
        folder("/usr/lib/orrery", 0o755);
        folder("/etc/orrery", 0o755);
        folder(paths::RUNTIME, 0o711);
        folder(paths::REVOKED, 0o700);
        copy(&program(), paths::LAUNCH);
        chown(paths::LAUNCH, Some(0), Some(CALLER)).unwrap();
        mode(paths::LAUNCH, 0o4750);
        copy(stand_in(), paths::SESSION);
        mode(paths::SESSION, 0o700);
        copy(stand_in(), "/run/caller");
        file(paths::POLICY, POLICY.as_bytes(), 0o644);
        file(paths::TICKET_KEY, &KEY, 0o600);
        let log = UnixDatagram::bind("/dev/log").unwrap();
        mode("/dev/log", 0o666);
        log.set_nonblocking(true).unwrap();
        Self { log }
    }

    /// The daemon's account asks, as it should.
    pub(crate) fn ask(&self, request: &Request) -> Outcome {
        self.attack("plain", CALLER, &framed(request))
    }

    /// Somebody asks, in a way that the stand-in knows.
    pub(crate) fn attack(&self, attack: &str, uid: u32, bytes: &[u8]) -> Outcome {
        self.run(Command::new("/run/caller").args([attack, &uid.to_string()]), uid, bytes)
    }

    /// Runs a command that ends up as `orrery-launch`, and says `bytes` to it through a socket that `uid` made.
    pub(crate) fn run(&self, command: &mut Command, uid: u32, bytes: &[u8]) -> Outcome {
        self.run_on(command, socket_of(uid), bytes)
    }

    /// systemd runs it on a connection that it has accepted from `uid`: as root, `attack`ed by what the unit could set.
    pub(crate) fn broker(&self, attack: &str, uid: u32, bytes: &[u8]) -> Outcome {
        self.run_on(Command::new("/run/caller").args([attack, "0"]), accepted_from(uid), bytes)
    }

    fn run_on(
        &self,
        command: &mut Command,
        (ours, theirs): (UnixStream, UnixStream),
        bytes: &[u8],
    ) -> Outcome {
        let mut child = command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).spawn().unwrap();
        command.stdin(Stdio::null()); // closes our copy of the other end
        finish(&mut child, ours, bytes)
    }

    /// What was logged so far, line by line.
    pub(crate) fn logged(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = [0; 4096];
        while let Ok(length) = self.log.recv(&mut line) {
            lines.push(String::from_utf8(line[..length].to_vec()).unwrap());
        }
        lines
    }
}

/// Says it, and hears everything until all copies of the other end are closed.
pub(crate) fn finish(child: &mut Child, mut ours: UnixStream, bytes: &[u8]) -> Outcome {
    ours.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = ours.write_all(bytes); // who refuses does not read
    let mut said = Vec::new();
    let mut part = [0; 4096];
    loop {
        match ours.read(&mut part) {
            Ok(0) => break,
            Ok(length) => said.extend(&part[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break, // our bytes were not read
            Err(error) => panic!("{error}"),
        }
    }
    let status = child.wait().unwrap();
    Outcome { status: status.code(), said }
}

/// A pair of sockets whose peer credentials are of that uid: those of whoever makes the pair.
pub(crate) fn socket_of(uid: u32) -> (UnixStream, UnixStream) {
    thread::scope(|scope| {
        scope
            .spawn(|| {
                // Of this thread alone: libc would change those of all threads.
                become_for_sockets(uid);
                UnixStream::pair().unwrap()
            })
            .join()
            .unwrap()
    })
}

/// A connection that `uid` made to a listener of root's: the client's end and the accepted one.
pub(crate) fn accepted_from(uid: u32) -> (UnixStream, UnixStream) {
    let path = format!("/run/launch-{uid}.sock");
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    mode(&path, 0o666);
    let client = thread::scope(|scope| {
        let connect = scope.spawn(|| {
            become_for_sockets(uid);
            UnixStream::connect(&path).unwrap()
        });
        connect.join().unwrap()
    });
    (client, listener.accept().unwrap().0)
}

/// `SO_PEERCRED` takes the effective uid of the thread that makes the pair.
fn become_for_sockets(uid: u32) {
    rustix::thread::set_thread_res_uid(
        rustix::thread::Uid::from_raw(0),
        rustix::thread::Uid::from_raw(uid),
        rustix::thread::Uid::from_raw(0),
    )
    .unwrap();
}

pub(crate) fn framed(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, &request.encode()).unwrap();
    bytes
}

pub(crate) fn login() -> Request {
    Request::Login(Login {
        service: "orrery".to_owned(),
        username: "ada".to_owned(),
        remote_host: "192.0.2.1".to_owned(),
        check_account: true,
    })
}

pub(crate) fn start() -> Start {
    Start {
        uid: ADA,
        ticket: ticket(&facts(), &KEY),
        server_id: "17-a".to_owned(),
        command: vec!["/opt/lab/bin/single".to_owned(), "--sock={socket}".to_owned()],
        environment: vec![
            ("JUPYTERHUB_USER".to_owned(), "ada".to_owned()),
            ("LANG".to_owned(), "C".to_owned()),
        ],
        service_prefix: "/user/ada/".to_owned(),
        listen: Listen::Unix,
        folder: String::new(),
        login_shell: false,
        umask: None,
        memory: 0,
        cpu: 0,
        processes: 0,
        log_limit: 0,
    }
}

/// A start request, changed.
pub(crate) fn start_with(change: impl FnOnce(&mut Start)) -> Request {
    let mut start = start();
    change(&mut start);
    Request::Start(Box::new(start))
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

pub(crate) fn facts() -> Facts {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    Facts {
        uid: ADA,
        issued: now() - 10,
        expires: now() + 3600,
        boot_id: orrery_wire::ticket::parse_boot_id(&boot).unwrap(),
        nonce: [1; 16],
    }
}

pub(crate) fn ticket(facts: &Facts, key: &[u8]) -> Vec<u8> {
    let mut code = Hmac::<Sha256>::new_from_slice(key).unwrap();
    code.update(&facts.signed_bytes());
    Ticket { facts: facts.clone(), code: code.finalize().into_bytes().into() }.encode()
}

/// The program under test: as tests build it, or the one that is named.
fn program() -> PathBuf {
    std::env::var_os("ORRERY_LAUNCH_BIN").map_or(env!("CARGO_BIN_EXE_orrery-launch").into(), PathBuf::from)
}

/// Compiles the stand-in once for all tests.
fn stand_in() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/stand_in.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stand_in-{}", std::process::id()));
        let done = Command::new("cc")
            .args(["-static", "-O1", "-w", "-o"])
            .arg(&program)
            .arg(source)
            .status()
            .unwrap();
        assert!(done.success());
        program
    })
}

/// By another process: one that is being written cannot be executed, and a test in another thread may fork meanwhile.
fn copy(program: &Path, to: &str) {
    assert!(Command::new("install").arg(program).arg(to).status().unwrap().success());
}

pub(crate) fn folder(path: &str, permissions: u32) {
    let _ = fs::create_dir(path);
    mode(path, permissions);
}

pub(crate) fn file(path: &str, content: &[u8], permissions: u32) {
    let _ = fs::remove_file(path);
    fs::write(path, content).unwrap();
    mode(path, permissions);
}

pub(crate) fn mode(path: &str, permissions: u32) {
    fs::set_permissions(path, Permissions::from_mode(permissions)).unwrap();
}

fn tmpfs(on: &str) {
    mount(Some("tmpfs"), on, Some("tmpfs"), MsFlags::empty(), Some("mode=755")).unwrap();
}

fn overlay(on: &str) {
    let own = format!("/run/overlay{}", on.replace('/', "-"));
    for part in ["upper", "work"] {
        fs::create_dir_all(format!("{own}/{part}")).unwrap();
        mode(&format!("{own}/{part}"), 0o755);
    }
    let options = format!("lowerdir={on},upperdir={own}/upper,workdir={own}/work");
    mount(Some("overlay"), on, Some("overlay"), MsFlags::empty(), Some(options.as_str())).unwrap();
}

/// A `/dev` with room for a log of our own.
fn devices() {
    folder("/run/dev", 0o755);
    for device in ["null", "zero", "full", "random", "urandom", "tty"] {
        let (from, to) = (format!("/dev/{device}"), format!("/run/dev/{device}"));
        file(&to, b"", 0o666);
        mount(Some(from.as_str()), to.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    }
    folder("/run/dev/shm", 0o1777);
    symlink("/proc/self/fd", "/run/dev/fd").unwrap();
    mount(Some("/run/dev"), "/dev", None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>).unwrap();
}

/// A descriptor that is no socket.
pub(crate) fn no_socket() -> Stdio {
    Stdio::from(pipe().unwrap().0)
}
