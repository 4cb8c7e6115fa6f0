#!/usr/bin/env python3
"""Prints the RPM's list of files as TOML: that of the Debian package in Cargo.toml, with `rpm` of an entry as its place
(or left out where that is false), and then what only the RPM has."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    [orrery] = (package["metadata"] for package in metadata["packages"] if package["name"] == "orrery")
    print("assets = [")
    for asset in orrery["deb"]["assets"] + orrery["generate-rpm"]["assets"]:
        place = asset.pop("rpm", asset["dest"])
        if place is not False:
            entry = {**asset, "dest": place}
            print("  { " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in entry.items()) + " },")
    print("]")


if __name__ == "__main__":
    main()
