"""Names are found as people type them, and two that could be meant are not guessed between."""

from __future__ import annotations

from pathlib import Path

import pytest

from visualizer import paths
from visualizer.dancer.pack import find_pack
from visualizer.errors import UserError
from visualizer.names import find_name

NAMES = ("hip hop", "two-step sway", "house", "Jack", "jack")


@pytest.mark.parametrize(
    ("typed", "found"),
    [("hip hop", "hip hop"), ("Hip-Hop", "hip hop"), ("HIPHOP", "hip hop"), ("two_step  sway", "two-step sway"),
     ("jack", "jack"), ("Jack", "Jack"), ("JACK", None), ("", None), ("- _", None), ("hous", None)],
)  # fmt: skip
def test_a_name_is_found_or_not_guessed(typed: str, found: str | None) -> None:
    assert find_name(typed, NAMES) == found


@pytest.mark.parametrize("typed", ["default", "Default", "DEFAULT", "de-fault"])
def test_a_pack_is_found_by_its_name(typed: str) -> None:
    assert find_pack(typed) == paths.models() / "default"


def test_a_path_is_taken_as_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no pack"):
        find_pack(str(tmp_path / "Default"))
