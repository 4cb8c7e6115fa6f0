"""Accounts, policies, the privileged programs and the hub, inside the namespace that `run.sh` makes."""
import fcntl
import http.client
import itertools
import json
import os
import pwd
import signal
import socket
import struct
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import wire

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PROBE = "/usr/lib/orrery/probe"
ORRERY = "/usr/lib/orrery/orrery"
SINGLEUSER = str((ROOT / ".dev/venv").resolve() / "bin/jupyterhub-singleuser")
HOMES = Path("/run/home")
CGROUP_PARENT = os.environ.get("CGROUP_PARENT", "orrery-test")
numbers = itertools.count(1)

if not Path("/run/.upper").is_dir():
    pytest.exit("start these tests by tests/privileged/run.sh: they change /etc, and only its namespace is theirs", 2)


def wait_for(condition, what, seconds=60):
    """Waits until the condition is true; what it said."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")


def sh(*command, check=True, **more):
    """Runs a program as root; what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **more)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session", autouse=True)
def network():
    """The namespace's own loopback."""
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING


@pytest.fixture(scope="session", autouse=True)
def no_delay():
    """A wrong password costs two seconds on Debian, here none."""
    common = Path("/etc/pam.d/common-auth")
    common.write_text(common.read_text().replace("pam_unix.so nullok", "pam_unix.so nullok nodelay"))


# Accounts.

@dataclass
class Account:
    name: str
    uid: int
    gid: int
    home: Path
    password: str = "correct horse"

    def groups(self):
        return sorted(os.getgrouplist(self.name, self.gid))

    def processes(self):
        """The command lines of its processes, by pid."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                uids = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("Uid:"))
                zombie = "\nState:\tZ" in (folder / "status").read_text()
                if str(self.uid) in uids.split()[1:] and not zombie:
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, StopIteration):
                pass
        return found

    def run(self, *command, **more):
        """Runs a program as this account, with all its groups and nothing of root's."""
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, errors="replace", timeout=120, cwd="/",
            **self.identity(), **({"env": {"PATH": "/usr/bin:/bin"}} | more),
        )

    def python(self, code, *arguments, **more):
        return self.run("/usr/bin/python3", "-I", "-c", code, *arguments, **more)

    def identity(self):
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(self.name, self.gid)}


def account(name, **more):
    found = pwd.getpwnam(name)
    return Account(found.pw_name, found.pw_uid, found.pw_gid, Path(found.pw_dir), **more)


def as_user(name):
    return account(name)


def add_user(name=None, *options, password="correct horse", home=True):
    """A new account made by `useradd`."""
    name = name or f"user{next(numbers)}"
    sh("useradd", "--create-home" if home else "--no-create-home", "--base-dir", HOMES, "--shell", "/bin/bash", *options, name)
    if password is not None:
        sh("chpasswd", input=f"{name}:{password}\n")
    return account(name, password=password)


def add_group(*members, name=None):
    name = name or f"group{next(numbers)}"
    sh("groupadd", name)
    for member in members:
        sh("usermod", "-aG", name, member)
    return name


@pytest.fixture(scope="session")
def orrery():
    """The daemon's own account."""
    return account("orrery", password=None)


@pytest.fixture(scope="session")
def ada():
    return add_user("ada")


@pytest.fixture(scope="session")
def grace():
    """Somebody else on this machine."""
    return add_user("grace")


@pytest.fixture
def someone():
    """A new account that only this test has."""
    return add_user()


# The policy.

DEFAULT_POLICY = {
    "pam_service": ["orrery"],
    "command": [PROBE, SINGLEUSER],
    "argument": ["--socket={socket}", "--ServerApp.sock={socket}", "--ServerApp.sock_mode=0660"],
    "environment": ["JUPYTERHUB_*", "JPY_API_TOKEN", "JUPYTER_*", "MEM_LIMIT", "MEM_GUARANTEE", "CPU_LIMIT", "CPU_GUARANTEE", "LANG", "LC_*", "TZ"],
    "cgroup_parent": CGROUP_PARENT,
    "login_timeout": "60s",
}


def policy_text(**changes):
    """Keys that are None are left out; lists are several lines."""
    lines = []
    for key, value in ({"caller_uid": pwd.getpwnam("orrery").pw_uid} | DEFAULT_POLICY | changes).items():
        values = value if isinstance(value, list) else [value]
        lines += [f"{key} = {one}\n" for one in values if one is not None]
    return "".join(lines)


@pytest.fixture(autouse=True)
def policy():
    """Writes the policy; each test begins with the default one: `policy(uids="2000-3000")`."""
    def write(text=None, **changes):
        wire.POLICY.write_text(policy_text(**changes) if text is None else text)
        wire.POLICY.chmod(0o644)

    wire.POLICY.unlink(missing_ok=True)
    write()
    yield write


def pam_service(name, *lines):
    """Writes a PAM service."""
    Path("/etc/pam.d", name).write_text("".join(f"{line}\n" for line in lines))
    return name


@pytest.fixture(autouse=True)
def pam_files():
    """Each test begins with the PAM services as they were installed."""
    kept = {path: path.read_bytes() for path in Path("/etc/pam.d").iterdir()}
    yield
    for path in Path("/etc/pam.d").iterdir():
        if path not in kept:
            path.unlink()
    for path, content in kept.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


def compile_library(name):
    """A shared library from a C file in `modules`."""
    path = Path("/usr/lib/orrery", f"{name}.so")
    if not path.exists():
        sh("gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-o", path, HERE / f"modules/{name}.c", *(["-lpam"] if name != "preload" else []))
    return path


def add_to_service(name, *lines, first=False):
    """Adds lines to a PAM service."""
    path = Path("/etc/pam.d", name)
    parts = [*lines, path.read_text()] if first else [path.read_text(), *lines]
    path.write_text("".join(f"{part.rstrip()}\n" for part in parts))


class Sessions:
    """Which PAM sessions were opened and closed, told by `pam_exec`."""

    def __init__(self):
        self.log = Path("/run/sessions")
        self.log.write_text("")
        script = Path("/run/.upper/session-log")
        script.write_text(f'#!/bin/sh\necho "$PAM_TYPE $PAM_USER $PAM_SERVICE" >>{self.log}\n')
        script.chmod(0o700)
        add_to_service("orrery", f"session required pam_exec.so {script}")

    def lines(self):
        return self.log.read_text().splitlines()


@pytest.fixture
def sessions(pam_files):
    return Sessions()


# The privileged programs.

def socket_pair(who):
    """Two connected sockets as this account makes them: the kernel tells either end who was at the other."""
    os.setegid(who.gid)
    os.seteuid(who.uid)
    try:
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    finally:
        os.seteuid(0)
        os.setegid(0)


class Conversation:
    """One run of `orrery-launch`, as the hub's account or another."""

    def __init__(self, request, caller=None, program=wire.LAUNCH, **process):
        caller = caller or account("orrery")
        self.socket, theirs = socket_pair(caller)
        self.socket.settimeout(120)
        try:
            if Path(program).exists():
                options = {"cwd": "/", "env": {}, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} | caller.identity() | process
                self.process = subprocess.Popen([program], stdin=theirs, **options)
            else:
                self.process = directly(request, theirs)
                request = None
        finally:
            theirs.close()
        if request is not None:
            try:
                wire.send(self.socket, request if isinstance(request, bytes) else request.encode())
            except BrokenPipeError:
                pass  # it has refused already

    def next(self):
        """The next reply; None when there is no more."""
        content = wire.receive(self.socket)
        return None if content is None else wire.reply(content)

    def answer(self, text):
        wire.send(self.socket, wire.answer(text))

    def finish(self, *answers):
        """Answers the prompts in turn; the last reply, and all that was said before."""
        answers, said = list(answers), []
        while True:
            reply = self.next()
            if isinstance(reply, wire.Prompt):
                said.append(reply)
                if not answers:
                    self.close()
                    return None, said
                self.answer(answers.pop(0))
            elif isinstance(reply, wire.Message):
                said.append(reply)
            else:
                return reply, said

    def result(self, *answers):
        return self.finish(*answers)[0]

    def status(self):
        return self.process.wait(60)

    def close(self):
        self.socket.close()


def directly(request, theirs):
    """`orrery-session` by root, as long as there is no `orrery-launch`."""
    assert Path(wire.SESSION).exists(), "neither orrery-launch nor orrery-session is installed: build them first"
    kind = {wire.Login: "login", wire.Start: "start", wire.Revoke: "revoke"}[type(request)]
    has_ticket = bool(getattr(request, "ticket", b""))
    memory = os.memfd_create("handover", os.MFD_ALLOW_SEALING)
    os.write(memory, wire.handover(wire.POLICY.read_text(), request.encode(), has_ticket))
    os.lseek(memory, 0, os.SEEK_SET)
    fcntl.fcntl(memory, 1033, 1 | 2 | 4 | 8)  # F_ADD_SEALS: all of them
    line = f"exec -a orrery-session {wire.SESSION} {kind} 3<&{memory}" + (f" {memory}<&-" if memory != 3 else "")
    try:
        return subprocess.Popen(["/bin/bash", "-c", line], stdin=theirs, cwd="/", env={}, pass_fds=[memory],
                                stderr=subprocess.PIPE)
    finally:
        os.close(memory)


def ask(request, *answers, caller=None, **more):
    """Sends one request; the last reply."""
    return Conversation(request, caller, **more).result(*answers)


def sign_in(who, *answers, **more):
    """Signs in with the account's password (or these answers); the account with its ticket."""
    reply = ask(wire.Login(who.name, **more), *(answers or (who.password,)))
    assert isinstance(reply, wire.Accepted), reply
    return reply


class Server:
    """A server that was started, with the probe as its program."""

    def __init__(self, who, started):
        self.who, self.pid, self.start_time = who, started.pid, started.start_time
        self.socket, self.control, self.log = started.socket, started.control, started.log

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("probe", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(120)
        connection.sock.connect(self.socket)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def listens(self):
        try:
            return self.request("GET", "/")
        except OSError:
            return None

    def ready(self):
        wait_for(self.listens, lambda: f"the probe; its log: {self.output()}")
        return self

    def run(self, *argv):
        """Runs a program in the server; its output."""
        done = self.request("POST", "/run", {"argv": [str(word) for word in argv]})
        assert done["status"] == 0, done
        return done["out"]

    def try_run(self, *argv):
        return self.request("POST", "/run", {"argv": [str(word) for word in argv]})

    def exit(self, status=0):
        try:
            self.request("POST", "/exit", {"status": status})
        except (OSError, http.client.HTTPException):
            pass

    def connect(self):
        """A connection to its control socket."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(120)
        connection.connect(self.control)
        return connection

    def ask(self, what):
        with self.connect() as connection:
            wire.send(connection, what)
            return wire.news(wire.receive(connection))

    def wait(self):
        """How it ended."""
        try:
            with self.connect() as connection:
                content = wire.receive(connection)
        except OSError:
            content = None
        return self.record() if content is None else wire.news(content)

    def record(self):
        """The exit record that it left."""
        path = wire.RUNTIME / "ended" / Path(self.control).name
        wait_for(path.exists, f"{path}")
        return wire.exit_record(path.read_bytes())

    def output(self):
        path = Path(self.log)
        return path.read_text(errors="replace") if path.exists() else ""

    def is_gone(self):
        """Whether the keeper has put everything away."""
        return not Path(self.control).exists() and not Path(self.socket).exists()

    def stop(self, what=wire.TERMINATE):
        self.ask(what)
        return self.wait()


def ticket_for(who, **changes):
    """A ticket as a login gives one, made with root's own key; `changes` are other facts."""
    if not wire.TICKET_KEY.exists():
        wire.RUNTIME.mkdir(mode=0o711, exist_ok=True)
        wire.RUNTIME.chmod(0o711)
        wire.TICKET_KEY.touch(0o600)
        wire.TICKET_KEY.write_bytes(os.urandom(32))
    now = int(time.time())
    boot = bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", ""))
    return wire.Ticket(who.uid, now, now + 3600, boot, os.urandom(16)).signed(**changes).encode()


def start(who, ticket=None, **more):
    """Starts the probe as this account."""
    ticket = ticket_for(who) if ticket is None else ticket
    request = wire.Start(who.uid, ticket, **({"server_id": f"s{next(numbers)}"} | more))
    reply = ask(request)
    assert isinstance(reply, wire.Started), reply
    return Server(who, reply)


@pytest.fixture(autouse=True)
def nothing_left():
    """Ends what a test leaves behind: servers, and whatever else its users run."""
    yield
    for path in (wire.RUNTIME / "control").glob("*"):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(60)
                connection.connect(str(path))
                wire.send(connection, wire.KILL)
                while wire.receive(connection) is not None:
                    pass
        except OSError:
            pass
    for found in pwd.getpwall():
        if str(found.pw_dir).startswith(str(HOMES)):
            for pid in account(found.pw_name).processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


class Log:
    """What arrives at /dev/log."""

    def __init__(self):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        Path("/dev/log").unlink(missing_ok=True)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.lines.append(self.socket.recv(65536).decode(errors="replace"))

    def find(self, *words):
        return [line for line in list(self.lines) if all(word in line for word in words)]

    def wait(self, *words):
        return wait_for(lambda: self.find(*words), lambda: f"a line with {words} among {self.lines}")


@pytest.fixture(scope="session", autouse=True)
def all_logs():
    return Log()


@pytest.fixture
def syslog(all_logs):
    """What has been logged since the test began."""
    all_logs.lines.clear()
    return all_logs


@contextmanager
def small_disk(folder, size="64k"):
    """A file system at `folder` that is full, with what it held before out of sight."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    kept = os.stat(folder)
    sh("mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes=64,mode={kept.st_mode & 0o7777:o},uid={kept.st_uid},gid={kept.st_gid}", "tmpfs", folder)
    try:
        with open(Path(folder) / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        yield
    finally:
        sh("umount", "--lazy", folder)


def has_controller(name):
    """Whether this machine's kernel can limit `name` for control groups."""
    v1 = Path("/sys/fs/cgroup", name).is_dir()
    v2 = Path("/sys/fs/cgroup/cgroup.controllers")
    return v1 or (v2.exists() and name in v2.read_text().split())
