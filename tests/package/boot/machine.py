"""A Debian that is booted for the tests: systemd as its first process, files and network of its own, gone when it is closed."""
import ctypes
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BASE = Path(os.environ.get("ORRERY_TEST_ROOT", ROOT / ".dev/package-root"))
WHEELS = Path(os.environ.get("ORRERY_TEST_WHEELS", ROOT / ".dev/wheels"))
CLONE_NEWNET = 0x40000000
# Where this machine has control groups: version 2, beside version 1 or alone.
CGROUPS = [Path("/sys/fs/cgroup", part) for part in ("unified", "systemd", "") if Path("/sys/fs/cgroup", part, "cgroup.procs").exists()]
libc = ctypes.CDLL(None, use_errno=True)


def wait_for(condition, what, seconds=60):
    """Waits until the condition is true; what it said."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")


def enter_network(file):
    """Moves the thread into another network."""
    if libc.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Machine:
    """One machine; what it writes is in a folder of its own, over the base that all share."""

    def __init__(self, name):
        self.name, self.folder = name, ROOT / ".dev/package-run" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.root = self.folder / "root"
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        layers = f"lowerdir={BASE},upperdir={self.folder}/upper,workdir={self.folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], check=True)
        # two machines in one group would take each other's processes for their own
        self.groups = [parent / f"orrery-test-{os.environ['ORRERY_TEST_RUN']}-{name}" for parent in CGROUPS]
        for group in self.groups:
            group.mkdir(exist_ok=True)
        self.process = self.leader = None
        self.boot()

    def boot(self):
        """Starts it, and waits until systemd says that everything has started."""
        notify = self.folder / "notify"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as news:
            news.bind(str(notify))
            news.settimeout(120)
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--directory", self.root, "--boot", f"--machine={self.name}", "--register=no", "--keep-unit",
                 "--private-network", "--notify-ready=yes", "--console=pipe", f"--bind-ro={WHEELS}:/wheels",
                 *os.environ.get("NSPAWN_ARGS", "").split()],
                env=os.environ | {"NOTIFY_SOCKET": str(notify), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}, stdin=subprocess.DEVNULL,
                stdout=open(self.folder / "console", "ab"), stderr=subprocess.STDOUT, preexec_fn=self.enter_groups)
            told = ""
            while "READY=1" not in told:
                try:
                    told += news.recv(4096).decode() + "\n"
                except TimeoutError:
                    raise AssertionError(f"it does not boot: {told}{self.console()}") from None
        self.leader = int(re.search(r"X_NSPAWN_LEADER_PID=(\d+)", told)[1])
        return self

    def enter_groups(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text("0")

    def console(self):
        return (self.folder / "console").read_text(errors="replace")[-4000:]

    def run(self, *command, check=True, env=None, timeout=600, **more):
        """Runs a program as root inside; what it printed."""
        words = ["nsenter", "--target", str(self.leader), "--all", "env", "--ignore-environment", "HOME=/root", "LANG=C.UTF-8",
                 "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        words += [f"{name}={value}" for name, value in (env or {}).items()] + [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=timeout, **more)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout if check else done

    def shell(self, script, **more):
        return self.run("sh", "-euc", script, **more)

    def write(self, path, text, mode="0644"):
        self.shell(f'cat >"{path}"; chmod {mode} "{path}"', input=text)

    def copy(self, file):
        """Puts a file of the host into /root; its path there."""
        shutil.copy(file, f"/proc/{self.leader}/root/root/")
        return f"/root/{Path(file).name}"

    def property(self, unit, name):
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def journal(self, *more):
        return self.run("journalctl", "--no-pager", "--output=short-precise", *more)

    @contextmanager
    def network(self):
        """Sockets that are made meanwhile are in the machine's network, whose loopback nobody else has."""
        with open("/proc/thread-self/ns/net") as own, open(f"/proc/{self.leader}/ns/net") as other:
            enter_network(other)
            try:
                yield
            finally:
                enter_network(own)

    def popen(self, *command, **more):
        """Starts a program of the host in the machine's network."""
        return subprocess.Popen(["nsenter", f"--net=/proc/{self.leader}/ns/net", *(str(word) for word in command)], text=True, **more)

    def stop(self):
        """As `poweroff` does it."""
        self.run("systemctl", "poweroff", check=False)
        self.process.wait(120)
        self.leader = None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        subprocess.run(["umount", "--lazy", self.root], check=True)
        for group in self.groups:
            subprocess.run(["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"], stderr=subprocess.DEVNULL)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
