"""Skip a test where the machine lacks something, unless REQUIRE_ALL=1 says that nothing may be missing."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(present: object, what: str) -> None:
    """Go on if `present` is truthy; else skip with the reason, or fail under REQUIRE_ALL=1."""
    if present:
        return
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{what} missing, and REQUIRE_ALL=1")
    pytest.skip(f"skipped: {what} missing")


def needs_program(*names: str) -> None:
    """Each of `names` must be a program on PATH."""
    for name in names:
        needs(shutil.which(name), name)
