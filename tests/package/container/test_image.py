"""The image of packaging/container: without privileges with one password, and with the container's accounts by PAM."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

if "ORRERY_BASE" not in os.environ:
    pytest.exit("start these tests by tests/package/container/run.sh", 2)
ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "a-password-of-the-test"

# What stands for jupyterhub-singleuser: it serves who it is, below its prefix.
SERVER = r'''#!/usr/bin/python3
import http.server, json, os, socketserver, sys, urllib.parse
url = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
class Answer(http.server.BaseHTTPRequestHandler):
    def address_string(self): return ""
    def log_message(self, *_): pass
    def do_GET(self):
        body = json.dumps({"uid": os.getuid(), "home": os.environ["HOME"], "cwd": os.getcwd()}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
if url.scheme == "http+unix":
    path = urllib.parse.unquote(url.netloc)
    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): pass
    server = Server(path, Answer); os.chmod(path, 0o660)
else:
    server = http.server.ThreadingHTTPServer((url.hostname, url.port), Answer)
server.serve_forever()
'''

# Runs inside the container, whose network is its own: signs in, starts the server, asks it.
VISIT = r'''
import http.cookiejar, json, re, sys, time, urllib.error, urllib.parse, urllib.request
name, password = sys.argv[1:3]
jar = http.cookiejar.CookieJar()
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
base = "http://127.0.0.1:8000"
def ask(path, data=None):
    data = urllib.parse.urlencode(data).encode() if data is not None else None
    request = urllib.request.Request(base + path, data, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"})
    try:
        answer = browser.open(request, timeout=20)
    except urllib.error.HTTPError as wrong:
        answer = wrong
    return answer.status, answer.geturl(), answer.read().decode()
deadline = time.monotonic() + 30
while True:
    try:
        ask("/hub/login"); break
    except OSError:
        if time.monotonic() > deadline: raise
        time.sleep(0.2)
xsrf = lambda: next((c.value for c in jar if c.name == "_xsrf"), "")
status, url, page = ask("/hub/login", {"username": name, "password": password, "_xsrf": xsrf()})
if "/hub/login" in url or status >= 400:
    print(json.dumps({"refused": status})); sys.exit()
ask("/hub/spawn/" + name + "?_xsrf=" + urllib.parse.quote(xsrf()), {"_xsrf": xsrf()})
while time.monotonic() < deadline:
    status, url, page = ask("/user/" + name + "/")
    if page.startswith("{"):
        print(page); sys.exit()
    time.sleep(0.3)
print(json.dumps({"no server": [status, url, re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))[-900:]]}))
'''


def docker(*words, **options):
    done = subprocess.run(["docker", *map(str, words)], text=True, capture_output=True, check=False, **options)
    assert done.returncode == 0, f"docker {' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """The image as README.md builds it, and one made from it with a server in place of JupyterLab."""
    docker("import", os.environ["ORRERY_BASE"], "debian:bookworm-slim")
    context = tmp_path_factory.mktemp("image")
    shutil.copytree(ROOT / "packaging/container", context, dirs_exist_ok=True)
    shutil.copy(os.environ["ORRERY_DEB"], context)
    docker("build", "--network", "host", "--build-arg", "JUPYTER=", "--tag", "orrery", context)
    tried = tmp_path_factory.mktemp("tried")
    (tried / "server").write_text(SERVER)
    (tried / "visit.py").write_text(VISIT)
    (tried / "password").write_text(PASSWORD)
    (tried / "Dockerfile").write_text(
        "FROM orrery\nUSER root\nCOPY server /opt/orrery/jupyter/bin/jupyterhub-singleuser\nCOPY visit.py /visit.py\n"
        "COPY password /run/secrets/orrery-password\n"
        "RUN chmod 0755 /opt/orrery/jupyter/bin/jupyterhub-singleuser /opt /opt/orrery /opt/orrery/jupyter /opt/orrery/jupyter/bin"
        f" && useradd -m -s /bin/bash -G orrery-users ada && useradd -m eve && echo 'ada:{PASSWORD}\neve:{PASSWORD}' | sed 's/^ *//' | chpasswd\n"
        "USER orrery\n".replace("\neve", "\\neve").replace("echo '", "printf '%b\\n' '")
    )
    docker("build", "--network", "host", "--tag", "orrery-tried", tried)
    return "orrery-tried"


class Container:
    def __init__(self, image, *options):
        self.id = docker("run", "--detach", "--network", "none", *options, image)

    def exec(self, *words, user="root"):
        return docker("exec", "--user", user, self.id, *words)

    def visit(self, name, password=PASSWORD):
        try:
            return json.loads(self.exec("python3", "/visit.py", name, password).splitlines()[-1])
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}\n{self.log()}") from None

    def log(self):
        done = subprocess.run(["docker", "logs", self.id], text=True, capture_output=True)
        return done.stdout + done.stderr

    def hub(self):
        """Real, effective and saved uid of the hub, and whether it can gain rights."""
        status = self.exec("sh", "-c", "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = orrery ] && cat $p/status; done; true")
        return re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)", status, re.M).groups(), re.search(r"^CapEff:\s+(\S+)", status, re.M)[1]


@pytest.fixture
def container(image):
    made = []

    def run(*options):
        made.append(Container(image, *options))
        return made[-1]

    yield run
    for one in made:
        docker("rm", "--force", "--volumes", one.id)


def test_sec_111_the_image_has_one_setuid_file_more_and_nothing_that_others_may_write(image):
    find = ("run", "--rm", "--user", "root", "--network", "none", "--entrypoint", "find")
    ours = docker(*find, "orrery", "/", "-xdev", "-type", "f", "-perm", "/6000", "-printf", "%m %u:%g %p\n").splitlines()
    base = docker(*find, "debian:bookworm-slim", "/", "-xdev", "-type", "f", "-perm", "/6000", "-printf", "%m %u:%g %p\n").splitlines()
    assert set(ours) - set(base) == {"4750 root:orrery /usr/lib/orrery/orrery-launch"}
    writable = docker(*find, "orrery", "/", "-xdev", "-perm", "-o+w", "-not", "-type", "l", "-not", "-perm", "-1000", "-print").splitlines()
    assert writable == []
    assert "systemd" not in docker("run", "--rm", "--network", "none", "--entrypoint", "sh", "orrery", "-c", "dpkg-query -W -f '${Package}\n' | grep -x systemd || true")


def test_without_any_privilege_one_password_is_for_all(container):
    one = container("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    assert one.visit("ada", "another password") == {"refused": 403}
    uid = int(one.exec("id", "-u", "orrery"))
    answer = one.visit("ada")
    assert answer.get("uid") == uid and answer["home"] == "/var/lib/orrery/home/ada", (answer, one.log())
    assert one.hub() == ((str(uid),) * 3, "0" * 16)


def test_as_root_with_pam_servers_run_as_their_users_and_the_hub_as_its_own(container):
    one = container("--user", "root")
    uid = one.exec("id", "-u", "orrery")
    answer = one.visit("ada")
    assert answer.get("uid") == int(one.exec("id", "-u", "ada")) and answer["home"] == "/home/ada", (answer, one.log())
    assert one.hub() == ((uid,) * 3, "0" * 16)
    assert one.visit("ada", "another password") == {"refused": 403}
    assert one.visit("eve") == {"refused": 403}, "eve is not in orrery-users"


def test_a_stop_ends_servers_and_keeps_data(container):
    one = container("--user", "root")
    one.visit("ada")
    began = time.monotonic()
    docker("stop", "--time", "30", one.id)
    assert time.monotonic() - began < 25
    state = json.loads(docker("inspect", one.id))[0]["State"]
    assert state["ExitCode"] in (0, 143) and not state["OOMKilled"], state
    docker("start", one.id)
    assert one.visit("ada").get("home") == "/home/ada", one.log()
