"""What is remembered of displays, from the settings file and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from visualizer.errors import UserError
from visualizer.screen_setup import SQUARE, Screens, ScreenSetup, ScreenTable, find_fault
from visualizer.settings import read_settings, remember

CROOKED = ((0.05, 0.1), (0.9, 0.0), (1.0, 1.0), (0.0, 0.95))
TABLE = ScreenTable().replace("HDMI-1", ScreenSetup(CROOKED, "arch.png", 1.2, 0.9))


def test_it_is_remembered_by_name_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('look = "paper"  # mine\n[screens."old one"]\ngamma = 2\n')
    known = read_settings(path)[0].screens
    assert known.find("old one") == ScreenSetup(gamma=2.0)
    remember(path, {"screens": known.replace("HDMI-1", TABLE.find("HDMI-1")), "bpm": 99.0})
    read = read_settings(path)[0]
    assert (read.look, read.bpm) == ("paper", 99.0)
    assert read.screens == ScreenTable((("HDMI-1", TABLE.find("HDMI-1")), ("old one", ScreenSetup(gamma=2.0))))
    assert "# mine" in path.read_text()


def test_a_display_as_it_comes_is_not_remembered() -> None:
    assert TABLE.replace("HDMI-1", ScreenSetup()) == ScreenTable()
    assert ScreenTable().find("any") == ScreenSetup(SQUARE, "", 1.0, 1.0)
    assert TABLE.as_toml()["HDMI-1"]["corners"][0] == [0.05, 0.1]
    assert ScreenTable().replace("x", ScreenSetup(gamma=2.0)).as_toml() == {"x": {"gamma": 2.0}}


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (3, "nothing else"),
        ({"corner": 1}, "nothing else"),
        ({"corners": [[0, 0]]}, "four pairs"),
        ({"corners": [[0, 0], [1, 0], [1, 1], [0, "x"]]}, "four pairs"),
        ({"corners": [[0, 0], [1, 0], [1, float("nan")], [0, 1]]}, "four pairs"),
        ({"corners": [[0, 0], [1, 0], [0, 1], [1, 1]]}, "go round"),
        ({"corners": [[0, 0], [1, 0], [0.3, 0.3], [0, 1]]}, "go round"),
        ({"corners": [[-2, 0], [1, 0], [1, 1], [0, 1]]}, "beyond its edge"),
        ({"gamma": 9}, "gamma must be a number from 0.3 to 3"),
        ({"gamma": True}, "gamma must be"),
        ({"brightness": 0}, "brightness must be"),
        ({"mask": 4}, "name of a PNG"),
    ],
)
def test_what_makes_no_sense_is_said_with_the_display(setup: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"screens: Beamer: .*{said}"):
        Screens().read("screens", {"Beamer": setup})


def test_corners_that_make_a_picture() -> None:
    assert find_fault(SQUARE) == find_fault(CROOKED) == ""
