"""What a check of the doctor finds, and the settings that it looks with."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from visualizer.errors import UserError

if TYPE_CHECKING:
    from visualizer.options import Settings

OK = "ok"
ABSENT = "absent"  # not needed to dance, and not here
WORSE = "worse"  # it dances, but not as well as it could
BROKEN = "broken"

# A bundle with a Python of its own knows no pip.
_HOW = "" if getattr(sys, "frozen", False) else ": pip install --force-reinstall dancing-screen"
REINSTALL = f"install the program again{_HOW}"


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    state: str  # OK, ABSENT, WORSE or BROKEN
    found: str  # one line
    remedy: str = ""  # one line; "" where nothing is wrong
    details: dict[str, Any] = field(default_factory=dict)  # for --json


def chosen() -> Settings:
    """What a show would begin with; defaults where the file is broken, which is a finding of its own."""
    from visualizer.options import Settings
    from visualizer.settings import read_settings, settings_file

    try:
        return read_settings(settings_file())[0]
    except (OSError, UnicodeDecodeError, UserError):
        return Settings()
