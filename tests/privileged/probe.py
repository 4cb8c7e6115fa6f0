#!/usr/bin/python3 -I
"""A user's server that does what a test asks of it: `POST <anything>/run` with {"argv": [...]} runs a program and tells what
came out, `POST <anything>/exit` with {"status": n} ends the server; everything else is answered with 200.

It listens on the UNIX socket of `--socket=<path>` or of JUPYTERHUB_SERVICE_URL, or on the TCP address of the latter.
"""
import json
import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({"path": self.path, "headers": dict(self.headers.items())})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.path.endswith("/exit"):
            os._exit(asked["status"])
        if self.path.endswith("/run"):
            done = subprocess.run(asked["argv"], stdin=subprocess.DEVNULL, capture_output=True)
            return self.answer({"status": done.returncode, "out": done.stdout.decode(errors="replace"),
                                "err": done.stderr.decode(errors="replace")})
        self.answer({"path": self.path})

    def answer(self, found):
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "-"

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "probe", 0


class UnixServer(Server):
    address_family = socket.AF_UNIX

    def server_bind(self):
        super().server_bind()
        os.chmod(self.server_address, 0o660)


path = next((word.partition("=")[2] for word in sys.argv if word.startswith("--socket=")), None)
url = urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", ""))
if path is None and url.scheme == "http+unix":
    path = unquote(url.netloc)
print("the probe says hello", flush=True)
if path:
    UnixServer(path, Handler).serve_forever()
else:
    Server((url.hostname, url.port), Handler).serve_forever()
