#!/usr/bin/env python3
"""Which numbered assertions of the specification our tests name; prints a table, and what is missing.

    tests/coverage.py [--spec ../shared/spec] [--all]

A test names an assertion in its function's name (`rest_047_…`, `oauth_011_and_012_…`) or in a comment or string of test
code (`REST-047`, `COOK-080..084`). Mentions in the code under test do not count. What no test names must stand in
coverage.toml with the reason. Exit status 1 if an assertion of a specification that is complete (`COMPLETE`) is in neither
place, or if a reason is given for one that a test names or that does not exist.
"""
import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Specifications whose every assertion must be accounted for.
COMPLETE = ["rest-api.md", "rbac.md", "oauth.md", "cookies-xsrf.md"]
DEFINED = re.compile(r"^[-*|]\s*\**([A-Z]{2,5})-(\d{2,3})\b", re.M)


def defined(folder):
    """Assertions by specification: {"rest-api.md": ["REST-001", …]}."""
    found = {}
    for spec in sorted(folder.glob("*.md")):
        names = [f"{prefix}-{number}" for prefix, number in DEFINED.findall(spec.read_text())]
        if names:
            found[spec.name] = list(dict.fromkeys(names))
    return found


def test_code():
    """The text of everything that is a test."""
    for path in sorted([*ROOT.glob("src/**/*.rs"), *ROOT.glob("tests/**/*.rs"), *ROOT.glob("tests/**/*.py")]):
        inner = path.relative_to(ROOT)
        if path == Path(__file__).resolve() or "target" in inner.parts:
            continue
        text = path.read_text(errors="replace")
        if inner.parts[0] == "tests" or path.name == "tests.rs" or "tests" in inner.parts:
            yield text
        elif "#[cfg(test)]" in text:
            yield text[text.index("#[cfg(test)]"):]


def named(prefixes):
    """Every assertion that test code names."""
    found = set()
    one = "|".join(sorted(prefixes, key=len, reverse=True))
    pattern = re.compile(rf"(?<![A-Za-z])(?i:({one}))[-_](\d{{2,3}})((?:(?:_and|_to)?_\d{{2,3}}|(?:\s*(?:,|and|to|\.\.)\s*)\d{{2,3}})*)(?!\d)")
    for text in test_code():
        for prefix, first, rest in pattern.findall(text):
            numbers = [first]
            for link, number in re.findall(r"(_and_|_to_|_|\s*(?:,|and|to|\.\.)\s*)(\d{2,3})", rest):
                if link.strip(" _") in ("..", "to"):
                    numbers += [f"{n:0{len(number)}}" for n in range(int(numbers[-1]) + 1, int(number))]
                numbers.append(number)
            found |= {f"{prefix.upper()}-{number}" for number in numbers}
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--spec", type=Path, default=ROOT.parent / "shared/spec")
    options.add_argument("--all", action="store_true", help="list what other specifications lack, too")
    options = options.parse_args()
    if not options.spec.is_dir():
        print(f"coverage: {options.spec} is not here")
        return 0
    specs = defined(options.spec)
    tested = named({name.split("-")[0] for names in specs.values() for name in names})
    reasons = tomllib.loads((ROOT / "tests/coverage.toml").read_text())
    every = {name for names in specs.values() for name in names}
    wrong = [f"{name}: has a reason in coverage.toml, and a test" for name in reasons if name in tested]
    wrong += [f"{name}: has a reason in coverage.toml, but no specification has it" for name in reasons if name not in every]
    print(f"{'specification':26}{'assertions':>11}{'tested':>8}{'reason':>8}{'missing':>9}")
    for spec, names in specs.items():
        missing = [name for name in names if name not in tested and name not in reasons]
        count = sum(name in tested for name in names)
        print(f"{spec:26}{len(names):>11}{count:>8}{sum(name in reasons for name in names):>8}{len(missing):>9}")
        if spec in COMPLETE:
            wrong += [f"{name} ({spec}): no test names it, and coverage.toml gives no reason" for name in missing]
        elif options.all and missing:
            print("    " + " ".join(missing))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
