"""Points that were lost for a moment, as cameras lose them behind a limb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

LONGEST_GAP = 0.25  # seconds in which a point may be lost


def fill_short_gaps(points: NDArray[np.float64], names: Sequence[str], fps: float, path: Path) -> NDArray[np.float64]:
    """Points (T, P, 3) with gaps (NaN) filled in a straight line. UserError where a point is lost for long."""
    lost = np.asarray(~np.isfinite(points).all(axis=-1))
    if not lost.any():
        return points
    points = points.copy()
    frames = np.arange(len(points))
    for number, name in enumerate(names):
        gone = lost[:, number]
        if not gone.any():
            continue
        known = frames[~gone]
        longest = int(np.diff(np.concatenate([[-1], known, [len(frames)]])).max()) - 1
        if longest > LONGEST_GAP * fps:
            raise UserError(f"{path}: {name.replace('_', ' ')} is lost for {longest / fps:.1f} s")
        for axis in range(3):
            points[gone, number, axis] = np.interp(frames[gone], known, points[known, number, axis])
    return points
