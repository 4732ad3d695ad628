"""Real keys on a real X server with keyboards of other countries."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.needs import needs_program
from tests.support.program import PATIENCE, Program, Screen

# X's codes of keys by what a US keyboard has written on them.
PLACES = {"3": 12, "-": 20, "q": 24, "w": 25, "y": 29, "a": 38, "d": 40, "h": 43, "'": 48, ",": 59, "m": 58}
BY_PLACE = {
    "a": "auto: ", "d": "dance: ", ",": "half tempo: ", "-": "temperature: ", "3": "3 dancers",
}  # fmt: skip
LAYOUTS = {
    "ru": BY_PLACE, "gr": BY_PLACE, "il": BY_PLACE, "ara": BY_PLACE, "th": BY_PLACE, "us,ru": BY_PLACE,
    "fr": {"q": "auto: ", "d": "dance: ", "m": "half tempo: ", "3": "3 dancers"},
    "us -variant dvorak": {"a": "auto: ", "h": "dance: ", "w": "half tempo: ", "'": "temperature: ", "3": "3 dancers"},
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_keys_work_on_every_keyboard(layout: str, screen: Screen, home: dict[str, str]) -> None:
    """A letter is where the keyboard has it; where it has none of ours, it is where a US keyboard has it."""
    needs_program("setxkbmap")
    display = {**os.environ, "DISPLAY": screen.name}
    subprocess.run(["setxkbmap", *layout.split()], env=display, check=True, timeout=PATIENCE)
    words = ("--window", "320x200", "--audio", "none", "--seed", "4", "--no-auto", "--stage", "painter")
    with Program(*words, env={**screen.env, **home}) as program:
        program.wait_for("first frame after")
        for place, toast in LAYOUTS[layout].items():
            screen.press(str(PLACES[place]))
            said = program.wait_for(
                r"toast: (auto: |dance: |half tempo: |temperature: |\d dancers|sync: |sensitivity: )"
            )
            assert said[1].startswith(toast), program.said
