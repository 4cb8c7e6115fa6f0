"""The proxies under test: each with a fair configuration as production has it, in a folder and session of its own.

All keep connections to the backends, speak HTTP/1.1 to them, write no access log, and set the same X-Forwarded-*
headers. What they route: `/user/ws/` to the echo, everything else to the web backend.
"""
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import system

TOKEN = "bench"
NAMES = ["nginx", "haproxy", "chp", "orrery"]


class Program:
    """One running proxy. `port` speaks HTTP, or HTTPS with `tls`."""

    can_two_workers = True
    environment = {}

    def __init__(self, bench, workers=1, tls=False, routes=10):
        self.bench, self.workers, self.tls, self.routes = bench, workers, tls, routes
        self.cores = {0} if workers == 1 else {0, 1}
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        self.port, self.api_port = system.free_port(), system.free_port()
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment}, **system.pin(self.cores, bench.priority),
            )
        try:
            system.wait_for_port(self.port, self.process, self.log)
            self.add_routes()
        except BaseException:
            self.stop()
            raise

    def address(self):
        return f"127.0.0.1:{self.port}"

    def url(self, path):
        return f"{'https' if self.tls else 'http'}://{self.address()}{path}"

    def cpu(self):
        return system.cpu_seconds(system.session(self.process.pid))

    def memory(self):
        return system.memory(system.session(self.process.pid))

    def add_routes(self):
        pass

    def stop(self):
        for send in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                try:
                    os.killpg(self.process.pid, send)
                    self.process.wait(3)
                except (subprocess.TimeoutExpired, ProcessLookupError):
                    continue
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Program):
    name = "nginx"
    buffering = ""

    def command(self):
        listen = f"listen 127.0.0.1:{self.port}{' ssl' if self.tls else ''} backlog=4096;"
        certificate = f"ssl_certificate {self.bench.chain}; ssl_certificate_key {self.bench.key};" if self.tls else ""
        headers = """
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_set_header X-Forwarded-Host $http_host;"""
        text = f"""
            daemon off; user root; worker_processes {self.workers}; pid {self.folder}/pid;
            error_log stderr warn; worker_rlimit_nofile {self.bench.open_files};
            events {{ worker_connections {self.bench.open_files - 500}; }}
            http {{
              access_log off; sendfile on; tcp_nopush on; server_tokens off;
              keepalive_requests 1000000000; keepalive_timeout 75s; client_max_body_size 0;
              client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/temp;
              fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
              map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
              upstream web {{ server 127.0.0.1:{self.bench.web_port};
                keepalive 256; keepalive_requests 1000000000; keepalive_timeout 60s; }}
              upstream echo {{ server 127.0.0.1:{self.bench.echo_port}; }}
              server {{
                {listen} {certificate} {self.buffering} {headers}
                proxy_read_timeout 1h;
                location / {{ proxy_pass http://web; }}
                location /user/ws/ {{ proxy_pass http://echo; }}
              }}
            }}"""
        (self.folder / "nginx.conf").write_text(text)
        return ["nginx", "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]


class NginxUnbuffered(Nginx):
    """For large bodies: nginx counts with the better of both."""

    buffering = "proxy_buffering off; proxy_request_buffering off;"


class Haproxy(Program):
    name = "haproxy"

    def command(self):
        tls = f" ssl crt {self.bench.both}" if self.tls else ""
        text = f"""
global
  nbthread {self.workers}
  maxconn {self.bench.open_files // 2 - 500}
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 1h
  timeout tunnel 1h
  option forwardfor
  http-reuse always
frontend public
  bind 127.0.0.1:{self.port}{tls} backlog 4096
  http-request set-header X-Forwarded-Proto {'https' if self.tls else 'http'}
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  use_backend echo if {{ path_beg /user/ws/ }}
  default_backend web
backend web
  server web 127.0.0.1:{self.bench.web_port} pool-max-conn 256
backend echo
  server echo 127.0.0.1:{self.bench.echo_port}
"""
        (self.folder / "haproxy.cfg").write_text(text)
        return ["haproxy", "-db", "-q", "-f", str(self.folder / "haproxy.cfg")]


class Chp(Program):
    name = "chp"
    can_two_workers = False
    environment = {"CONFIGPROXY_AUTH_TOKEN": TOKEN}

    def binary(self):
        return self.bench.chp

    def more(self):
        return []

    def command(self):
        command = [self.binary(), "--ip", "127.0.0.1", "--port", self.port, "--api-ip", "127.0.0.1", "--api-port", self.api_port,
                   "--log-level", "warn", *self.more()]
        if self.tls:
            command += ["--ssl-key", self.bench.key, "--ssl-cert", self.bench.chain]
        return list(map(str, command))

    def add_routes(self):
        """The routes of `routes` users, `ws` being the last, and `/`; notes how long one takes."""
        system.wait_for_port(self.api_port, self.process, self.log)
        api = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30)
        web = f"http://127.0.0.1:{self.bench.web_port}"
        routes = {f"/user/u{n}": web for n in range(self.routes - 2)}
        routes |= {"/user/ws": f"http://127.0.0.1:{self.bench.echo_port}", "/": web}
        began = time.perf_counter()
        for spec, target in routes.items():
            body = json.dumps({"target": target, "jupyterhub": True, "user": "u", "server_name": ""})
            api.request("POST", "/api/routes" + spec, body, {"Authorization": "token " + TOKEN})
            answer = api.getresponse()
            answer.read()
            assert answer.status == 201, (spec, answer.status)
        self.route_seconds = (time.perf_counter() - began) / len(routes)
        api.request("GET", "/api/routes", headers={"Authorization": "token " + TOKEN})
        api.getresponse().read()
        api.close()


class Orrery(Chp):
    name = "orrery"
    can_two_workers = True

    def binary(self):
        return self.bench.orrery

    def more(self):
        # All clients here have one address, as behind a load balancer; by default one may have half of all connections.
        return ["--workers", self.workers, "--max-connections-per-address", self.bench.open_files]


KINDS = {"nginx": Nginx, "haproxy": Haproxy, "chp": Chp, "orrery": Orrery}


class Relay(Program):
    """Copies bytes without a look at them: the floor. It has one target, so there is one for the web and one for the
    echo."""

    name = "(relay)"

    def __init__(self, bench, echo):
        self.echo = echo
        super().__init__(bench)

    def command(self):
        target = self.bench.echo_port if self.echo else self.bench.web_port
        return [str(self.bench.tool), "relay", self.address(), f"127.0.0.1:{target}"]


class Direct:
    """No proxy at all: what the generator and the backend can do."""

    name, tls = "(direct)", False

    def __init__(self, bench):
        self.bench = bench

    def address(self):
        return f"127.0.0.1:{self.bench.echo_port}"

    def url(self, path):
        return f"http://127.0.0.1:{self.bench.web_port}{path}"

    def cpu(self):
        return 0.0

    def stop(self):
        pass
