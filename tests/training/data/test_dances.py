"""Named dances are ranked by how fast and how large they are."""

from __future__ import annotations

import numpy as np

from training.data.dances import Dance, rank_dances


def swing(number: int, size: float, beats: float) -> Dance:
    """A body that swings `size` metres once in `beats` beats."""
    phase = 2 * np.pi * np.arange(256) / (16 * beats)
    latent = np.zeros((256, 63), np.float32)
    latent[:, 3] = size * np.sin(phase)
    return Dance(f"take of {number}", latent, np.zeros((256, 2), np.float32), np.zeros(256, np.float32), 0, False,
                 np.zeros(32, np.int64), True, number)  # fmt: skip


def test_the_fast_and_the_large_rank_above_the_slow_and_small() -> None:
    takes = [swing(0, 0.2, 2), swing(1, 0.2, 1), swing(2, 0.5, 1), swing(3, 0.1, 4), swing(-1, 9.0, 0.5)]
    assert rank_dances(takes, 4) == [1 / 3, 2 / 3, 1, 0]


def test_all_takes_of_a_dance_count_and_one_without_a_take_comes_in_the_middle() -> None:
    takes = [swing(0, 0.5, 2), swing(0, 0.1, 2), swing(2, 0.4, 2)]
    assert rank_dances(takes, 3) == [0, 0.5, 1]
