"""MediaPipe's pose landmarker sees a drawn dancer: where they are, which pixels are theirs, left from right."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_person import dancing, overlap
from visualizer.camera import landmarker
from visualizer.camera.bundle import Bundle, read_bundle
from visualizer.camera.landmarker import POINT, Landmarker
from visualizer.errors import UserError


def test_a_dancer_is_seen_with_their_left_and_right(pose_bundle: Path) -> None:
    """Also in a picture whose width is a multiple of nothing."""
    made = dancing(seconds=0.5, size=(271, 480))
    with Landmarker(read_bundle(pose_bundle)) as eyes:
        for number, (picture, mask, joints) in enumerate(made):
            (person,) = eyes.look(picture, number / 12)
            assert person.mask is not None
            assert person.mask.shape == mask.shape
            assert overlap(person.mask, mask) > 0.9
            for side in ("left", "right"):
                apart = person.points[POINT[f"{side}_knee"]] - joints[f"{side}_knee"]
                assert np.linalg.norm(apart) < 0.05 * 480
            assert np.isfinite(person.world).all()


def test_an_empty_picture_shows_nobody(pose_bundle: Path) -> None:
    with Landmarker(read_bundle(pose_bundle), people=2, follow=False) as eyes:
        assert eyes.look(np.full((120, 96, 3), 128, np.uint8), 0.0) == []


def test_a_broken_network_is_refused(pose_bundle: Path) -> None:
    whole = read_bundle(pose_bundle)
    broken = Bundle(Path("broken.task"), whole.data[: len(whole.data) // 2], "")
    with pytest.raises(UserError, match=r"broken\.task: MediaPipe cannot use it"):
        Landmarker(broken)


def test_a_version_that_calls_its_maker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", types.SimpleNamespace(__version__="1.2.3"))
    with pytest.raises(UserError, match="reports each use to its maker"):
        Landmarker(Bundle(Path("any.task"), b"", ""))


def test_without_mediapipe_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", None)
    with pytest.raises(UserError, match="pip install 'dancing-screen\\[camera\\]'"):
        Landmarker(Bundle(Path("any.task"), b"", ""))
    assert landmarker.MISSING
