"""The live path keeps to the beats of the last seconds, and forgets those before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from visualizer.music.analysis.beat_belief import FINE
from visualizer.music.analysis.beat_path import LivePath
from visualizer.music.analysis.features import HOPS_A_SECOND

PERIODS = np.arange(60, 200, 2)  # places of 5 ms: 200 to 60 BPM
BUMP = np.exp(-0.5 * (np.arange(-6, 7) / 2.5) ** 2)


def make_path(memory: float = 8.0) -> LivePath:
    moves = np.exp(-60.0 * np.abs(PERIODS[None] / PERIODS[:, None] - 1))
    moves = np.log(moves / moves.sum(axis=1, keepdims=True) + 1e-5)
    prior = np.full(len(PERIODS), -math.log(len(PERIODS)))
    return LivePath(PERIODS, moves, prior, BUMP, memory * HOPS_A_SECOND)


def play(path: LivePath, period: float, rows: int, first: float = 0.0) -> float:
    """Hits every `period` rows; the phase at the last row."""
    for row in range(rows):
        away = abs(math.remainder(row - first, period))
        path.weigh_row(2.0 * math.exp(-0.5 * away**2) - 0.3)
        if row % 8 == 7:
            path.fade(8)
    return (rows - 1 - first) / period % 1.0


@pytest.mark.parametrize("period", [40, 55, 80])
def test_hits_are_followed(period: int) -> None:
    path = make_path()
    phase = play(path, period, 800, 13)
    which, found = path.best()
    assert PERIODS[which] == pytest.approx(period * FINE, abs=2)
    assert abs(math.remainder(found - phase, 1.0)) < 0.06


def test_a_few_hits_elsewhere_do_not_turn_it_and_many_do() -> None:
    path = make_path()
    play(path, 50, 1000)
    play(path, 50, 100, 25)  # two beats, half a beat off
    off = abs(math.remainder(path.best()[1] - 99 / 50, 1.0))
    assert off < 0.1
    phase = play(path, 50, 1500, 25)
    assert abs(math.remainder(path.best()[1] - phase, 1.0)) < 0.1


def test_a_lean_on_the_tempo_decides_between_octaves() -> None:
    for wanted in (80, 160):
        path = make_path()
        gains = np.where(np.abs(np.log2(PERIODS / wanted)) < 0.2, 0.0, -0.6)
        for row in range(1000):
            away = abs(math.remainder(row, 40.0))
            strong = 2.0 if abs(math.remainder(row, 80.0)) < 10 else 1.2
            path.weigh_row(strong * math.exp(-0.5 * away**2) - 0.3)
            if row % 8 == 7:
                path.fade(8)
                path.lean_on_tempo(gains)
        assert PERIODS[path.best()[0]] == pytest.approx(wanted, abs=2)
