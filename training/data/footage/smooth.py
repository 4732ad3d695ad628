"""Turns joints that were found picture by picture into one smooth movement."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from visualizer.dancer.pack import FRAME_METRES

PASS = 5.0  # hertz: faster movement is lost, with most of the encoder's jitter
OFF = 0.06  # metres: a joint that is seen this far from its path counts half
ORDER = 3  # of the difference that is kept small: jerk
ROUNDS = 8


def smooth(
    joints: NDArray[np.floating], rate: float, passing: float = PASS, metres: float = FRAME_METRES,
    sure: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:  # fmt: skip
    """Smooth joints (T, J, axes), in units of so many `metres` (frame coordinates if not given), `rate` a second, to
    the path of least jerk near most of them. `sure` (T, J): how much each counts, 1 if not given.

    Least squares with a penalty on the third difference (Whittaker, 1923; weighted so that the gain at `passing` hertz
    is a half), repeated with small weights for points far from the path (Holland and Welsch, 1977, with Cauchy's
    weights): an arm in front of the body is often seen in the wrong place.
    """
    count = len(joints)
    if count <= 2 * ORDER:
        return joints
    weight = 1 / (2 * np.sin(np.pi * min(passing / rate, 0.45))) ** (2 * ORDER)
    row = np.array([(-1) ** k * comb(ORDER, k) for k in range(ORDER + 1)], np.float64)
    bands = np.zeros((ORDER + 1, count))
    for off in range(ORDER + 1):
        for i in range(ORDER + 1 - off):
            bands[ORDER - off, i + off : i + off + count - ORDER] += weight * row[i] * row[i + off]
    out = np.empty(joints.shape, np.float32)
    for joint in range(joints.shape[1]):
        seen = joints[:, joint].astype(np.float64)
        counts = np.ones(count) if sure is None else sure[:, joint].astype(np.float64)
        way, trust = seen, counts
        for _ in range(ROUNDS):
            matrix = bands.copy()
            matrix[ORDER] += trust
            way = solveh_banded(matrix, trust[:, None] * seen)
            trust = counts / (1 + np.square(np.linalg.norm(way - seen, axis=1) * metres / OFF))
        out[:, joint] = way
    return out
