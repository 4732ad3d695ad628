"""The One Euro filter (Casiez, Roussel and Vogel, 2012): steady where nothing moves, quick where something does."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class OneEuro:
    """Smooths points (..., 3), metres, that come one after the other. Each point has its own cut-off frequency."""

    def __init__(self, least: float, beta: float, rate: float) -> None:
        """`least` hertz: the cut-off of a point at rest; `beta`: hertz more for each metre a second; `rate` hertz: the
        cut-off of the speed."""
        self._least, self._beta, self._rate = least, beta, rate
        self._time = math.nan
        self._raw = self._speed = self.points = np.zeros(0)

    @property
    def speed(self) -> Floats:
        """Metres a second, (..., 3), smoothed."""
        return self._speed

    def push(self, points: Floats, seconds: float) -> Floats:
        """The smoothed points at that time; times grow."""
        gap = seconds - self._time
        self._time = seconds
        if not gap > 0 or self.points.shape != points.shape:
            self._raw = self.points = points.copy()
            self._speed = np.zeros_like(points)
            return self.points
        moved = (points - self._raw) / gap
        self._raw = points.copy()
        self._speed = self._speed + _share(self._rate, gap) * (moved - self._speed)
        cut = self._least + self._beta * np.linalg.norm(self._speed, axis=-1, keepdims=True)
        self.points = self.points + _share(cut, gap) * (points - self.points)
        return self.points


def _share(hertz: float | Floats, gap: float) -> float | Floats:
    """Of the way to what is new, that a low pass of one pole goes in `gap` seconds."""
    turned = 2 * math.pi * hertz * gap
    return turned / (turned + 1)
