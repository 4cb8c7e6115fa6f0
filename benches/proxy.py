#!/usr/bin/env python3
"""How fast `orrery-proxy` is beside nginx, haproxy and configurable-http-proxy (CHP), in one run on two cores.

    benches/proxy.py [--quick] [--only tiny64,ws] [--programs nginx,chp,orrery]
                     [--orrery-proxy target/release/orrery-proxy] [--chp PATH] [--list]

The proxy has core 0, the load generator and the backend have core 1; with two workers the proxy may use both. All
proxies are started here, with one worker each, on loopback; one is measured while the others are idle, in rounds of
rotating order, and medians count. Since core 1 is often the limit, the CPU time of the proxy for one request says
more than the throughput; both are printed.

Needs nginx, haproxy, wrk, openssl (packaging/demo/bench-packages.sh), CHP, and `orrery-bench-load` (benches/load).
"""
import argparse
import json
import os
import subprocess
import time
from pathlib import Path

from proxy import programs, report
from proxy.backend import Bench
from proxy.scenarios import Runner, all_scenarios, groups

HERE = Path(__file__).resolve().parent.parent
CHPS = [HERE / ".dev/chp/node_modules/.bin/configurable-http-proxy", Path("/tmp/chp/node_modules/.bin/configurable-http-proxy")]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 s and one round for each measurement")
    parser.add_argument("--seconds", type=int, help="of one measurement (3)")
    parser.add_argument("--rounds", type=int, help="of which the median counts (3)")
    parser.add_argument("--only", help="scenarios, comma-separated; `ws` means all that begin so")
    parser.add_argument("--programs", default=",".join(programs.NAMES), help="which proxies, comma-separated")
    parser.add_argument("--sockets", type=int, default=5000, help="idle websockets")
    parser.add_argument("--orrery-proxy", type=Path, default=HERE / "target/release/orrery-proxy")
    parser.add_argument("--load-tool", type=Path, default=HERE / "target/release/orrery-bench-load")
    parser.add_argument("--chp", type=Path, default=next((path for path in CHPS if path.exists()), CHPS[0]))
    parser.add_argument("--priority", type=int, default=0, help="niceness of all that is started, where others use the machine too; -15 needs root")
    parser.add_argument("--json", type=Path, help="also write all figures there")
    parser.add_argument("--list", action="store_true", help="the scenarios")
    chosen = parser.parse_args()
    chosen.seconds = chosen.seconds or (2 if chosen.quick else 3)
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.programs = chosen.programs.split(",")
    return chosen


def selected(key, only):
    return not only or any(key == word or (word == key.rstrip("0123456789pk")) for word in only.split(","))


def version(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10)
    except FileNotFoundError:
        return "missing"
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0][:32] if done.returncode == 0 and text else "?"


def heading(chosen):
    print(time.strftime("%Y-%m-%d %H:%M"), "|", version("nginx", "-v"), "|", version("haproxy", "-v"), "| CHP", version(chosen.chp, "--version"),
          "| ours", version(chosen.orrery_proxy, "--version"))
    print(f"{chosen.rounds} x {chosen.seconds} s each; load of the machine before: {os.getloadavg()[0]:.2f}; "
          "proxy on core 0, load and backend on core 1")


def main():
    chosen = options()
    scenarios = [scenario for scenario in all_scenarios() if selected(scenario.key, chosen.only)]
    if chosen.list:
        for scenario in all_scenarios():
            print(f"{scenario.key:12}{scenario.title}")
        return print(f"{'idle':12}memory of idle proxies\n{'sockets':12}memory of idle websockets")
    for name, path in (("orrery", chosen.orrery_proxy), ("chp", chosen.chp), ("", chosen.load_tool)):
        if (not name or name in chosen.programs) and not path.exists():
            raise SystemExit(f"{path} is missing: make bench-proxy builds and installs what is needed")
    began = time.monotonic()
    heading(chosen)
    bench = Bench(chosen)
    runner = Runner(bench, chosen.seconds, chosen.rounds, chosen.programs)
    results, idle, sockets = [], {}, {}
    try:
        if selected("idle", chosen.only):
            idle = runner.idle()
        for group in groups(scenarios):
            results += runner.measure(group)
            for scenario, samples in results[-len(group):]:
                report.scenario_table(scenario, samples)
            report.routes_table(runner.end_group())
        runner.stop()
        if selected("sockets", chosen.only):
            sockets = runner.idle_websockets(chosen.sockets)
    finally:
        runner.stop()
        bench.stop()
    report.memory_tables(idle, sockets, chosen.sockets)
    report.ratios_table(results)
    report.verdicts(results, idle, sockets)
    if chosen.json:
        figures = {scenario.key: {name: vars(sample) for name, sample in samples.items()} for scenario, samples in results}
        chosen.json.write_text(json.dumps({"scenarios": figures, "idle": idle, "sockets": sockets}, indent=1))
    print(f"\ntook {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
