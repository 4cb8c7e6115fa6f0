"""What stands behind the proxies, and beside them: backends, certificates, the tools. All on core 1."""
import http.client
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from . import system

MEGABYTE = 1024 * 1024
CORE = {1}


class Bench:
    """The backends, running: nginx for the web, our own echo for WebSockets."""

    def __init__(self, options):
        self.open_files = system.raise_open_files()
        self.priority = options.priority
        self.orrery, self.chp, self.tool = options.orrery_proxy, options.chp, options.load_tool
        self.folder = Path(tempfile.mkdtemp(prefix="bench-backend-"))
        self.web_port, self.echo_port = system.free_port(), system.free_port()
        self.certificates()
        self.processes = []
        try:
            self.start([self.tool, "echo", f"127.0.0.1:{self.echo_port}"], self.echo_port, "echo.log")
            self.start(self.nginx(), self.web_port, "nginx.log")
        except BaseException:
            self.stop()
            raise
        self.check()

    def certificates(self):
        self.key, self.chain, self.both = (self.folder / name for name in ("key.pem", "cert.pem", "both.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key, "-out", self.chain],
            check=True, capture_output=True,
        )
        self.both.write_text(self.chain.read_text() + self.key.read_text())

    def nginx(self):
        """A tiny answer, a megabyte, and a sink that answers when it has the whole body (`return` alone would answer
        before, so the body is taken for an inner request that does not get it)."""
        (self.folder / "big").write_bytes(os.urandom(MEGABYTE))
        (self.folder / "nginx.conf").write_text(f"""
            daemon off; user root; worker_processes 1; pid {self.folder}/pid; error_log stderr warn;
            worker_rlimit_nofile {self.open_files}; events {{ worker_connections {self.open_files - 500}; }}
            http {{
              access_log off; sendfile on; tcp_nopush on; server_tokens off; default_type text/plain;
              keepalive_requests 1000000000; keepalive_timeout 1h; client_max_body_size 0; client_body_buffer_size 2m;
              client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/temp;
              fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
              upstream inner {{ server unix:{self.folder}/inner.socket; keepalive 64; keepalive_requests 1000000000; }}
              server {{
                listen 127.0.0.1:{self.web_port} backlog=4096;
                location / {{ return 200 "hello from a server\\n"; }}
                location = /user/u3/big {{ alias {self.folder}/big; }}
                location = /user/u3/sink {{
                  proxy_pass http://inner; proxy_pass_request_body off; proxy_http_version 1.1;
                  proxy_set_header Content-Length ""; proxy_set_header Connection "";
                }}
              }}
              server {{ listen unix:{self.folder}/inner.socket; location / {{ return 200 "got it\\n"; }} }}
            }}""")
        return ["nginx", "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]

    def start(self, command, port, name):
        log = self.folder / name
        with log.open("wb") as out:
            self.processes.append(subprocess.Popen(
                list(map(str, command)), cwd=self.folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                **system.pin(CORE, self.priority),
            ))
        system.wait_for_port(port, self.processes[-1], log)

    def check(self):
        """A bench against a broken backend measures error pages."""
        for method, path, body, length in (("GET", "/user/u3/x", None, 20), ("GET", "/user/u3/big", None, MEGABYTE),
                                           ("POST", "/user/u3/sink", b"x" * MEGABYTE, 7)):
            web = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=10)
            web.request(method, path, body)
            answer = web.getresponse()
            assert (answer.status, len(answer.read())) == (200, length), (path, answer.status)
            web.close()

    def upload(self):
        """A script for wrk: a megabyte in every request."""
        script = self.folder / "upload.lua"
        script.write_text(f'wrk.method = "POST"\nwrk.body = string.rep("x", {MEGABYTE})\n')
        return script

    def many_paths(self, routes):
        """A script for wrk: every route in turn, jumping so that neighbours are not asked for one after the other."""
        script = self.folder / f"paths{routes}.lua"
        script.write_text(f"""
            local requests, users, n = {{}}, {routes - 2}, 0
            function init()
              for user = 0, users - 1 do requests[user] = wrk.format("GET", "/user/u" .. user .. "/api/status") end
            end
            function request()
              n = (n + 7919) % users
              return requests[n]
            end""")
        return script

    def stop(self):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
