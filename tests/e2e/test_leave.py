"""The process ends in time, whatever it is in the middle of, and what it has made is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from tests.support.needs import needs
from tests.support.program import PATIENCE, Program
from tests.support.repository import REPOSITORY
from visualizer import paths
from visualizer.leave import CLOSING

OWN = paths.assets() / "own_music.ogg"

# A library that does not return once it is called, and that no signal wakes. It says so when Python can no longer act:
# libc's wordexp lets a shell speak, and waits for its end, which comes with ours.
STUCK = """
import ctypes
class Stuck:
    libc = ctypes.CDLL(None)
    words = b"$(echo stuck >&2; exec 2>/dev/null </dev/null; while kill -0 $PPID; do sleep 0.1; done)"
    def __call__(self, *given, **named):
        self.libc.wordexp(self.words, ctypes.create_string_buffer(64), 16)
"""
BOUND = 2.0  # seconds in which a signal ends everything
SLACK = 2.0  # seconds more on a machine that has other things to do
SHOW = ("--window", "160x90", "--audio", "none", "--stage", "painter", "--seed", "4")
# Where it gets stuck: the code that makes it, the words of the command.
IN_THE_SHOW = """
import pygame
STEP = 30
real, count = pygame.event.get, 0
def get():
    global count
    count += 1
    return Stuck()() if count == STEP else real()
pygame.event.get = get
"""
WHILE_CLOSING = """
from visualizer.stage import window
window.Window.close = Stuck()
"""
AT_THE_VERY_END = """
import atexit
from visualizer.film import recorder
class Takes(recorder.Takes):
    def finish(self, seen):
        atexit.register(Stuck())  # later than what the program itself has registered
        super().finish(seen)
recorder.Takes = Takes
"""
IN_PACKS = """
import visualizer.dancer.pack_store as store
store.list_packs = Stuck()
"""
IN_DEVICES = """
from visualizer.music.sources import meters
meters.open_meters = Stuck()
"""
IN_DOCTOR = """
from visualizer.support import doctor
doctor.examine = Stuck()
"""
IN_A_SONG = """
from visualizer.film import reel as film
film.hear_song = Stuck()
"""
IN_TRAINING = """
from training.data.motion import convert
convert.convert = Stuck()
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A user of our own with a folder for videos, without a screen but with a picture."""
    (tmp_path / "Videos").mkdir()
    folders = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "STATE")}
    return {"HOME": str(tmp_path), "SDL_VIDEODRIVER": "offscreen", "DISPLAY": "", "WAYLAND_DISPLAY": "", **folders}


class Sabotaged(Program):
    """The program, or `python -m training`, that runs `code` first."""

    def __init__(self, code: str, *words: str, env: dict[str, str], module: str = "visualizer") -> None:
        folder = Path(env["HOME"]) / "before"
        folder.mkdir()
        (folder / "stuck.py").write_text(f"import runpy, sys\n{STUCK}{code}\nrunpy.run_module({module!r}, "
                                         "run_name='__main__', alter_sys=True)\n")  # fmt: skip
        super().__init__(*words, env=env, command=[sys.executable, str(folder / "stuck.py")])


def ends_within(program: Program, number: int, seconds: float) -> int:
    """The exit code of a program that was sent that signal."""
    began = time.monotonic()
    program.process.send_signal(number)
    code = program.end()
    assert time.monotonic() - began < seconds
    assert not any("Traceback" in line for line in program.said)
    return code


@pytest.fixture(autouse=True)
def _can_be_stuck() -> None:
    needs(sys.platform == "linux", "Linux")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("code", "words"),
    [(IN_THE_SHOW, SHOW), (IN_A_SONG, ("film", str(OWN), "-o", "never.mp4")), (IN_PACKS, ("packs",)),
     (IN_DEVICES, ("devices",)), (IN_DOCTOR, ("doctor", "--json"))],
    ids=["show", "film", "packs", "devices", "doctor"],
)  # fmt: skip
def test_a_signal_ends_what_is_stuck_in_a_library(
    home: dict[str, str], tmp_path: Path, code: str, words: tuple[str, ...], number: signal.Signals
) -> None:
    with Sabotaged(code, *words, env=home) as program:
        program.wait_for("^stuck$")
        assert ends_within(program, number, BOUND + SLACK) == 128 + number
    assert program.said[-1] == f"visualizer: ended by {number.name}, in the middle of something that does not end"


def test_ctrl_c_ends_a_training_that_is_stuck_in_a_library(home: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="skipped: torch missing")
    words = ("motion", str(tmp_path), "--out", str(tmp_path / "clips"))
    with Sabotaged(IN_TRAINING, *words, env=home, module="training") as program:
        program.wait_for("^stuck$")
        assert ends_within(program, signal.SIGINT, BOUND + SLACK) == 130
    assert program.said[-1].startswith("stopped; clips that were written stay")


def test_a_second_signal_does_not_wait(home: dict[str, str]) -> None:
    """Not even for what is being put away, where that is what is stuck."""
    code = "from visualizer.film import recorder\nrecorder.Takes.finish = Stuck()\n"
    with Sabotaged(code, *SHOW, env=home) as program:
        program.wait_for("first frame")
        program.process.send_signal(signal.SIGTERM)
        program.wait_for("^stuck$")
        assert ends_within(program, signal.SIGTERM, BOUND + SLACK) == 143


@pytest.mark.parametrize("code", [WHILE_CLOSING, AT_THE_VERY_END], ids=["while closing", "at the very end"])
@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_a_show_that_is_over_ends_though_a_device_does_not_close(
    home: dict[str, str], code: str, number: signal.Signals | None
) -> None:
    ending = ("--seconds", "0.5") if number is None else ()
    with Sabotaged(code, *SHOW, *ending, "--no-remember", env=home) as program:
        program.wait_for("first frame")
        if number is not None:
            program.process.send_signal(number)
        program.wait_for("^stuck$")
        began = time.monotonic()
        assert program.end() == (0 if number is None else 128 + number)
        assert time.monotonic() - began < CLOSING + SLACK
    assert not any("Traceback" in line for line in program.said)


def test_a_video_is_finished_though_the_show_is_stuck(home: dict[str, str]) -> None:
    code = (
        IN_THE_SHOW
        + """
from visualizer import live
STEP = 90
frame, began = live.LiveShow.draw_frame, False
def begin(show, now, due=None):
    global began
    frame(show, now, due)
    if not began:
        began = True
        show.run_command("record", now)
        show.run_command("wilder", now)
live.LiveShow.draw_frame = begin
"""
    )
    with Sabotaged(code, *SHOW, env=home) as program:
        program.wait_for("toast: recording: ")
        program.wait_for("^stuck$")
        assert ends_within(program, signal.SIGTERM, PATIENCE) == 143
        assert any(line.startswith("recorded: ") for line in program.said)
        assert any(line.startswith("remembered in ") for line in program.said)
    (video,) = (Path(home["HOME"]) / "Videos").iterdir()
    with av.open(str(video)) as file:
        assert sum(1 for _ in file.decode(video=0)) > 10


def test_a_film_is_kept_as_far_as_it_goes_though_it_is_stuck(home: dict[str, str], tmp_path: Path) -> None:
    code = """
from visualizer.film import render as film
class Painter(film.Painter):
    count = 0
    def paint(self, *what):
        self.count += 1
        return Stuck()() if self.count == 40 else super().paint(*what)
film.Painter = Painter
"""
    out = tmp_path / "a.mp4"
    with Sabotaged(code, "film", "-o", str(out), "--size", "160x90", "--seconds", "20", env=home) as program:
        program.wait_for("^stuck$")
        assert ends_within(program, signal.SIGTERM, PATIENCE) == 143
    with av.open(str(out)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 39
    assert not list(tmp_path.glob(".a.*"))


FULL, CLOSED, GONE = ">/dev/full", ">&-", "| true"


@pytest.mark.parametrize(
    ("words", "how", "code", "said"),
    [("packs", FULL, 2, "No space left on device"), ("dances", FULL, 2, "No space left on device"),
     ("--version", FULL, 2, "No space left on device"), ("--help", FULL, 2, "No space left on device"),
     ("packs --help", FULL, 2, "No space left on device"),
     ("packs show default", FULL, 2, "No space left on device"),
     ("packs", CLOSED, 0, ""), ("--help", CLOSED, 0, ""), ("packs", GONE, 1, ""), ("--help", GONE, 1, "")],
)  # fmt: skip
def test_an_answer_that_cannot_be_written_is_one_line(
    home: dict[str, str], words: str, how: str, code: int, said: str
) -> None:
    needs(Path("/dev/full").exists(), "/dev/full")
    program = f"{sys.executable} -m visualizer {words}"
    # The shell of a pipe has ended by then: it is waited for, so that the pipe is closed for sure.
    command = f"{{ sleep 0.2; {program}; echo $? >&3; }} {how}" if how == GONE else f"{program} {how}; echo $? >&3"
    result = Path(home["HOME"]) / "code"
    env = {**os.environ, **home, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        ["bash", "-c", f"{{ {command}; }} 3>{result}"], env=env, capture_output=True, text=True, timeout=PATIENCE
    )
    assert int(result.read_text()) == code
    assert [line for line in done.stderr.splitlines() if said not in line or not said] == []
    assert len(done.stderr.splitlines()) == bool(said)


@pytest.mark.parametrize("how", ["2>/dev/full", "2>&-"])
def test_a_film_whose_messages_cannot_be_written_is_made(home: dict[str, str], tmp_path: Path, how: str) -> None:
    needs(Path("/dev/full").exists(), "/dev/full")
    out = tmp_path / "a.mp4"
    command = f"{sys.executable} -m visualizer film -o {out} --size 64x64 --seconds 1 {how}"
    env = {**os.environ, **home, "PYTHONPATH": str(REPOSITORY)}
    assert subprocess.run(["bash", "-c", command], env=env, timeout=PATIENCE, check=False).returncode == 0
    with av.open(str(out)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 30
