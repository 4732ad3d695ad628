"""A film in place of a camera, the newest picture, and cameras that cannot be had."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from threading import Event

import av
import numpy as np
import pytest

from visualizer.camera import pictures
from visualizer.camera.pictures import CameraLost, Device, Film, Newest, open_pictures
from visualizer.errors import UserError


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Four pictures of 25 a second, each lighter than the one before."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(4):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 + 50 * k, np.uint8), "bgr24")))
        out.mux(stream.encode())
    return path


class Hand:
    """A camera that gives what a test puts into its hand."""

    def __init__(self, *given: np.ndarray | None) -> None:
        self.given, self.closed, self.empty, self.more = list(given), False, Event(), Event()

    def read(self) -> np.ndarray | None:
        if not self.given:
            self.empty.set()
            self.more.wait(5)
            return None
        return self.given.pop(0)

    def close(self) -> None:
        self.closed = True


def test_a_film_comes_round_in_its_own_time(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = types.SimpleNamespace(now=10.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(pictures, "time", types.SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    each = Film(film)
    seen, times = [], []
    for _ in range(10):
        picture = each.read()
        assert picture is not None
        seen.append(int(picture.mean()))
        times.append(clock.now)
    each.close()
    assert np.allclose(np.diff(times), 0.04, atol=1e-6)
    assert np.abs(np.diff(seen)[:3] - 50).max() < 6
    assert abs(seen[4] - seen[0]) < 6  # the first again


def test_a_film_that_is_gone_or_broken_is_a_camera_that_is_lost(film: Path) -> None:
    each = open_pictures(str(film))
    assert each.read() is not None
    each.close()
    film.write_bytes(b"no film")
    assert Film(film).read() is None
    film.unlink()
    assert Film(film).read() is None
    with pytest.raises(UserError, match="no camera or file is called"):
        open_pictures(str(film))


def test_the_newest_picture_is_looked_at_and_the_loss_is_told() -> None:
    hand = Hand(*(np.full((16, 16, 3), k, np.uint8) for k in range(5)))
    newest = Newest(hand)
    assert hand.empty.wait(5)
    taken = newest.take(1.0)
    assert taken is not None
    assert taken[0][0, 0, 0] == 4
    assert newest.take(0.0) is None
    hand.more.set()
    with pytest.raises(CameraLost):
        newest.take(5.0)
    assert newest.close()
    assert hand.closed


@pytest.mark.parametrize("trouble", ["", "may not be opened"])
def test_a_camera_that_does_not_open_or_is_not_permitted(monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    closed = types.SimpleNamespace(isOpened=lambda: False, release=lambda: None)
    cv2 = types.SimpleNamespace(
        CAP_V4L2=1, CAP_AVFOUNDATION=2, CAP_DSHOW=3, CAP_ANY=0, setNumThreads=lambda n: None,
        VideoCapture=lambda number, system: closed,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    monkeypatch.setattr(pictures, "list_cameras", lambda: [types.SimpleNamespace(number=0, trouble=trouble)])
    with pytest.raises(CameraLost, match=trouble or "there is none"):
        Device(0)


def test_a_camera_gives_pictures_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [(True, np.zeros((960, 1280, 3), np.uint8)), (False, None)]
    camera = types.SimpleNamespace(
        isOpened=lambda: True, release=lambda: None, set=lambda what, value: True, read=lambda: given.pop(0)
    )
    import cv2

    monkeypatch.setattr(cv2, "VideoCapture", lambda number, system: camera)
    monkeypatch.setattr(pictures, "list_cameras", lambda: None)
    each = Device(0)
    picture = each.read()
    assert picture is not None
    assert picture.shape == (480, 640, 3)
    assert each.read() is None
