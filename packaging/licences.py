#!/usr/bin/env python3
"""Writes the copyright file of the packages (Debian's machine-readable format 1.0): our own terms, then every crate that
is linked into a program, with its copyright lines, and every text of a licence that those crates carry.

licences.py <file> [--with-common]   the second form holds the texts that Debian keeps in /usr/share/common-licenses, too
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = {"orrery", "orrery-proxy", "orrery-session", "orrery-launch"}
COMMON = {"Apache-2.0", "MPL-2.0", "CC0-1.0", "LGPL-2.1"}
# A phrase that no other of these texts has.
PHRASES = [
    ("Apache-2.0", "apache license"),
    ("MPL-2.0", "mozilla public license"),
    ("CC0-1.0", "cc0 1.0 universal"),
    ("Unicode-3.0", "unicode license v3"),
    ("BSL-1.0", "boost software license"),
    ("CDLA-Permissive-2.0", "community data license agreement"),
    ("Unlicense", "this is free and unencumbered software"),
    ("BSD", "redistribution and use in source and binary forms"),
    ("Zlib", "'as-is', without any express or implied warranty"),
    ("ISC", "permission to use, copy, modify, and/or distribute"),
    ("ISC", "permission to use, copy, modify, and distribute"),
    ("MIT", "permission is hereby granted, free of charge"),
]

OWN = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Orrery
Comment: The programs are linked from the crates below, as Cargo.lock names them. An expression with "or" leaves the choice;
 where Apache-2.0 or MIT is one of them it is taken.

Files: *
Copyright: The Orrery developers
License: MIT or Apache-2.0

Files: rust-std/*
Copyright: The Rust Project contributors
License: MIT or Apache-2.0
Comment: Rust's standard library, in every program.

Files: libsqlite3-sys/sqlite3/*
Copyright: none
License: public-domain
 The author disclaims copyright to this source code. In place of a legal notice, here is a blessing:
 .
 May you do good and not evil.
 May you find forgiveness for yourself and forgive others.
 May you share freely, never taking more than you give.
Comment: SQLite, in the program orrery.

Files: glibc/*
Copyright: Free Software Foundation, Inc.
License: LGPL-2.1+
Comment: The GNU C Library, linked statically into orrery-launch; its source is Debian's package glibc, and orrery-launch's own
 source is all that is needed to link it anew.
"""


def linked_crates():
    """The third-party packages that reach a program by normal dependencies on this platform."""
    host = re.search(r"^host: (.*)$", subprocess.check_output(["rustc", "-vV"], text=True), re.M)[1]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    found = json.loads(subprocess.check_output(command, cwd=ROOT))
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    waiting = [name for name in packages if packages[name]["source"] is None and packages[name]["name"] in PROGRAMS]
    seen = set(waiting)
    while waiting:
        for dep in nodes[waiting.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dep["dep_kinds"])
            macro = any("proc-macro" in target["kind"] for target in packages[dep["pkg"]]["targets"])
            if normal and not macro and dep["pkg"] not in seen:
                seen.add(dep["pkg"])
                waiting.append(dep["pkg"])
    ours = (packages[name] for name in seen if packages[name]["source"])
    return sorted(ours, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """(kind, copyright lines, text without them) of each file with a licence beside the crate's manifest."""
    folder = pathlib.Path(package["manifest_path"]).parent
    names = re.compile(r"^(licen[cs]e|copying|unlicense|copyright)", re.I)
    files = {file for file in folder.iterdir() if names.match(file.name) and file.is_file()}
    if package["license_file"]:
        files.add((folder / package["license_file"]).resolve())
    for file in sorted(files):
        text = file.read_text(errors="replace")
        flat = " ".join(text.lower().split())
        kind = next((kind for kind, phrase in PHRASES if phrase in flat), None)
        if kind is None:
            continue
        if kind == "BSD":
            kind = "BSD-3-Clause" if re.search(r"neither the names? of", flat) else "BSD-2-Clause"
        owner = [line.strip(" \t*/#") for line in text.splitlines() if re.match(r"[\s*/#]*copyright\s+(\(c\)|©|\d|the )", line, re.I)]
        body = [line for line in text.splitlines() if line.strip(" \t*/#") not in owner]
        template = kind in COMMON  # its "Copyright [yyyy] [name]" is nobody's
        yield kind, [] if template else owner, "\n".join(body).strip()


def expression(package):
    """The licence as this format writes it."""
    spdx = package["license"] or "see-text"
    spdx = re.sub(r"\)\s+(AND|OR)\s+", r", \1 ", spdx)  # a comma binds more loosely than the words
    for word, pattern in [("or", r"\s+OR\s+|\s*/\s*"), ("and", r"\s+AND\s+"), ("with", r"\s+WITH\s+")]:
        spdx = re.sub(pattern, f" {word} ", spdx)
    return re.sub("[()]", "", spdx).replace("LLVM-exception", "LLVM exception")


def indented(text):
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.splitlines())


def main(target, with_common):
    bodies = {}  # kind -> {text with blanks made one: text}
    bodies["MIT"] = {}
    out = [OWN]
    groups = {}
    for package in linked_crates():
        owners = []
        for kind, owner, body in texts(package):
            owners += [line for line in owner if line not in owners]
            if kind not in COMMON:
                bodies.setdefault(kind, {}).setdefault(" ".join(body.lower().split()), body)
        if not owners:
            authors = [re.sub(r"\s*<.*?>", "", author) for author in package["authors"]]
            owners = [", ".join(authors) or f"the authors of {package['name']}"]
        groups.setdefault((expression(package), tuple(owners)), []).append(f"{package['name']}-{package['version']}/*")
    for (licence, owners), files in sorted(groups.items(), key=lambda group: group[1]):
        owners = [re.sub(r"^copyright\s*(\(c\)|©)?\s*", "", line, flags=re.I) for line in owners]
        out.append(f"Files: {' '.join(files)}\nCopyright: {chr(10).join(owners[:1] + [' ' + line for line in owners[1:]])}\nLicense: {licence}\n")
    used = {word for licence, _ in groups for word in re.split(r",? or |,? and ", licence.replace(" with LLVM exception", ""))}
    for kind in sorted(used | {"MIT", "Apache-2.0", "LGPL-2.1+"}):
        base = kind.rstrip("+")
        if base in COMMON and with_common and (ROOT / "LICENSE-APACHE").exists() and base == "Apache-2.0":
            text = (ROOT / "LICENSE-APACHE").read_text().strip()
        elif base in COMMON:
            text = f"On Debian systems the text is in /usr/share/common-licenses/{base}."
            if with_common:
                text = f"The text is at https://spdx.org/licenses/{base}.html."
        elif kind in bodies and bodies[kind]:
            text = "\n\n--\n\n".join(bodies[kind].values())
        else:
            text = f"The text is at https://spdx.org/licenses/{kind}.html."
        out.append(f"License: {kind}\n{indented(text)}\n")
    pathlib.Path(target).write_text("\n".join(out))
    unknown = [f for (licence, _), files in groups.items() if licence == "see-text" for f in files]
    if unknown:
        sys.exit(f"licences.py: no licence known of {' '.join(unknown)}")


if __name__ == "__main__":
    main(sys.argv[1], "--with-common" in sys.argv[2:])
