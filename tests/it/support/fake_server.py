"""A user server for the tests: answers below its prefix, takes every POST; says what it is at <prefix>whoami and
<prefix>env, and what it was asked at <prefix>fields.

FAKE_FAIL=1 writes to stderr and exits with status 7; so does a GET of <prefix>crash; FAKE_STUBBORN=1 ignores SIGINT and SIGTERM; FAKE_DELAY=seconds
waits before it listens; FAKE_BUSY=1 says at <prefix>api/kernels that a kernel is busy, to whom the hub knows.
"""
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse
from urllib.request import Request, urlopen

PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]


def fail():
    token = os.environ["JUPYTERHUB_API_TOKEN"]
    print(f"the disk quota of this user is exceeded\nits token is {token}", file=sys.stderr, flush=True)
    os._exit(7)


def whoami(authorization):
    """What the hub says of whoever has this token."""
    request = Request(os.environ["JUPYTERHUB_API_URL"] + "/user", headers={"Authorization": authorization})
    with urlopen(request) as reply:
        return json.load(reply)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        tail = self.path.removeprefix(PREFIX)
        if tail == "crash":
            fail()
        if tail == "api/kernels?no_track_activity=1":
            known = whoami(self.headers["Authorization"])
            busy = known["name"] == os.environ["JUPYTERHUB_USER"] and "FAKE_BUSY" in os.environ
            return self.answer([{"execution_state": "busy" if busy else "idle"}])
        found = {"api": {"version": "fake"}, "env": dict(os.environ), "whoami": {"pid": os.getpid(), "sid": os.getsid(0)}}
        found["fields"] = self.headers.items()
        self.answer(found.get(tail, {"path": self.path}))

    def answer(self, found):
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        reply = json.dumps({"path": self.path, "body": body}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


if os.environ.get("FAKE_FAIL"):
    fail()
if os.environ.get("FAKE_STUBBORN"):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(float(os.environ.get("FAKE_DELAY") or 0))
address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
try:
    Server((address.hostname, address.port), Handler).serve_forever()
except KeyboardInterrupt:
    pass
