#!/usr/bin/env python3
"""Drives the real hub with random operations over 20 users, and checks after each round that REST, the process table,
the proxy's routes and the database agree with each other and with what the answers promised.

    model.py --database sqlite|postgres --seconds 60 [--seed N] [--round N] [--keep]

Which operations come, in which order, is decided by the seed and the number of the round alone; how they interleave is the
machine's affair. A finding prints both: `--seed S --round R` plays the rounds from R on again."""
import argparse
import collections
import http.client
import json
import os
import random
import re
import signal
import sys
import threading
import time

from check import agree, running, settle
from world import Finding, World

USERS = 20
# those whose servers are culled within seconds: nothing they were promised lasts
RESTLESS = range(16, 20)
SERVERS = ["", "", "lab", "gpu"]
MODES = ["ok"] * 12 + ["slow", "slow", "fail", "stubborn", "lazy", "hook answer", "hook answer"]
# those of a server that does not start, and what its owner is told
FAILS = {"fail": 500, "hook fail": 500, "hook hang": 500, "hook refuse": 403, "hook nonsense": 500}
MODES += list(FAILS)[1:]
ACTIONS = (["start"] * 30 + ["stop"] * 18 + ["restart"] * 8 + ["crash"] * 8 + ["delete"] * 8 + ["twice"] * 6 + ["cancel"] * 8
           + ["make"] * 4 + ["name"] * 4 + ["rename"] * 2 + ["gone"] * 2 + ["look"] * 4)
DISTURBANCES = ["none"] * 8 + ["kill"] * 4 + ["kill in a pause", "pause", "pause", "long pause", "terminate", "restart twice"]
# what an answer promises of the server
RUNS, STOPPED, EITHER = "runs", "stopped", "either"


def plan(seed, number):
    """The operations of a round: one list per user, and a disturbance. Nothing else is left to chance."""
    dice = random.Random(f"{seed}/{number}")
    lists = []
    for _ in range(USERS):
        count = dice.choice([0, 1, 2, 3, 4])
        lists.append([(dice.choice(ACTIONS), dice.choice(SERVERS), dice.choice(MODES)) for _ in range(count)])
    return lists, dice.choice(DISTURBANCES), dice.uniform(0.0, 1.2), dice.uniform(0.2, 3.0)


def settings(seed, number):
    """What the configuration says in a round besides what never changes: who may start, and who is culled when."""
    dice = random.Random(f"{seed}/settings/{number // 3}")
    full = dice.choice(["queue", "queue", "reject"])
    lines = [
        f"hub.limits.concurrent_spawns = {dice.choice([1, 2, 4] if full == 'queue' else [5, 100])}",
        f"hub.limits.active_servers = {dice.choice([0, 0, 200 if full == 'queue' else 12])}",
        f'hub.limits.when_full = "{full}"',
        "hub.limits.retry_after = [1, 2]",
        "culler.enabled = true",
        "culler.timeout = 86400",
        "culler.interval = 0.5",
        f"culler.remove_named_servers = {dice.choice(['true', 'false'])}",
        f'groups.restless.users = {json.dumps([f"u{user:02}" for user in RESTLESS])}',
        f"culler.groups.restless.timeout = {dice.choice([1, 2, 5])}",
        f"culler.groups.restless.max_age = {dice.choice([0, 0, 3])}",
    ]
    return "\n".join(lines)


def refuses(lines):
    return '"reject"' in lines


class Model:
    def __init__(self, world):
        self.world = world
        self.names = [f"u{number:02}" for number in range(USERS)]
        self.promised = collections.defaultdict(lambda: STOPPED)
        self.pids = {}
        self.disturbed = False
        self.statuses = collections.Counter()
        self.findings = []
        self.done = 0
        self.settings = ""
        self.full = ()
        # users of whom a lost answer leaves open whether they exist, and under which of their two names
        self.vague = set()

    def ask(self, method, path, body=None, allowed=()):
        """One request; `None` if the hub went away meanwhile, which only a disturbance may cause."""
        try:
            status, text = self.world.api(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            # the progress of a start that waits for room ends no sooner than the wait
            waits = self.full and path.endswith("/progress")
            if not self.disturbed and not waits:
                self.findings.append(f"{method} {path}: {error!r}")
            return None, ""
        self.done += 1
        self.statuses[f"{method} {status}"] += 1
        vague = status == 404 and path.split("/")[2] in self.vague
        if status not in (*allowed, *self.full) and not vague and not (self.disturbed and status in (429, 500, 502, 503, 504)):
            self.findings.append(f"{method} {path} {body or ''}: {status} {text[:300]}")
        return status, text

    def run(self, number, operations):
        for action, server, mode in operations:
            try:
                getattr(self, action)(number, server, mode)
            except Exception as error:  # a thread must not end silently
                self.findings.append(f"{action} of user {number}: {error!r}")

    # operations: each asks, and notes what it was promised

    def path(self, number, server):
        name = self.names[number]
        return f"/users/{name}/servers/{server}" if server else f"/users/{name}/server"

    def mode(self, number, mode):
        home = self.world.folder / "home" / self.names[number]
        home.mkdir(parents=True, exist_ok=True)
        (home / "mode").write_text(mode)

    def start(self, number, server, mode):
        self.mode(number, mode)
        key = (self.names[number], server)
        before = self.promised[key]
        refusals = [FAILS[mode]] if mode in FAILS else []
        status, text = self.ask("POST", self.path(number, server), {}, (201, 202, 400, *refusals))
        # one that waits or takes its time may meet what the next operation tells the hook
        if status == 201 and mode not in FAILS and before == STOPPED:
            self.promised[key] = RUNS
        elif status != 400 or before == STOPPED:
            self.promised[key] = EITHER

    def stop(self, number, server, mode):
        key = (self.names[number], server)
        status, _ = self.ask("DELETE", self.path(number, server), None, (202, 204, 404))
        self.promised[key] = STOPPED if status in (202, 204, 404) else EITHER

    def restart(self, number, server, mode):
        self.mode(number, mode)
        key = (self.names[number], server)
        status, _ = self.ask("POST", self.path(number, server) + "/restart", None, (201, 202, 204, 404, FAILS.get(mode, 202)))
        if status == 404:
            self.promised[key] = STOPPED
        else:
            self.promised[key] = RUNS if status in (201, 204) and mode not in FAILS else EITHER
        self.pids.pop(key, None)

    def crash(self, number, server, mode):
        key = (self.names[number], server)
        for process in self.world.processes():
            if process.key == key:
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.promised[key] = EITHER if self.promised[key] == EITHER else STOPPED

    def delete(self, number, server, mode):
        if not server:
            return self.stop(number, server, mode)
        key = (self.names[number], server)
        status, _ = self.ask("DELETE", self.path(number, server), {"remove": True}, (202, 204, 404))
        self.promised[key] = STOPPED if status in (202, 204, 404) else EITHER

    def together(self, number, *requests):
        """Several requests at the same time."""
        answers = [(None, "")] * len(requests)

        def one(place, method, path, body, allowed):
            answers[place] = self.ask(method, path, body, allowed)

        threads = [threading.Thread(target=one, args=(place, *request)) for place, request in enumerate(requests)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [status for status, _ in answers]

    def twice(self, number, server, mode):
        self.mode(number, "ok")
        key = (self.names[number], server)
        before = self.promised[key]
        path = self.path(number, server)
        found = self.together(number, ("POST", path, {}, (201, 202, 400)), ("POST", path, {}, (201, 202, 400)))
        if before == STOPPED and 201 in found:
            self.promised[key] = RUNS
        elif before != RUNS:
            self.promised[key] = EITHER

    def cancel(self, number, server, mode):
        self.mode(number, mode)
        path = self.path(number, server)
        self.together(number, ("POST", path, {}, (201, 202, 400, 403, 409, 500)), ("DELETE", path, None, (202, 204, 404)))
        self.promised[self.names[number], server] = EITHER
        self.pids.pop((self.names[number], server), None)

    def make(self, number, server, mode):
        self.ask("PUT", self.path(number, server or "lab").replace("/server", "/servers", 0), {}, (201, 409))

    def name(self, number, server, mode):
        """Renames a named server, which it refuses while it runs."""
        server = server or "lab"
        other = {"lab": "gpu", "gpu": "lab"}[server]
        status, _ = self.ask("PATCH", self.path(number, server), {"name": other}, (200, 400, 404, 409))
        for each in (server, other):
            if status == 200 or self.disturbed:
                self.promised[self.names[number], each] = EITHER

    def rename(self, number, server, mode):
        """Renames a user, which it refuses while servers run."""
        old = self.names[number]
        new = old[1:] if old.startswith("x") else "x" + old
        status, _ = self.ask("PATCH", f"/users/{old}", {"name": new}, (200, 400, 404))
        if status == 200:
            self.names[number] = new
        elif status not in (400, 404):
            self.vague |= {old, new}
            self.unsure(number)

    def gone(self, number, server, mode):
        """Deletes a user with all servers, and makes them anew."""
        name = self.names[number]
        status, _ = self.ask("DELETE", f"/users/{name}", None, (204, 202, 400, 404))
        for each in set(SERVERS):
            self.promised[name, each] = STOPPED if status in (204, 404) else EITHER
        if status in (204, 404):
            status, _ = self.ask("POST", f"/users/{name}", None, (201, 409))
            if status not in (201, 409):
                self.vague.add(name)
        elif status != 400:
            self.vague.add(name)
            self.unsure(number)
        else:
            self.unsure(number)

    def look(self, number, server, mode):
        self.ask("GET", f"/users/{self.names[number]}?include_stopped_servers=1", None, (200, 404))
        self.ask("GET", self.path(number, server) + "/progress", None, (200, 400, 404))

    def unsure(self, number):
        for each in set(SERVERS):
            for name in {self.names[number], self.names[number].removeprefix("x"), "x" + self.names[number].removeprefix("x")}:
                self.promised[name, each] = EITHER

    # a round

    def play(self, lists, disturbance, when, how_long, lines):
        self.findings.clear()
        self.disturbed = disturbance != "none"
        changed = lines != self.settings
        # a start that is refused for want of room, before or after the change
        self.full = (429,) if refuses(lines) or refuses(self.settings) else ()
        threads = [threading.Thread(target=self.run, args=each) for each in enumerate(lists)]
        for thread in threads:
            thread.start()
        disturbing = threading.Thread(target=self.disturb, args=(disturbance, when, how_long))
        disturbing.start()
        reloading = threading.Thread(target=self.reload, args=(lines if changed else None, how_long / 3))
        reloading.start()
        for thread in [*threads, disturbing, reloading]:
            thread.join()
        if self.disturbed:
            # an answer that was lost or given before the hub went away promises nothing but agreement
            for number, operations in enumerate(lists):
                if operations:
                    self.unsure(number)
        for number, operations in enumerate(lists):
            if number in RESTLESS or operations and self.full:
                self.unsure(number)
        self.restore()
        if self.findings:
            raise Finding("\n  ".join(["answers:", *self.findings]))
        if changed:
            self.reloaded(lines)
        self.make_room(lines)
        users = agree(self.world)
        self.compare(users)

    def restore(self):
        """Every user exists again before the next round, under one of their two names."""
        vague, self.vague = self.vague, set()
        for name in {name.removeprefix("x") for name in vague}:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                found = [self.world.api("GET", f"/users/{each}")[0] for each in (name, "x" + name)]
                if 200 in found or found == [404, 404] and self.world.api("POST", f"/users/{name}")[0] == 201:
                    break
                time.sleep(0.1)

    def make_room(self, lines):
        """Starts that wait because as many servers run as may run wait rightly, however long: they are called off. With room, a
        wait is a finding, which `agree` makes."""
        limit = int(re.search(r"active_servers = (\d+)", lines).group(1))
        deadline = time.monotonic() + 60
        while limit and time.monotonic() < deadline:
            servers = [(name, server) for name, user in self.world.users().items() for server in user["servers"].values()]
            waiting = [(name, server["name"]) for name, server in servers if server["pending"]]
            if not waiting:
                return
            if sum(server["ready"] for _, server in servers) >= limit:
                for name, server in waiting:
                    self.world.api("DELETE", f"/users/{name}/servers/{server}" if server else f"/users/{name}/server")
                    self.promised[name, server] = EITHER
            time.sleep(0.2)

    def reload(self, lines, when):
        """Changes the configuration while the hub is at work."""
        if lines is None:
            return
        time.sleep(when)
        try:
            self.world.configure(lines)
            self.world.hang_up()
        except Exception as error:
            self.findings.append(f"reload: {error!r}")

    def reloaded(self, lines):
        """The change is in force: by SIGHUP, by a start of the hub in between, or by being asked for once more after a disturbance.
        And a file that is wrong changes nothing."""
        self.settings = lines
        deadline = time.monotonic() + 60
        while self.world.reload()["outcome"] != "unchanged":
            if time.monotonic() > deadline:
                raise Finding("the configuration is still not what the file says, a minute after SIGHUP")
        self.world.configure(lines + "\nhub.limits.user_redirects = \"many\"\n")
        status, text = self.world.api("POST", "/reload")
        if status == 200 and json.loads(text)["outcome"] != "refused":
            raise Finding(f"a wrong configuration was answered with {status} {text}")
        self.world.configure(lines)
        if self.world.reload()["outcome"] != "unchanged":
            raise Finding("a wrong configuration changed something")

    def disturb(self, disturbance, when, how_long):
        world = self.world
        try:
            if disturbance == "none":
                return
            time.sleep(when)
            if disturbance in ("kill", "restart twice"):
                world.kill()
                world.launch()
            if disturbance == "restart twice":
                time.sleep(when / 10)
                world.kill()
                world.launch()
            if disturbance == "terminate":
                world.kill(signal.SIGTERM)
                world.launch()
            if disturbance in ("pause", "long pause", "kill in a pause"):
                world.database.pause()
                time.sleep(how_long)
                if disturbance == "long pause":
                    time.sleep(12)
                if disturbance == "kill in a pause":
                    world.kill()
                world.database.resume()
                if disturbance == "kill in a pause":
                    world.launch()
        except Exception as error:
            world.database.resume()
            self.findings.append(f"{disturbance}: {error!r}")

    def compare(self, users):
        """What was promised against what is; afterwards, what is counts."""
        pids = {process.key: process.pid for process in self.world.processes()}
        for name in self.names:
            if name not in users:
                other = name[1:] if name.startswith("x") else "x" + name
                self.names[self.names.index(name)] = name = other if other in users else name
            if name not in users:
                status, text = self.world.api("POST", f"/users/{name}")
                if status not in (201, 409):
                    raise Finding(f"user {name} could not be made again: {status} {text}")
        for number, name in enumerate(self.names):
            servers = users.get(name, {"servers": {}})["servers"]
            for server in set(SERVERS):
                key = (name, server)
                ready = servers.get(server, {}).get("ready", False)
                promised = self.promised[key]
                if promised == RUNS and not ready:
                    raise Finding(f"{key} was promised to run and does not: {servers.get(server)}")
                if promised == STOPPED and ready:
                    raise Finding(f"{key} was promised to be stopped and runs")
                known = self.pids.get(key)
                if promised == RUNS and number not in RESTLESS and known and pids.get(key) != known and key not in self.touched:
                    raise Finding(f"{key} was process {known}, and is {pids.get(key)}, though nobody asked for it")
                self.promised[key] = RUNS if ready else STOPPED
        self.pids = pids

    touched = frozenset()


def play(arguments):
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}, {arguments.database}", flush=True)
    world = World(arguments.database)
    number, begun, failed = arguments.round, time.monotonic(), False
    try:
        model = Model(world)
        model.settings = settings(seed, max(number - 1, 0))
        world.configure(model.settings)
        world.launch()
        for name in model.names:
            world.api("POST", f"/users/{name}")
        while time.monotonic() - begun < arguments.seconds:
            lists, disturbance, when, how_long = plan(seed, number)
            model.touched = {(model.names[user], server) for user, operations in enumerate(lists) for _, server, _ in operations}
            if arguments.verbose:
                print(f"round {number}: {sum(map(len, lists))} operations, {disturbance}", flush=True)
            model.play(lists, disturbance, when, how_long, settings(seed, number))
            if "an actor panicked" in world.log():
                raise Finding("an actor panicked")
            number += 1
        print(f"{number - arguments.round} rounds, {model.done} requests, {len(world.answered)} starts of the hub, no finding")
        print(dict(sorted(model.statuses.items())))
    except Finding as finding:
        failed = True
        print(f"FINDING in round {number} (--seed {seed} --round {number}), {disturbance}, folder {world.folder}\n  {finding}", flush=True)
        for user, operations in enumerate(lists):
            if operations:
                print(f"    {model.names[user]}: {operations}")
    finally:
        world.close(keep=arguments.keep or failed)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--round", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    sys.exit(play(parser.parse_args()))


if __name__ == "__main__":
    main()
