#!/usr/bin/env python3
"""What running servers cost a hub that has nothing to do, beside JupyterHub 6.1.1 in one run.

    benches/idle.py [--servers 1000] [--reference-servers 300] [--seconds 60]

Resident memory of the hub (ours with its embedded proxy) without servers and with them, and the processor time that it
uses while nobody asks for anything: as much as belongs to the servers' polls, timers and clean-ups.
"""
import time

from supervision import hubs
from supervision.hubs import line, memory, processor


def main():
    parser = hubs.arguments(__doc__)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--reference-servers", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    hubs.find_programs()
    both = [(hubs.orrery(options), options.servers)]
    if not options.no_reference:
        both.append((hubs.jupyterhub(), options.reference_servers))
    try:
        before, after, cpu, counts = [], [], [], [count for _, count in both]
        for hub, count in both:
            hub.start()
            users = [f"user{n:05}" for n in range(count)]
            hub.add_users(users)
            time.sleep(1)
            before.append(memory(hub.process.pid))
            hub.start_servers(users, 20)
            assert hub.ready() == count
        # what a burst of starts leaves behind has its time to go
        time.sleep(20)
        began = [sum(processor(hub.process.pid)) for hub, _ in both]
        time.sleep(options.seconds)
        cpu = [sum(processor(hub.process.pid)) - earlier for (hub, _), earlier in zip(both, began)]
        after = [memory(hub.process.pid) for hub, _ in both]
        line("", [hub.name for hub, _ in both])
        line("running servers", counts)
        for index, kind in enumerate(["resident", "private"]):
            first, last = ([values[index] for values in sizes] for sizes in (before, after))
            line(f"{kind} memory without servers", [f"{value / 1024:.1f} MB" for value in first], ratio(first))
            line(f"{kind} memory with them", [f"{value / 1024:.1f} MB" for value in last])
            each = [(end - begin) / count for begin, end, count in zip(first, last, counts)]
            line(f"{kind} memory of one server", [f"{value:.1f} kB" for value in each], ratio(each))
        share = [seconds / options.seconds * 100 for seconds in cpu]
        line(f"of a core, idle for {options.seconds:.0f} s", [f"{value:.2f} %" for value in share])
        thousand = [value / count * 1000 for value, count in zip(share, counts)]
        line("of a core for 1,000 servers", [f"{value:.2f} %" for value in thousand], ratio(thousand))
    finally:
        for hub, _ in both:
            hub.remove()


def ratio(values):
    return values[1] / max(values[0], 1e-9) if len(values) > 1 else None


if __name__ == "__main__":
    main()
