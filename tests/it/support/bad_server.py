"""A user server that misbehaves, for the tests: BAD says how.

error: answers 500 to everything. slow: takes a second for each answer. once: answers one request, then exits with
status 3. child: leaves a child in its group that ignores SIGTERM, its number in $HOME/child. daemon: forks away twice,
into a session of its own, and exits. flood: writes to its log without end. thief: listens on the port in $HOME/port.
robbed: a stranger listens on its port before it does, at the first start only (robbed twice: at each); the stranger's number
is in $HOME/stranger, its port in $HOME/lost, and what it was asked in $HOME/asked.
"""
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

BAD = os.environ["BAD"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if BAD == "slow":
            time.sleep(1)
        self.send_response(500 if BAD == "error" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        if BAD == "once":
            self.wfile.flush()
            print("that was enough", flush=True)
            os._exit(3)

    def log_message(self, *args):
        pass


def note(name, number):
    with open(os.path.join(os.environ["HOME"], name + ".new"), "w") as file:
        file.write(str(number))
    os.rename(file.name, os.path.join(os.environ["HOME"], name))


def flood():
    line = b"nothing to see here, but a lot of it" * 100 + b"\n"
    while True:
        os.write(1, line)


if BAD == "child":
    ready, told = os.pipe()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(told, b"x")
        time.sleep(600)
        os._exit(0)
    os.read(ready, 1)
    with open("/proc/self/task/%d/children" % os.getpid()) as children:
        note("child", children.read().split()[0])
if BAD == "daemon":
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note("daemon", os.getpid())
            time.sleep(600)
        os._exit(0)
    while not os.path.exists(os.path.join(os.environ["HOME"], "daemon")):
        time.sleep(0.01)
    sys.exit(0)
if BAD == "flood":
    threading.Thread(target=flood, daemon=True).start()
address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
port = address.port


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self):
        with open(os.path.join(os.environ["HOME"], "asked"), "a") as file:
            print(self.path, self.headers.get("Authorization"), self.headers.get("Cookie"), file=file)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


def rob():
    """Lets somebody who is not of this server's family listen at its address."""
    done, told = os.pipe()
    if os.fork() == 0:
        os.setsid()
        between = os.getpid()
        if os.fork() == 0:
            # as long as the one in between lives, this is a grandchild of the server: no stranger yet
            while os.getppid() == between:
                time.sleep(0.001)
            listener = ThreadingHTTPServer((address.hostname, port), Stranger)
            note("lost", port)
            note("stranger", os.getpid())
            os.write(told, b"x")
            listener.serve_forever()
        os._exit(0)
    os.read(done, 1)
    os.wait()


if BAD == "robbed twice" or BAD == "robbed" and not os.path.exists(os.path.join(os.environ["HOME"], "stranger")):
    rob()
    if "LATE" in os.environ:
        time.sleep(600)
if BAD == "thief":
    port = int(open(os.path.join(os.environ["HOME"], "port")).read())
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer((address.hostname, port), Handler).serve_forever()
