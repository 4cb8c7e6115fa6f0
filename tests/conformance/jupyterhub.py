#!/usr/bin/env python3
"""Runs JupyterHub's own tests with two proxies and compares the outcome of every single test.

    jupyterhub.py --proxy target/release/orrery-proxy            both, then the comparison
    jupyterhub.py --only chp --keep /some/folder                 only the reference, results kept there
    jupyterhub.py --proxy target/release/orrery-proxy --baseline /some/folder/chp

JupyterHub looks for a program named `configurable-http-proxy`, so each run has a folder with a wrapper of that name first
on its PATH. A run has a network namespace of its own where the account may make one: the tests use the fixed port 8001.
Exit code: 0 when the second proxy passes all that the first does, 1 otherwise.
"""

import argparse
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".dev" / "jupyterhub-tests"
CHP = ROOT / ".dev" / "chp"
JUPYTERHUB = "jupyterhub[test]==6.1.1"
CHP_PACKAGE = "configurable-http-proxy@5.3.0"
SUITES = ["test_proxy", "test_unix_socket", "test_named_servers", "test_services", "test_pages", "test_api"]

PYTEST_INI = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = module
asyncio_default_test_loop_scope = module
addopts = -p no:jupyter_server
"""

# The first process of a new network and process namespace: brings the loopback device up, runs the command, and reaps
# what the command leaves behind.
INIT = """\
import fcntl, os, socket, struct, subprocess, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
child = subprocess.Popen(sys.argv[1:])
while True:
    pid, status = os.wait()
    if pid == child.pid:
        sys.exit(os.waitstatus_to_exitcode(status))
"""


def prepare_venv():
    done = VENV / "installed"
    if done.exists() and done.read_text().strip() == JUPYTERHUB:
        return
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", JUPYTERHUB], check=True)
    # One test starts a real server, which by itself refuses to run as root; the test then waits for it for ever.
    config = VENV / "etc" / "jupyter" / "jupyter_server_config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('{"ServerApp": {"allow_root": true}}\n')
    done.write_text(JUPYTERHUB + "\n")


def reference_proxy():
    """The stock configurable-http-proxy, installed by npm when no path is given."""
    program = CHP / "node_modules" / ".bin" / "configurable-http-proxy"
    if not program.exists():
        CHP.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", CHP, CHP_PACKAGE], check=True)
    return program


def isolation():
    """A command prefix for a private network, or nothing where that is not allowed."""
    private = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]  # what a suite leaves running ends with it
    for unshare in (["unshare", *private], ["unshare", "--map-root-user", *private]):
        prefix = [*unshare, sys.executable, "-c", INIT]
        try:
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
        except FileNotFoundError:
            break
    print("note: no private network, the fixed port 8001 must be free", flush=True)
    return []


def run_suites(name, program, suites, keep, limit, select):
    """Runs each suite in an empty folder; leaves `<keep>/<name>/<suite>.xml` and `.log`."""
    results = keep / name
    results.mkdir(parents=True, exist_ok=True)
    prefix = isolation()
    for suite in suites:
        with tempfile.TemporaryDirectory(prefix="jh-", dir="/tmp") as folder:
            folder = Path(folder)
            (folder / "pytest.ini").write_text(PYTEST_INI)
            wrapper = folder / "bin" / "configurable-http-proxy"
            wrapper.parent.mkdir()
            wrapper.write_text(f'#!/bin/sh\nexec "{Path(program).absolute()}" "$@"\n')
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
            (folder / "tmp").mkdir()
            env = dict(os.environ, PATH=f"{wrapper.parent}:{VENV / 'bin'}:{os.environ['PATH']}", TMPDIR=str(folder / "tmp"))
            env = {key: value for key, value in env.items() if not key.startswith(("JUPYTER", "ORRERY", "CONFIGPROXY"))}
            command = [*prefix, VENV / "bin" / "python", "-m", "pytest", "-v", "--color=no", "-o", f"cache_dir={folder / 'cache'}",
                       "--pyargs", f"jupyterhub.tests.{suite}"]
            if select:
                command += ["-k", select]
            # Some tests give a server 10 seconds to start: on a busy machine they fail with any proxy, and get a second go.
            for attempt, more in ((suite, []), (f"{suite}.again", ["--last-failed"])):
                code = run_once([*command, *more, f"--junit-xml={results / attempt}.xml"], folder, env, results / f"{attempt}.log", limit)
                print(f"{name:8} {attempt:22} exit {code}  {closing_line(results / f'{attempt}.log')}", flush=True)
                if code != 1:
                    break
    return results


def run_once(command, folder, env, log, limit):
    with open(log, "wb") as out:
        child = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 preexec_fn=interruptible)
        try:
            return child.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return f"stopped after {limit} s"


def closing_line(log):
    """pytest's own; a proxy may say something after it."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("=") and " in " in line]
    return lines[-1].strip("= ") if lines else "no closing line"


def interruptible():
    """A background job of a shell ignores SIGINT, and so would every single-user server: 10 s for each stop, failing tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def outcomes(results, suites):
    """test id -> (outcome, first line of why)"""
    found = {}
    for suite in suites:
        report, again = results / f"{suite}.xml", results / f"{suite}.again.xml"
        if not report.exists():
            found[f"{suite}::<the whole suite>"] = ("no report", "pytest did not finish")
            continue
        found.update(read_report(suite, report))
        if again.exists():
            found.update(read_report(suite, again))
    return found


def read_report(suite, report):
    found = {}
    for case in xml.parse(report).iter("testcase"):
        outcome, why = "passed", ""
        for kind in ("failure", "error", "skipped"):
            node = case.find(kind)
            if node is not None:
                outcome = {"failure": "failed"}.get(kind, kind)
                why = ((node.get("message") or "").strip().splitlines() or [""])[0][:200]
                break
        test = f"{suite}::{case.get('name')}"
        if found.get(test, ("passed", ""))[0] == "passed":  # a failing teardown is a second entry
            found[test] = (outcome, why)
    return found


def compare(reference, candidate, suites):
    names = sorted(set(reference) | set(candidate))
    missing = ("not run", "")
    print(f"\n{'suite':20} {'with CHP':42} with orrery-proxy")
    for suite in suites:
        columns = []
        for found in (reference, candidate):
            count = Counter(outcome for test, (outcome, _) in found.items() if test.startswith(suite + "::"))
            columns.append(", ".join(f"{number} {outcome}" for outcome, number in sorted(count.items())))
        print(f"{suite:20} {columns[0]:42} {columns[1]}")
    worse = 0
    same = 0
    for test in names:
        before, after = reference.get(test, missing), candidate.get(test, missing)
        if before[0] == after[0]:
            same += 1
            continue
        regressed = after[0] not in ("passed", "skipped")
        worse += regressed
        print(f"{'WORSE ' if regressed else 'better'} {test}: {before[0]} -> {after[0]}  {after[1] or before[1]}")
    print(f"\n{same} passed, {worse} failed" if same else f"\n0 passed, {max(worse, 1)} failed")
    return worse == 0 and same > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proxy", type=Path, help="the proxy under test")
    parser.add_argument("--chp", type=Path, help="the reference (default: CHP 5.3.0, installed into .dev/chp)")
    parser.add_argument("--baseline", type=Path, help="kept results of the reference, instead of running it")
    parser.add_argument("--only", choices=["chp", "orrery"], help="run one side only, compare nothing")
    parser.add_argument("--keep", type=Path, help="where results stay (default: a temporary folder)")
    parser.add_argument("--suite", action="append", help=f"default: {' '.join(SUITES)}")
    parser.add_argument("--limit", type=int, default=1800, help="seconds for one suite")
    parser.add_argument("-k", dest="select", help="pytest's -k")
    options = parser.parse_args()
    if options.only != "chp" and not options.proxy:
        parser.error("--proxy is needed")
    suites = options.suite or SUITES
    prepare_venv()
    keep = options.keep or Path(tempfile.mkdtemp(prefix="jupyterhub-tests-"))
    sides = {}
    if options.only != "orrery":
        if options.baseline:
            sides["chp"] = options.baseline
        else:
            sides["chp"] = run_suites("chp", options.chp or reference_proxy(), suites, keep, options.limit, options.select)
    if options.only != "chp":
        sides["orrery"] = run_suites("orrery", options.proxy, suites, keep, options.limit, options.select)
    fine = True
    if len(sides) == 2:
        fine = compare(outcomes(sides["chp"], suites), outcomes(sides["orrery"], suites), suites)
    if not options.keep and fine:
        shutil.rmtree(keep)
    else:
        print(f"results: {keep}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
