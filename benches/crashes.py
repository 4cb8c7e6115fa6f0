#!/usr/bin/env python3
"""How soon the route of a killed server is gone, beside JupyterHub 6.1.1 in one run.

    benches/crashes.py [--crashes 100] [--reference-crashes 20]

Servers are killed one after the other with SIGKILL; a client that asks for the server's page without a pause sees when
the hub answers in its place. JupyterHub looks every 30 s, so its servers are killed all at once, when all have been
looked at for a while.
"""
import http.client
import os
import random
import signal
import statistics
import threading
import time

from supervision import hubs
from supervision.hubs import line

TIMEOUT = 90


def who_answers(port, user):
    """`fake`, `hub`, or what else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", f"/user/{user}/lab", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.headers.get("X-Bench-Fake"):
            return "fake"
        return "hub" if answer.headers.get("X-JupyterHub-Version") else f"proxy {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def kill(hub, user, pause):
    """Milliseconds from the kill until the hub answers for the server."""
    os.kill(hub.pid_of(user), signal.SIGKILL)
    killed = time.perf_counter()
    while (who := who_answers(hub.port, user)) != "hub":
        waited = time.perf_counter() - killed
        assert waited < TIMEOUT, f"{hub.name}: {user} still answered by {who}"
        time.sleep(pause)
    return (time.perf_counter() - killed) * 1000


def one_by_one(hub, users):
    return [kill(hub, user, 0) for user in users]


def together(hub, users):
    took = []
    threads = [threading.Thread(target=lambda user=user: took.append(kill(hub, user, 0.02))) for user in users]
    for thread in threads:
        thread.start()
        time.sleep(random.random() * 0.5)
    for thread in threads:
        thread.join()
    return took


def crash(hub, count, how):
    try:
        hub.start()
        users = [f"user{n:03}" for n in range(count)]
        hub.add_users(users)
        hub.start_servers(users, 20)
        assert all(who_answers(hub.port, user) == "fake" for user in users)
        return how(hub, users)
    finally:
        hub.remove()


def main():
    parser = hubs.arguments(__doc__)
    parser.add_argument("--crashes", type=int, default=100)
    parser.add_argument("--reference-crashes", type=int, default=20)
    options = parser.parse_args()
    hubs.find_programs()
    ours = crash(hubs.orrery(options), options.crashes, one_by_one)
    results = [ours] if options.no_reference else [ours, crash(hubs.jupyterhub(), options.reference_crashes, together)]
    line("", ["orrery", "jupyterhub"][: len(results)])
    line("crashes", [len(result) for result in results])
    for label, choose in [("crash -> route gone, median", statistics.median), ("crash -> route gone, worst", max)]:
        chosen = [choose(result) for result in results]
        line(label, [f"{value:.1f} ms" for value in chosen], chosen[1] / chosen[0] if len(chosen) > 1 else None)
    over = sum(1 for value in ours if value >= 100)
    print(f"of {len(ours)}, {over} took 100 ms or more")


if __name__ == "__main__":
    main()
