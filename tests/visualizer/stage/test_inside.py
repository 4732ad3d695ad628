"""The numbers that the inside of a dancer is coloured by: what they mean, and that a box is only where it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.support.fakes import hearing
from tests.support.made_insides import dressed
from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage.inside import make_pattern, make_planes
from visualizer.stage.looks import InsideLook, Look, Shading, find_look
from visualizer.stage.looks.look import FIELDS, PATTERNS
from visualizer.stage.mood import Mood

WHOLE = 0, FRAME_SIZE, 0, FRAME_SIZE
WHITE = np.array([[0.0, 1, 1, 1, 1, 1], [1.0, 1, 1, 1, 1, 1]])
BODIES = dressed(0.0)
assert BODIES.insides is not None
(ONE,) = BODIES.insides


def look_of(first: Shading) -> Look:
    return dataclasses.replace(find_look("paper"), inside=InsideLook(first=first))


def number_of(shading: Shading, beat: float = 0.0) -> np.ndarray:
    mood = Mood()
    mood.follow(hearing(beat / 2), beat)
    found = make_planes(ONE, WHOLE, look_of(shading), mood).first
    assert found is not None
    return found


@pytest.mark.parametrize("of", [each for each in FIELDS if each not in PATTERNS])
def test_every_number_is_known_all_over_the_frame_and_is_smooth(of: str) -> None:
    found = number_of(Shading(of, WHITE))
    assert found.shape == (FRAME_SIZE, FRAME_SIZE)
    assert np.isfinite(found).all()
    body = BODIES.frames[0, 0] < 0
    low, high = found[body].min(), found[body].max()
    assert high - low > 0.05
    assert of == "lines" or (low > -0.3 and high < 1.3)


def test_what_faces_the_lamp_is_brighter_than_what_turns_away() -> None:
    left = number_of(Shading("lamp", WHITE, x=-1.0, y=0.0, z=0.2))
    normal = make_planes(ONE, WHOLE, look_of(Shading("lamp", WHITE)), Mood())
    assert normal.first is not None
    nx = np.zeros((FRAME_SIZE, FRAME_SIZE))
    h, w = ONE.normal.shape[1:]
    nx[ONE.row : ONE.row + h, ONE.column : ONE.column + w] = ONE.normal[0]
    assert left[nx < -0.5].min() > left[nx > 0.5].max()
    right = number_of(Shading("lamp", WHITE, x=-1.0, y=0.0, z=0.0, turn=180, turn_beats=4.0), beat=1.0)
    assert right[nx > 0.5].min() > right[nx < -0.5].max()  # a quarter of the swing: on the other side


def test_lines_go_on_by_one_in_their_beats_and_bend_with_the_surface() -> None:
    straight = Shading("lines", WHITE, scale=0.05, move_beats=2.0)
    now, half, later = (number_of(straight, beat) for beat in (0.0, 1.0, 2.0))
    assert (now - half) % 1 == pytest.approx(np.full_like(now, 0.5), abs=1e-5)
    assert np.cos(2 * np.pi * now) == pytest.approx(np.cos(2 * np.pi * later), abs=1e-4)
    assert np.ptp(now, axis=1).max() == pytest.approx(0, abs=1e-6)
    assert np.ptp(number_of(dataclasses.replace(straight, bend=1.0)), axis=1).max() > 0.3


def test_a_box_beyond_the_one_that_is_known_goes_on_as_it_ends() -> None:
    planes = make_planes(ONE, WHOLE, look_of(Shading("facing", WHITE)), Mood())
    assert planes.parts.shape == (6, FRAME_SIZE, FRAME_SIZE)
    assert (planes.crease[0] == planes.crease[ONE.row]).all()
    r0, c0 = ONE.row + 3, ONE.column + 2
    cut = make_planes(ONE, (r0, r0 + 20, c0, c0 + 9), look_of(Shading("facing", WHITE)), Mood())
    assert (cut.crease == planes.crease[r0 : r0 + 20, c0 : c0 + 9]).all()
    assert cut.first == pytest.approx(planes.first[r0 : r0 + 20, c0 : c0 + 9])  # type: ignore[index]


@pytest.mark.parametrize("of", PATTERNS)
def test_a_pattern_takes_all_levels_and_is_as_coarse_as_it_says(of: str) -> None:
    fine, coarse = make_pattern(of, 0.01, 300), make_pattern(of, 0.03, 300)
    assert fine.shape == (450, 450)
    for each in (fine, coarse):
        assert each.min() >= 0
        assert each.max() <= 1
        assert np.percentile(each, 95) - np.percentile(each, 5) > 0.4
    assert np.abs(np.diff(fine, axis=1)).mean() > 1.5 * np.abs(np.diff(coarse, axis=1)).mean()
