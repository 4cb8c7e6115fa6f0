"""Runs a program as systemd does with Restart=on-failure and FileDescriptorStoreMax=: keeps the files that it is given
(FDSTORE=1), and hands them to the next process of the program when one has been killed.

Usage: service_manager.py NOTIFY_SOCKET PROGRAM ARGUMENT...
"""

import array
import fcntl
import os
import socket
import subprocess
import sys


def receive(notify, kept):
    data, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(64))
    news = dict(line.split("=", 1) for line in data.decode().splitlines())
    files = array.array("i")
    for _, _, payload in ancillary:
        files.frombytes(payload[: len(payload) - len(payload) % files.itemsize])
    name = news.get("FDNAME")
    if "FDSTOREREMOVE" in news:
        kept[:] = [entry for entry in kept if entry[0] != name]
    elif "FDSTORE" in news:
        kept.extend((name, file) for file in files)
    return news


def start(program, kept):
    environment = dict(os.environ, LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=":".join(name for name, _ in kept))

    def arrange():
        # Out of the way first: targets may be sources, too.
        moved = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 100) for _, file in kept]
        for number, file in enumerate(moved):
            os.dup2(file, 3 + number, inheritable=True)

    return subprocess.Popen(program, env=environment, close_fds=False, preexec_fn=arrange)


def main():
    path, program = sys.argv[1], sys.argv[2:]
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(0.01)
    os.environ["NOTIFY_SOCKET"] = path
    kept = []
    process = start(program, kept)
    while True:
        try:
            receive(notify, kept)
        except TimeoutError:
            status = process.poll()
            if status is not None and status >= 0:
                sys.exit(status)
            if status is not None:
                process = start(program, kept)


main()
