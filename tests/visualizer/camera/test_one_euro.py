"""The One Euro filter: quiet at rest, with little delay in movement."""

from __future__ import annotations

import numpy as np

from visualizer.camera.one_euro import OneEuro

RATE = 30.0


def run(points: np.ndarray) -> np.ndarray:
    each = OneEuro(2.0, 5.0, 4.0)
    return np.stack([each.push(p, k / RATE) for k, p in enumerate(points)])


def test_jitter_is_taken_out() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, (200, 4, 3))
    assert run(noise)[50:].std() < 0.6 * noise.std()


def test_who_moves_is_followed_closely() -> None:
    way = np.zeros((60, 1, 3))
    way[:, 0, 0] = np.arange(60) / RATE * 2  # two metres a second
    behind = (way - run(way))[30:, 0, 0] / 2
    assert 0 < behind.max() < 0.03  # seconds


def test_time_that_does_not_pass_begins_again() -> None:
    each = OneEuro(2.0, 5.0, 4.0)
    each.push(np.zeros((1, 3)), 1.0)
    np.testing.assert_array_equal(each.push(np.ones((1, 3)), 1.0), np.ones((1, 3)))
    assert not each.speed.any()
