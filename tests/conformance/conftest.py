"""Fixtures of the raw-socket tests: a proxy in front of a scripted backend."""

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit import Backend, Proxy, help_of, one_worker, proxy_binary


@pytest.fixture
def plane():
    """plane(play, *options) -> (proxy, backend): a proxy of one worker whose default route is a backend playing `play`."""
    with contextlib.ExitStack() as running:
        def start(play, *options):
            missing = [option for option in options if option.startswith("--") and option not in help_of(proxy_binary())]
            if missing:
                pytest.skip(f"this proxy has no {' '.join(missing)}")
            backend = running.enter_context(Backend(play))
            proxy = running.enter_context(Proxy(backend.url, *one_worker(), *options))
            return proxy, backend

        yield start
