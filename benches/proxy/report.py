"""Tables and verdicts."""

HEAD = f"{'':12}{'rate':>18}{'p50':>10}{'p99':>10}{'CPU each':>11}{'CPU used':>10}"
# Above this share of a core used by others, a measurement is marked as noisy.
NOISE = 0.08
# Below this share of its core the proxy was not what limited the throughput.
SATURATED = 0.93


def micros(value):
    return f"{value:.0f} us" if value < 10_000 else f"{value / 1000:.1f} ms"


def rate(scenario, sample):
    return f"{sample.rate * scenario.scale:,.0f} {scenario.unit}"


def scenario_table(scenario, samples):
    print(f"\n{scenario.title}")
    print(HEAD)
    for name, sample in samples.items():
        cost = f"{sample.cpu:>8.2f} us" if name != "(direct)" else f"{'':>11}"
        used = f"{sample.used:>9.0%} " if name != "(direct)" else f"{'':>10}"
        notes = f"  {sample.errors} errors!" * bool(sample.errors) + f"  ~{sample.foreign:.0%} others" * (sample.foreign > NOISE)
        print(f"  {name:10}{rate(scenario, sample):>18}{micros(sample.p50):>10}{micros(sample.p99):>10}{cost}{used}{notes}", flush=True)


def ratio(samples, other, of):
    """How many times better ours is than `other`: more requests, or less CPU time for one."""
    ours, theirs = samples.get("orrery"), samples.get(other)
    if ours is None or theirs is None:
        return None
    return ours.rate / theirs.rate if of == "rate" else theirs.cpu / max(ours.cpu, 1e-9)


def times(value):
    return f"{value:>11.2f}x" if value is not None else f"{'':>12}"


def ratios_table(results):
    if not results:
        return
    print("\n(direct): no proxy. (relay): copies bytes without a look at them; what no proxy on this machine can be much cheaper than.")
    print("ours against the others: throughput, and CPU time for one request or message (more is better in both).")
    print("limit: what throughput ran into; `load` = generator and backend, so the CPU columns tell more there.")
    print(f"{'':42}{'rate/nginx':>12}{'rate/CHP':>12}{'CPU/nginx':>12}{'CPU/CHP':>12}   limit")
    for scenario, samples in results:
        if "orrery" not in samples:
            continue
        cells = "".join(times(ratio(samples, other, of)) for of in ("rate", "cpu") for other in ("nginx", "chp"))
        limit = "proxy" if samples["orrery"].used >= SATURATED else "load"
        noise = ", noisy" if max(sample.foreign for sample in samples.values()) > NOISE else ""
        wrong = ", ERRORS" if any(sample.errors for sample in samples.values()) else ""
        print(f"  {scenario.title:40}{cells}   {limit}{noise}{wrong}")


def routes_table(seconds):
    for name, each in seconds.items():
        print(f"  {name:10} one of 10,000 routes added over REST: {each * 1e6:,.0f} us", flush=True)


def memory_tables(idle, sockets, count):
    if idle:
        print("\nmemory of an idle proxy, all its processes (kB)")
        for name, (rss, pss) in idle.items():
            print(f"  {name:10} RSS {rss:>9,}   PSS {pss:>9,}")
    if sockets:
        print(f"\n{count:,} idle websockets, each used once: memory of the proxy for one (PSS), time to open all")
        for name, (kilobytes, opened, alive) in sockets.items():
            print(f"  {name:10} {kilobytes:>8.2f} kB   {opened:>6.2f} s   {alive:,} of {count:,} alive afterwards")


def verdicts(results, idle, sockets):
    """The budgets of the project, where this run measured what they are about."""
    by_key = {scenario.key: samples for scenario, samples in results}
    lines = []

    def check(text, value, least, form="{:.2f}"):
        if value is not None:
            lines.append((text, form.format(value), value >= least))

    for key in ("tiny1", "tiny10", "tiny64", "tiny256"):
        check(f"{key}: rate / nginx >= 1.0", ratio(by_key.get(key, {}), "nginx", "rate"), 1.0)
        check(f"{key}: rate / CHP >= 6", ratio(by_key.get(key, {}), "chp", "rate"), 6)
        check(f"{key}: CPU of nginx / ours >= 1.0", ratio(by_key.get(key, {}), "nginx", "cpu"), 1.0)
    for key in ("down", "up"):
        check(f"{key}: rate / nginx >= 1.0", ratio(by_key.get(key, {}), "nginx", "rate"), 1.0)
    for key in ("ws1", "ws10", "ws64", "ws1p", "ws10p", "ws64p"):
        check(f"{key}: rate / CHP >= 8", ratio(by_key.get(key, {}), "chp", "rate"), 8)
        check(f"{key}: CPU of CHP / ours >= 8", ratio(by_key.get(key, {}), "chp", "cpu"), 8)
    if "orrery" in by_key.get("tiny10", {}):
        added = (by_key["tiny10"]["orrery"].p99 - by_key["tiny10"]["(direct)"].p99) / 1000
        lines.append(("tiny10: p99 added <= 1.5 ms", f"{added:.2f} ms", added <= 1.5))
    if "orrery" in idle:
        lines.append(("idle RSS <= 12 MB", f"{idle['orrery'][0] / 1024:.1f} MB", idle["orrery"][0] <= 12 * 1024))
    if "orrery" in sockets and "chp" in sockets:
        share = sockets["orrery"][0] / sockets["chp"][0]
        lines.append(("idle websocket <= 1/3 of CHP's memory", f"{share:.2f}", share <= 1 / 3))
    if "orrery" in by_key.get("routes10", {}) and "routes10k" in by_key:
        few, many = by_key["routes10"]["orrery"], by_key["routes10k"]["orrery"]
        check("10,000 routes: rate / 10 routes >= 0.95", many.rate / few.rate, 0.95, "{:.3f}")
        check("10,000 routes: CPU of 10 / 10,000 >= 0.95", few.cpu / many.cpu, 0.95, "{:.3f}")
    if lines:
        print("\nbudgets")
    for text, value, kept in lines:
        print(f"  {'kept  ' if kept else 'MISSED'}  {text:48} {value:>10}")
