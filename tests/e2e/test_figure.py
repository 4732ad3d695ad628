"""The eye of these tests is tested too: it knows a dancer, and takes nothing else for one."""

from __future__ import annotations

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from tests.support import fakes
from tests.support.figure import assert_dances, figure, figures
from visualizer.moment import Moment
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import find_look

SIZE = (640, 360)


def shot(beat: float) -> NDArray[np.uint8]:
    """Grey levels (height, width) of a figure painted in the paper look."""
    surface = Painter(SIZE).paint(Moment(fakes.picture(beat), find_look("paper"), fakes.hearing(), beat))
    return pygame.surfarray.array3d(surface).max(axis=2).T.astype(np.uint8)


def blank() -> NDArray[np.uint8]:
    return np.full(SIZE[::-1], 250, np.uint8)


def block() -> NDArray[np.uint8]:
    grey = blank()
    grey[80:330, 270:370] = 10
    return grey


def specks() -> NDArray[np.uint8]:
    return np.where(np.random.default_rng(0).random(SIZE[::-1]) < 0.1, 10, 250).astype(np.uint8)


def blur() -> NDArray[np.uint8]:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    return (250 - 150 * np.exp(-(((x - 320) / 70) ** 2) - ((y - 200) / 110) ** 2)).astype(np.uint8)


def test_a_dancer_is_known() -> None:
    assert_dances([figure(shot(beat)) for beat in np.arange(0, 4, 0.4)])


@pytest.mark.parametrize("picture", [blank, block, specks, blur])
def test_nothing_else_is_taken_for_one(picture) -> None:
    with pytest.raises(AssertionError):
        figure(picture())


def test_one_odd_picture_is_let_pass_and_two_are_not() -> None:
    good = [shot(beat) for beat in np.arange(0, 2.8, 0.4)]
    assert len(figures([*good, blur()])) == len(good)
    with pytest.raises(AssertionError, match="only 7 of 9"):
        figures([*good, blur(), blank()])


def test_standing_still_is_no_dance() -> None:
    with pytest.raises(AssertionError, match="stood still"):
        assert_dances([figure(shot(0.3))] * 5)


def test_two_poses_to_and_fro_are_no_dance() -> None:
    a, b = figure(shot(0.0)), figure(shot(1.2))
    with pytest.raises(AssertionError, match="2 different poses"):
        assert_dances([a, b] * 4)
