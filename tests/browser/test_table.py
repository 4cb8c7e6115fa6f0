"""Every journey of the checklist of pages is tried in a browser, or the README says why not.

The checklist (ui-checklist.md) is not part of this repository; where it is not beside it there is nothing to compare.
"""
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SPECIFICATION = Path("shared/spec/ui-checklist.md")


def checklist():
    found = [folder / SPECIFICATION for folder in HERE.parents if (folder / SPECIFICATION).exists()]
    if not found:
        pytest.skip("the checklist is not here")
    return set(re.findall(r"^\| UI-(\d{3}) \|", found[0].read_text(), re.M))


def tried():
    """The numbers in names of tests, and of their cases."""
    texts = [file.read_text() for file in HERE.glob("test_*.py")]
    names = [name for text in texts for name in re.findall(r"^ *def (test_\w+)|\bid=\"(ui_\w+)\"", text, re.M)]
    return {number for pair in names for number in re.findall(r"ui_(\d{3})", "".join(pair))}


def excused():
    """The numbers in the README's table of what is not tried in a browser: `| 045 | why |`."""
    return dict(re.findall(r"^\| (\d{3}) \| (\S.*) \|$", (HERE / "README.md").read_text(), re.M))


def test_every_journey_is_tried_or_has_a_reason():
    numbers = checklist()
    assert len(numbers) > 150, "the checklist's form has changed"
    assert not sorted(numbers - tried() - excused().keys()), "neither in the name of a test nor in the README"


def test_the_reasons_are_of_journeys_that_are_not_tried():
    assert not sorted(excused().keys() & tried()), "tried after all: take them out of the README"
    assert not sorted((excused().keys() | tried()) - checklist()), "there are no such journeys"
