"""The show is ended from outside: by signals, by its terminal, by the death of the display server. Nothing is lost."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.needs import needs_program
from tests.support.program import PATIENCE, Program, Screen
from tests.support.repository import REPOSITORY
from visualizer.support.log import NAME

WORDS = ("--window", "640x400", "--audio", "none", "--seed", "4", "--look", "paper", "--no-auto")
MIDDLE = np.s_[200:460, 540:740]  # of the screen, where the dancer is


@pytest.fixture
def home(home: dict[str, str]) -> dict[str, str]:
    """With a folder for videos and one for the log."""
    (Path(home["HOME"]) / "Videos").mkdir()
    return {**home, "XDG_STATE_HOME": str(Path(home["HOME"]) / "state")}


def log_of(home: dict[str, str]) -> str:
    return (Path(home["XDG_STATE_HOME"]) / "dancing-screen" / "log" / NAME).read_text()


def settings_of(home: dict[str, str]) -> dict:
    return tomllib.loads((Path(home["XDG_CONFIG_HOME"]) / "dancing-screen" / "settings.toml").read_text())


def video_of(home: dict[str, str]) -> Path:
    (video,) = (Path(home["HOME"]) / "Videos").iterdir()
    return video


def see_it_dance(screen: Screen) -> None:
    """Until the dancer has moved twice."""
    for _ in range(2):
        before = screen.grab()[MIDDLE].astype(int)
        screen.grab_until(lambda shot, before=before: np.abs(shot[MIDDLE] - before).mean() > 5)


def in_the_middle_of_a_show(screen: Screen, program: Program | Terminal) -> None:
    """A key has chosen another look, and a video is taken."""
    program.wait_for("first frame")
    screen.press("plus")
    program.wait_for("toast: temperature: ")
    screen.press("r")
    program.wait_for("toast: recording: ")
    began = time.monotonic()
    while time.monotonic() < began + 1:  # of video, for on a fast machine it has moved twice within nine frames
        see_it_dance(screen)


def assert_all_is_kept(home: dict[str, str]) -> None:
    """What `in_the_middle_of_a_show` did."""
    assert set(settings_of(home)) == {"hint", "temperature"}  # and the first line has been read
    assert "remembered in " in log_of(home)
    assert "recorded: " in log_of(home)
    with av.open(str(video_of(home))) as file:
        assert file.duration is not None
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in file.decode(video=0)]
        assert len(frames) == pytest.approx(30 * file.duration / 1e6, abs=2)
    assert len(frames) > 10
    assert frames[0].shape == (400, 640)
    assert max(np.abs(frame - frames[0]).mean() for frame in frames) > 0.5  # it dances


class Terminal:
    """A program that somebody has started by hand, in a terminal that `hang_up` closes."""

    def __init__(self, *words: str, env: dict[str, str]) -> None:
        needs_program("setsid")
        self._ours, theirs = pty.openpty()
        command = ["setsid", "--ctty", sys.executable, "-m", "visualizer", *words]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", **env}
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)

    def wait_for(self, word: str) -> None:
        """Until that is said."""
        said = b""
        while word.encode() not in said:
            said += os.read(self._ours, 1000)  # OSError if it ends

    def hang_up(self) -> int:
        """Close the window; the exit code."""
        os.close(self._ours)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def test_a_signal_ends_the_show_as_its_keys_do(screen: Screen, home: dict[str, str]) -> None:
    with Program(*WORDS, "--stats", env={**screen.env, **home}) as program:
        in_the_middle_of_a_show(screen, program)
        program.process.send_signal(signal.SIGTERM)
        program.wait_for("^ended by SIGTERM$")
        program.wait_for("^remembered in ")
        program.wait_for("^writing the rest of the recording$")
        program.wait_for("^recorded: ")
        program.wait_for(r"^stats: \d+ frames in ")
        assert program.end() == 143
    assert not any("Traceback" in line for line in program.said)
    assert_all_is_kept(home)
    assert log_of(home).splitlines()[-1].split(" INFO ")[1].startswith("--- ends after ")


def test_a_show_whose_terminal_is_closed_ends_as_by_its_keys(screen: Screen, home: dict[str, str]) -> None:
    with Terminal(*WORDS, "--stats", env={**screen.env, **home}) as program:
        in_the_middle_of_a_show(screen, program)
        assert program.hang_up() == 129
    assert "ended by SIGHUP" in log_of(home)
    assert "Traceback" not in log_of(home)
    assert_all_is_kept(home)


def test_a_film_whose_terminal_is_closed_is_kept_as_far_as_it_goes(home: dict[str, str]) -> None:
    folder = Path(home["HOME"])
    out = folder / "a.mp4"
    with Terminal(
        "film", "-o", str(out), "--size", "1280x720", "--seconds", "120", "--device", "cpu", env=home
    ) as film:
        while not any(part.stat().st_size > 50_000 for part in folder.glob(".a.*.mp4")):
            film.wait_for("%")  # the bar moves
        assert film.hang_up() == 129
    assert "Traceback" not in log_of(home)
    assert not list(folder.glob(".a.*"))
    with av.open(str(out)) as file:
        assert 10 < sum(1 for _ in file.decode(video=0)) < 3600


@pytest.mark.parametrize("stage", ["painter", "shader"])
def test_nothing_is_lost_when_the_display_server_dies(home: dict[str, str], stage: str) -> None:
    needs_program("Xvfb", "xdotool", "import")
    screen = Screen()
    try:
        with Program(*WORDS, "--stage", stage, env={**screen.env, **home}) as program:
            program.wait_for(f"{stage} 640x400")
            in_the_middle_of_a_show(screen, program)
            screen.die()
            program.wait_for("^visualizer: the display server has gone, and the window with it$")
            program.wait_for("^recorded: ")
            assert program.end() == 1
    finally:
        screen.close()
    assert not any("Traceback" in line for line in program.said)
    assert_all_is_kept(home)
    assert "visualizer: the display server has gone" in log_of(home)
    if stage == "shader":
        return
    screen = Screen()
    try:  # the next show is as this one was
        with Program(*WORDS, "--seconds", "0.3", env={**screen.env, **home}) as program:
            program.wait_for("first frame after")
            assert program.end() == 0
    finally:
        screen.close()
    assert log_of(home).count("from_file ['hint', 'temperature']") == 1
