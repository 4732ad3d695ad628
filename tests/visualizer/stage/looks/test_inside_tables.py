"""The tables of what is inside: nothing far outside, all covered within, and no more levels than an index has room."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tests.support.fakes import hearing
from visualizer.moment import PARTS
from visualizer.stage.looks import Look, shipped_looks
from visualizer.stage.looks.inside_tables import INDEX_BITS, make_base, make_shade, make_strokes, share_levels
from visualizer.stage.mood import Mood

WITH_INSIDE = [each for each in shipped_looks() if each.inside is not None]
every_look = pytest.mark.parametrize("look", WITH_INSIDE, ids=lambda each: each.name)
PIXEL = 1 / 700
COLOURS = np.linspace(20, 230, len(PARTS) * 3).reshape(-1, 3).astype(np.uint8)


def mood_at(beat: float) -> Mood:
    mood = Mood()
    mood.follow(hearing(beat / 2), beat)
    return mood


def test_there_are_old_looks_with_an_inside_and_new_ones() -> None:
    names = {each.name for each in WITH_INSIDE}
    assert {"neon", "chalk", "ink", "xray", "heat"} <= names
    assert len(names) >= 13
    assert any(each.colour_blind_safe for each in WITH_INSIDE)


@every_look
def test_nothing_is_drawn_far_outside_so_that_no_box_shows(look: Look) -> None:
    levels = share_levels(look, PIXEL)
    for edges, creases in ((levels.edge, levels.crease), (256, 64)):
        strokes = make_strokes(look, PIXEL, edges, creases)
        assert np.abs(strokes.colour[0]).max() < 1 / 255
        assert strokes.keep[0].max() < 1 / 255
        assert strokes.colour.min() >= 0
        assert strokes.keep.max() <= 1 + 1e-6
        assert (strokes.keep <= strokes.colour[..., 3] + 1e-5).all()  # what is kept of the shade covers


@every_look
def test_levels_are_powers_of_two_that_fit_into_an_index(look: Look) -> None:
    levels = share_levels(look, PIXEL)
    counts = (levels.part, levels.edge, levels.crease, levels.first, levels.second)
    assert all(count & (count - 1) == 0 for count in counts)
    assert math.prod(counts) <= 2**INDEX_BITS
    assert levels.edge >= 4


@every_look
def test_shades_are_colours_and_change_with_what_they_are_made_of(look: Look) -> None:
    assert look.inside is not None
    base = make_base(look, COLOURS, 0, mood_at(0.0))
    shade = make_shade(look, base, 16, 8)
    assert shade.shape == (8, 16, 8, 3)
    assert shade.min() >= 0
    assert shade.max() <= 1
    if look.inside.first is not None:
        assert np.ptp(shade, axis=1).max() > 0.1
    if look.inside.second is not None:
        assert np.ptp(shade, axis=2).max() > 0.1
    other = make_base(look, 255 - COLOURS, 0, mood_at(0.0))
    assert (np.abs(other - base).max() > 0.02) == bool(look.inside.clothes)


def test_each_dancer_stands_in_a_lamp_of_another_colour() -> None:
    (look,) = (each for each in WITH_INSIDE if each.name == "spotlight")
    bases = [make_base(look, COLOURS, number, mood_at(0.0)) for number in range(9)]
    assert len({base.tobytes() for base in bases}) == 9


def test_a_body_is_covered_within_and_antialiased_at_its_edge() -> None:
    (clay,) = (each for each in WITH_INSIDE if each.name == "clay")
    cover = make_strokes(clay, PIXEL, 256, 1).colour[:, 0, 3]
    assert cover[-1] == pytest.approx(1)
    assert (np.diff(cover) >= -1e-6).all()
    assert 1 <= ((cover > 0.05) & (cover < 0.95)).sum() < 40
    assert clay.inside is not None
    half = dataclasses.replace(clay, inside=dataclasses.replace(clay.inside, cover=0.5, outline=clay.figure.stops[-1:]))
    assert make_strokes(half, PIXEL, 64, 1).colour[-1, 0, 3] < 0.9
