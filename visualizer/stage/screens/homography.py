"""The map that takes the corners of a picture to four other points, straight lines to straight lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]  # (3, 3), of homogeneous coordinates


def find_homography(source: Sequence[tuple[float, float]], target: Sequence[tuple[float, float]]) -> Matrix:
    """(3, 3) that takes each of four points to another; no three may lie on a line."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, float), np.array(right, float)), 1.0).reshape(3, 3)


def apply(matrix: Matrix, points: Sequence[tuple[float, float]]) -> NDArray[np.floating]:
    """(n, 2) where the points go."""
    moved = np.column_stack([np.array(points, float), np.ones(len(points))]) @ matrix.T
    return moved[:, :2] / moved[:, 2:]
