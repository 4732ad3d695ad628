"""A camera that turns is noticed, whatever the dancer does; one that stands still is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.footage.compose import _camera
from training.data.footage.extract import find_pan
from training.data.footage.figure import KEPT, Figure
from training.data.footage.found import Found
from training.data.footage.made import backdrop

WIDE, HIGH = 270, 480


def view(room: NDArray, left: int, dancer: int) -> tuple[NDArray[np.uint8], Figure]:
    """What the camera sees of a room from `left` on, with a dancer at a place of their own in the picture."""
    picture = room[:, left : left + WIDE].copy()
    picture[100:440, dancer : dancer + 90] = (40, 60, 200)
    picture[200:260, dancer + 20 : dancer + 60] = 255
    noisy = picture + np.random.default_rng(left).normal(0, 3, picture.shape)
    mask = np.full((340, 90), 255, np.uint8)
    return np.clip(noisy, 0, 255).astype(np.uint8), Figure((dancer, 100, 90, 340), dancer + 45.0, 100.0, mask)


@pytest.mark.parametrize("turned", [-9, -3, 2, 12])
def test_a_turn_of_the_camera_is_seen_behind_the_dancer(turned: int) -> None:
    room = backdrop("room", (600, HIGH), 4)
    (before, _), (after, figure) = view(room, 150, 80), view(room, 150 - turned, 92)
    assert find_pan(before, after, figure) == pytest.approx(turned, abs=0.8)


def test_a_camera_that_stands_still_does_not_turn() -> None:
    room = backdrop("room", (600, HIGH), 4)
    (before, _), (after, figure) = view(room, 150, 60), view(room, 150, 110)
    assert find_pan(before, after, figure) == 0
    grey = np.full((HIGH, WIDE, 3), 90, np.uint8)
    assert find_pan(grey, grey, None) == 0


def found_with(pans: list[float] | None) -> Found:
    count = len(pans) if pans is not None else 20
    boxes = np.tile(np.array([[100, 50, 60, 300]], np.int32), (count, 1))
    place = np.full(count, 130.0, np.float32)
    return Found(
        np.arange(count) / 10, np.full(count, KEPT, np.uint8), boxes, place, place, np.zeros(count, np.bool_),
        pans=np.array(pans, np.float32) if pans is not None else None,
    )  # fmt: skip


def test_travel_is_the_dancers_not_the_cameras() -> None:
    assert _camera(found_with([0.0] + [5.0] * 19)) == pytest.approx(5 * np.arange(20))
    assert not _camera(found_with([0.0] + [5.0, -5.0] * 9)).any()  # it trembles
    assert not _camera(found_with(None)).any()
