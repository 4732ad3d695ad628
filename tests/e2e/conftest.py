"""A screen and a home of their own for programs that tests start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import needs_program
from tests.support.program import Screen


@pytest.fixture
def screen() -> Iterator[Screen]:
    needs_program("Xvfb", "xdotool", "import")
    screen = Screen()
    yield screen
    screen.close()


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """No settings of whoever runs the tests."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
