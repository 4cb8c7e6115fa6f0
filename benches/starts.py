#!/usr/bin/env python3
"""What starts of servers cost the hub, beside JupyterHub 6.1.1 in one run and with the same tiny server.

    benches/starts.py [--servers 300] [--single 50]

1. One start after the other of a server that needs 200 ms until it listens: the hub's own share is the time from the
   request to the answer "ready", less those 200 ms as the server itself measured them.
2. Many starts at once: the time until all are ready, and the processor time of the hub's own process for them.

The answer to each request comes when its server is ready (`slow_spawn` is 300 s), so nobody polls.
"""
import statistics
import time

from supervision import hubs
from supervision.hubs import line, processor

DELAY = 200


def singles(make, count):
    """Milliseconds of the hub's own share of each start."""
    hub = make(fake_delay=DELAY)
    try:
        hub.start()
        users = [f"single{n:03}" for n in range(count)]
        hub.add_users(users)
        took = hub.start_servers(users, 1)
        own = [hub.fake_answer(user)["listening_after_us"] / 1000 for user in users]
        return [seconds * 1000 - own for seconds, own in zip(took, own)]
    finally:
        hub.remove()


def at_once(make, count):
    """(seconds until all were ready, median seconds of one, processor seconds in user mode, in the kernel)"""
    hub = make()
    try:
        hub.start()
        users = [f"user{n:04}" for n in range(count)]
        hub.add_users(users)
        time.sleep(2)
        before = processor(hub.process.pid)
        began = time.perf_counter()
        took = hub.start_servers(users, count)
        wall = time.perf_counter() - began
        user, system = (after - earlier for after, earlier in zip(processor(hub.process.pid), before))
        assert hub.ready() == count and hub.fake_answer(users[-1])
        return wall, statistics.median(took), user, system
    finally:
        hub.remove()


def main():
    parser = hubs.arguments(__doc__)
    parser.add_argument("--servers", type=int, default=300)
    parser.add_argument("--single", type=int, default=50)
    options = parser.parse_args()
    hubs.find_programs()
    makers = [lambda **more: hubs.orrery(options, **more)] + ([] if options.no_reference else [hubs.jupyterhub])
    line("", ["orrery", "jupyterhub"][: len(makers)])

    def row(label, values, unit, digits=1):
        ratio = values[1] / max(values[0], 1e-9) if len(values) > 1 else None
        line(label, [f"{value:.{digits}f} {unit}" for value in values], ratio)

    shares = [singles(make, options.single) for make in makers]
    row(f"hub's own share of a start, median of {options.single}", [statistics.median(each) for each in shares], "ms")
    row("hub's own share of a start, worst", [max(each) for each in shares], "ms")
    results = [at_once(make, options.servers) for make in makers]
    walls, medians, users, systems = zip(*results)
    row(f"{options.servers} starts at once: all ready after", walls, "s", 2)
    row("median start among them", medians, "s", 2)
    row("hub's own processor time", [user + system for user, system in zip(users, systems)], "s", 2)
    row("of it in the kernel", systems, "s", 2)


if __name__ == "__main__":
    main()
