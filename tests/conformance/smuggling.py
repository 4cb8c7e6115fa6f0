#!/usr/bin/env python3
"""Ambiguous HTTP/1 messages through the proxy and through nginx, both in front of a strict recording backend.

    ORRERY_PROXY_BIN=target/release/orrery-proxy smuggling.py [--only q0123] [--verbose] [--findings FILE]

What must hold for each request of corpus_requests.py and each answer of corpus_answers.py is said there. Beyond that:
never does the proxy forward what nginx refuses; every connection to the backend stays parseable; what follows a message,
on the same connection or on a new one, gets its own answer. Closes with `N passed, N failed`.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import corpus_answers
import corpus_requests
from corpus_requests import EITHER, REFUSE, STALL
from kit import Backend, Malformed, Proxy, Truncated, Wire, accepts, eventually, free_ports, kill, one_worker

NGINX = """\
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1; proxy_next_upstream off; proxy_read_timeout 80ms;
      proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


CASE_NAME = re.compile(rb"[qas][0-9]{4,5}")


class Nginx:
    def __init__(self, backend):
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-"))
        (self.port,) = free_ports(1)
        (self.folder / "conf").write_text(NGINX.format(folder=self.folder, backend=backend, port=self.port))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-p", self.folder, "-c", self.folder / "conf", "-e", self.folder / "log"], stdin=subprocess.DEVNULL)
        eventually(lambda: accepts(self.port), "nginx accepts connections")

    def stop(self):
        kill(self.process)
        shutil.rmtree(self.folder)


class Recorder:
    """A backend that parses strictly, answers with the target it was asked for, and keeps all that it saw."""

    def __init__(self, answers):
        self.answers = {answer.name: answer for answer in answers}
        self.requests, self.broken, self.by_case, self.now = [], [], {}, "start"
        self.backend = Backend(self.play)

    def play(self, wire):
        spent = None
        while True:
            try:
                request = wire.request()
            except (Truncated, ConnectionError, TimeoutError):
                return
            except Malformed as error:
                self.broken.append((self.now, f"the backend cannot read {bytes(wire.received)[-600:]!r}: {error}"))
                return
            if request is None:
                return
            name = request.target.strip(b"/").split(b"?")[0].decode("latin-1")
            if spent:
                self.broken.append((spent.name, f"its connection was used again for {request.target!r}"))
            self.requests.append(request)
            answer = self.answers.get(name)
            if answer:
                wire.send(answer.raw)
                if answer.close:
                    return
                spent = None if answer.keeps else answer
            else:
                body = b"" if request.method == b"HEAD" else request.target
                wire.send(b"HTTP/1.1 200 OK\r\nX-Backend: 1\r\nContent-Length: %d\r\n\r\n%b" % (len(request.target), body))

    def index(self):
        """Sorts what was seen by case, once."""
        for request in self.requests:
            for name in CASE_NAME.findall(request.target[:200]):
                self.by_case.setdefault(name.decode(), []).append(request)

    def seen(self, name):
        return self.by_case.get(name, [])


class Exchange:
    """What a client sent and got in one case."""

    def __init__(self, sent):
        self.sent, self.answers, self.end, self.got, self.stray = sent, [], "open", b"", None

    def show(self):
        return f"answers {[answer.line.decode('latin-1') for answer in self.answers]}, connection {self.end}"


def transmit(wire, data, cut=None):
    try:
        if cut is None:
            wire.send(data)
        else:
            wire.send(data[:cut])
            time.sleep(0.0008)
            wire.send(data[cut:])
    except OSError:
        pass  # the proxy may close before it has read all; what it said is still to be read


def exchange(port, data, methods, stall=False, cut=None, patient=True):
    """Sends the bytes, reads up to one answer per method, then waits for the end of a refused connection if `patient`."""
    result = Exchange(data)
    with Wire.to(port, 3 if patient else 0.4) as wire:
        transmit(wire, data, cut)
        try:
            if stall and not wire.readable(0.1):
                result.end = "given up"
                return result
            for method in methods:
                result.answers.append(wire.answer(method))
                if result.answers[-1].framing == "close":
                    break
                if not result.answers[-1].get("x-backend"):
                    break
            refused = result.answers and not result.answers[-1].get("x-backend")
            if (refused and patient) or wire.ended:
                result.stray = wire.until_closed()
                result.end = "closed"
        except Truncated as error:
            result.end = "closed" if wire.ended and not wire.buffer and str(error) == "no answer" else f"cut ({error})"
        except Malformed as error:
            result.end = f"malformed ({error})"
        except TimeoutError:
            result.end = "open, silent"
        except ConnectionError:
            result.end = "reset"
        result.got = bytes(wire.received)
    return result


def probe(port, name):
    """A request on a new connection gets its own answer."""
    target = f"/{name}-probe".encode()
    result = exchange(port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n", ["GET"])
    if not result.answers or result.answers[0].body != target:
        return f"the next request, on a connection of its own, got {result.got[:300]!r} ({result.end})"
    return None


def run_request(port, case, cut=None, patient=True):
    path = b"/" + case.name.encode()
    data = case.bytes_for(path)
    methods = [case.method.decode("latin-1")]
    if case.follow and case.verdict != STALL:
        data += b"GET " + path + b"-marker HTTP/1.1\r\nHost: x\r\n\r\n"
        methods.append("GET")
    result = exchange(port, data, methods, case.verdict == STALL, cut, patient and not case.own_answer)
    result.problem = probe(port, case.name)
    return result


def field_problems(case, request):
    for name, value in case.has.items():
        if value not in request.all(name):
            return f"the backend got {name}: {request.all(name)!r}, not {value!r}"
    for name in case.hasnt:
        if request.all(name):
            return f"the backend got {name}: {request.all(name)!r}"
    framing = [name for name, _ in request.trailers
               if name.lower() in (b"content-length", b"transfer-encoding", b"host", b"authorization", b"cookie", b"connection", b"upgrade", b"x-forwarded-for")]
    return f"trailers {framing!r} were forwarded" if framing else None


def judge_request(case, result, seen):
    """None, or what is wrong."""
    path = b"/" + case.name.encode()
    expect = lambda target: target.replace(b"/@", path)
    if case.target == b"*":
        expect = lambda target: target
    own = [request for request in seen if request.target != path + b"-probe"]
    if result.problem:
        return result.problem
    if result.end.startswith("malformed"):
        return f"the client got a {result.end}"
    raw_forwarded = [request.target for request in own if not request.all("x-forwarded-for")]
    if raw_forwarded:
        return f"forwarded unseen: {raw_forwarded!r}"
    if case.verdict == STALL:
        complete = [request.target for request in own]
        return f"a message that never ended was forwarded as complete: {complete!r}" if complete else None
    final = result.answers[0] if result.answers else None
    refused = final is not None and not final.get("x-backend")
    if case.verdict == REFUSE or (case.verdict == EITHER and refused):
        if own:
            return f"refusal expected, yet the backend got {[(one.method, one.target, one.body[:60]) for one in own]!r}; {result.show()}"
        if final is None:
            return f"expected {case.status[0]}, got no answer; {result.show()}"
        if final.status not in case.status and not (case.verdict == EITHER and final.status == 400):
            return f"expected {case.status}, got {final.line!r}"
        if not case.own_answer and (result.end != "closed" or result.stray):
            return f"the connection must close after the refusal: {result.end}, then {result.stray!r}"
        return None
    if final is None or final.status != 200:
        return f"expected to be forwarded; {result.show()}, got {result.got[:200]!r}"
    if not own:
        return f"answered, but the backend saw nothing; {result.show()}"
    first, rest = own[0], [request.target for request in own[1:]]
    wanted = (case.method, expect(case.target), expect(case.body))
    if (first.method, first.target, first.body) != wanted:
        return f"the backend got {(first.method, first.target[:200], first.body[:200])!r}, not {tuple(one[:200] for one in wanted)!r}"
    allowed = [[path + b"-marker"]] if case.follow else [[], [path + b"-smuggled"]]
    if case.may_close or not case.follow:
        allowed.append([])
    if rest not in allowed:
        return f"after it the backend got {rest!r}; {result.show()}"
    if case.follow and not case.may_close and (len(result.answers) < 2 or result.answers[1].body != path + b"-marker"):
        return f"the following request got no answer of its own; {result.show()}"
    return field_problems(case, first)


def run_answer(port, answer, patient=True):
    path = b"/" + answer.name.encode()
    ask = answer.method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    result = Exchange(ask)
    result.problem = result.marker = None
    with Wire.to(port, 3 if patient else 0.4) as wire:
        wire.send(ask)
        try:
            result.answers.append(wire.answer(answer.method.decode()))
            result.end = "closed" if wire.ended else "open"
            result.stray = wire.buffer
            if result.end == "open" and not result.stray:
                transmit(wire, b"GET " + path + b"-marker HTTP/1.1\r\nHost: x\r\n\r\n")
                try:
                    result.marker = wire.answer("GET")
                except (Truncated, ConnectionError):
                    result.end = "closed"
        except (Truncated, ConnectionError) as error:
            result.end = f"cut ({error})"
        except Malformed as error:
            result.end = f"malformed ({error})"
        except TimeoutError:
            result.end = "open, silent"
        result.got = bytes(wire.received)
    result.problem = probe(port, answer.name)
    return result


def judge_answer(answer, result, seen):
    path = b"/" + answer.name.encode()
    if result.problem:
        return result.problem
    if result.end.startswith(("malformed", "open, silent")):
        return f"the client got: {result.end}"
    if result.stray:
        return f"the client got stray bytes {result.stray[:200]!r}"
    if result.marker is not None and result.marker.body != path + b"-marker":
        return f"the next request on the connection got {result.marker!r}"
    own = [request.target for request in seen if request.target == path]
    # a safe request that a kept connection leaves without a byte may be asked once more (test_endings.py)
    unanswered = answer.close and not answer.raw
    if len(own) != 1 and not (unanswered and len(own) == 2):
        return f"the request reached the backend {len(own)} times"
    final = result.answers[0] if result.answers else None
    replaced = final is not None and final.status in (502, 503) and answer.status != final.status
    whole = final is not None and not replaced
    if answer.verdict == corpus_answers.BROKEN or (answer.verdict == corpus_answers.OPEN and not whole):
        return f"a broken answer was relayed as whole: {final!r} ({final.framing})" if whole else None
    if not whole:
        return f"expected the server's answer, got {final!r}; {result.end}"
    bodies = answer.body if isinstance(answer.body, tuple) else (answer.body,)
    if final.status != answer.status or final.body not in bodies:
        return f"expected {answer.status} {bodies!r}, got {final!r}"
    return None


class Side:
    """One proxy with its own recorder, run through the whole corpus."""

    def __init__(self, make, cases, answers, patient=True):
        self.recorder, self.patient = Recorder(answers), patient
        self.proxy = make(self.recorder.backend.port)
        self.cases, self.answers, self.results, self.crash = cases, answers, {}, None
        self.seconds = 0

    def run(self, cut_cases=()):
        started = time.monotonic()
        try:
            port = self.proxy.port
            for case in self.cases:
                self.recorder.now = case.name
                self.results[case.name] = run_request(port, case, None, self.patient)
            for answer in self.answers:
                self.recorder.now = answer.name
                self.results[answer.name] = run_answer(port, answer, self.patient)
            for case in cut_cases:
                self.recorder.now = case.name
                self.results[case.name] = run_request(port, case, case.cut)
            time.sleep(0.2)  # a late request, if there is one, must be seen
        except BaseException as error:
            self.crash = error
        self.seconds = time.monotonic() - started

    def stop(self):
        self.proxy.stop()
        self.recorder.backend.stop()


def cut_everywhere():
    found = []
    for number, template in enumerate(corpus_requests.split_cases()):
        length = len(template.bytes_for(b"/s00000"))
        for cut in range(1, length + 8):
            case = corpus_requests.Case(**{**vars(template), "name": f"s{number}{cut:04}"})
            case.cut = cut
            found.append(case)
    return found


def forwarded(case, side):
    """What the backend saw of the case itself; the requests after it are another matter."""
    return [one for one in side.recorder.seen(case.name) if not one.target.endswith((b"-probe", b"-marker"))]


def nginx_refused(case, side):
    result = side.results[case.name]
    return not forwarded(case, side) and bool(result.answers) and result.answers[0].status >= 400


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="names of cases, comma separated")
    parser.add_argument("--findings", type=Path, help="append each failure, with its bytes, to this file")
    parser.add_argument("--verbose", action="store_true", help="also show what nginx did with each case")
    options = parser.parse_args()
    started = time.monotonic()
    cases, answers, cuts = corpus_requests.all_cases(), corpus_answers.all_answers(), cut_everywhere()
    if options.only:
        wanted = options.only.split(",")
        cases, answers, cuts = ([one for one in group if one.name in wanted] for group in (cases, answers, cuts))
    ours = Side(lambda backend: Proxy(f"http://127.0.0.1:{backend}", *one_worker()), cases, answers)
    theirs = Side(Nginx, cases, answers, patient=False)
    try:
        threads = [threading.Thread(target=ours.run, args=(cuts,)), threading.Thread(target=theirs.run)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for side in (ours, theirs):
            if side.crash:
                raise side.crash
            side.recorder.index()
        alive = ours.proxy.process.poll() is None
    finally:
        ours.stop()
        theirs.stop()
    passed, failures = 0, []
    refused_by_nginx = differs = 0
    for case in [*cases, *cuts]:
        problem = judge_request(case, ours.results[case.name], ours.recorder.seen(case.name))
        if case.name in theirs.results:
            nginx_says_no = nginx_refused(case, theirs)
            refused_by_nginx += nginx_says_no
            if not problem and nginx_says_no and case.compare and forwarded(case, ours):
                problem = f"nginx refuses this ({theirs.results[case.name].answers[0].line.decode()}), the proxy forwards it"
                differs += 1
            if options.verbose:
                print(case.name, case.group, "nginx:", theirs.results[case.name].show(), "| ours:", ours.results[case.name].show())
        if problem:
            failures.append((case, problem))
        passed += not problem
    for answer in answers:
        problem = judge_answer(answer, ours.results[answer.name], ours.recorder.seen(answer.name))
        nginx_result = theirs.results[answer.name]
        nginx_says_no = bool(nginx_result.answers) and nginx_result.answers[0].status == 502
        final = ours.results[answer.name].answers
        if not problem and answer.compare and nginx_says_no and final and final[0].status == answer.status:
            problem = "nginx refuses this answer, the proxy relays it"
            differs += 1
        if options.verbose:
            print(answer.name, answer.group, "nginx:", nginx_result.show(), "| ours:", ours.results[answer.name].show())
        if problem:
            failures.append((answer, problem))
        passed += not problem
    for name, problem in ours.recorder.broken:
        failures.append((next((one for one in [*cases, *cuts, *answers] if one.name == name), None), problem))
    if not alive:
        failures.append((None, "the proxy has ended"))
    report(failures, ours, theirs, options.findings)
    print(f"{len(cases)} requests, {len(cuts)} cuts, {len(answers)} answers in {time.monotonic() - started:.1f} s "
          f"({ours.seconds:.1f} s ours, {theirs.seconds:.1f} s nginx); "
          f"nginx refuses {refused_by_nginx} of the requests; {differs} of them forwarded")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


def report(failures, ours, theirs, file):
    lines = []
    for case, problem in failures:
        if case is None:
            lines.append(f"FAILED (no case): {problem}")
            continue
        result = ours.results[case.name]
        lines.append(f"FAILED {case.name} [{case.group}] ({case.verdict}): {problem}")
        lines.append(f"    sent   {shorten(result.sent)}")
        if hasattr(case, "keeps"):
            lines.append(f"    server {shorten(case.raw)}{' then close' if case.close else ''}")
        lines.append(f"    got    {shorten(result.got)} [{result.end}]")
        if case.name in theirs.results:
            lines.append(f"    nginx  {theirs.results[case.name].show()}")
    print("\n".join(lines))
    if file and lines:
        with open(file, "a") as out:
            out.write("\n".join(lines) + "\n")


def shorten(data):
    return repr(data) if len(data) < 700 else f"{data[:300]!r} ...{len(data)} bytes... {data[-200:]!r}"


if __name__ == "__main__":
    sys.exit(main())
