"""What figures are made of: hands that close, cloth and hair that sway."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.choreography import DANCES, perform
from training.data.figures.build import build_shapes
from training.data.figures.figure import load_people
from training.data.figures.reshape import reshape
from training.data.figures.shapes import CLOTH, LEFT_HAND, LIMB, LOCKS, MARK, REACH, RIGHT_HAND, SHAPE, START

PEOPLE = {figure.name: figure for figure in load_people()}


def build(name: str, sway: NDArray[np.floating] | None = None, hands: tuple[float, ...] = (0, 0, 0, 0)) -> NDArray:
    """Shapes (K, SHAPE) of one body."""
    body = reshape(perform(DANCES[2], 0.5).positions[:1], PEOPLE[name])
    shapes, marks = build_shapes(
        PEOPLE[name], body, np.zeros((1, 7)) if sway is None else sway[None], np.array([hands])
    )
    assert shapes.shape[2] == SHAPE
    assert marks.shape[2] == MARK
    return shapes[0]


def ends(shapes: NDArray, limb: int) -> NDArray:
    """Where the shapes of a limb end (n, 3)."""
    mine = shapes[shapes[:, LIMB] == limb]
    return mine[:, START : START + 3] + mine[:, REACH : REACH + 3]


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_can_be_built(name: str) -> None:
    assert np.isfinite(build(name)).all()


def test_a_fist_is_smaller_than_an_open_hand_and_a_finger_points() -> None:
    sizes = []
    for hands in ((0.0, 0.0, 0, 0), (1.0, 0.0, 0, 0), (0.0, 1.0, 0, 0)):
        tips = ends(build("tom", hands=hands), LEFT_HAND)
        sizes.append(np.linalg.norm(tips - tips.mean(axis=0), axis=1))
    opened, fist, point = sizes
    assert fist.max() < 0.75 * opened.max()
    assert point.max() > 1.2 * fist.max()
    assert np.sort(point)[-3] < np.sort(opened)[-3]  # one finger alone


def test_each_hand_has_its_own_shape() -> None:
    rest, left = build("tom"), build("tom", hands=(1.0, 0, 0, 0))
    assert np.abs(ends(rest, LEFT_HAND) - ends(left, LEFT_HAND)).max() > 0.03
    assert np.array_equal(ends(rest, RIGHT_HAND), ends(left, RIGHT_HAND))


@pytest.mark.parametrize(
    ("name", "limb", "lag"), [("lena", LOCKS, 0), ("mira", LOCKS, 0), ("lena", CLOTH, 3), ("sana", CLOTH, 3)]
)
def test_hair_follows_the_head_and_skirts_the_hips(name: str, limb: int, lag: int) -> None:
    sway = np.zeros(7)
    sway[lag] = 0.1
    moved = ends(build(name, sway), limb) - ends(build(name), limb)
    assert moved[:, 0].max() > 0.03
    sway = np.zeros(7)
    sway[3 - lag] = 0.1  # the other spring
    assert np.abs(ends(build(name, sway), limb) - ends(build(name), limb)).max() < 1e-6
