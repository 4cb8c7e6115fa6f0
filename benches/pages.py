#!/usr/bin/env python3
"""What a first view of login, home and administration costs, beside JupyterHub 6.1.1 in one run: requests, bytes, seconds.

    benches/pages.py [--users 5000] [--rounds 5]

Both hubs have the same users, made through REST; the administrator looks at the list of all. Each view is a headless
Chromium of its own, with nothing in its cache, through the hub's own proxy. "Usable" is the later of two moments, as the
page's performance entries and a MutationObserver have them: what one came for is there (the sign-in button, the start
button, the first row of users), and the last long task before that calm is over. Median of the rounds, hubs in turns.
"""
import json
import statistics
import sys
import time

import httpx

from supervision import hubs
from supervision.hubs import HERE, line

sys.path.insert(0, str(HERE / "tests/browser"))
from scenes import chromium  # noqa: E402

# what one came for; where the hubs have no hook in common (pages.md 11), that of either
VIEWS = [
    ("login", False, "/hub/login", "#login_submit"),
    ("home", True, "/hub/home", "#start"),
    ("admin", True, "/hub/admin", ".user-row, tbody[data-user]"),
]
CALM_SECONDS = 1.0
WATCH = """
window.__view = { there: null, task: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) { window.__view.task = Math.max(window.__view.task, entry.startTime + entry.duration); }
}).observe({ type: "longtask", buffered: true });
const look = () => {
  if (window.__view.there === null && document.querySelector(%s)) { window.__view.there = performance.now(); }
};
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""


def cookies(hub):
    """Signs the administrator in."""
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port}", timeout=60) as http:
        http.get("/hub/login")
        xsrf = next(cookie.value for cookie in http.cookies.jar if cookie.name == "_xsrf")
        reply = http.post("/hub/login", data={"username": "boss", "password": "pw", "_xsrf": xsrf})
        assert reply.status_code == 302, (hub.name, reply.status_code, reply.text[:500])
        return [{"name": cookie.name, "value": cookie.value, "path": cookie.path} for cookie in http.cookies.jar]


def view(hub, held, path, wanted):
    """One first view: (requests, bytes on the wire, bytes unpacked, seconds until usable)."""
    url = f"http://127.0.0.1:{hub.port}"
    with chromium() as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        for cookie in held:
            driver.execute_cdp_cmd("Network.setCookie", {**cookie, "url": url})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH % json.dumps(wanted)})
        driver.get_log("performance")
        driver.get(url + path)
        deadline = time.monotonic() + 60
        while True:
            there, task, now, shown = driver.execute_script(
                "return [window.__view.there, window.__view.task, performance.now(),"
                " performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]")
            if there is not None and now - max(there, task, shown) > CALM_SECONDS * 1000:
                break
            assert time.monotonic() < deadline, (hub.name, path, driver.page_source[:2000])
            time.sleep(0.05)
        requests, wire, unpacked = set(), 0, 0
        for entry in driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.loadingFinished":
                requests.add(message["params"]["requestId"])
                wire += message["params"]["encodedDataLength"]
            elif message["method"] == "Network.dataReceived":
                unpacked += message["params"]["dataLength"]
        return len(requests), int(wire), int(unpacked), max(there, task, shown) / 1000


def main():
    parser = hubs.arguments(__doc__)
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    hubs.find_programs()
    both = [hubs.orrery(options)] + ([] if options.no_reference else [hubs.jupyterhub()])
    try:
        held = {}
        for hub in both:
            hub.start()
            hub.add_users([f"user{number:05}" for number in range(options.users)])
            assert hub.call("POST", "/users/boss", {"admin": True}) == 201
            held[hub.name] = cookies(hub)
        print(f"{options.users} users, first view in headless Chromium, median of {options.rounds}")
        line("", [hub.name for hub in both])
        for name, signed_in, path, wanted in VIEWS:
            seen = {hub.name: [] for hub in both}
            for _ in range(options.rounds):
                for hub in both:
                    seen[hub.name].append(view(hub, held[hub.name] if signed_in else [], path, wanted))
            middle = {of: [statistics.median(column) for column in zip(*rounds)] for of, rounds in seen.items()}
            kinds = [("requests", "{:.0f}"), ("bytes on the wire", "{:.0f}"), ("bytes unpacked", "{:.0f}"), ("seconds until usable", "{:.3f}")]
            for place, (kind, form) in enumerate(kinds):
                values = [middle[hub.name][place] for hub in both]
                ratio = values[1] / values[0] if len(values) > 1 and values[0] else None
                line(f"{name}: {kind}", [form.format(value) for value in values], ratio)
    finally:
        for hub in both:
            hub.remove()


if __name__ == "__main__":
    main()
