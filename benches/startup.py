#!/usr/bin/env python3
"""How long a hub takes from exec to its first answer when its database is large, beside JupyterHub 6.1.1 in one run.

    benches/startup.py [--users 50000] [--rows 5000] [--running 200] [--rounds 5]

Both hubs get the same users, server rows and running servers (real processes, started through REST; the rest is written
into the database while the hub is down). "Answers" is the first 200 to an authorised request through the public port.
Then the time until every running server is ready again. JupyterHub's proxy is started by the hub, as it is by default.
"""
import sqlite3
import statistics
import sys
import time
from datetime import datetime, timezone

from supervision import hubs
from supervision.hubs import line, memory, processor


def names(count, first=0):
    return [f"user{n:05}" for n in range(first, count)]


def fill(hub, options, running):
    """Writes the users and rows that do not run; the hub must be down."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    db = sqlite3.connect(hub.database)
    others = names(options.users, options.running)
    users = [(name, False, now, now, f"cookie-of-{name}") for name in others]
    db.executemany("INSERT INTO users (name, admin, created, last_activity, cookie_id) VALUES (?, ?, ?, ?, ?)", users)
    ids = [row[0] for row in db.execute("SELECT id FROM users ORDER BY id")]
    (role,) = db.execute("SELECT id FROM roles WHERE name = 'user'").fetchone()
    table = "user_roles" if hub.name == "orrery" else "user_role_map"
    db.executemany(f"INSERT OR IGNORE INTO {table} (user_id, role_id) VALUES (?, ?)", [(user, role) for user in ids])
    # the running ones have theirs already
    stopped = ids[options.running : options.rows]
    if hub.name == "orrery":
        insert = "INSERT INTO servers (user_id, name, state, last_activity, user_options) VALUES (?, '', '{}', ?, '{}')"
    else:
        insert = "INSERT INTO spawners (user_id, name, state, last_activity, user_options) VALUES (?, '', '{}', ?, '{}')"
    db.executemany(insert, [(user, now) for user in stopped])
    db.commit()
    tables = ("users", "servers" if hub.name == "orrery" else "spawners")
    counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    db.close()
    assert counts == [options.users, options.rows], (hub.name, counts)


def main():
    parser = hubs.arguments(__doc__)
    parser.add_argument("--users", type=int, default=50000)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--running", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    hubs.find_programs()
    both = [hubs.orrery(options)] + ([] if options.no_reference else [hubs.jupyterhub()])
    try:
        running = names(options.running)
        for hub in both:
            hub.start()
            hub.add_users(running)
            hub.start_servers(running, 20)
            hub.end()
            fill(hub, options, running)
        print(f"{options.users} users, {options.rows} server rows, {options.running} running, {options.rounds} rounds")
        answers, adopted, cpu, rss = ({hub.name: [] for hub in both} for _ in range(4))
        for _ in range(options.rounds):
            for hub in both:
                answers[hub.name].append(hub.start())
                began = time.perf_counter()
                while hub.ready() < len(running):
                    if time.perf_counter() - began > 60:
                        sys.exit(f"{hub.name}: only {hub.ready()} of {len(running)} servers came back")
                    time.sleep(0.05)
                adopted[hub.name].append(answers[hub.name][-1] + time.perf_counter() - began)
                cpu[hub.name].append(sum(processor(hub.process.pid)))
                rss[hub.name].append(memory(hub.process.pid)[0] / 1024)
                pids = [hub.pid_of(user) for user in running[:3]]
                assert all(hub.fake_answer(user) for user in running[:3]), pids
                hub.end()
        line("", [hub.name for hub in both])
        rows = [
            ("exec -> first answer, median", answers, statistics.median, 1000, "ms"),
            ("exec -> first answer, worst", answers, max, 1000, "ms"),
            ("exec -> all running servers ready again", adopted, statistics.median, 1000, "ms"),
            ("processor time until then", cpu, statistics.median, 1000, "ms"),
            ("resident memory then", rss, statistics.median, 1, "MB"),
        ]
        for label, values, choose, factor, unit in rows:
            chosen = [choose(values[hub.name]) for hub in both]
            cells = [f"{value * factor:.1f} {unit}" for value in chosen]
            line(label, cells, chosen[1] / max(chosen[0], 1e-9) if len(chosen) > 1 else None)
    finally:
        for hub in both:
            hub.remove()


if __name__ == "__main__":
    main()
