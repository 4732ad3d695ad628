"""Dancers with an inside, painted: parts in their colours, the nearer before the farther, and nothing left behind."""

from __future__ import annotations

import dataclasses

import numpy as np
import pygame
import pytest
from scipy import ndimage

from tests.support.fakes import hearing
from tests.support.made_insides import dressed
from visualizer.dancer.formation import SPACING, span_of
from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.moment import Bodies, Moment
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import Look, find_look, shipped_looks

SIZE = (320, 180)
WITH_INSIDE = [each for each in shipped_looks() if each.inside is not None]
every_look = pytest.mark.parametrize("look", WITH_INSIDE, ids=lambda each: each.name)


def pixels(surface: pygame.Surface) -> np.ndarray:
    return pygame.surfarray.array3d(surface).transpose(1, 0, 2).astype(int)


def paint(look: Look, bodies: Bodies, size: tuple[int, int] = SIZE) -> np.ndarray:
    return pixels(Painter(size).paint(Moment(bodies, look, hearing(), 0.0))).copy()


def flat(bodies: Bodies) -> Bodies:
    return dataclasses.replace(bodies, insides=None)


@every_look
def test_a_look_with_an_inside_shows_it_and_without_one_its_outline_alone(look: Look) -> None:
    bodies = dressed(0.0)
    with_it, without = paint(look, bodies), paint(look, flat(bodies))
    body = slice(70, 150), slice(150, 170)  # trunk and hips
    assert np.abs(with_it[body] - without[body]).max() > 20


@every_look
def test_no_box_shows_about_a_dancer(look: Look) -> None:
    """Where neither body nor light is, the picture is as with the outline alone."""
    bodies = dressed(0.0)
    assert look.inside is not None
    bare = dataclasses.replace(look, effects=None, inside=dataclasses.replace(look.inside, beam=0.0, mirror=0.0))
    far = paint(bare, dressed(0.0, (9.0,)))
    seen = paint(bare, bodies)
    painter = Painter(SIZE)
    side = painter.layout.side
    field = ndimage.minimum_filter(bodies.frames[0, 0], 5)  # pixels show a little of the cells beside them
    rows, columns = (np.arange(n) for n in SIZE[::-1])
    i = np.clip((rows - painter.layout.top) * FRAME_SIZE // side, 0, FRAME_SIZE - 1)
    j = np.clip((columns - round(painter.layout.left(0.0))) * FRAME_SIZE // side, 0, FRAME_SIZE - 1)
    outside = field[np.ix_(i, j)] > 2.99 / FRAME_SIZE
    assert outside.mean() > 0.5
    assert np.abs(seen - far)[outside].max() <= 1


def test_clothes_are_seen_in_their_colours() -> None:
    seen = paint(find_look("toon"), dressed(0.0), (640, 360))
    chest, hips = seen[165:190, 315:325].reshape(-1, 3), seen[230:245, 297:303].reshape(-1, 3)
    red, green, blue = np.median(chest, axis=0)
    assert red > 1.5 * max(green, blue)  # "#ff4d5e"
    red, green, blue = np.median(hips, axis=0)
    assert blue > 1.3 * max(red, green)  # "#25407a"


def test_who_is_nearer_is_before_who_is_farther() -> None:
    two = dressed(0.0, (0.0, 0.02))
    toon = find_look("toon")
    first = dataclasses.replace(two, near=np.array([0.1, 0.0], np.float32))
    second = dataclasses.replace(two, near=np.array([0.0, 0.1], np.float32))
    chest = slice(165, 190), slice(315, 325)
    seen = [np.median(paint(toon, each, (640, 360))[chest].reshape(-1, 3), axis=0) for each in (first, second)]
    assert seen[0][0] > 1.5 * seen[0][2]  # red before turquoise
    assert seen[1][2] > 1.5 * seen[1][0]


@every_look
def test_what_was_drawn_before_leaves_no_ghost(look: Look) -> None:
    old, fresh = Painter(SIZE), Painter(SIZE)
    quiet = hearing(level=0.05)
    for beat in np.arange(0, 16, 0.5):
        old.paint(Moment(dressed(beat, (-0.5 if beat < 5 else 0.4,)), look, quiet, beat))
        if beat >= 5:
            fresh.paint(Moment(dressed(beat, (0.4,)), look, quiet, beat))
    last = dressed(16.0, (0.4,))
    seen = pixels(old.paint(Moment(last, look, quiet, 16.0)))
    expected = pixels(fresh.paint(Moment(last, look, quiet, 16.0)))
    assert np.abs(seen - expected).max() <= 3


@every_look
def test_dirty_holds_every_pixel_that_changed(look: Look) -> None:
    painter = Painter(SIZE)
    before = pixels(painter.paint(Moment(dressed(0.0), look, hearing(), 0.0))).copy()
    for step in range(1, 8):
        after = pixels(painter.paint(Moment(dressed(step / 4, (step / 20,)), look, hearing(), step / 4))).copy()
        changed = (before != after).any(axis=2)
        box = painter.dirty
        changed[box.top : box.bottom, box.left : box.right] = False
        assert not changed.any()
        before = after


def test_the_floor_mirrors_the_feet_and_a_lamp_is_seen_in_the_air() -> None:
    look = find_look("spotlight")
    assert look.inside is not None
    plain = dataclasses.replace(look, inside=dataclasses.replace(look.inside, mirror=0.0, beam=0.0))
    mirrored = dataclasses.replace(look, inside=dataclasses.replace(look.inside, beam=0.0))
    bodies = dressed(0.0)
    floor = round(FLOOR * 360)
    feet = paint(mirrored, bodies, (640, 360)) - paint(plain, bodies, (640, 360))
    assert feet[floor + 1 : floor + 12].max() > 15
    assert np.abs(feet[: floor - 1]).max() <= 1
    air = paint(look, bodies, (640, 360)) - paint(mirrored, bodies, (640, 360))
    assert air[20:60, 310:330].mean() > 8
    assert np.abs(air[20:200, :100]).max() <= 1


def test_nine_in_rows_and_half_out_of_the_window_are_no_error() -> None:
    nine = tuple((k - 4) * SPACING for k in range(9))
    bodies = dataclasses.replace(
        dressed(0.0, nine, span_of(9)), depth=np.arange(9) % 3.0, rise=0.05, deep=2.0,
        near=np.linspace(-0.2, 0.4, 9).astype(np.float32),
    )  # fmt: skip
    for name in ("toon", "spotlight"):
        assert paint(find_look(name), bodies).std() > 5
        assert paint(find_look(name), dressed(0.0, (-0.9, 0.9))).std() > 5


def test_a_film_on_nothing_has_the_dancer_and_neither_beam_nor_mirror() -> None:
    painter = Painter((320, 180))
    made = painter.paint_alpha(Moment(dressed(0.0), find_look("spotlight"), hearing(), 0.0))
    body = made[80:90, 158:162]
    assert body[..., 3].min() == 255
    assert body[..., :3].max() > 30
    assert made[:15, 150:170, 3].max() == 0  # where the beam would be
    assert made[: round(0.9 * 180), :100, 3].max() == 0
