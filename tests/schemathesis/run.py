#!/usr/bin/env python3
"""Lets schemathesis try the built hub, with requests made from the hub's own OpenAPI document or from another one.

    run.py [--schema FILE] [schemathesis' own arguments]

Without --schema: no 5xx, no status that the document does not name, every answer as its schema says. With the document
of the reference, which names few of its own errors, only the first is asked. Needs `orrery` (ORRERY_BIN, or
target/debug/orrery) and `schemathesis` on the PATH. The hub has a folder of its own, and ends with this program.
"""
import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "admin-token-of-the-tests-0123456789"
OWN_CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
SCOPES = [
    "admin:users", "admin:servers", "admin:groups", "admin:services", "tokens", "shares", "list:services", "read:services",
    "read:roles", "read:hub", "read:metrics", "access:servers", "shutdown", "proxy",
]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def settings(folder, port):
    fake = ROOT / "tests/it/support/fake_server.py"
    return f"""
proxy.bind_url = "http://127.0.0.1:{free_port()}"
hub.bind_url = "http://127.0.0.1:{port}"
hub.cookie_secret_file = "{folder}/cookie_secret"
hub.named_servers.enabled = true
hub.timeouts.slow_spawn = 0
database.url = "sqlite:///{folder}/orrery.sqlite"
auth.type = "dummy"
auth.allow_all = true
auth.dummy.password = "pw"
spawner.type = "simple"
spawner.cmd = ["python3", "{fake}"]
spawner.simple.home_dir_template = "{folder}/home/{{username}}"
services.tests.api_token = "{TOKEN}"
services.tests.admin = true
roles.tests.scopes = {json.dumps(SCOPES)}
roles.tests.services = ["tests"]
"""


class Hub:
    def __init__(self, folder):
        self.folder = folder
        port = free_port()
        self.api = f"http://127.0.0.1:{port}/hub/api"
        config = folder / "orrery.toml"
        config.write_text(settings(folder, port))
        config.chmod(0o600)
        binary = os.environ.get("ORRERY_BIN", ROOT / "target/debug/orrery")
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [binary, "--config", config], cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    def __enter__(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.api}/health", timeout=5).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"the hub does not answer:\n{self.text()}")
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def text(self):
        return (self.folder / "log").read_text(errors="replace")

    def make(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {TOKEN}"}
        urllib.request.urlopen(urllib.request.Request(self.api + path, data, headers, method=method)).close()

    def furnish(self):
        """What the document's examples name."""
        for user in ["ada", "grace"]:
            self.make("POST", f"/users/{user}")
            self.make("PUT", f"/users/{user}/servers/lab", {"user_options": {"memory": "4G"}})
        self.make("POST", "/groups/physics", {"users": ["ada"]})
        for receiver in [{"user": "ada"}, {"group": "physics"}]:
            self.make("POST", "/shares/grace/lab", receiver)
        for _ in range(20):
            self.make("POST", "/users/ada/tokens")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--schema", help="a document in a file instead of the hub's own")
    known, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder)) as hub:
        hub.furnish()
        checks = ["not_a_server_error"] if known.schema else OWN_CHECKS
        command = [
            "schemathesis", "run", known.schema or f"{hub.api}/openapi.json", "--url", hub.api,
            "--header", f"Authorization: token {TOKEN}", "--checks", ",".join(checks), "--exclude-path", "/shutdown",
            "--request-timeout", "30", "--workers", "1", "--continue-on-failure", "--no-color", "--warnings", "off",
            # one worker: with two, schemathesis 4.32 sometimes trips over its own threads (KeyError in hypothesis);
            # and how hard data is to make says nothing about the hub
            "--suppress-health-check", "all", *more,
        ]
        status = subprocess.run(command, cwd=folder, check=False).returncode
        if hub.process.poll() is not None or "panicked" in hub.text():
            sys.exit(f"the hub did not survive it:\n{hub.text()[-5000:]}")
        return status


if __name__ == "__main__":
    sys.exit(main())
