"""Displays by number and by name, and which is which after some have come or gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from visualizer.errors import UserError
from visualizer.stage.displays import Display, find_display, is_called, name_for_file, same_display


def row(*names: str) -> tuple[Display, ...]:
    return tuple(Display(k, name, (800 + k, 600), 60) for k, name in enumerate(names))


def test_by_number_and_by_name() -> None:
    there = row("eDP-1", "HDMI-1 Beamer", "")
    assert find_display(there, 2) == there[2]
    assert find_display(there, "1") == there[1]
    assert find_display(there, "beamer") == there[1]
    assert find_display(there, " edp-1 ") == there[0]
    assert find_display(row("HDMI-1", "HDMI-10"), "hdmi-1").number == 0  # wholly, before in part
    with pytest.raises(UserError, match=r"display 3 does not exist; there are: 0 \(eDP-1, 800x600\), 1 \(.*2 \(802x6"):
        find_display(there, 3)
    for wrong in ("DP-7", "", -1):
        with pytest.raises(UserError, match="does not exist"):
            find_display(there, wrong)
    with pytest.raises(UserError, match="display -1 is the name of more than one"):
        find_display(there[:2], "-1")


def test_a_display_is_known_again_by_name_wherever_it_is_now() -> None:
    before = row("eDP-1", "HDMI-1", "HDMI-2")
    assert same_display(row("HDMI-1", "HDMI-2"), before[2], before) == Display(1, "HDMI-2", (801, 600), 60)
    assert same_display(row("eDP-1", "HDMI-2"), before[1], before) is None
    twins = row("screen", "screen")
    assert same_display(row("screen", "screen"), twins[1], twins) == twins[1]
    assert same_display(row("screen"), twins[1], twins) is None


def test_what_is_remembered_is_the_name_if_it_tells_them_apart() -> None:
    there = row("eDP-1", "HDMI-1", "HDMI-10", "")
    assert [name_for_file(each, there) for each in there] == ["eDP-1", 1, "HDMI-10", 3]
    assert name_for_file(row("0")[0], row("0")) == 0
    for each in there:
        assert find_display(there, name_for_file(each, there)) == each


def test_is_called() -> None:
    display = row("HDMI-1")[0]
    assert is_called(display, "hdmi")
    assert is_called(display, "7")  # a number is no name
    assert not is_called(display, "DP-1x")
    assert not is_called(row("")[0], "hdmi")


def test_sdl_says_the_names_of_displays() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "visualizer", "--list-displays"],
        env={**os.environ, "SDL_VIDEODRIVER": "offscreen"}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    number, size, rate, unit, name = done.stdout.split()
    assert (number, unit, name) == ("0", "Hz", "0")
    assert size.count("x") == 1
    assert rate.isdecimal() or rate == "?"


def test_without_a_display_the_list_is_one_line_and_exit_code_2() -> None:
    env = {**os.environ, "SDL_VIDEODRIVER": "", "DISPLAY": ":4711", "WAYLAND_DISPLAY": ""}
    done = subprocess.run(
        [sys.executable, "-m", "visualizer", "--list-displays"], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("visualizer: no display: ")
