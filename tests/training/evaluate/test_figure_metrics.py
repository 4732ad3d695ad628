"""Metrics of figures: perfect pictures are perfect, and each fault is seen by its measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.evaluate import figure_metrics as fm
from training.evaluate.figure_metrics import Pictures

SIZE = 48


def disc(across: float = 24.0, contour: float = 20.25) -> Pictures:
    """Three pictures of a disc, its upper half part 0 and its lower part 1, with a vertical contour: the surface to its
    right lies farther."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    field = np.hypot(x - across, y - 24) - 14
    parts = np.stack([y < 24, y >= 24]).astype(np.float32)
    crease = np.where(x > contour, np.clip(x - contour, 0, 3), 3.0)
    return Pictures(*(np.stack([a] * 3).astype(np.float32) for a in (field, crease, parts)))


def test_the_truth_itself_is_perfect() -> None:
    true = disc()
    assert fm.find_overlap(true, true) == 1
    assert fm.find_parts_right(true, true) == 1
    assert fm.find_contour_errors(true, true).max() == 0
    assert fm.count_flicker(true) == (0, 0)
    assert fm.count_jitter(true, true)[1] == 0


def test_a_body_beside_its_place_overlaps_less() -> None:
    assert 0.8 < fm.find_overlap(disc(), disc(across=26)) < 0.95


def test_wrong_parts_are_counted_within_the_body() -> None:
    true = disc()
    made = replace(true, parts=np.roll(true.parts, 1, axis=1))
    assert fm.find_parts_right(true, made) == 0
    outside = np.where(true.inside[:, None], true.parts, 1 - true.parts)
    assert fm.find_parts_right(true, replace(true, parts=outside)) == 1


def test_a_contour_half_a_pixel_off_is_two_pixels_off_at_512() -> None:
    assert fm.find_contour_errors(disc(), disc(contour=19.75)).mean() == pytest.approx(2, abs=0.4)


def test_no_contour_no_error() -> None:
    true = replace(disc(), crease=np.full((3, SIZE, SIZE), 3, np.float32))
    assert fm.find_contour_errors(true, disc()).size == 0


def test_ink_that_comes_and_goes_flickers() -> None:
    there = disc()
    gone = np.full_like(there.crease[1], 3)
    blinking = replace(there, crease=np.stack([there.crease[0], gone, there.crease[2]]))
    changed, back = fm.count_flicker(blinking)
    assert changed == back > 0
    leaving = replace(there, crease=np.stack([there.crease[0], gone, gone]))
    assert fm.count_flicker(leaving) == (changed, 0)


def test_only_what_is_far_from_borders_may_not_change() -> None:
    still = disc()
    y = np.mgrid[:SIZE, :SIZE][0] + 0.5
    moved = np.stack([np.stack([y < 25, y >= 25])] * 3).astype(np.float32)  # the border, by a pixel
    away, changed = fm.count_jitter(still, replace(still, parts=moved))
    assert away > 0
    assert changed == 0
    swapped = replace(still, parts=np.roll(still.parts, 1, axis=1))
    assert fm.count_jitter(still, swapped) == (away, away)
