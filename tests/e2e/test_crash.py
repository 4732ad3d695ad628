"""The real program ends badly, and starts again: nothing raw on the screen, all of it in the log."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.program import PATIENCE, Program
from visualizer.support.log import NAME

ROOT = Path(__file__).parents[2]
# A key was pressed long before, another at once before the tenth picture, which cannot be drawn.
CRASHING = """
import itertools
from visualizer import cli  # first: it sets the environment
from visualizer import live
count, frame = itertools.count(), live.LiveShow.draw_frame
def failing(show, now, due=None):
    if next(count) == 10:
        show.run_command("wilder", now - 60)
        show.run_command("next look", now)
        raise ZeroDivisionError("a picture\\nthat cannot be")
    frame(show, now, due)
live.LiveShow.draw_frame = failing
cli.main()
"""
WORDS = ("--window", "160x90", "--audio", "none", "--look", "paper", "--seed", "4", "--stage", "painter")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A user of our own, without a screen but with a picture."""
    folders = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "STATE")}
    return {"HOME": str(tmp_path), "SDL_VIDEODRIVER": "offscreen", "DISPLAY": "", "WAYLAND_DISPLAY": "", **folders}


def log_of(home: dict[str, str]) -> Path:
    return Path(home["XDG_STATE_HOME"]) / "dancing-screen" / "log" / NAME


def settings_of(home: dict[str, str]) -> Path:
    return Path(home["XDG_CONFIG_HOME"]) / "dancing-screen" / "settings.toml"


def crash(home: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CRASHING, *WORDS, *words]
    env = {**os.environ, **home, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=env)


def starts_again(home: dict[str, str]) -> None:
    with Program(*WORDS, "--seconds", "0.3", env=home) as program:
        program.wait_for("first frame after")
        assert program.end() == 0


def test_an_unexpected_error_is_one_line_that_says_where_the_log_is(home: dict[str, str]) -> None:
    done = crash(home)
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    why = r"visualizer: an error of its own has ended it: ZeroDivisionError: a picture that cannot be (<string>:10); "
    assert last == f"{why}'visualizer report' packs {log_of(home)}"
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("visualizer: ")] == [last]
    text = log_of(home).read_text()
    assert text.count("Traceback (most recent call last)") == 1
    assert "in failing" in text
    assert "settings: seed 4, look paper, window (160, 90)" in text
    # What the keys chose is kept, but for what may be to blame.
    assert tomllib.loads(settings_of(home).read_text()) == {"temperature": "bold"}
    starts_again(home)
    assert log_of(home).read_text().startswith(text)
    assert log_of(home).read_text().count("from_file ['temperature']") == 1


def test_the_curious_see_the_traceback(home: dict[str, str]) -> None:
    done = crash(home, "--verbose")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "in failing" in done.stderr


def test_a_crash_without_a_log_says_how_to_see_more(home: dict[str, str]) -> None:
    Path(home["XDG_STATE_HOME"]).write_text("no folder")
    done = crash(home)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("start again with --verbose to see more")
    assert sum("no log is kept" in line for line in done.stderr.splitlines()) == 1


def test_a_show_that_was_killed_starts_again(home: dict[str, str]) -> None:
    for _ in range(2):
        with Program(*WORDS, env=home) as program:
            program.wait_for("first frame after")
            program.process.kill()
            assert program.process.wait(PATIENCE) == -9
    starts_again(home)
    text = log_of(home).read_text()
    assert text.count("--- begins: visualizer") >= 1
    assert text.count("--- ends after") == 1
