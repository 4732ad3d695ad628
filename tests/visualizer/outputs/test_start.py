"""What is opened for a show, and that nothing is where nothing was asked for."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.fakes import hearing, picture
from tests.support.live_fakes import make_live
from visualizer.errors import UserError
from visualizer.film.recorder import Takes
from visualizer.moment import Moment
from visualizer.options import Settings
from visualizer.outputs.start import open_outputs
from visualizer.stage.looks import find_look
from visualizer.stage.shots import Camera, Shot

LATE = ("pyvirtualcam", "cyndilib", "SpoutGL", "syphon", "visualizer.outputs.outputs", "visualizer.outputs.pipe")


def test_nothing_is_imported_for_a_show_without_outputs() -> None:
    program = (
        "import sys, visualizer.launch, visualizer.options as o, visualizer.outputs.start as s\n"
        "with s.open_outputs(o.Settings(), None): pass\n"
        f"print([name for name in {LATE} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_pictures_of_the_window_go_out(tmp_path: Path) -> None:
    path, live, camera = tmp_path / "show.mkv", make_live(), Camera()
    live.takes = Takes(camera, lambda: 0.0, live.toasts)
    settings = Settings(output=f"pipe:{path}", output_size=(65, 49), output_fps=Fraction(10))
    with open_outputs(settings, live):
        assert live.outputs is not None
        assert live.takes.outputs is live.outputs
        for k in range(6):  # 20 a second are drawn, 10 wanted; so few that none is dropped
            seen = 3.0 + k / 20
            live.takes.aim(seen)
            assert (camera._asked is not None) == (k % 2 == 0)
            if camera._asked is not None:
                camera.shots.append(Shot(camera._asked, np.full((49, 65, 4), 10 * k, np.uint8)))
                camera._asked = None
            live.takes.develop(0.0)
    assert live.outputs is None
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height) == (64, 48)
        assert [round(float(frame.time) * 10) for frame in film.decode(stream)] == [0, 1, 2]


def test_with_alpha_the_show_hands_over_moments(tmp_path: Path) -> None:
    path, live = tmp_path / "show.mkv", make_live()
    with open_outputs(Settings(output=f"pipe:{path}", output_size=(160, 120), output_alpha=True), live):
        assert live.outputs is not None
        live.outputs.offer_moment(Moment(picture(0.0), find_look("paper"), hearing(0.0), 0.0), 0.0)
    with av.open(str(path)) as film:
        (frame,) = film.decode(video=0)
    cover = frame.to_ndarray(format="rgba")[:, :, 3]
    assert cover.min() == 0
    assert cover.max() == 255


def test_phones_see_how_outputs_are(tmp_path: Path) -> None:
    live = make_live()
    live.board.watch("a test")
    with open_outputs(Settings(output=f"pipe:{tmp_path / 'show.mkv'}"), live):
        live.draw_frame(0.1)
        assert live.board.state is not None
        assert live.board.state.outputs[0].startswith("pipe: ")
    live.draw_frame(0.2)
    assert live.board.state.outputs == ()


def test_what_this_computer_does_not_have_is_refused_at_once() -> None:
    with (
        pytest.raises(UserError, match=r"needs the extra|only Windows"),
        open_outputs(Settings(output="spout"), make_live()),
    ):
        raise AssertionError("was opened")
