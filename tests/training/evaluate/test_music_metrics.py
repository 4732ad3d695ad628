"""A dance that follows its music, one that follows it late, and one that does not."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluate.music_metrics import (
    correlation,
    energy_correlation,
    mean_over,
    response_lag,
    section_speeds,
)
from visualizer.dancer.pack import STEPS_PER_BEAT

RNG = np.random.default_rng(0)
LEVEL = np.repeat(RNG.random(40), 8 * STEPS_PER_BEAT)  # another energy every eight beats


def test_who_follows_the_music_has_r_of_one() -> None:
    assert energy_correlation(0.3 + 0.5 * LEVEL, LEVEL) == pytest.approx(1)
    assert energy_correlation(1 - 0.5 * LEVEL, LEVEL) == pytest.approx(-1)
    assert abs(energy_correlation(RNG.random(len(LEVEL)), LEVEL)) < 0.3
    assert energy_correlation(np.full(len(LEVEL), 0.5), LEVEL) == 0
    assert correlation(np.arange(4.0), np.ones(4)) == 0


@pytest.mark.parametrize("beats", [0, 3, 9])
def test_the_lag_is_found(beats: int) -> None:
    late = np.roll(LEVEL, beats * STEPS_PER_BEAT)
    assert response_lag([late, late], [LEVEL, LEVEL]) == beats


def test_no_answer_has_no_lag() -> None:
    assert response_lag([np.full(len(LEVEL), 0.5)], [LEVEL]) is None


def test_means_leave_out_what_is_no_whole_block() -> None:
    np.testing.assert_array_equal(mean_over(np.arange(7.0), 3), [1, 4])


def test_speeds_of_sections_without_their_beginnings() -> None:
    section = np.repeat([0, 1, 0], 100)
    speed = np.concatenate([np.full(100, 1.0), np.full(10, 9.0), np.full(90, 2.0), np.full(100, 1.0)])
    assert section_speeds(speed, section, ("a", "b", "c"), settle=10) == {"a": 1, "b": 2}
