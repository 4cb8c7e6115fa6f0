#!/usr/bin/env python3
"""Kills the hub with SIGKILL again and again while it is at work, and starts it again: no user server may die of it, each is
adopted, and no token, client or route is left over.

    kills.py --database sqlite|postgres --times 100 [--servers 20] [--seed N]

Some servers run all the time and are asked through the proxy; others are started and stopped at random while the hub is
killed at a random moment. Prints how long the hub took from its start until it answered."""
import argparse
import http.client
import random
import statistics
import sys
import threading
import time

from check import agree
from world import Finding, World


class Load:
    """Starts and stops servers that nothing is promised of, until told to end."""

    def __init__(self, world, names, seed):
        self.world = world
        self.names = names
        self.ended = threading.Event()
        self.asked = 0
        self.threads = [threading.Thread(target=self.run, args=(name, f"{seed}/{name}")) for name in names]

    def run(self, name, seed):
        dice = random.Random(seed)
        while not self.ended.is_set():
            method, path = dice.choice([("POST", "server"), ("POST", "server"), ("DELETE", "server"), ("POST", "servers/lab"), ("GET", "")])
            try:
                self.world.api(method, f"/users/{name}/{path}".rstrip("/"), {} if method == "POST" else None)
                self.asked += 1
            except (OSError, http.client.HTTPException):
                self.ended.wait(0.05)  # the hub is away


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--servers", type=int, default=20)
    parser.add_argument("--busy", type=int, default=4)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}, {arguments.database}, {arguments.servers} servers", flush=True)
    world, failed = World(arguments.database), False
    try:
        failed = not run(world, arguments, seed)
    finally:
        world.close(keep=arguments.keep or failed)
    sys.exit(1 if failed else 0)


def run(world, arguments, seed):
    dice = random.Random(seed)
    world.launch()
    steady = [f"steady{number:02}" for number in range(arguments.servers)]
    busy = [f"busy{number}" for number in range(arguments.busy)]
    for name in steady + busy:
        world.api("POST", f"/users/{name}")
    for name in steady:
        status, text = world.api("POST", f"/users/{name}/server", {})
        if status not in (201, 202):
            print(f"FINDING: {name} did not start: {status} {text}")
            return False
    agree(world)
    pids = {process.user: process.pid for process in world.processes() if process.user in steady}
    times, adopted, number = [], [], 0
    try:
        for number in range(1, arguments.times + 1):
            load = Load(world, busy, f"{seed}/{number}")
            for thread in load.threads:
                thread.start()
            time.sleep(dice.uniform(0.05, 0.6))
            world.kill()
            begun = time.monotonic()
            times.append(world.launch())
            adopted.append(until_reachable(world, steady, pids) + times[-1])
            time.sleep(dice.uniform(0.0, 0.2))
            load.ended.set()
            for thread in load.threads:
                thread.join()
            users = agree(world)
            now = {process.user: process.pid for process in world.processes() if process.user in steady}
            lost = {name for name in steady if now.get(name) != pids[name] or not users[name]["servers"][""]["ready"]}
            if lost:
                raise Finding(f"these died or were not adopted: {sorted(lost)}")
            if "panicked" in world.log():
                raise Finding("an actor panicked")
    except Finding as finding:
        print(f"FINDING after kill {number} (--seed {seed}), folder {world.folder}\n  {finding}")
        return False
    print(f"{number} kills, {arguments.servers} servers alive and adopted each time, no token, client or route left over")
    for what, found in (("until the hub answers", times), ("until every server is reached through it", adopted)):
        print(f"{what}: median {statistics.median(found) * 1000:.0f} ms, worst {max(found) * 1000:.0f} ms")
    return True


def until_reachable(world, names, pids):
    """How long until each server's URL leads to its process again."""
    begun = time.monotonic()
    waiting = list(names)
    while waiting:
        name = waiting[-1]
        try:
            status, text = world.request("GET", f"/user/{name}/api")
        except (OSError, http.client.HTTPException):
            status, text = 0, ""
        if (status, text) == (200, str(pids[name])):
            waiting.pop()
        elif time.monotonic() - begun > 60:
            raise Finding(f"{name} is not reached 60 s after a restart of the hub: {status} {text[:200]}")
        else:
            time.sleep(0.002)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
