"""`orrery-launch` on a socket, as systemd runs it (packaging/systemd/orrery-launch.socket), and its clients."""
import os
import socket
import subprocess
import sys
from pathlib import Path

import wire
from conftest import Conversation, account

# What a unit brings along that no server may see: environment, mask and ignored signals, folder, limits, descriptors.
UNIT = {"INVOCATION_ID": "0123456789abcdef", "JOURNAL_STREAM": "8:1", "SYSTEMD_EXEC_PID": "1", "LISTEN_FDS": "1",
        "LD_PRELOAD": "/nowhere.so", "PATH": "/nowhere", "LANG": "de_DE.UTF-8"}


SERVE = f"""
import os, signal, socket, subprocess

def as_a_unit():
    os.setsid()
    os.umask(0o022)
    os.nice(5)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM, signal.SIGUSR1}})

listener = socket.socket(fileno=0)
children = []
while True:
    connection, _ = listener.accept()
    with connection:
        children = [child for child in children if child.poll() is None] + [subprocess.Popen(
            ["{wire.LAUNCH}"], stdin=connection, stdout=subprocess.DEVNULL, cwd="/tmp", env={UNIT}, preexec_fn=as_a_unit)]
"""


class Broker:
    """A listener of root's that only one account can connect to, unless `mode` says otherwise."""

    def __init__(self, path="/run/orrery-launch.sock", owner="orrery", mode=0o600):
        self.path = Path(path)
        self.path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            os.chown(self.path, account(owner).uid, account(owner).gid)
            self.path.chmod(mode)
            listener.listen(4096)
            # a process, not a thread: tests change their effective uid for a moment
            self.process = subprocess.Popen([sys.executable, "-I", "-c", SERVE], stdin=listener)

    def close(self):
        """As `systemctl stop` does: the socket is gone, what was started is not."""
        self.process.kill()
        self.process.wait()
        self.path.unlink(missing_ok=True)


class Connection(Conversation):
    """One request over the socket, as the hub's account or another."""

    def __init__(self, request, caller=None, path="/run/orrery-launch.sock"):
        caller = caller or account("orrery")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        os.setegid(caller.gid)
        os.seteuid(caller.uid)
        try:
            self.socket.connect(str(path))
        finally:
            os.seteuid(0)
            os.setegid(0)
        try:
            wire.send(self.socket, request.encode())
        except BrokenPipeError:
            pass  # it has refused already
