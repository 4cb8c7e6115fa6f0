#!/usr/bin/env python3
"""Pictures of every page, in both themes, 1280 and 320 pixels wide: `make screenshots`, then look at target/screenshots.

Names on the command line are scenes; without any, all are taken. `LANGUAGE=de` takes them in another language.
"""
import base64
import os
import sys

from scenes import FORM, FORM_SCENES, PROFILE_SCENES, PROFILES, ROOT, become, chromium, hub, look, play, scenes, settled, speak, Person

TARGET = ROOT / "target/screenshots"
LANGUAGE = os.environ.get("LANGUAGE", "")
MOST = 4000  # pixels high; the description of the API is longer


def take(driver, url, name, person, path):
    become(driver, url, person)
    if LANGUAGE:
        speak(driver, LANGUAGE)
    for theme in ("light", "dark"):
        for width in (1280, 320):
            look(driver, width, 800, theme)
            driver.get(url + path)
            settled(driver)
            height = min(MOST, driver.execute_script("return Math.max(document.documentElement.scrollHeight, 500)"))
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            if wide > width:
                print(f"{name}, {theme}, {width} px: {wide} px wide, it scrolls sideways")
            picture = driver.execute_cdp_cmd("Page.captureScreenshot", {
                "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
            (TARGET / f"{name}-{LANGUAGE}{'-' if LANGUAGE else ''}{theme}-{width}.png").write_bytes(base64.b64decode(picture["data"]))


def main(wanted):
    TARGET.mkdir(parents=True, exist_ok=True)
    with hub() as url, chromium() as driver:
        played = play(url)
        for name, who, path in scenes(played):
            if not wanted or name in wanted:
                take(driver, url, name, played["people"].get(who), path)
    if not wanted or any(name in wanted for name, *_ in FORM_SCENES):
        with hub(f"\nspawner.options_form = '''{FORM}'''\nauth.auto_login = true\n") as url, chromium() as driver:
            for name, who, path in FORM_SCENES:
                take(driver, url, name, Person(url, who), path)
    if not wanted or any(name in wanted for name, *_ in PROFILE_SCENES):
        with hub(PROFILES) as url, chromium() as driver:
            for name, who, path in PROFILE_SCENES:
                take(driver, url, name, Person(url, who), path)
    print(f"{len(list(TARGET.glob('*.png')))} pictures in {TARGET}")


main(set(sys.argv[1:]))
