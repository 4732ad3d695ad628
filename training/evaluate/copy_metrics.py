"""How much of a dance is a copy of what was learned from. Pure functions, and the windows to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BLOCK = 256  # windows compared at once with all that are known


@dataclass(frozen=True)
class Known:
    """Windows (N, T, 21, A) in metres to find the nearest of, and the number of the `dance` of each (N,). Poses as the
    crop shows them; only every `thin`-th step is compared."""

    windows: NDArray[np.float32]
    dance: NDArray[np.int64]
    thin: int = 4

    @cached_property
    def _middle(self) -> NDArray[np.float32]:
        return self.windows[:, :: self.thin].mean(axis=(0, 1))  # taken off both sides: small numbers keep their digits

    def _flat(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return (windows[:, :: self.thin] - self._middle).reshape(len(windows), -1).astype(np.float32)

    @cached_property
    def _rows(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        rows = self._flat(self.windows)
        return rows, (rows.astype(np.float64) ** 2).sum(axis=1)

    def nearest(self, windows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Number of the nearest known window and its distance in metres, root mean square over joints and steps, of
        each window (M, T, 21, A): (M,) and (M,)."""
        rows, squares = self._rows
        which, far = [], []
        for i in range(0, len(windows), BLOCK):
            asked = self._flat(windows[i : i + BLOCK])
            apart = squares - 2 * (asked @ rows.T)
            near = apart.argmin(axis=1)
            which.append(near)
            square = np.maximum(apart[np.arange(len(asked)), near] + (asked.astype(np.float64) ** 2).sum(axis=1), 0)
            far.append(np.sqrt(square / (rows.shape[1] / windows.shape[-1])))
        return np.concatenate(which), np.concatenate(far)


def share_of_copies(windows: NDArray[np.float32], known: Known, threshold: float) -> float:
    """Share of windows (M, T, 21, A) that are within `threshold` metres of a known one. As threshold serves the
    distance between two takes of one dance (`distance_of_takes`): what is nearer is as good as danced again."""
    return float((known.nearest(windows)[1] < threshold).mean())


def distance_of_takes(dances: Iterable[NDArray[np.float32]], thin: int = 4) -> float:
    """Median distance in metres, root mean square over joints and steps, between any two takes of one dance. Each item
    of `dances`: windows (N, T, 21, A) of one dance that begin at the same beat of it. 0 where none has two."""
    apart = []
    for windows in dances:
        rows = windows[:, ::thin].reshape(len(windows), -1).astype(np.float64)
        for k in range(len(rows) - 1):
            square = ((rows[k + 1 :] - rows[k]) ** 2).sum(axis=1)
            apart.append(np.sqrt(square / (rows.shape[1] / windows.shape[-1])))
    return float(np.median(np.concatenate(apart))) if apart else 0.0
