"""A guest dances with the real program: comes, is copied, is lost and found again; and a show without a camera."""

from __future__ import annotations

import time
from pathlib import Path

import av
import pytest

from tests.support.made_person import RATE, dancing
from tests.support.program import PATIENCE, Program, Screen
from visualizer.camera.bundle import keep_bundle

WORDS = ["--audio", "none", "--bpm", "240", "--seed", "4", "--look", "paper", "--no-auto", "--window", "320x180",
         "--fps", "20"]  # fmt: skip


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A dancer, two seconds long."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=round(RATE))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 270, 480, "yuv420p", 2_000_000
        for picture, _, _ in dancing(2.0):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        out.mux(stream.encode())
    return path


def copy_guest(screen: Screen, program: Program) -> None:
    """Copycat, as soon as the guest has danced for long enough."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        screen.press("shift+v")
        if "your last eight beats" in program.wait_for("toast: copycat: .*")[0]:
            return
    raise AssertionError("the guest was never copied")


@pytest.mark.slow
def test_a_guest_comes_is_copied_is_lost_and_comes_back(
    screen: Screen, home: dict[str, str], film: Path, pose_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(film.parent / "data"))
    keep_bundle(pose_bundle.read_bytes(), "full", "a test")
    env = {**home, **screen.env, "XDG_DATA_HOME": str(film.parent / "data")}
    with Program("--camera", str(film), *WORDS, env=env) as program:
        program.wait_for("toast: the camera is on")
        program.wait_for("guests: 1")
        green = screen.grab_until(lambda shot: bool(((shot[..., 1] > 170) & (shot[..., 0] < 90)).any()))
        assert green.any()  # the lamp
        copy_guest(screen, program)
        program.wait_for("guests: 0")  # they watch
        program.wait_for("guests: 1")
        away = film.rename(film.with_suffix(".away"))
        program.wait_for("toast: camera lost. Dancing alone, looking again")
        away.rename(film)
        program.wait_for("toast: the camera is on")
        program.wait_for("guests: 1")
        screen.press("v")
        program.wait_for("toast: the camera is off")
        screen.press("Escape")
        program.wait_for("toast: Esc again ends the show")
        screen.press("Escape")
        assert program.end() == 0


def test_a_show_without_a_camera_or_a_network_that_sees_goes_on(screen: Screen, home: dict[str, str]) -> None:
    """V where nothing is there is one line."""
    env = {**home, **screen.env, "XDG_DATA_HOME": str(Path(home["HOME"]) / "data")}
    with Program(*WORDS, env=env) as program:
        program.wait_for("first frame")
        screen.press("v")
        program.wait_for("toast: no guests: the network that sees people is missing: python -m training person-model")
        screen.press("Escape")
        program.wait_for("toast: Esc again ends the show")
        screen.press("Escape")
        assert program.end() == 0
