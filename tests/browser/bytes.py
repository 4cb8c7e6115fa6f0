#!/usr/bin/env python3
"""What a first view of each page weighs, as Chromium's network log has it: requests, bytes on the wire, seconds until it
can be used. Fails if a page is over 100 kB."""
import json
import sys

from scenes import FORM_SCENES, PROFILE_SCENES, PROFILES, Person, become, chromium, hub, play, scenes, settled, wait_until, FORM

MOST = 100_000


def weigh(url, person, path):
    """A browser of its own for each page: nothing is cached."""
    with chromium() as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        become(driver, url, person)
        driver.get_log("performance")
        driver.get(url + path)
        settled(driver)
        took = driver.execute_script("return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000")
        requests, size = set(), 0
        for entry in driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.loadingFinished":
                requests.add(message["params"]["requestId"])
                size += message["params"]["encodedDataLength"]
        return len(requests), int(size), took


def main():
    heavy = 0
    print(f"{'page':<14}{'requests':>9}{'bytes':>9}{'seconds':>9}")

    def line(name, url, person, path):
        nonlocal heavy
        requests, size, took = weigh(url, person, path)
        heavy += size > MOST and name != "docs"
        print(f"{name:<14}{requests:>9}{size:>9}{took:>9.2f}", flush=True)

    with hub() as url:
        played = play(url)
        for name, who, path in scenes(played):
            line(name, url, played["people"].get(who), path)
    with hub(f"\nspawner.options_form = '''{FORM}'''\nauth.auto_login = true\n") as url:
        for name, who, path in FORM_SCENES:
            line(name, url, Person(url, who), path)
    with hub(PROFILES) as url:
        for name, who, path in PROFILE_SCENES:
            line(name, url, Person(url, who), path)
    with hub() as url:  # the longest page of users that is shown unasked
        boss = Person(url, "boss")
        students = [f"student{number:02}" for number in range(50)]
        boss.api("POST", "/users", usernames=students)
        for student in students:
            boss.api("POST", f"/users/{student}/server")
        wait_until(lambda: len(boss.api("GET", "/users?state=ready")) == len(students), 120)
        line("admin-50-run", url, boss, "/hub/admin?name_filter=student")
    sys.exit(f"{heavy} pages are over {MOST} bytes" if heavy else 0)


main()
