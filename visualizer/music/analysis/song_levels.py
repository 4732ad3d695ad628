"""How loud and lively each moment of a song is that was heard to its end, ranked within the whole of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.energy import WIDTHS
from visualizer.music.analysis.features import HOPS_A_SECOND, Floats


def measure_levels(power: Floats, bands: Floats, onset: NDArray) -> tuple[NDArray, ...]:
    """Loudness, bass, mid, treble, energy of a whole song, each (rows) in 0..1. Energy as in energy.py, but ranked
    within the whole song."""
    everything = np.concatenate([power[:, None], bands], axis=1)
    decibels = 10 * np.log10(np.maximum(everything, 1e-10))
    ceiling = np.percentile(decibels, 98, axis=0)
    levels = np.clip(1 + (_fall(decibels) - ceiling) / 24, 0, 1)
    slow, strength = _average(decibels[:, 0], 2.0), _average(np.nan_to_num(onset.astype(np.float64)), 2.0)
    rank = (_rank(slow, WIDTHS[0]) + _rank(strength, WIDTHS[1] * float(np.median(strength)))) / 2
    energy = rank * np.clip((slow + 65) / 10, 0.1, 1)
    return levels[:, 0], levels[:, 1], levels[:, 2], levels[:, 3], energy


def _fall(decibels: NDArray, a_second: float = 60.0) -> NDArray:
    """Up at once, down by no more than that many decibels a second: what the eye can follow."""
    slope = np.arange(len(decibels))[:, None] * (a_second / HOPS_A_SECOND)
    return np.maximum.accumulate(decibels + slope, axis=0) - slope


def _average(curve: NDArray, seconds: float) -> NDArray:
    """Mean over `seconds` about each row."""
    half = max(int(seconds * HOPS_A_SECOND / 2), 1)
    total = np.cumsum(np.concatenate([[0.0], curve]))
    left = np.clip(np.arange(len(curve)) - half, 0, len(curve))
    right = np.clip(np.arange(len(curve)) + half, 0, len(curve))
    return (total[right] - total[left]) / (right - left)


def _rank(curve: NDArray, width: float) -> NDArray:
    """Share of the song that is below each row, 0..1; what is nearer than twice `width` counts in part."""
    ordered = np.sort(curve)
    ranks = [
        np.searchsorted(ordered, curve + shift, side)
        for shift in np.linspace(-width, width, 5)
        for side in ("left", "right")
    ]
    return np.mean(ranks, axis=0) / len(curve)
