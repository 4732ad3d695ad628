"""Looks until something has happened that no event tells of, in benchmarks and tests."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_for(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Look until it has happened; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
