"""Energy: how much is going on now, against the last two minutes of this evening.

Three numbers, averaged over a second: loudness in decibels, how strongly things strike, and how often. Each is ranked
within its own past, so a quiet night has its highs too, whatever the microphone's gain; the energy is the mean of the
ranks. Two values that differ by less than the ear would notice share their rank: a song without ups and
downs is danced evenly, not up and down by chance.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.features import HOPS_A_SECOND, LAG, MELS, Features

SILENCE = -60.0  # dBFS
MEMORY = 120  # seconds within which it is ranked
EVERY = 20  # rows from one rank to the next
SMOOTH = 0.6  # seconds in which a new rank is taken up
RESTING = 0.1  # energy where there is no music: stand and sway
START = 0.3  # before anything is known
KNOWN = 10  # seconds until ranks mean something
DEPTH = 9.0  # nats, 39 dB: what is softer than the loudest band by more than this is not heard as a stroke
FALL = 0.05 / HOPS_A_SECOND  # nats a hop by which the loudest is forgotten: slower than any break is long
STROKE = 0.3  # nats by which the mel bands must rise within 20 ms, on average, for a stroke
WIDTHS = (2.0, 0.12, 0.7)  # decibels, share of the strength, strokes a second: twice that is a difference for sure
WEIGHTS = (0.5, 0.25, 0.25)


class Energy:
    """Streaming; the same numbers for any block size."""

    def __init__(self) -> None:
        self.value = START
        self._past = np.zeros((0, MELS), np.float32)
        self._ceiling = -math.inf  # nats, the loudest band of late
        self._averages = [-100.0, 0.0, 0.0]  # loudness, strength, strokes a second
        self._last, self._rising = 0.0, False
        self._history: deque[tuple[float, ...]] = deque(maxlen=round(MEMORY * HOPS_A_SECOND / EVERY))
        self._rows = 0

    def push(self, features: Features) -> float:
        """Energy 0..1 after the last row."""
        n = len(features.power)
        if not n:
            return self.value
        slope = FALL * np.arange(1, n + 1)
        top = np.maximum.accumulate(np.concatenate([[self._ceiling], features.mel.max(axis=1) + slope]))[1:] - slope
        self._ceiling = float(top[-1])
        mel = np.maximum(features.mel, (top - DEPTH)[:, None])
        joined = np.concatenate([self._past if len(self._past) else np.repeat(mel[:1], LAG, axis=0), mel])
        self._past = joined[-LAG:]
        rise = np.maximum(mel - joined[:n], 0).mean(axis=1)
        decibels = 10 * np.log10(np.maximum(features.power, 1e-10))
        for loud, strength in zip(decibels.tolist(), rise.tolist(), strict=True):
            self._row(loud, strength)
        return self.value

    def _row(self, loud: float, strength: float) -> None:
        struck = self._rising and strength < self._last and self._last > STROKE  # a peak has passed
        self._rising = strength > self._last or (self._rising and not strength < self._last)
        self._last = strength
        for k, now in enumerate((loud, strength, HOPS_A_SECOND * struck)):
            self._averages[k] += (now - self._averages[k]) * _SECOND
        if self._rows % EVERY == 0:
            self._rank()
        self._rows += 1

    def _rank(self) -> None:
        target = RESTING
        if self._averages[0] > SILENCE:
            self._history.append(tuple(self._averages))
            past = np.asarray(self._history)
            known = min(len(past) * EVERY / (KNOWN * HOPS_A_SECOND), 1.0)
            target = 0.5 + (float(rank(past[-1], past) @ WEIGHTS) - 0.5) * known
        self.value += (target - self.value) * _TAKEN


def rank(now: NDArray[np.float64], past: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the past (N, 3) that each of now (3) lies above; what is nearly equal counts in part."""
    widths = np.array(WIDTHS) * (1, max(float(np.median(past[:, 1])), 1e-6), 1)
    return np.clip(0.5 + (now - past) / (2 * widths), 0, 1).mean(axis=0)


_SECOND = 1 - math.exp(-1 / HOPS_A_SECOND)
_TAKEN = 1 - math.exp(-EVERY / (SMOOTH * HOPS_A_SECOND))
