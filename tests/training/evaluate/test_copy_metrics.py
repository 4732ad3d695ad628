"""Copies are found, and what is farther away is none."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluate.copy_metrics import Known, distance_of_takes, share_of_copies

RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(0, 0.5, (300, 32, 21, 2)).astype(np.float32)


def known() -> Known:
    return Known(WINDOWS, np.arange(len(WINDOWS)))


def moved(metres: float) -> np.ndarray:
    """All joints that far away, straight."""
    return WINDOWS[::3] + np.array([0, metres], np.float32)


def test_the_nearest_is_found_at_its_distance() -> None:
    which, far = known().nearest(moved(0.05))
    np.testing.assert_array_equal(which, np.arange(0, 300, 3))
    assert far == pytest.approx(np.full(100, 0.05), abs=1e-4)
    in_space = np.concatenate([WINDOWS, np.zeros((*WINDOWS.shape[:3], 1), np.float32)], axis=-1)
    _, far = Known(in_space, np.arange(300)).nearest(in_space[:5] + np.array([0, 0, 0.05], np.float32))
    assert far == pytest.approx(np.full(5, 0.05), abs=1e-4)


def test_copies_are_those_within_the_threshold() -> None:
    assert share_of_copies(moved(0.04), known(), 0.05) == 1
    assert share_of_copies(moved(0.06), known(), 0.05) == 0
    half = np.concatenate([moved(0.04), moved(0.06)])
    assert share_of_copies(half, known(), 0.05) == 0.5


def test_takes_of_one_dance_are_as_far_apart_as_they_are() -> None:
    one, other = WINDOWS[0], WINDOWS[1]
    takes = [np.stack([w, w + np.array([0.03, 0], np.float32)]) for w in (one, other)]
    assert distance_of_takes(takes) == pytest.approx(0.03, abs=1e-4)
    assert distance_of_takes([takes[0][:1]]) == 0  # a single one is not apart from anything
    assert distance_of_takes([]) == 0
